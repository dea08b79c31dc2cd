// SPDX-License-Identifier: Apache-2.0
//! A key that can sign, in either scheme.

use super::scheme::Scheme;
use crate::fault::Fault;
use anyhow::Result;
use assay_primitives::AssayAddress;
use assay_runtime::{AccountId, Signature};
use sp_core::{crypto::SecretStringError, ecdsa, sr25519, Pair};
use sp_runtime::{traits::IdentifyAccount, MultiSigner};

/// A key that can sign.
#[derive(Clone)]
pub enum Key {
    /// An sr25519 key.
    Sr25519(sr25519::Pair),
    /// An ECDSA key on secp256k1.
    Ecdsa(ecdsa::Pair),
}

impl Key {
    /// Generates a key, and returns it with its mnemonic.
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

    /// Returns the key that a secret URI names.
    pub fn from_suri(scheme: Scheme, suri: &str) -> Result<Self> {
        match scheme {
            Scheme::Sr25519 => sr25519::Pair::from_string(suri, None).map(Self::Sr25519),
            Scheme::Ecdsa => ecdsa::Pair::from_string(suri, None).map(Self::Ecdsa),
        }
        .map_err(malformed)
    }

    /// Returns the key's scheme.
    pub fn scheme(&self) -> Scheme {
        match self {
            Self::Sr25519(_) => Scheme::Sr25519,
            Self::Ecdsa(_) => Scheme::Ecdsa,
        }
    }

    /// Returns the key's account.
    pub fn account(&self) -> AccountId {
        match self {
            Self::Sr25519(pair) => MultiSigner::from(pair.public()),
            Self::Ecdsa(pair) => MultiSigner::from(pair.public()),
        }
        .into_account()
    }

    /// Returns the bytes of the public key: 32 for sr25519, 33 (compressed) for ECDSA.
    pub fn public(&self) -> Vec<u8> {
        match self {
            Self::Sr25519(pair) => pair.public().0.to_vec(),
            Self::Ecdsa(pair) => pair.public().0.to_vec(),
        }
    }

    /// Returns the public key of an ECDSA key, the only kind that has an Assay address.
    pub fn ecdsa(&self) -> Option<ecdsa::Public> {
        match self {
            Self::Sr25519(_) => None,
            Self::Ecdsa(pair) => Some(pair.public()),
        }
    }

    /// Returns the key's Assay address, if it has one.
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
            "the secret is not a mnemonic, a seed of 32 bytes in hex, or a path like //Alice \
             ({error:?})"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use sp_runtime::traits::Verify;

    #[test]
    fn malformed_secret_is_not_repeated() {
        for scheme in Scheme::ALL {
            let error = Key::from_suri(scheme, "correct horse battery staple").err().unwrap();
            assert!(!format!("{error:#}").contains("horse"));
        }
    }

    #[test]
    fn signature_verifies_for_the_account_of_the_key() {
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
