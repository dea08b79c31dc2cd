// SPDX-License-Identifier: Apache-2.0
//! Files that hold one key: the JSON of a wallet, which is encrypted, or a line with a secret URI,
//! preceded by the name of its scheme and a colon unless that is sr25519.

use super::{
    named::{NamedKey, SealedKey},
    pair::Key,
    passphrase::Passphrase,
    private,
    scheme::Scheme,
    wallet::Wallet,
};
use crate::fault::Fault;
use anyhow::{Context, Result};
use std::path::Path;

const KIND: &str = "key file";

/// Reads the key in a file. A line that names no scheme is read in the one asked for. The passphrase of
/// an encrypted key is read later, from the file that is named.
pub fn from_file(
    scheme: Option<Scheme>,
    path: &Path,
    passphrase_file: Option<&Path>,
) -> Result<NamedKey> {
    let text = private::read(path, KIND)?;
    let malformed = || format!("the key file {} is malformed", path.display());
    if text.trim_start().starts_with('{') {
        let wallet = Wallet::read(&text).with_context(malformed)?;
        ensure_scheme(scheme, wallet.scheme()?, path)?;
        let (path, passphrase_file) = (path.to_owned(), passphrase_file.map(Path::to_owned));
        return Ok(NamedKey::Sealed(SealedKey { path, wallet, passphrase_file }));
    }
    let named = text.trim().split_once(':').and_then(|(name, secret)| {
        Some((Scheme::ALL.into_iter().find(|scheme| scheme.name() == name)?, secret))
    });
    let (scheme, secret) = match named {
        Some((is, secret)) => {
            ensure_scheme(scheme, is, path)?;
            (is, secret)
        }
        None => (scheme.unwrap_or_default(), text.trim()),
    };
    Key::from_suri(scheme, secret).map(NamedKey::Open).with_context(malformed)
}

fn ensure_scheme(asked: Option<Scheme>, is: Scheme, path: &Path) -> Result<()> {
    match asked {
        Some(asked) if asked != is => Err(Fault::error(
            "other_scheme",
            format!(
                "the key file {} holds a key of scheme {is}, not {asked}; leave out --scheme",
                path.display()
            ),
        )),
        _ => Ok(()),
    }
}

/// Fails if a file exists at the path of a new key file.
pub fn ensure_new(path: &Path) -> Result<()> {
    private::ensure_new(path, KIND)
}

/// Writes an encrypted key into a new file that only its owner can open.
pub fn to_file(path: &Path, key: &Key, passphrase: &Passphrase) -> Result<()> {
    private::write(path, KIND, &(Wallet::seal(key, passphrase)?.json()? + "\n"))
}

/// Writes a secret as it is into a new file that only its owner can open.
pub fn to_file_unencrypted(path: &Path, scheme: Scheme, secret: &str) -> Result<()> {
    let line = match scheme {
        Scheme::Sr25519 => format!("{secret}\n"),
        other => format!("{other}:{secret}\n"),
    };
    private::write(path, KIND, &line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(scheme: Option<Scheme>, path: &Path) -> Result<Key> {
        from_file(scheme, path, None)?.unlock()
    }

    #[test]
    fn encrypted_key_file_is_unlocked_by_its_passphrase() {
        let folder = tempfile::tempdir().unwrap();
        let [path, phrase] = ["key", "passphrase"].map(|name| folder.path().join(name));
        let (key, secret) = Key::generate(Scheme::Ecdsa);
        to_file(&path, &key, &Passphrase::new("correct horse".into())).unwrap();
        assert!(!std::fs::read_to_string(&path).unwrap().contains(&secret));
        private::write(&phrase, "passphrase file", "correct horse\n").unwrap();
        let named = from_file(None, &path, Some(&phrase)).unwrap();
        // The account is known before the passphrase.
        assert!(matches!(named, NamedKey::Sealed(_)));
        assert_eq!(named.account().unwrap(), key.account());
        assert_eq!(named.unlock().unwrap().public(), key.public());
    }

    #[test]
    fn key_file_knows_its_scheme() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        // The password has a colon of its own.
        to_file_unencrypted(&path, Scheme::Ecdsa, "//Alice///a:b").unwrap();
        let expected = Key::from_suri(Scheme::Ecdsa, "//Alice///a:b").unwrap();
        for scheme in [None, Some(Scheme::Ecdsa)] {
            let key = open(scheme, &path).unwrap();
            assert_eq!((key.scheme(), key.account()), (Scheme::Ecdsa, expected.account()));
        }
        let error = open(Some(Scheme::Sr25519), &path).err().unwrap();
        assert_eq!(error.downcast_ref::<Fault>().unwrap().code, "other_scheme");
    }

    #[test]
    fn key_file_without_scheme_is_read_as_the_one_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        to_file_unencrypted(&path, Scheme::Sr25519, "//Alice").unwrap();
        for (asked, is) in [
            (None, Scheme::Sr25519),
            (Some(Scheme::Sr25519), Scheme::Sr25519),
            (Some(Scheme::Ecdsa), Scheme::Ecdsa),
        ] {
            assert_eq!(open(asked, &path).unwrap().scheme(), is);
        }
    }
}
