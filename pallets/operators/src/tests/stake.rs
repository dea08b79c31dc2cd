// SPDX-License-Identifier: Apache-2.0
//! Bonding, unbonding, withdrawing.

use crate::{mock::*, Error, Event, Operators as OperatorMap, Unbonding, Workers};
use assay_primitives::{
    traits::{Duty, Operators as _},
    Balance,
};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::{DispatchResult, Perbill};

fn bond_extra(amount: Balance) -> DispatchResult {
    Operators::bond_extra(RuntimeOrigin::signed(ALICE), amount)
}

fn unbond(amount: Balance) -> DispatchResult {
    Operators::unbond(RuntimeOrigin::signed(ALICE), amount)
}

fn withdraw() -> DispatchResult {
    // Anyone can withdraw for the stash.
    Operators::withdraw_unbonded(RuntimeOrigin::signed(BOB), ALICE)
}

#[test]
fn bond_extra_adds() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        assert_ok!(bond_extra(500));
        assert_eq!(operator(ALICE).bonded, 1_500);
        assert_eq!(held(ALICE), 1_500);
        assert_eq!(last_event(), Event::Bonded { operator: ALICE, amount: 500 });
    });
}

#[test]
fn bond_extra_refuses_nothing_and_too_much() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        assert_noop!(bond_extra(0), Error::<Test>::AmountZero);
        assert_noop!(bond_extra(ENDOWMENT), Error::<Test>::BalanceTooLow);
        assert_noop!(bond_extra(Balance::MAX), Error::<Test>::BalanceTooLow);
    });
}

#[test]
fn bond_extra_must_reach_the_minimum_again() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        slash(ALICE, Perbill::from_percent(50));
        assert_noop!(bond_extra(499), Error::<Test>::BondBelowMinimum);
        assert_ok!(bond_extra(500));
    });
}

#[test]
fn unbond_keeps_the_stake_on_hold_until_it_is_withdrawn() {
    with_operators(|| {
        register(ALICE, 3 * MIN_BOND);
        assert_ok!(unbond(500));
        assert_eq!(operator(ALICE).bonded, 2_500);
        assert_eq!(operator(ALICE).unbonding.to_vec(), [Unbonding { amount: 500, until: 21 }]);
        assert_eq!(held(ALICE), 3_000);
        assert_eq!(last_event(), Event::Unbonded { operator: ALICE, amount: 500, until: 21 });
    });
}

#[test]
fn unbond_merges_amounts_of_a_block() {
    with_operators(|| {
        register(ALICE, 3 * MIN_BOND);
        assert_ok!(unbond(500));
        assert_ok!(unbond(200));
        assert_eq!(operator(ALICE).unbonding.to_vec(), [Unbonding { amount: 700, until: 21 }]);
    });
}

#[test]
fn unbond_leaves_nothing_or_the_minimum() {
    with_operators(|| {
        register(ALICE, 3 * MIN_BOND);
        assert_noop!(unbond(2_001), Error::<Test>::BondBelowMinimum);
        assert_ok!(unbond(2_000));
        assert_ok!(unbond(1_000));
        assert_eq!(operator(ALICE).bonded, 0);
    });
}

#[test]
fn unbond_refuses_what_duties_reserve() {
    with_operators(|| {
        register(ALICE, 3 * MIN_BOND);
        assert_ok!(Operators::reserve(&ALICE, Duty::Run(job(1)), 2_500));
        assert_noop!(unbond(501), Error::<Test>::StakeReserved);
        assert_noop!(unbond(3_001), Error::<Test>::StakeTooLow);
        assert_ok!(unbond(500));
    });
}

#[test]
fn unbond_refuses_nothing() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        assert_noop!(unbond(0), Error::<Test>::AmountZero);
    });
}

#[test]
fn unbond_refuses_more_amounts_than_the_queue_takes() {
    with_operators(|| {
        register(ALICE, 3 * MIN_BOND);
        for block in 1..=2 {
            System::set_block_number(block);
            assert_ok!(unbond(10));
        }
        System::set_block_number(3);
        assert_noop!(unbond(10), Error::<Test>::UnbondingQueueFull);
    });
}

