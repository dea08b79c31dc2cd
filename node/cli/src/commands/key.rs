// SPDX-License-Identifier: Apache-2.0
//! `assay key`.

use crate::{
    args::{Global, KeyCommand},
    bounded,
    chain::state::hex_of,
    exit::Exit,
    fault::Fault,
    key::{self, passphrase, Key, NamedKey, Scheme},
    out,
    settings::Settings,
};
use anyhow::{Context, Result};
use assay_primitives::{AddressError, AssayAddress};
use assay_runtime::AccountId;
use serde_json::{json, Value};
use sp_core::crypto::Ss58Codec;
use std::{
    io::{self, IsTerminal},
    path::Path,
};
use zeroize::Zeroizing;

/// Runs the command.
pub fn dispatch(global: &Global, command: KeyCommand) -> Result<Exit> {
    if let KeyCommand::New { out: Some(path), .. } | KeyCommand::Import { out: path, .. } = &command
    {
        // Neither a secret nor a passphrase is asked for in vain.
        key::ensure_new(path)?;
    }
    match command {
        KeyCommand::New { out, unencrypted } => new(global, out.as_deref(), unencrypted),
        KeyCommand::Import { out, unencrypted } => import(global, &out, unencrypted),
        KeyCommand::Inspect { what } => inspect(global, what.as_deref()),
    }
}

fn new(global: &Global, file: Option<&Path>, unencrypted: bool) -> Result<Exit> {
    let scheme = global.scheme.unwrap_or_default();
    let (key, phrase) = Key::generate(scheme);
    let phrase = Zeroizing::new(phrase);
    match file {
        Some(path) => {
            write(global, path, &key, &phrase, unencrypted)?;
            show_written(global, key, path)?;
            if !global.json {
                out::note(&format!(
                    "Anyone who has {} controls the money, and a lost key cannot be recovered: back \
                     the file up.",
                    if unencrypted { "the file" } else { "the file and its passphrase" }
                ));
            }
        }
        None => {
            let mut facts = Facts::of_key(&NamedKey::Open(key))?;
            facts.push(("secret", "Secret", phrase.to_string()));
            facts.show(global.json)?;
            if !global.json {
                out::note(
                    "Anyone who has the secret controls the money, and a lost secret cannot be \
                     recovered.",
                );
            }
        }
    }
    Ok(Exit::Done)
}

fn import(global: &Global, file: &Path, unencrypted: bool) -> Result<Exit> {
    let secret = if io::stdin().is_terminal() {
        passphrase::ask("Mnemonic, or seed in hex: ")?
    } else {
        bounded::secret(io::stdin().lock(), "the secret from standard input")?
    };
    let key = Key::from_suri(global.scheme.unwrap_or_default(), secret.trim())?;
    write(global, file, &key, secret.trim(), unencrypted)?;
    show_written(global, key, file)?;
    Ok(Exit::Done)
}

fn write(global: &Global, path: &Path, key: &Key, secret: &str, unencrypted: bool) -> Result<()> {
    if unencrypted {
        return key::to_file_unencrypted(path, key.scheme(), secret);
    }
    let passphrase = passphrase::new(global.passphrase_file.as_deref(), path)?;
    key::to_file(path, key, &passphrase)
}

fn show_written(global: &Global, key: Key, path: &Path) -> Result<()> {
    let mut facts = Facts::of_key(&NamedKey::Open(key))?;
    facts.push(("file", "File", path.display().to_string()));
    Ok(facts.show(global.json)?)
}

fn inspect(global: &Global, what: Option<&str>) -> Result<Exit> {
    let facts = match what {
        Some(text) => of_text(global.scheme, text)?,
        None => {
            let settings = Settings::of(global)?;
            let key = key::find(&global.key_options(settings.key_file.as_deref()))?;
            Facts::of_key(&key.ok_or_else(|| {
                Fault::error(
                    "no_signer",
                    "no key or address to inspect is named; give an address, use --key-file or the \
                     environment variable ASSAY_KEY_FILE",
                )
            })?)?
        }
    };
    facts.show(global.json)?;
    Ok(Exit::Done)
}

/// Returns the facts about an address or a key for development.
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
            key::ensure_public(text).context(
                "the text is not an SS58 address, an Assay address or a path like //Alice",
            )?;
            Facts::of_key(&NamedKey::Open(Key::from_suri(scheme.unwrap_or_default(), text)?))
        }
    }
}

/// The facts about a key: for each its name in JSON, its name in text, and its value.
struct Facts(Vec<(&'static str, &'static str, String)>);

impl Facts {
    fn of_key(key: &NamedKey) -> Result<Self> {
        let mut rows = vec![
            ("address", "Address", key.account()?.to_string()),
            ("publicKey", "Public key", hex_of(&key.public()?)),
            ("scheme", "Scheme", key.scheme()?.to_string()),
        ];
        rows.extend(key.address().iter().flat_map(address_rows));
        Ok(Self(rows))
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

    fn show(self, json: bool) -> io::Result<()> {
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
    use crate::args::{Cli, Command};
    use clap::Parser;

    fn names(facts: &Facts) -> Vec<&'static str> {
        facts.0.iter().map(|(name, _, _)| *name).collect()
    }

    fn facts(scheme: Scheme) -> (Facts, AccountId) {
        let (key, _) = Key::generate(scheme);
        let account = key.account();
        (Facts::of_key(&NamedKey::Open(key)).unwrap(), account)
    }

    #[test]
    fn assay_address_is_shown_for_secp256k1_alone() {
        assert_eq!(
            names(&facts(Scheme::Ecdsa).0),
            ["address", "publicKey", "scheme", "assayAddress", "hash"]
        );
        assert_eq!(names(&facts(Scheme::Sr25519).0), ["address", "publicKey", "scheme"]);
    }

    #[test]
    fn text_is_an_account_an_address_or_a_key_for_development() {
        let facts_of = |text: &str| of_text(Some(Scheme::Ecdsa), text).unwrap();
        assert_eq!(
            names(&facts_of("1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH")),
            ["assayAddress", "hash"]
        );
        let (_, account) = facts(Scheme::Ecdsa);
        assert_eq!(names(&facts_of(&account.to_string())), ["address", "publicKey"]);
        let alice = Key::from_suri(Scheme::Ecdsa, "//Alice").unwrap();
        assert_eq!(facts_of("//Alice").0, Facts::of_key(&NamedKey::Open(alice)).unwrap().0);
    }

    #[test]
    fn file_that_exists_is_found_before_a_passphrase_is_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let [path, missing] = ["key", "passphrase"].map(|name| folder.path().join(name));
        std::fs::write(&path, "").unwrap();
        let [path, missing] = [&path, &missing].map(|path| path.to_str().unwrap());
        for verb in ["new", "import"] {
            let args = ["assay", "key", verb, "--out", path, "--passphrase-file", missing];
            let cli = Cli::try_parse_from(args).unwrap();
            let Command::Key(command) = cli.command else { panic!("it is `assay key`") };
            let error = dispatch(&cli.global, command).unwrap_err();
            assert_eq!(error.downcast_ref::<Fault>().unwrap().code, "file_exists", "{error:#}");
        }
    }

    #[test]
    fn mistyped_address_is_named_and_a_secret_is_refused_without_it() {
        let error = of_text(None, "1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMh").err().unwrap();
        assert!(error.to_string().contains("SAMh"), "{error}");
        let error = of_text(None, "correct horse battery staple").err().unwrap();
        assert!(!format!("{error:#}").contains("horse"));
        assert_eq!(error.downcast_ref::<Fault>().unwrap().code, "secret_on_command_line");
    }
}
