// SPDX-License-Identifier: Apache-2.0
//! Registering and unregistering.

use crate::{mock::*, Accounts, Error, Event, Registration, Registrations};
use frame_support::{
    assert_noop, assert_ok,
    traits::{LockableCurrency, WithdrawReasons},
};
use sp_core::{sr25519, Pair};
use sp_runtime::DispatchError;

#[test]
fn register_maps_hash_and_account_to_each_other() {
    with_addresses(|| {
        assert_ok!(register(0));
        assert_eq!(Addresses::account_of(&address(0)), Some(account(0)));
        assert_eq!(Addresses::address_of(&account(0)), Some(address(0)));
        assert_eq!(Addresses::account_of(&address(1)), None);
        assert_eq!(Addresses::address_of(&account(1)), None);
        assert_eq!(
            last_event(),
            Event::AddressRegistered { who: account(0), address: address(0), deposit: 5_000 }
        );
    });
}

#[test]
fn register_holds_the_deposit() {
    with_addresses(|| {
        assert_ok!(register(0));
        assert_eq!(held(&account(0)), 5_000);
        assert_eq!(free(&account(0)), ENDOWMENT - 5_000);
    });
}

#[test]
fn register_refuses_the_key_of_another_account() {
    with_addresses(|| {
        for caller in [account(1), other()] {
            assert_noop!(
                Addresses::register_address(RuntimeOrigin::signed(caller), key(0)),
                Error::<Test>::NotTheKeysAccount
            );
        }
    });
}

#[test]
fn register_refuses_a_key_of_another_scheme() {
    with_addresses(|| {
        // The account of an sr25519 key is the key itself, and not a hash of any 33 bytes.
        let public = sr25519::Pair::from_seed(&[9; 32]).public();
        for first in [2, 3] {
            let mut bytes = [first; 33];
            bytes[1..].copy_from_slice(&public.0);
            assert_noop!(
                Addresses::register_address(RuntimeOrigin::signed(other()), bytes.into()),
                Error::<Test>::NotTheKeysAccount
            );
        }
    });
}

#[test]
fn register_refuses_unsigned_origins() {
    with_addresses(|| {
        for origin in [RuntimeOrigin::none(), RuntimeOrigin::root()] {
            assert_noop!(Addresses::register_address(origin, key(0)), DispatchError::BadOrigin);
        }
    });
}

#[test]
fn register_refuses_a_second_time() {
    with_addresses(|| {
        assert_ok!(register(0));
        assert_noop!(register(0), Error::<Test>::AlreadyRegistered);
    });
}

#[test]
fn register_refuses_a_hash_that_another_key_has() {
    with_addresses(|| {
        // Nobody can make two keys with one hash; this is the state if somebody had.
        Accounts::<Test>::insert(address(0), account(1));
        let taken = Registration { address: address(0), deposit: 0 };
        Registrations::<Test>::insert(account(1), taken);
        assert_noop!(register(0), Error::<Test>::AddressTaken);
    });
}

#[test]
fn register_leaves_the_existential_deposit() {
    with_addresses(|| {
        Deposit::set(ENDOWMENT - EXISTENTIAL_DEPOSIT + 1);
        assert_noop!(register(0), Error::<Test>::BalanceTooLow);
        Deposit::set(ENDOWMENT - EXISTENTIAL_DEPOSIT);
        assert_ok!(register(0));
        assert_eq!(free(&account(0)), EXISTENTIAL_DEPOSIT);
    });
}

#[test]
fn register_refuses_an_account_without_money() {
    with_addresses(|| {
        assert_noop!(register(KEYS), Error::<Test>::BalanceTooLow);
    });
}

#[test]
fn register_refuses_frozen_money() {
    with_addresses(|| {
        Balances::set_lock(*b"frozen  ", &account(0), ENDOWMENT, WithdrawReasons::all());
        assert_noop!(register(0), Error::<Test>::BalanceTooLow);
    });
}

#[test]
fn registered_account_cannot_be_emptied() {
    with_addresses(|| {
        assert_ok!(register(0));
        let signed = || RuntimeOrigin::signed(account(0));
        let rest = free(&account(0));
        assert!(Balances::transfer_allow_death(signed(), other().into(), rest).is_err());
        assert_ok!(Balances::transfer_all(signed(), other().into(), false));
        assert_eq!(free(&account(0)), EXISTENTIAL_DEPOSIT);
        assert!(System::account_exists(&account(0)));
    });
}

#[test]
fn unregister_returns_the_deposit_and_forgets_the_hash() {
    with_addresses(|| {
        assert_ok!(register(0));
        assert_ok!(unregister(0));
        assert_eq!(free(&account(0)), ENDOWMENT);
        assert_eq!(held(&account(0)), 0);
        assert_eq!(Addresses::account_of(&address(0)), None);
        assert_eq!(Addresses::address_of(&account(0)), None);
        assert_eq!(
            last_event(),
            Event::AddressUnregistered { who: account(0), address: address(0), deposit: 5_000 }
        );
    });
}

#[test]
fn unregister_returns_what_was_held_though_the_deposit_changed() {
    with_addresses(|| {
        assert_ok!(register(0));
        Deposit::set(7_000);
        assert_ok!(unregister(0));
        assert_eq!(free(&account(0)), ENDOWMENT);
        assert_ok!(register(0));
        assert_eq!(held(&account(0)), 7_000);
    });
}

#[test]
fn unregister_refuses_an_account_without_address() {
    with_addresses(|| {
        assert_ok!(register(0));
        assert_noop!(unregister(1), Error::<Test>::NotRegistered);
        assert_ok!(unregister(0));
        assert_noop!(unregister(0), Error::<Test>::NotRegistered);
    });
}

#[test]
fn unregister_refuses_unsigned_origins() {
    with_addresses(|| {
        for origin in [RuntimeOrigin::none(), RuntimeOrigin::root()] {
            assert_noop!(Addresses::unregister_address(origin), DispatchError::BadOrigin);
        }
    });
}