#[test]
fn withdraw_unbonded_releases_what_is_due() {
    with_operators(|| {
        register(ALICE, 3 * MIN_BOND);
        assert_ok!(unbond(500));
        System::set_block_number(2);
        assert_ok!(unbond(200));
        System::set_block_number(20);
        assert_noop!(withdraw(), Error::<Test>::NothingToWithdraw);
        System::set_block_number(21);
        assert_ok!(withdraw());
        assert_eq!(held(ALICE), 2_500);
        assert_eq!(operator(ALICE).unbonding.to_vec(), [Unbonding { amount: 200, until: 22 }]);
        assert_eq!(last_event(), Event::Withdrawn { operator: ALICE, amount: 500 });
        assert_noop!(withdraw(), Error::<Test>::NothingToWithdraw);
    });
}

#[test]
fn withdraw_unbonded_removes_who_has_nothing_left() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        assert_ok!(unbond(MIN_BOND));
        System::set_block_number(21);
        assert_ok!(withdraw());
        assert_eq!(last_event(), Event::Removed { operator: ALICE });
        assert!(!OperatorMap::<Test>::contains_key(ALICE));
        assert_eq!(Workers::<Test>::get(101), None);
        assert_eq!((free(ALICE), held(ALICE)), (ENDOWMENT, 0));
        register(ALICE, MIN_BOND);
    });
}

#[test]
fn withdraw_unbonded_removes_who_was_slashed_to_nothing() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        slash(ALICE, Perbill::one());
        assert_ok!(withdraw());
        assert_eq!(last_event(), Event::Removed { operator: ALICE });
    });
}

#[test]
fn withdraw_unbonded_keeps_who_has_a_duty_that_reserves_nothing() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        assert_ok!(Operators::reserve(&ALICE, Duty::Run(job(1)), 0));
        assert_ok!(unbond(MIN_BOND));
        System::set_block_number(21);
        assert_ok!(withdraw());
        assert_eq!(operator(ALICE).running, 1);
        Operators::release(&ALICE, Duty::Run(job(1)));
        assert_ok!(withdraw());
        assert!(!OperatorMap::<Test>::contains_key(ALICE));
    });
}

#[test]
fn unbond_refuses_more_than_is_bonded_although_others_have_delegated() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        delegate(EVE, ALICE, 2 * MIN_DELEGATION);
        assert_noop!(unbond(MIN_BOND + 1), Error::<Test>::StakeTooLow);
    });
}

#[test]
fn unbond_leaves_enough_for_what_is_delegated() {
    with_operators(|| {
        register(ALICE, 2 * MIN_BOND);
        delegate(EVE, ALICE, 6 * MIN_DELEGATION);
        assert_noop!(unbond(501), Error::<Test>::DelegationsAboveCap);
        assert_ok!(unbond(500));
        // All of the stake is unbonded, to leave.
        assert_ok!(unbond(1_500));
    });
}

#[test]
fn withdraw_unbonded_leaves_what_duties_reserve() {
    with_operators(|| {
        register(ALICE, 3 * MIN_BOND);
        assert_ok!(Operators::reserve(&ALICE, Duty::Run(job(1)), 2_500));
        assert_ok!(Operators::leave(signed(ALICE)));
        skip(UNBONDING);
        assert_noop!(withdraw(), Error::<Test>::StakeReserved);
        Operators::release(&ALICE, Duty::Run(job(1)));
        assert_ok!(withdraw());
        assert_eq!(held(ALICE), 0);
    });
}

#[test]
fn bond_extra_after_unbonding_all_keeps_to_the_cap_on_delegations() {
    with_operators(|| {
        register(ALICE, 2 * MIN_BOND);
        delegate(EVE, ALICE, 6 * MIN_DELEGATION);
        assert_ok!(unbond(2 * MIN_BOND));
        let bond = |amount| Operators::bond_extra(signed(ALICE), amount);
        assert_noop!(bond(MIN_BOND), Error::<Test>::DelegationsAboveCap);
        assert_ok!(bond(MIN_BOND * 3 / 2));
        assert_ok!(bond(1));
    });
}
