// SPDX-License-Identifier: Apache-2.0
//! Transfers to sources that the lookup knows and to others.

use crate::mock::*;
use frame_support::{assert_noop, assert_ok};
use sp_runtime::{traits::StaticLookup, DispatchError, MultiAddress};

#[test]
fn transfer_to_a_registered_hash_reaches_its_account() {
    with_addresses(|| {
        assert_ok!(register(0));
        assert_ok!(transfer(MultiAddress::Address20(address(0)), 300));
        assert_eq!(free(&account(0)), ENDOWMENT - 5_000 + 300);
        assert_eq!(free(&other()), ENDOWMENT - 300);
    });
}

#[test]
fn transfer_to_an_unknown_hash_moves_no_money() {
    with_addresses(|| {
        assert_ok!(register(0));
        assert_noop!(
            transfer(MultiAddress::Address20(address(1)), 300),
            DispatchError::CannotLookup
        );
        assert_eq!((free(&account(1)), free(&other())), (ENDOWMENT, ENDOWMENT));
    });
}

#[test]
fn transfer_to_an_unregistered_hash_moves_no_money() {
    with_addresses(|| {
        assert_ok!(register(0));
        assert_ok!(unregister(0));
        assert_noop!(
            transfer(MultiAddress::Address20(address(0)), 300),
            DispatchError::CannotLookup
        );
        assert_ok!(register(0));
        assert_ok!(transfer(MultiAddress::Address20(address(0)), 300));
    });
}

#[test]
fn transfer_to_an_account_needs_no_registration() {
    with_addresses(|| {
        assert_ok!(transfer(account(0).into(), 300));
        assert_eq!(free(&account(0)), ENDOWMENT + 300);
    });
}

#[test]
fn lookup_refuses_every_other_form() {
    with_addresses(|| {
        assert_ok!(register(0));
        let account: [u8; 32] = account(0).into();
        for source in [
            MultiAddress::Index(()),
            MultiAddress::Raw(account.to_vec()),
            MultiAddress::Raw(address(0).to_vec()),
            MultiAddress::Address32(account),
        ] {
            assert!(Addresses::lookup(source.clone()).is_err());
            assert_noop!(transfer(source, 300), DispatchError::CannotLookup);
        }
    });
}

#[test]
fn unlookup_names_the_account_itself() {
    with_addresses(|| {
        assert_ok!(register(0));
        assert_eq!(Addresses::unlookup(account(0)), MultiAddress::Id(account(0)));
        assert_eq!(Addresses::lookup(Addresses::unlookup(account(0))).ok(), Some(account(0)));
    });
}
