// SPDX-License-Identifier: Apache-2.0
//! Keys: where the signer comes from, and files that hold one.

use crate::exit::Fault;
use anyhow::{bail, Context, Result};
use assay_runtime::AccountId;
use sp_core::{sr25519, Pair};
use std::{
    fs,
    io::Write,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
};

/// Who signs on chains for development when nobody is named.
pub const DEVELOPMENT_SIGNER: &str = "//Ferdie";

/// The account of a key.
pub fn account(pair: &sr25519::Pair) -> AccountId {
    AccountId::new(pair.public().0)
}

/// The key that a secret URI names.
pub fn from_suri(suri: &str) -> Result<sr25519::Pair> {
    sr25519::Pair::from_string(suri, None).map_err(|error| {
        // The secret itself stays out of messages.
        Fault::error(
            "secret_malformed",
            format!(
                "the secret is neither a mnemonic, nor a seed of 32 bytes in hex, nor a path like \
                 //Alice ({error:?})"
            ),
        )
    })
}

/// The key in a file: one line with a secret URI.
pub fn from_file(path: &Path) -> Result<sr25519::Pair> {
    let text = fs::read_to_string(path)
        .with_context(|| format!("cannot read the key file {}", path.display()))?;
    from_suri(text.trim()).with_context(|| format!("the key file {} is malformed", path.display()))
}

/// Writes a secret into a new file that only its owner can read.
pub fn to_file(path: &Path, secret: &str) -> Result<()> {
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("cannot create the key file {}", path.display()))?;
    // The mode above is reduced by the umask; this one is exact.
    file.set_permissions(fs::Permissions::from_mode(0o600))?;
    writeln!(file, "{secret}")
        .with_context(|| format!("cannot write the key file {}", path.display()))
}

/// The key that was named, if any: by `--key-file`, by `--suri`, or by ASSAY_SURI.
pub fn named(suri: Option<&str>, file: Option<&Path>) -> Result<Option<sr25519::Pair>> {
    if let Some(path) = file {
        return from_file(path).map(Some);
    }
    if let Some(suri) = suri {
        return from_suri(suri).map(Some);
    }
    match std::env::var("ASSAY_SURI") {
        Ok(suri) if !suri.is_empty() => {
            from_suri(&suri).context("the environment variable ASSAY_SURI is malformed").map(Some)
        }
        Err(std::env::VarError::NotUnicode(_)) => {
            bail!("the environment variable ASSAY_SURI is no text")
        }
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_file_is_for_its_owner_alone_and_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        to_file(&path, "//Alice").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(from_file(&path).unwrap().public(), sp_keyring::Sr25519Keyring::Alice.public());
        assert!(to_file(&path, "//Bob").is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "//Alice\n");
    }

    #[test]
    fn malformed_secret_is_not_repeated() {
        let error = from_suri("correct horse battery staple").err().unwrap();
        assert!(!format!("{error:#}").contains("horse"));
    }
}
