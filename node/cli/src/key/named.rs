// SPDX-License-Identifier: Apache-2.0
//! A key that is named, which may have to be unlocked before it signs.

use super::{pair::Key, passphrase, scheme::Scheme, wallet::Wallet};
use anyhow::{Context, Result};
use assay_primitives::AssayAddress;
use assay_runtime::AccountId;
use std::path::PathBuf;

/// A key that is named.
pub enum NamedKey {
    /// A key that signs.
    Open(Key),
    /// A key in an encrypted file.
    Sealed(SealedKey),
}

/// A key in an encrypted file.
pub struct SealedKey {
    /// The file.
    pub path: PathBuf,
    /// Its content.
    pub wallet: Wallet,
    /// The file with its passphrase, if one is named.
    pub passphrase_file: Option<PathBuf>,
}

impl NamedKey {
    /// Returns the account, for which no passphrase is needed.
    pub fn account(&self) -> Result<AccountId> {
        match self {
            Self::Open(key) => Ok(key.account()),
            Self::Sealed(sealed) => sealed.wallet.account(),
        }
    }

    /// Returns the scheme.
    pub fn scheme(&self) -> Result<Scheme> {
        match self {
            Self::Open(key) => Ok(key.scheme()),
            Self::Sealed(sealed) => sealed.wallet.scheme(),
        }
    }

    /// Returns the bytes of the public key.
    pub fn public(&self) -> Result<Vec<u8>> {
        match self {
            Self::Open(key) => Ok(key.public()),
            Self::Sealed(SealedKey { wallet, .. }) => match wallet.ecdsa() {
                Some(public) => Ok(public.0.to_vec()),
                // The account of an sr25519 key is the public key.
                None => Ok(AsRef::<[u8]>::as_ref(&wallet.account()?).to_vec()),
            },
        }
    }

    /// Returns the Assay address, if the key has one.
    pub fn address(&self) -> Option<AssayAddress> {
        match self {
            Self::Open(key) => key.address(),
            Self::Sealed(sealed) => sealed.wallet.ecdsa().as_ref().map(AssayAddress::of),
        }
    }

    /// Returns the key that signs. An encrypted one is decrypted with its passphrase.
    pub fn unlock(&self) -> Result<Key> {
        match self {
            Self::Open(key) => Ok(key.clone()),
            Self::Sealed(SealedKey { path, wallet, passphrase_file }) => {
                let passphrase = passphrase::existing(passphrase_file.as_deref(), path)?;
                wallet
                    .open(&passphrase)
                    .with_context(|| format!("cannot unlock the key file {}", path.display()))
            }
        }
    }
}
