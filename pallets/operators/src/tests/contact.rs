// SPDX-License-Identifier: Apache-2.0
//! The contacts of operators' nodes.

use crate::{mock::*, Contacts, Error, Event, Operators as OperatorMap};
use assay_primitives::{
    contact::{Addresses, SignedContact},
    Contact, PeerIdBytes,
};
use frame_support::{assert_noop, assert_ok};
use sp_core::{ed25519, Pair, H256};
use sp_runtime::DispatchError;

/// Returns contacts that are refused for ALICE, each with the error.
fn refused() -> Vec<(SignedContact, DispatchError)> {
    let (genesis, node) = (System::block_hash(0), network_key());
    let sign = |contact: Contact, key: &ed25519::Pair, genesis: &H256| {
        let signature = key.sign(&contact.message(genesis, &ALICE));
        SignedContact { contact, signature }
    };
    let right = contact(ALICE, b"one");
    let sha2 = PeerIdBytes::truncate_from([&[0x12, 0x20][..], &[7; 32]].concat());
    let other_kind = Contact { peer_id: sha2, addresses: Addresses::default() };
    let empty = Addresses::truncate_from(vec![Default::default()]);
    let elsewhere = sign(right.contact.clone(), &node, &H256::repeat_byte(9));
    let other_address = contact(ALICE, b"other").contact;
    vec![
        (sign(other_kind, &node, &genesis), Error::<Test>::PeerIdMalformed.into()),
        (SignedContact::new(&node, empty, &genesis, &ALICE), Error::<Test>::AddressEmpty.into()),
        (
            sign(right.contact.clone(), &ed25519::Pair::from_seed(&[8; 32]), &genesis),
            Error::<Test>::ContactSignatureWrong.into(),
        ),
        (elsewhere, Error::<Test>::ContactSignatureWrong.into()),
        (contact(BOB, b"one"), Error::<Test>::ContactSignatureWrong.into()),
        (
            SignedContact { contact: other_address, signature: right.signature },
            Error::<Test>::ContactSignatureWrong.into(),
        ),
    ]
}

#[test]
fn contact_is_set_with_registration_and_changed_in_place() {
    with_operators(|| {
        let first = contact(ALICE, b"one");
        assert_ok!(Operators::register(
            signed(ALICE),
            WORKER,
            first.clone(),
            offers(&[]),
            1,
            MIN_BOND
        ));
        assert_eq!(Contacts::<Test>::get(ALICE), Some(first.contact.clone()));
        assert_eq!(last_event(), Event::ContactSet { operator: ALICE, contact: first.contact });
        let second = contact(ALICE, b"other");
        assert_ok!(Operators::set_contact(signed(ALICE), second.clone()));
        let contact = second.contact;
        assert_eq!(Contacts::<Test>::get(ALICE), Some(contact.clone()));
        assert_eq!(Operators::view(&ALICE).unwrap().contact, Some(contact.clone()));
        assert_eq!(last_event(), Event::ContactSet { operator: ALICE, contact });
    });
}

#[test]
fn contact_goes_with_its_operator() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        assert!(Contacts::<Test>::contains_key(ALICE));
        assert_ok!(Operators::leave(signed(ALICE)));
        skip(UNBONDING);
        assert_ok!(Operators::withdraw_unbonded(signed(ALICE), ALICE));
        assert!(!Contacts::<Test>::contains_key(ALICE));
    });
}

#[test]
fn registration_needs_a_contact_that_its_node_has_signed() {
    with_operators(|| {
        for (wrong, error) in refused() {
            let call = Operators::register(signed(ALICE), WORKER, wrong, offers(&[]), 1, MIN_BOND);
            assert_noop!(call, error);
        }
        assert!(!OperatorMap::<Test>::contains_key(ALICE));
    });
}

#[test]
fn contact_must_be_signed_by_its_network_key_for_that_stash_and_chain() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        for (wrong, error) in refused() {
            assert_noop!(Operators::set_contact(signed(ALICE), wrong), error);
        }
    });
}

#[test]
fn contact_is_of_operators_alone() {
    with_operators(|| {
        let contact = contact(ALICE, b"one");
        let error = Error::<Test>::NotOperator;
        assert_noop!(Operators::set_contact(signed(ALICE), contact), error);
    });
}
