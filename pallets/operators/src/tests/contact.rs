// SPDX-License-Identifier: Apache-2.0
//! Where an operator's node is reached.

use crate::{mock::*, Contacts, Error, Event};
use assay_primitives::{
    contact::{peer_id, Address, Addresses},
    Contact, PeerIdBytes,
};
use frame_support::{assert_noop, assert_ok};
use sp_core::{ed25519, Pair};
use sp_runtime::DispatchResult;

fn node() -> ed25519::Pair {
    ed25519::Pair::from_seed(&[7; 32])
}

/// The contact of a node at an address of those bytes.
fn contact(node: &ed25519::Pair, address: &[u8]) -> Contact {
    let address = Address::try_from(address.to_vec()).unwrap();
    Contact {
        peer_id: peer_id(&node.public().0),
        addresses: Addresses::try_from(vec![address]).unwrap(),
    }
}

fn set(stash: AccountId, contact: Contact, signature: ed25519::Signature) -> DispatchResult {
    Operators::set_contact(signed(stash), contact, signature)
}

fn sign(stash: AccountId, contact: &Contact) -> ed25519::Signature {
    node().sign(&contact.message(&System::block_hash(0), &stash))
}

#[test]
fn contact_is_set_and_changed_in_place() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        for address in [&b"one"[..], b"other"] {
            let contact = contact(&node(), address);
            assert_ok!(set(ALICE, contact.clone(), sign(ALICE, &contact)));
            assert_eq!(Contacts::<Test>::get(ALICE), Some(contact.clone()));
            assert_eq!(Operators::view(&ALICE).unwrap().contact, Some(contact.clone()));
            assert_eq!(last_event(), Event::ContactSet { operator: ALICE, contact });
        }
    });
}

#[test]
fn contact_goes_with_its_operator() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        let contact = contact(&node(), b"one");
        assert_ok!(set(ALICE, contact.clone(), sign(ALICE, &contact)));
        assert_ok!(Operators::leave(signed(ALICE)));
        skip(UNBONDING);
        assert_ok!(Operators::withdraw_unbonded(signed(ALICE), ALICE));
        assert!(!Contacts::<Test>::contains_key(ALICE));
    });
}

#[test]
fn contact_must_be_signed_by_its_network_key_for_that_stash_and_chain() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        register(BOB, MIN_BOND);
        let contact_ = contact(&node(), b"one");
        let wrong = Error::<Test>::ContactSignatureWrong;
        let other = ed25519::Pair::from_seed(&[8; 32]);
        let message = contact_.message(&System::block_hash(0), &ALICE);
        assert_noop!(set(ALICE, contact_.clone(), other.sign(&message)), wrong);
        let signature = sign(ALICE, &contact_);
        assert_noop!(set(BOB, contact_.clone(), signature), Error::<Test>::ContactSignatureWrong);
        assert_noop!(
            set(ALICE, contact(&node(), b"other"), signature),
            Error::<Test>::ContactSignatureWrong
        );
        let elsewhere = node().sign(&contact_.message(&sp_core::H256::repeat_byte(9), &ALICE));
        assert_noop!(set(ALICE, contact_.clone(), elsewhere), Error::<Test>::ContactSignatureWrong);
        assert_ok!(set(ALICE, contact_, signature));
    });
}

#[test]
fn contact_refuses_what_is_malformed() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        let empty = contact(&node(), b"");
        let signature = sign(ALICE, &empty);
        assert_noop!(set(ALICE, empty, signature), Error::<Test>::AddressEmpty);
        let sha2 = [&[0x12, 0x20][..], &[7; 32]].concat();
        let peer_id = PeerIdBytes::try_from(sha2).unwrap();
        let contact = Contact { peer_id, addresses: Addresses::default() };
        let signature = sign(ALICE, &contact);
        assert_noop!(set(ALICE, contact, signature), Error::<Test>::PeerIdMalformed);
    });
}

#[test]
fn contact_is_of_operators_alone() {
    with_operators(|| {
        let contact = contact(&node(), b"one");
        let signature = sign(ALICE, &contact);
        assert_noop!(set(ALICE, contact, signature), Error::<Test>::NotOperator);
    });
}
