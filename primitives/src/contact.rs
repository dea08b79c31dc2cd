// SPDX-License-Identifier: Apache-2.0
//! Contacts: the addresses at which an operator's node is reached, and the proof that the node
//! agrees.

use crate::job::PeerIdBytes;
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{traits::ConstU32, BoundedVec};
use scale_info::TypeInfo;
use sp_core::{ed25519, H256};

/// The most addresses of a node.
pub const MAX_ADDRESSES: u32 = 8;

/// The longest address in bytes.
pub const MAX_ADDRESS_LENGTH: u32 = 128;

/// The first bytes of the peer id of an ed25519 key: the identity multihash of 36 bytes, which are
/// a protobuf of the key's type and its 32 bytes (libp2p's specification of peer ids).
const ED25519_PREFIX: [u8; 6] = [0x00, 0x24, 0x08, 0x01, 0x12, 0x20];

/// A libp2p multiaddress in its binary form.
pub type Address = BoundedVec<u8, ConstU32<MAX_ADDRESS_LENGTH>>;

/// The addresses of a node.
pub type Addresses = BoundedVec<Address, ConstU32<MAX_ADDRESSES>>;

/// The peer id and the addresses at which a node is reached.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen,
)]
pub struct Contact {
    /// The peer id of the node's network key.
    pub peer_id: PeerIdBytes,
    /// The node's addresses, the best first. Empty where the node is to be found through the
    /// network.
    pub addresses: Addresses,
}

impl Contact {
    /// Returns the contact of the node with that ed25519 network key.
    pub fn new(network_key: &[u8; 32], addresses: Addresses) -> Self {
        Self { peer_id: peer_id(network_key), addresses }
    }

    /// Returns the message that the network key signs for the operator with that stash:
    /// SCALE("assay/contact/1", genesis hash, stash, peer id, addresses).
    pub fn message(&self, genesis: &H256, stash: &impl Encode) -> Vec<u8> {
        (b"assay/contact/1", genesis, stash, &self.peer_id, &self.addresses).encode()
    }

    /// Returns the ed25519 key behind the peer id; `None` where the peer id belongs to another type
    /// of key.
    pub fn network_key(&self) -> Option<[u8; 32]> {
        self.peer_id.strip_prefix(&ED25519_PREFIX)?.try_into().ok()
    }
}

/// A contact and its network key's signature of [`Contact::message`].
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen,
)]
pub struct SignedContact {
    /// The contact.
    pub contact: Contact,
    /// The signature by which the node agrees.
    pub signature: ed25519::Signature,
}

#[cfg(feature = "std")]
impl SignedContact {
    /// Returns the contact of the node with that key, signed for the operator with that stash.
    pub fn new(
        key: &ed25519::Pair,
        addresses: Addresses,
        genesis: &H256,
        stash: &impl Encode,
    ) -> Self {
        use sp_core::Pair;
        let contact = Contact::new(&key.public().0, addresses);
        let signature = key.sign(&contact.message(genesis, stash));
        Self { contact, signature }
    }
}

/// Returns the peer id of an ed25519 network key.
pub fn peer_id(network_key: &[u8; 32]) -> PeerIdBytes {
    let mut bytes = ED25519_PREFIX.to_vec();
    bytes.extend_from_slice(network_key);
    // These are 38 of at most 64 bytes.
    PeerIdBytes::truncate_from(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contact(peer_id: PeerIdBytes) -> Contact {
        Contact { peer_id, addresses: Addresses::default() }
    }

    #[test]
    fn network_key_is_read_out_of_its_peer_id() {
        let key = [7; 32];
        let id = peer_id(&key);
        assert_eq!(id.len(), 38);
        assert_eq!(contact(id).network_key(), Some(key));
    }

    #[test]
    fn network_key_of_another_peer_id_is_none() {
        let sha2 = [&[0x12, 0x20][..], &[7; 32]].concat();
        let mut short = peer_id(&[7; 32]);
        short.pop();
        let mut long = peer_id(&[7; 32]);
        long.try_push(0).unwrap();
        for id in [PeerIdBytes::default(), PeerIdBytes::truncate_from(sha2), short, long] {
            assert_eq!(contact(id).network_key(), None);
        }
    }

    #[test]
    fn message_names_chain_and_stash() {
        let contact = contact(peer_id(&[7; 32]));
        let message = |chain: u8, stash: u64| contact.message(&H256::repeat_byte(chain), &stash);
        assert_ne!(message(1, 1), message(2, 1));
        assert_ne!(message(1, 1), message(1, 2));
        assert!(message(1, 1).starts_with(b"assay/contact/1"));
    }
}
