// SPDX-License-Identifier: Apache-2.0
//! The contact of an operator's node, signed by the node's network key.

use crate::{args::MultiaddressArg, bounded, fault::Fault};
use anyhow::{Context, Result};
use assay_primitives::contact::{Addresses, SignedContact, MAX_ADDRESSES};
use assay_runtime::{AccountId, Hash};
use sp_core::{ed25519, Pair};
use std::{fs::File, path::Path};

/// Reads the network key in a file: 32 bytes, either raw or in hex as
/// `assay-node key generate-node-key` writes them.
pub fn network_key(path: &Path) -> Result<ed25519::Pair> {
    let what = format!("the network key {}", path.display());
    let file = File::open(path).with_context(|| format!("cannot read {what}"))?;
    let bytes = bounded::bytes(file, bounded::SMALL_BYTES, &what)?;
    let seed = <[u8; 32]>::try_from(bytes.as_slice()).ok().or_else(|| {
        let digits = std::str::from_utf8(&bytes).ok()?.trim();
        hex::decode(digits.trim_start_matches("0x")).ok()?.try_into().ok()
    });
    seed.map(|seed| ed25519::Pair::from_seed(&seed)).ok_or_else(|| {
        Fault::error(
            "node_key_malformed",
            format!(
                "{} is not a valid network key; it must hold 32 bytes or 64 hexadecimal digits",
                path.display()
            ),
        )
    })
}

/// Returns the contact of the node with that key, signed by the key for an operator's stash.
pub fn signed(
    key: &ed25519::Pair,
    addresses: &[MultiaddressArg],
    genesis: &Hash,
    stash: &AccountId,
) -> Result<SignedContact> {
    let addresses: Vec<_> = addresses.iter().map(|address| address.0.clone()).collect();
    let count = addresses.len();
    let addresses = Addresses::try_from(addresses).map_err(|_| {
        Fault::error(
            "too_many_addresses",
            format!(
                "{count} addresses are given, but a node can have at most {MAX_ADDRESSES}; give the \
                 best reachable ones"
            ),
        )
    })?;
    Ok(SignedContact::new(key, addresses, genesis, stash))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sp_keyring::Sr25519Keyring;

    #[test]
    fn network_key_is_read_as_bytes_and_as_hex() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let expected = ed25519::Pair::from_seed(&[7; 32]).public();
        for text in [vec![7; 32], "07".repeat(32).into_bytes(), b"0x07\n".to_vec()] {
            std::fs::write(&path, &text).unwrap();
            let read = network_key(&path).map(|key| key.public());
            assert_eq!(read.ok(), (text.len() >= 32).then_some(expected));
        }
        let error = network_key(&folder.path().join("none")).err().unwrap();
        assert!(format!("{error:#}").contains("cannot read"), "{error:#}");
    }

    #[test]
    fn contact_is_signed_for_chain_and_stash() {
        let key = ed25519::Pair::from_seed(&[7; 32]);
        let address: MultiaddressArg = "/ip4/127.0.0.1/tcp/30333".parse().unwrap();
        let stash = Sr25519Keyring::Alice.to_account_id();
        let genesis = Hash::repeat_byte(1);
        let SignedContact { contact, signature } =
            signed(&key, std::slice::from_ref(&address), &genesis, &stash).unwrap();
        assert_eq!(contact.network_key(), Some(key.public().0));
        let message = contact.message(&genesis, &stash);
        assert!(ed25519::Pair::verify(&signature, &message, &key.public()));
        let many = vec![address; 9];
        let error = signed(&key, &many, &genesis, &stash).err().unwrap();
        assert!(error.to_string().contains("at most 8"), "{error}");
    }
}
