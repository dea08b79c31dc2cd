// SPDX-License-Identifier: Apache-2.0
//! Draining, leaving, and the delegations of an operator that has left.

use crate::{mock::*, Contacts, Error, Event, Operators as OperatorMap, Orphans, Unbonding};
use assay_primitives::traits::{Duty, Operators as _};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::{DispatchResult, Perbill};

fn register_again(bond: u128) -> DispatchResult {
    Operators::register(signed(ALICE), 300, contact(ALICE, b""), offers(&[]), 1, bond)
}

/// Lets ALICE leave with all of her own stake.
fn leave() {
    Operators::leave(signed(ALICE)).unwrap();
    skip(UNBONDING);
    Operators::withdraw_unbonded(signed(BOB), ALICE).unwrap();
}

#[test]
fn drain_takes_no_new_duties_and_keeps_those_that_run() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        assert_ok!(Operators::reserve(&ALICE, Duty::Run(job(1)), 100));
        assert_ok!(Operators::set_draining(signed(ALICE), true));
        assert_eq!(last_event(), Event::DrainingSet { operator: ALICE, draining: true });
        assert_eq!(
            (Operators::prices(&model(1), 1, 1), Operators::terms(&ALICE, &model(1))),
            (None, None)
        );
        assert_noop!(
            Operators::reserve(&ALICE, Duty::Verify(job(2)), 1),
            Error::<Test>::OperatorDraining
        );
        assert_eq!(Operators::reserved(&ALICE, Duty::Run(job(1))), 100);
        assert_ok!(Operators::set_draining(signed(ALICE), false));
        assert_ok!(Operators::reserve(&ALICE, Duty::Verify(job(2)), 1));
    });
}

#[test]
fn leave_drains_and_unbonds_all() {
    with_operators(|| {
        register(ALICE, 3 * MIN_BOND);
        assert_ok!(Operators::reserve(&ALICE, Duty::Run(job(1)), 2_000));
        assert_ok!(Operators::leave(signed(ALICE)));
        assert!(operator(ALICE).draining);
        assert_eq!(operator(ALICE).unbonding.to_vec(), [Unbonding { amount: 3_000, until: 21 }]);
        assert_eq!(last_event(), Event::Unbonded { operator: ALICE, amount: 3_000, until: 21 });
        assert_noop!(Operators::leave(signed(ALICE)), Error::<Test>::StakeTooLow);
    });
}

#[test]
fn leave_finds_a_place_in_a_full_queue() {
    with_operators(|| {
        register(ALICE, 3 * MIN_BOND);
        for _ in 0..2 {
            assert_ok!(Operators::unbond(signed(ALICE), 10));
            skip(1);
        }
        assert_ok!(Operators::leave(signed(ALICE)));
        let amount = |amount, until| Unbonding { amount, until };
        assert_eq!(operator(ALICE).unbonding.to_vec(), [amount(10, 21), amount(2_990, 23)]);
    });
}

#[test]
fn delegators_of_who_is_gone_withdraw_at_once() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        delegate(EVE, ALICE, 2_000);
        delegate(FRANK, ALICE, 1_000);
        Operators::leave(signed(ALICE)).unwrap();
        skip(UNBONDING - 1);
        assert_ok!(Operators::undelegate(signed(EVE), ALICE, 500));
        skip(1);
        assert_ok!(Operators::withdraw_unbonded(signed(BOB), ALICE));
        assert_eq!(last_event(), Event::Removed { operator: ALICE });
        assert!(Operators::delegations(&EVE)[0].operator_gone);
        assert_eq!(Orphans::<Test>::get(ALICE).unwrap().total(), 3_000);
        assert_noop!(Operators::undelegate(signed(EVE), ALICE, 500), Error::<Test>::NotOperator);
        for who in [EVE, FRANK] {
            assert_ok!(Operators::withdraw_delegation(signed(BOB), ALICE, who));
            assert_eq!(free(who), ENDOWMENT);
            assert!(Operators::delegations(&who).is_empty());
        }
        assert!(!Orphans::<Test>::contains_key(ALICE));
    });
}

#[test]
fn operator_returns_when_its_delegators_are_gone() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        delegate(EVE, ALICE, 2_000);
        leave();
        assert_noop!(register_again(MIN_BOND), Error::<Test>::DelegationsLeft);
        assert_ok!(Operators::withdraw_delegation(signed(ALICE), ALICE, EVE));
        assert_ok!(register_again(MIN_BOND));
        assert_eq!(operator(ALICE).delegated, Default::default());
    });
}

#[test]
fn shares_of_an_earlier_life_are_worth_nothing_in_the_next() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        delegate(EVE, ALICE, 2_000);
        slash(ALICE, Perbill::one());
        assert_ok!(Operators::withdraw_unbonded(signed(ALICE), ALICE));
        assert_noop!(register_again(MIN_BOND), Error::<Test>::DelegationsLeft);
        assert_ok!(Operators::withdraw_delegation(signed(ALICE), ALICE, EVE));
        assert_ok!(register_again(MIN_BOND));
        assert_eq!(worth(EVE, ALICE), 0);
    });
}

#[test]
fn operator_stays_while_a_slash_or_a_duty_does() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        assert_ok!(Operators::reserve(&ALICE, Duty::Run(job(1)), 0));
        offend(ALICE, Perbill::one(), vec![]);
        skip(SLASH_DELAY);
        assert_ok!(Operators::apply_slash(signed(BOB), 0));
        let withdraw = || Operators::withdraw_unbonded(signed(BOB), ALICE);
        assert_noop!(withdraw(), Error::<Test>::NothingToWithdraw);
        Operators::release(&ALICE, Duty::Run(job(1)));
        assert_ok!(withdraw());
        assert!(!OperatorMap::<Test>::contains_key(ALICE));
        assert!(!Contacts::<Test>::contains_key(ALICE));
    });
}
