// SPDX-License-Identifier: Apache-2.0
//! `assay key`.

use crate::{
    args::{Global, KeyCommand},
    chain::state::hex_of,
    exit::Exit,
    fault::Fault,
    key::{self, Key, Scheme},
    out,
};
use anyhow::{Context, Result};
use assay_primitives::{AddressError, AssayAddress};
use assay_runtime::AccountId;
use serde_json::{json, Value};
use sp_core::crypto::Ss58Codec;
use std::path::Path;

/// Runs the command.
pub fn dispatch(global: &Global, command: KeyCommand) -> Result<Exit> {
    match command {
        KeyCommand::New { out } => new(global, out.as_deref()),
        KeyCommand::Inspect { what } => inspect(global, what.as_deref()),
    }
}

fn new(global: &Global, file: Option<&Path>) -> Result<Exit> {
    let scheme = global.scheme.unwrap_or_default();
    let (key, phrase) = Key::generate(scheme);
    if let Some(path) = file {
        key::to_file(path, scheme, &phrase)?;
    }
    let mut facts = Facts::of_key(&key);
    facts.push(match file {
        Some(path) => ("file", "File", path.display().to_string()),
        None => ("secret", "Secret", phrase),
    });
    facts.show(global.json)?;
    if !global.json {
        out::note(
            "Anyone who has the secret controls the money, and a lost secret cannot be recovered.",
        );
    }
    Ok(Exit::Done)
}

fn inspect(global: &Global, what: Option<&str>) -> Result<Exit> {
    let facts = match what {
        Some(text) => of_text(global.scheme, text)?,
        None => {
            let key =
                key::named(global.scheme, global.suri.as_deref(), global.key_file.as_deref())?;
            Facts::of_key(&key.ok_or_else(|| {
                Fault::error(
                    "no_signer",
                    "no key or address to inspect is named; give a secret or an address, use \
                     --key-file, --suri or the environment variable ASSAY_SURI",
                )
            })?)
        }
    };
    facts.show(global.json)?;
    Ok(Exit::Done)
}

/// Returns the facts about a secret or an address.
fn of_text(scheme: Option<Scheme>, text: &str) -> Result<Facts> {
    if let Ok(account) = AccountId::from_ss58check(text) {
        return Ok(Facts::of_account(&account));
    }
    match AssayAddress::decode(text) {
        Ok(address) => Ok(Facts::of_address(&address)),
        // A secret never has this form.
        Err(error @ (AddressError::WrongChecksum | AddressError::WrongVersion { .. })) => {
            Err(Fault::error(
                "address_malformed",
                format!("'{text}' is not a valid Assay address: {error}"),
            ))
        }
        Err(AddressError::NotBase58 | AddressError::WrongLength) => {
            Key::from_suri(scheme.unwrap_or_default(), text)
                .map(|key| Facts::of_key(&key))
                .context("the text is not an SS58 address, an Assay address or a secret")
        }
    }
}

/// The facts about a key: for each its name in JSON, its name in text, and its value.
struct Facts(Vec<(&'static str, &'static str, String)>);

impl Facts {
    fn of_key(key: &Key) -> Self {
        let mut rows = vec![
            ("address", "Address", key.account().to_string()),
            ("publicKey", "Public key", hex_of(&key.public())),
            ("scheme", "Scheme", key.scheme().to_string()),
        ];
        rows.extend(key.address().iter().flat_map(address_rows));
        Self(rows)
    }

    fn of_account(account: &AccountId) -> Self {
        Self(vec![
            ("address", "Address", account.to_string()),
            ("publicKey", "Public key", hex_of(account.as_ref())),
        ])
    }

    fn of_address(address: &AssayAddress) -> Self {
        Self(address_rows(address).into())
    }

    fn push(&mut self, row: (&'static str, &'static str, String)) {
        self.0.push(row);
    }

    fn show(self, json: bool) -> std::io::Result<()> {
        if json {
            let object = self.0.into_iter().map(|(name, _, value)| (name.into(), json!(value)));
            return out::object(&Value::Object(object.collect()));
        }
        let rows: Vec<_> = self.0.into_iter().map(|(_, name, value)| (name, value)).collect();
        out::pairs(&rows)
    }
}

/// Returns the rows of an Assay address, and of its hash, which other tools accept.
fn address_rows(address: &AssayAddress) -> [(&'static str, &'static str, String); 2] {
    [
        ("assayAddress", "Assay address", address.to_string()),
        ("hash", "Address20", hex_of(&address.0)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(facts: &Facts) -> Vec<&'static str> {
        facts.0.iter().map(|(name, _, _)| *name).collect()
    }

    #[test]
    fn assay_address_is_shown_for_secp256k1_alone() {
        let (key, _) = Key::generate(Scheme::Ecdsa);
        assert_eq!(
            names(&Facts::of_key(&key)),
            ["address", "publicKey", "scheme", "assayAddress", "hash"]
        );
        let (key, _) = Key::generate(Scheme::Sr25519);
        assert_eq!(names(&Facts::of_key(&key)), ["address", "publicKey", "scheme"]);
    }

    #[test]
    fn text_is_an_account_an_address_or_a_secret() {
        let facts = of_text(None, "1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH").unwrap();
        assert_eq!(names(&facts), ["assayAddress", "hash"]);
        let (key, phrase) = Key::generate(Scheme::Ecdsa);
        let facts = of_text(None, &key.account().to_string()).unwrap();
        assert_eq!(names(&facts), ["address", "publicKey"]);
        let facts = of_text(Some(Scheme::Ecdsa), &phrase).unwrap();
        assert_eq!(facts.0, Facts::of_key(&key).0);
    }

    #[test]
    fn mistyped_address_is_named_and_a_mistyped_secret_is_not() {
        let error = of_text(None, "1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMh").err().unwrap();
        assert!(error.to_string().contains("SAMh"), "{error}");
        let error = of_text(None, "correct horse battery staple").err().unwrap();
        assert!(!format!("{error:#}").contains("horse"));
    }
}
