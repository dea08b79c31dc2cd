// SPDX-License-Identifier: Apache-2.0
//! Findings of `try_state` and of the integrity test.

use crate::{mock::*, Accounts, Registration, Registrations};
use frame_support::{assert_ok, traits::Hooks};
use sp_runtime::TryRuntimeError;

/// Returns the finding after `spoil`, starting from a registered first address.
fn found(spoil: impl FnOnce()) -> Result<(), TryRuntimeError> {
    new_test_ext().execute_with(|| {
        assert_ok!(register(0));
        Addresses::do_try_state().unwrap();
        spoil();
        Addresses::do_try_state()
    })
}

#[test]
fn try_state_finds_a_registration_whose_hash_leads_elsewhere() {
    let error = "a registered hash does not lead to its account".into();
    assert_eq!(found(|| Accounts::<Test>::remove(address(0))), Err(error));
    assert_eq!(found(|| Accounts::<Test>::insert(address(0), account(1))), Err(error));
}

#[test]
fn try_state_finds_a_hash_that_nobody_registered() {
    let error = "a hash leads to an account that has not registered it".into();
    assert_eq!(found(|| Accounts::<Test>::insert(address(1), account(1))), Err(error));
    assert_eq!(found(|| Accounts::<Test>::insert(address(1), account(0))), Err(error));
}

#[test]
fn try_state_finds_a_deposit_that_is_not_on_hold() {
    let wrong = Registration { address: address(0), deposit: 5_001 };
    assert_eq!(
        found(|| Registrations::<Test>::insert(account(0), wrong)),
        Err("an account's hold is not its deposit".into())
    );
}

#[test]
#[should_panic = "only a deposit keeps a registered account alive"]
fn integrity_test_refuses_registrations_for_nothing() {
    Deposit::set(0);
    <Addresses as Hooks<u64>>::integrity_test();
}
