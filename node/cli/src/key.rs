// SPDX-License-Identifier: Apache-2.0
//! Keys: of which scheme they are, where the signer comes from, and files that hold one.

use crate::exit::Fault;
use anyhow::{bail, Context, Result};
use assay_primitives::AssayAddress;
use assay_runtime::{AccountId, Signature};
use clap::ValueEnum;
use sp_core::{crypto::SecretStringError, ecdsa, sr25519, Pair};
use sp_runtime::{traits::IdentifyAccount, MultiSigner};
use std::{
    fmt, fs,
    io::Write,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
};

/// Who signs on chains for development when nobody is named.
pub const DEVELOPMENT_SIGNER: &str = "//Ferdie";

/// A scheme of signatures.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, ValueEnum)]
pub enum Scheme {
    /// Schnorr signatures on Ristretto, the custom of Substrate.
    #[default]
    Sr25519,
    /// ECDSA on secp256k1, whose keys have an Assay address.
    Ecdsa,
}

impl Scheme {
    const ALL: [Self; 2] = [Self::Sr25519, Self::Ecdsa];

    /// As it is typed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sr25519 => "sr25519",
            Self::Ecdsa => "ecdsa",
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A key that can sign.
#[derive(Clone)]
pub enum Key {
    /// One of sr25519.
    Sr25519(sr25519::Pair),
    /// One of ECDSA.
    Ecdsa(ecdsa::Pair),
}

impl Key {
    /// A new key, and its mnemonic.
    pub fn generate(scheme: Scheme) -> (Self, String) {
        match scheme {
            Scheme::Sr25519 => {
                let (pair, phrase, _) = sr25519::Pair::generate_with_phrase(None);
                (Self::Sr25519(pair), phrase)
            }
            Scheme::Ecdsa => {
                let (pair, phrase, _) = ecdsa::Pair::generate_with_phrase(None);
                (Self::Ecdsa(pair), phrase)
            }
        }
    }

    /// The key that a secret URI names.
    pub fn from_suri(scheme: Scheme, suri: &str) -> Result<Self> {
        match scheme {
            Scheme::Sr25519 => sr25519::Pair::from_string(suri, None).map(Self::Sr25519),
            Scheme::Ecdsa => ecdsa::Pair::from_string(suri, None).map(Self::Ecdsa),
        }
        .map_err(malformed)
    }

    /// The key in a file, as [`to_file`] writes it: one line with a secret URI, after the name of
    /// its scheme and a colon if that is not sr25519.
    pub fn from_file(scheme: Option<Scheme>, path: &Path) -> Result<Self> {
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
                        "the key file {} has a key of {is}, not of {asked}; leave --scheme out",
                        path.display()
                    ),
                ))
            }
            (_, Some(named)) => named,
            (scheme, None) => (scheme.unwrap_or_default(), text.trim()),
        };
        Self::from_suri(scheme, secret)
            .with_context(|| format!("the key file {} is malformed", path.display()))
    }

    /// Its scheme.
    pub fn scheme(&self) -> Scheme {
        match self {
            Self::Sr25519(_) => Scheme::Sr25519,
            Self::Ecdsa(_) => Scheme::Ecdsa,
        }
    }

    /// Its account.
    pub fn account(&self) -> AccountId {
        match self {
            Self::Sr25519(pair) => MultiSigner::from(pair.public()),
            Self::Ecdsa(pair) => MultiSigner::from(pair.public()),
        }
        .into_account()
    }

    /// The bytes of its public key: 33 for ECDSA, where it is compressed, else 32.
    pub fn public(&self) -> Vec<u8> {
        match self {
            Self::Sr25519(pair) => pair.public().0.to_vec(),
            Self::Ecdsa(pair) => pair.public().0.to_vec(),
        }
    }

    /// Its public key, if it is one that has an Assay address.
    pub fn ecdsa(&self) -> Option<ecdsa::Public> {
        match self {
            Self::Sr25519(_) => None,
            Self::Ecdsa(pair) => Some(pair.public()),
        }
    }

    /// Its Assay address, if it has one.
    pub fn address(&self) -> Option<AssayAddress> {
        self.ecdsa().as_ref().map(AssayAddress::of)
    }

    /// Signs some bytes.
    pub fn sign(&self, bytes: &[u8]) -> Signature {
        match self {
            Self::Sr25519(pair) => pair.sign(bytes).into(),
            Self::Ecdsa(pair) => pair.sign(bytes).into(),
        }
    }
}

