// SPDX-License-Identifier: Apache-2.0
//! The file of the configuration, `assay/config.toml` in the folder for configurations.

use super::network::Config;
use crate::{bounded, fault::Fault, folders};
use anyhow::{Context, Result};
use std::{
    fs::{self, File},
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
};
use toml_edit::{DocumentMut, Item, Table};

/// The file of the configuration.
pub struct ConfigFile {
    path: PathBuf,
}

impl ConfigFile {
    /// Returns the file of this user. It need not exist.
    pub fn of_user() -> Result<Self> {
        let folder = folders::config().ok_or_else(|| {
            Fault::error(
                "no_home",
                "there is no folder for the configuration; set HOME or XDG_CONFIG_HOME",
            )
        })?;
        Ok(Self { path: folder.join("config.toml") })
    }

    /// Returns the path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the configuration of this user, which is empty without a file or a home folder.
    pub fn read_of_user() -> Result<Config> {
        if folders::config().is_none() {
            return Ok(Config::default());
        }
        Self::of_user()?.read()
    }

    /// Reads the configuration, which is empty without a file.
    pub fn read(&self) -> Result<Config> {
        self.parse(&self.text()?)
    }

    /// Sets a value, or removes it, and leaves the rest of the file as it is. Without a `network` the
    /// value is one of the whole configuration.
    pub fn put(&self, network: Option<&str>, key: &str, value: Option<&str>) -> Result<()> {
        let folder = self.path.parent().context("the configuration has no folder")?;
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot create the folder {}", folder.display()))?;
        // Other commands wait, so that no change is lost.
        let lock = File::create(folder.join("config.lock"))
            .and_then(|lock| lock.lock().map(|()| lock))
            .with_context(|| format!("cannot lock {}", self.path.display()))?;
        let text = edited(&self.text()?, network, key, value)
            .with_context(|| format!("{} is malformed", self.path.display()))?;
        // A change that would make the file unreadable is not written.
        self.parse(&text)?;
        let new = folder.join("config.toml.new");
        let written = File::create(&new)
            .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
            .and_then(|()| fs::rename(&new, &self.path));
        written.with_context(|| format!("cannot write {}", self.path.display()))?;
        drop(lock);
        Ok(())
    }

    fn text(&self) -> Result<String> {
        match File::open(&self.path) {
            Ok(file) => {
                let what = format!("the configuration {}", self.path.display());
                let bytes = bounded::bytes(file, bounded::CONFIG_BYTES, &what)?;
                String::from_utf8(bytes).with_context(|| format!("cannot read {what}"))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
            Err(error) => {
                Err(error).with_context(|| format!("cannot read {}", self.path.display()))
            }
        }
    }

    fn parse(&self, text: &str) -> Result<Config> {
        toml_edit::de::from_str(text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            Fault::error(
                "config_malformed",
                format!(
                    "the configuration {} is malformed in line {}: {}",
                    self.path.display(),
                    before.matches('\n').count() + 1,
                    error.message()
                ),
            )
        })
    }
}

/// Returns the text of the configuration with one value changed.
fn edited(text: &str, network: Option<&str>, key: &str, value: Option<&str>) -> Result<String> {
    let mut document: DocumentMut = text.parse()?;
    let table = match network {
        None => document.as_table_mut(),
        Some(name) => {
            let networks = table(document.as_table_mut(), "networks")?;
            // `[networks.NAME]` alone, without a `[networks]` above it.
            networks.set_implicit(true);
            table(networks, name)?
        }
    };
    match value {
        Some(value) => table[key] = toml_edit::value(value),
        None => drop(table.remove(key)),
    }
    Ok(document.to_string())
}

fn table<'a>(of: &'a mut Table, name: &str) -> Result<&'a mut Table> {
    let item = of.entry(name).or_insert_with(|| Item::Table(Table::new()));
    item.as_table_mut().with_context(|| format!("'{name}' is not a table"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{amount::Amount, config::network::Network};
    use assay_runtime::{Hash, UNIT};

    fn file(folder: &tempfile::TempDir) -> ConfigFile {
        ConfigFile { path: folder.path().join("assay").join("config.toml") }
    }

    #[test]
    fn configuration_is_written_and_read_per_network() {
        let folder = tempfile::tempdir().unwrap();
        let file = file(&folder);
        assert_eq!(file.read().unwrap(), Config::default());
        let genesis = format!("{:?}", Hash::repeat_byte(7));
        file.put(None, "network", Some("main")).unwrap();
        for (key, value) in [
            ("url", "wss://rpc.example"),
            ("key-file", "/me.json"),
            ("max-cost", "1.5"),
            ("genesis", &genesis),
        ] {
            file.put(Some("main"), key, Some(value)).unwrap();
        }
        file.put(Some("test"), "url", Some("ws://127.0.0.1:1")).unwrap();
        let config = file.read().unwrap();
        assert_eq!(config.name(None), "main");
        assert_eq!(config.name(Some("test")), "test");
        let expected = Network {
            url: Some("wss://rpc.example".into()),
            key_file: Some("/me.json".into()),
            max_cost: Some(Amount(UNIT / 2 * 3)),
            genesis: Some(Hash::repeat_byte(7)),
        };
        assert_eq!(config.of("main"), expected);
        assert_eq!(config.of("other"), Network::default());
        file.put(Some("main"), "max-cost", None).unwrap();
        assert_eq!(file.read().unwrap().of("main").max_cost, None);
    }

    #[test]
    fn change_keeps_comments_and_order() {
        let text =
            "# mine\nnetwork = \"main\"\n\n[networks.main]\n# the node at home\nurl = \"ws://a\"\n";
        let changed = edited(text, Some("main"), "url", Some("ws://b")).unwrap();
        assert_eq!(changed, text.replace("ws://a", "ws://b"));
        let new = edited("", Some("main"), "url", Some("ws://b")).unwrap();
        assert_eq!(new, "[networks.main]\nurl = \"ws://b\"\n");
    }

    #[test]
    fn malformed_configuration_is_named_and_not_made() {
        let folder = tempfile::tempdir().unwrap();
        let file = file(&folder);
        file.put(Some("main"), "url", Some("ws://a")).unwrap();
        let before = file.text().unwrap();
        for (key, value) in [("genesis", "0x12"), ("max-cost", "much")] {
            let error = file.put(Some("main"), key, Some(value)).unwrap_err();
            assert_eq!(error.downcast_ref::<Fault>().unwrap().code, "config_malformed");
            assert_eq!(file.text().unwrap(), before);
        }
        fs::write(&file.path, "[networks.main]\nurI = \"ws://a\"\n").unwrap();
        let error = file.read().unwrap_err().to_string();
        assert!(error.contains("uri") || error.contains("urI"), "{error}");
        assert!(error.contains("config.toml"), "{error}");
    }

    #[test]
    fn changes_at_the_same_time_are_all_kept() {
        let folder = tempfile::tempdir().unwrap();
        let file = file(&folder);
        std::thread::scope(|scope| {
            for number in 0..8 {
                let file = &file;
                scope.spawn(move || {
                    let name = format!("network{number}");
                    file.put(Some(&name), "url", Some("ws://a")).unwrap();
                });
            }
        });
        assert_eq!(file.read().unwrap().networks.len(), 8);
    }
}
