// SPDX-License-Identifier: Apache-2.0
//! Files that hold one key: a line with a secret URI, preceded by the name of its scheme and a colon
//! unless that is sr25519.

use super::{pair::Key, scheme::Scheme};
use crate::fault::Fault;
use anyhow::{Context, Result};
use std::{
    fs,
    io::Write,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
};

/// Reads the key in a file. A file that names no scheme is read in the one asked for.
pub fn from_file(scheme: Option<Scheme>, path: &Path) -> Result<Key> {
    let text = fs::read_to_string(path)
        .with_context(|| format!("cannot read the key file {}", path.display()))?;
    let named = text.trim().split_once(':').and_then(|(name, secret)| {
        Some((Scheme::ALL.into_iter().find(|scheme| scheme.name() == name)?, secret))
    });
    let (scheme, secret) = match (scheme, named) {
        (Some(asked), Some((is, _))) if asked != is => {
            return Err(Fault::error(
                "other_scheme",
                format!(
                    "the key file {} holds a key of scheme {is}, not {asked}; leave out --scheme",
                    path.display()
                ),
            ))
        }
        (_, Some(named)) => named,
        (scheme, None) => (scheme.unwrap_or_default(), text.trim()),
    };
    Key::from_suri(scheme, secret)
        .with_context(|| format!("the key file {} is malformed", path.display()))
}

/// Writes a secret into a new file that only its owner can read.
pub fn to_file(path: &Path, scheme: Scheme, secret: &str) -> Result<()> {
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("cannot create the key file {}", path.display()))?;
    // The umask reduces the mode above; this one is exact.
    file.set_permissions(fs::Permissions::from_mode(0o600))?;
    match scheme {
        Scheme::Sr25519 => writeln!(file, "{secret}"),
        other => writeln!(file, "{other}:{secret}"),
    }
    .with_context(|| format!("cannot write the key file {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_file_is_for_its_owner_alone_and_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        to_file(&path, Scheme::Sr25519, "//Alice").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let alice = sp_keyring::Sr25519Keyring::Alice.to_account_id();
        assert_eq!(from_file(None, &path).unwrap().account(), alice);
        assert!(to_file(&path, Scheme::Sr25519, "//Bob").is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "//Alice\n");
    }

    #[test]
    fn key_file_knows_its_scheme() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        // The password has a colon of its own.
        to_file(&path, Scheme::Ecdsa, "//Alice///a:b").unwrap();
        let expected = Key::from_suri(Scheme::Ecdsa, "//Alice///a:b").unwrap();
        for scheme in [None, Some(Scheme::Ecdsa)] {
            let key = from_file(scheme, &path).unwrap();
            assert_eq!((key.scheme(), key.account()), (Scheme::Ecdsa, expected.account()));
        }
        let error = from_file(Some(Scheme::Sr25519), &path).err().unwrap();
        assert_eq!(error.downcast_ref::<Fault>().unwrap().code, "other_scheme");
    }

    #[test]
    fn key_file_without_scheme_is_read_as_the_one_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        fs::write(&path, "//Alice\n").unwrap();
        for (asked, is) in [
            (None, Scheme::Sr25519),
            (Some(Scheme::Sr25519), Scheme::Sr25519),
            (Some(Scheme::Ecdsa), Scheme::Ecdsa),
        ] {
            assert_eq!(from_file(asked, &path).unwrap().scheme(), is);
        }
    }
}