fn malformed(error: SecretStringError) -> anyhow::Error {
    // The secret itself stays out of messages.
    Fault::error(
        "secret_malformed",
        format!(
            "the secret is neither a mnemonic, nor a seed of 32 bytes in hex, nor a path like \
             //Alice ({error:?})"
        ),
    )
}

/// Writes a secret into a new file that only its owner can read.
pub fn to_file(path: &Path, scheme: Scheme, secret: &str) -> Result<()> {
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("cannot create the key file {}", path.display()))?;
    // The mode above is reduced by the umask; this one is exact.
    file.set_permissions(fs::Permissions::from_mode(0o600))?;
    match scheme {
        Scheme::Sr25519 => writeln!(file, "{secret}"),
        other => writeln!(file, "{other}:{secret}"),
    }
    .with_context(|| format!("cannot write the key file {}", path.display()))
}

/// The key that was named, if any: by `--key-file`, by `--suri`, or by ASSAY_SURI.
pub fn named(
    scheme: Option<Scheme>,
    suri: Option<&str>,
    file: Option<&Path>,
) -> Result<Option<Key>> {
    if let Some(path) = file {
        return Key::from_file(scheme, path).map(Some);
    }
    let scheme = scheme.unwrap_or_default();
    if let Some(suri) = suri {
        return Key::from_suri(scheme, suri).map(Some);
    }
    match std::env::var("ASSAY_SURI") {
        Ok(suri) if !suri.is_empty() => Key::from_suri(scheme, &suri)
            .context("the environment variable ASSAY_SURI is malformed")
            .map(Some),
        Err(std::env::VarError::NotUnicode(_)) => {
            bail!("the environment variable ASSAY_SURI is no text")
        }
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sp_runtime::traits::Verify;

    #[test]
    fn key_file_is_for_its_owner_alone_and_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        to_file(&path, Scheme::Sr25519, "//Alice").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let alice = sp_keyring::Sr25519Keyring::Alice.to_account_id();
        assert_eq!(Key::from_file(None, &path).unwrap().account(), alice);
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
            let key = Key::from_file(scheme, &path).unwrap();
            assert_eq!((key.scheme(), key.account()), (Scheme::Ecdsa, expected.account()));
        }
        let error = Key::from_file(Some(Scheme::Sr25519), &path).err().unwrap();
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
            assert_eq!(Key::from_file(asked, &path).unwrap().scheme(), is);
        }
    }

    #[test]
    fn scheme_is_typed_by_its_name() {
        for scheme in Scheme::ALL {
            assert_eq!(Scheme::from_str(scheme.name(), false), Ok(scheme));
        }
        assert!(Scheme::from_str("rsa", false).is_err());
    }

    #[test]
    fn malformed_secret_is_not_repeated() {
        for scheme in Scheme::ALL {
            let error = Key::from_suri(scheme, "correct horse battery staple").err().unwrap();
            assert!(!format!("{error:#}").contains("horse"));
        }
    }

    #[test]
    fn signature_is_of_the_keys_account() {
        for scheme in Scheme::ALL {
            let (key, phrase) = Key::generate(scheme);
            let again = Key::from_suri(scheme, &phrase).unwrap();
            assert_eq!(again.account(), key.account());
            let signature = key.sign(b"text");
            assert!(signature.verify(&b"text"[..], &key.account()));
            assert!(!signature.verify(&b"test"[..], &key.account()));
        }
    }

    #[test]
    fn only_a_secp256k1_key_has_an_address() {
        let one = format!("0x{:064x}", 1);
        let key = Key::from_suri(Scheme::Ecdsa, &one).unwrap();
        assert_eq!(key.address().unwrap().encode(), "1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH");
        assert_eq!(key.public().len(), 33);
        assert_eq!(Key::from_suri(Scheme::Sr25519, &one).unwrap().address(), None);
    }
}
