// SPDX-License-Identifier: Apache-2.0
//! Assay addresses: an account's form that is derived from a secp256k1 key.
//!
//! An address is Base58Check(0x00 ‖ RIPEMD160(SHA256(compressed public key))), which is Bitcoin's
//! format of version 0. The chain carries the 20-byte hash as `MultiAddress::Address20`. The text
//! with its checksum is for people and is verified before anything is sent.

use alloc::string::String;
use core::{fmt, str::FromStr};
use ripemd::{Digest, Ripemd160};
use sp_core::ecdsa;
use sp_crypto_hashing::sha2_256;

/// The version byte that precedes the hash.
pub const VERSION: u8 = 0;

/// The length of version, hash and checksum in bytes.
const LENGTH: usize = 1 + 20 + CHECKSUM;
const CHECKSUM: usize = 4;

/// The 20-byte hash of a compressed secp256k1 public key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct AssayAddress(pub [u8; 20]);

impl AssayAddress {
    /// Returns the address of a public key.
    pub fn of(public: &ecdsa::Public) -> Self {
        Self(Ripemd160::digest(sha2_256(&public.0)).into())
    }

    /// Returns the address in Base58Check.
    pub fn encode(&self) -> String {
        let payload = [[VERSION].as_slice(), self.0.as_slice()].concat();
        bs58::encode([payload.as_slice(), &checksum(&payload)].concat()).into_string()
    }

    /// Parses an address in Base58Check.
    ///
    /// The checksum is compared before the version, so that a mistyped character is reported as
    /// [`AddressError::WrongChecksum`].
    pub fn decode(text: &str) -> Result<Self, AddressError> {
        let mut bytes = [0; LENGTH];
        match bs58::decode(text).onto(bytes.as_mut_slice()) {
            Ok(LENGTH) => {}
            Ok(_) | Err(bs58::decode::Error::BufferTooSmall) => {
                return Err(AddressError::WrongLength)
            }
            Err(_) => return Err(AddressError::NotBase58),
        }
        let (payload, sum) =
            bytes.split_last_chunk::<CHECKSUM>().ok_or(AddressError::WrongLength)?;
        if *sum != checksum(payload) {
            return Err(AddressError::WrongChecksum);
        }
        let (version, hash) = payload.split_first().ok_or(AddressError::WrongLength)?;
        if *version != VERSION {
            return Err(AddressError::WrongVersion { version: *version });
        }
        hash.try_into().map(Self).map_err(|_| AddressError::WrongLength)
    }
}

/// Returns the first four bytes of SHA256(SHA256(payload)).
fn checksum(payload: &[u8]) -> [u8; CHECKSUM] {
    let [a, b, c, d, ..] = sha2_256(&sha2_256(payload));
    [a, b, c, d]
}

impl fmt::Display for AssayAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.encode())
    }
}

impl FromStr for AssayAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        Self::decode(text)
    }
}

/// The reasons for which a text is not a valid Assay address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AddressError {
    /// The text contains a character outside the Base58 alphabet.
    NotBase58,
    /// The text does not decode to 25 bytes.
    WrongLength,
    /// The last four bytes are not the checksum of the others.
    WrongChecksum,
    /// The address has another version.
    WrongVersion {
        /// The version byte found.
        version: u8,
    },
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotBase58 => f.write_str("it contains a character outside the Base58 alphabet"),
            Self::WrongLength => write!(f, "it does not decode to {LENGTH} bytes"),
            Self::WrongChecksum => {
                f.write_str("its checksum is wrong: a character is mistyped or missing")
            }
            Self::WrongVersion { version } => {
                write!(f, "it is an address of another kind (version {version}, not {VERSION})")
            }
        }
    }
}

