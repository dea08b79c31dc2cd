// SPDX-License-Identifier: Apache-2.0
//! Secrets in PKCS #8 (RFC 5208) as wallets for Substrate chains write them: a fixed header, the secret,
//! a divider, and the public key.

use super::{pair::Key, scheme::Scheme};
use anyhow::{anyhow, Context, Result};
use schnorrkel::{Keypair, SecretKey};
use sp_core::{ecdsa, sr25519, Pair};
use zeroize::Zeroizing;

const HEADER: [u8; 16] = [48, 83, 2, 1, 1, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32];
const DIVIDER: [u8; 5] = [161, 35, 3, 33, 0];

/// Encodes a key. The secret of sr25519 is written in 64 bytes in the form of Ed25519, that of ECDSA is
/// its seed of 32 bytes.
pub fn encode(key: &Key) -> Zeroizing<Vec<u8>> {
    let secret = Zeroizing::new(match key {
        Key::Sr25519(pair) => AsRef::<Keypair>::as_ref(pair).secret.to_ed25519_bytes().to_vec(),
        Key::Ecdsa(pair) => pair.to_raw_vec(),
    });
    Zeroizing::new([&HEADER[..], &secret[..], &DIVIDER[..], &key.public()[..]].concat())
}

/// Decodes a key of that scheme, and makes sure that its public key is the one beside it.
pub fn decode(scheme: Scheme, bytes: &[u8]) -> Result<Key> {
    let rest = bytes.strip_prefix(&HEADER).context("the sealed key is not PKCS #8")?;
    let (secret, rest) = match scheme {
        Scheme::Sr25519 => rest.split_at_checked(64),
        Scheme::Ecdsa => rest.split_at_checked(32),
    }
    .context("the sealed key is cut off")?;
    let key = match scheme {
        Scheme::Sr25519 => SecretKey::from_ed25519_bytes(secret)
            .map(|secret| Key::Sr25519(sr25519::Pair::from(secret)))
            .map_err(|error| anyhow!("the sealed key is not valid: {error}"))?,
        Scheme::Ecdsa => ecdsa::Pair::from_seed_slice(secret)
            .map(Key::Ecdsa)
            .map_err(|error| anyhow!("the sealed key is not valid: {error:?}"))?,
    };
    match rest.strip_prefix(&DIVIDER) {
        Some(public) if public == key.public() => Ok(key),
        _ => Err(anyhow!("the sealed key does not fit its public key")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_is_decoded_as_it_was_encoded() {
        for scheme in Scheme::ALL {
            let (key, _) = Key::generate(scheme);
            let bytes = encode(&key);
            assert_eq!(decode(scheme, &bytes).unwrap().public(), key.public());
            assert!(decode(scheme, &bytes[..40]).is_err());
            let mut other = bytes.clone();
            *other.last_mut().unwrap() ^= 1;
            assert!(decode(scheme, &other).is_err());
        }
    }
}
