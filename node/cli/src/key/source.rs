// SPDX-License-Identifier: Apache-2.0
//! The key that an option, the environment or the configuration names.

use super::{file::from_file, named::NamedKey, pair::Key, scheme::Scheme};
use crate::fault::Fault;
use anyhow::{bail, Context, Result};
use std::{
    env::{self, VarError},
    path::{Path, PathBuf},
};

/// The options that name a key.
pub struct KeyOptions<'a> {
    /// `--scheme`.
    pub scheme: Option<Scheme>,
    /// `--suri`.
    pub suri: Option<&'a str>,
    /// `--key-file`.
    pub key_file: Option<&'a Path>,
    /// `--passphrase-file`.
    pub passphrase_file: Option<&'a Path>,
    /// The key file of the configuration.
    pub configured: Option<&'a Path>,
}

/// Returns the key that `--key-file`, `--suri`, ASSAY_KEY_FILE, ASSAY_SURI or the configuration names,
/// in this order; `None` if none does.
pub fn find(options: &KeyOptions<'_>) -> Result<Option<NamedKey>> {
    let scheme = options.scheme.unwrap_or_default();
    let from_file =
        |path: &Path| from_file(options.scheme, path, options.passphrase_file).map(Some);
    if let Some(path) = options.key_file {
        return from_file(path);
    }
    if let Some(suri) = options.suri {
        ensure_public(suri)?;
        return Key::from_suri(scheme, suri).map(NamedKey::Open).map(Some);
    }
    if let Some(path) = env::var_os("ASSAY_KEY_FILE").filter(|path| !path.is_empty()) {
        return from_file(&PathBuf::from(path))
            .context("the environment variable ASSAY_KEY_FILE names the key");
    }
    match env::var("ASSAY_SURI") {
        Ok(suri) if !suri.is_empty() => {
            return Key::from_suri(scheme, &suri)
                .context("the environment variable ASSAY_SURI is malformed")
                .map(|key| Some(NamedKey::Open(key)))
        }
        Err(VarError::NotUnicode(_)) => {
            bail!("the environment variable ASSAY_SURI is not valid UTF-8")
        }
        _ => {}
    }
    options.configured.map_or(Ok(None), from_file)
}

/// Refuses a secret on the command line, which every user of the machine can read there and which the
/// shell keeps. A path without a phrase is derived from the phrase for development, which is public.
pub fn ensure_public(suri: &str) -> Result<()> {
    let derived = suri.starts_with('/') && !suri.contains("///");
    if derived {
        return Ok(());
    }
    Err(Fault::error(
        "secret_on_command_line",
        "a secret on the command line can be read by other users and stays in the history of the shell, \
         so it is refused; write it into a key file with `assay key import --out FILE`, which asks for \
         it, and use --key-file FILE",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_keys_for_development_are_taken_from_the_command_line() {
        for public in ["//Alice", "//Alice//stash", "//0", "/soft"] {
            ensure_public(public).unwrap();
        }
        let (_, mnemonic) = Key::generate(Scheme::Sr25519);
        let seed = format!("0x{}", "01".repeat(32));
        let derived = format!("{mnemonic}//Alice");
        // The same words for every secret, so none of a secret is among them.
        let words = ensure_public("secret").unwrap_err().to_string();
        for secret in [&mnemonic, &seed, &derived, "//Alice///password"] {
            let error = ensure_public(secret).unwrap_err();
            assert_eq!(error.downcast_ref::<Fault>().unwrap().code, "secret_on_command_line");
            assert_eq!(error.to_string(), words);
        }
    }
}