impl core::error::Error for AddressError {}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use proptest::prelude::*;
    use sp_core::Pair;

    const ALPHABET: &str = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

    fn bytes<const N: usize>(hex: &str) -> [u8; N] {
        let byte = |at: usize| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap();
        assert_eq!(hex.len(), 2 * N);
        core::array::from_fn(byte)
    }

    fn of_secret(secret: [u8; 32]) -> AssayAddress {
        AssayAddress::of(&ecdsa::Pair::from_seed(&secret).public())
    }

    /// Encodes any bytes in Base58Check, written independently from its definition.
    fn check_encoded(payload: &[u8]) -> String {
        let sum = sha2_256(&sha2_256(payload));
        bs58::encode([payload, &sum[..4]].concat()).into_string()
    }

    #[test]
    fn address_of_small_secrets_is_bitcoins() {
        for (secret, address) in [
            (1, "1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH"),
            (2, "1cMh228HTCiwS8ZsaakH8A8wze1JR5ZsP"),
            (3, "1CUNEBjYrCn2y1SdiUMohaKUi4wpP326Lb"),
        ] {
            let mut bytes = [0; 32];
            bytes[31] = secret;
            assert_eq!(of_secret(bytes).encode(), address);
        }
    }

    #[test]
    fn address_of_published_keys_is_bitcoins() {
        // https://en.bitcoin.it/wiki/Technical_background_of_version_1_Bitcoin_addresses
        let public =
            bytes::<33>("0250863ad64a87ae8a2fe83c1af1a8403cb53f53e486d8511dad8a04887e5b2352");
        let address = AssayAddress::of(&ecdsa::Public::from_raw(public));
        assert_eq!(address.0, bytes::<20>("f54a5851e9372b87810a8e60cdd2e7cfd80b6e31"));
        assert_eq!(address.encode(), "1PMycacnJaSqwwJqjawXBErnLsZ7RkXUAs");
        // The generator, which is the public key of the secret 1. Its hash is given in BIP 173.
        let public =
            bytes::<33>("0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798");
        let address = AssayAddress::of(&ecdsa::Public::from_raw(public));
        assert_eq!(address.0, bytes::<20>("751e76e8199196d454941c45d1b3a323f1433bd6"));
    }

    #[test]
    fn decode_refuses_characters_outside_of_the_alphabet() {
        for text in ["1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAM0", "O", "l", "1 ", "é", "-"] {
            assert_eq!(AssayAddress::decode(text), Err(AddressError::NotBase58), "{text}");
        }
    }

    #[test]
    fn decode_refuses_other_lengths() {
        let long = "z".repeat(10_000);
        for text in ["", "1", &check_encoded(&[0; 20]), &check_encoded(&[0; 22]), &long] {
            assert_eq!(AssayAddress::decode(text), Err(AddressError::WrongLength), "{text}");
        }
    }

    #[test]
    fn decode_refuses_a_wrong_checksum() {
        for text in ["1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMh", "1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMJ"] {
            assert_eq!(AssayAddress::decode(text), Err(AddressError::WrongChecksum), "{text}");
        }
    }

    #[test]
    fn decode_refuses_other_versions() {
        // A Bitcoin pay-to-script-hash address.
        assert_eq!(
            AssayAddress::decode("3P14159f73E4gFr7JterCCQh9QjiTjiZrG"),
            Err(AddressError::WrongVersion { version: 5 })
        );
        for version in 1..=u8::MAX {
            let mut payload = [7; 21];
            payload[0] = version;
            assert_eq!(
                AssayAddress::decode(&check_encoded(&payload)),
                Err(AddressError::WrongVersion { version })
            );
        }
    }

    #[test]
    fn hash_of_zeros_keeps_its_leading_digits() {
        let zero = AssayAddress([0; 20]);
        assert_eq!(zero.encode(), "1111111111111111111114oLvT2");
        assert_eq!(AssayAddress::decode("1111111111111111111114oLvT2"), Ok(zero));
    }

    proptest! {
        #[test]
        fn encode_is_read_back(hash: [u8; 20]) {
            let address = AssayAddress(hash);
            let text = address.encode();
            prop_assert_eq!(&text, &check_encoded(&[&[VERSION][..], &hash].concat()));
            prop_assert_eq!(text.parse(), Ok(address));
        }

        #[test]
        fn changed_character_is_refused(hash: [u8; 20]) {
            let text: Vec<char> = AssayAddress(hash).encode().chars().collect();
            for at in 0..text.len() {
                for other in ALPHABET.chars().filter(|other| *other != text[at]) {
                    let mut changed = text.clone();
                    changed[at] = other;
                    let changed: String = changed.into_iter().collect();
                    prop_assert!(AssayAddress::decode(&changed).is_err(), "{}", changed);
                }
            }
        }

        #[test]
        fn lost_added_or_swapped_character_is_refused(hash: [u8; 20], other in 0..58usize) {
            let text = AssayAddress(hash).encode();
            for at in 0..text.len() {
                let mut lost = text.clone();
                lost.remove(at);
                prop_assert!(AssayAddress::decode(&lost).is_err(), "{}", lost);
                let mut added = text.clone();
                added.insert(at, ALPHABET.as_bytes()[other] as char);
                prop_assert!(AssayAddress::decode(&added).is_err(), "{}", added);
            }
            let mut swapped: Vec<char> = text.chars().collect();
            for at in 1..text.len() {
                swapped.swap(at - 1, at);
                let other: String = swapped.iter().collect();
                prop_assert!(other == text || AssayAddress::decode(&other).is_err(), "{}", other);
                swapped.swap(at - 1, at);
            }
        }

        #[test]
        fn decode_of_any_text_ends(text in "\\PC{0,60}") {
            if let Ok(address) = AssayAddress::decode(&text) {
                prop_assert_eq!(address.encode(), text);
            }
        }
    }
}
