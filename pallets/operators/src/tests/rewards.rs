// SPDX-License-Identifier: Apache-2.0
//! Pay, the account that receives it, and commissions.

use crate::{mock::*, Commission, Error, Event, Raise};
use assay_primitives::Balance;
use frame_support::{assert_noop, assert_ok};
use sp_runtime::{DispatchResult, Perbill};

fn set_commission(percent: u32) -> DispatchResult {
    Operators::set_commission(signed(ALICE), Perbill::from_percent(percent))
}

/// Rewards ALICE and returns the amount that she received herself.
fn rewarded(amount: Balance) -> Balance {
    let before = free(ALICE);
    reward(ALICE, amount);
    free(ALICE) - before
}

#[test]
fn reward_without_delegators_goes_to_the_stash() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        assert_eq!(rewarded(700), 700);
        assert_eq!(last_event(), Event::Rewarded { operator: ALICE, amount: 700, delegated: 0 });
        assert_eq!(operator(ALICE).bonded, MIN_BOND);
    });
}

#[test]
fn reward_is_shared_pro_rata_after_the_commission() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        assert_ok!(set_commission(10));
        delegate(EVE, ALICE, 1_000);
        delegate(FRANK, ALICE, 2_000);
        // 100 of 1,000 are commission; of the rest a quarter is the operator's.
        assert_eq!(rewarded(1_000), 325);
        assert_eq!(last_event(), Event::Rewarded { operator: ALICE, amount: 325, delegated: 675 });
        assert_eq!((worth(EVE, ALICE), worth(FRANK, ALICE)), (1_225, 2_450));
        assert_eq!(operator(ALICE).bonded, MIN_BOND);
        assert_eq!(held(Operators::vault()), 3_675);
    });
}

#[test]
fn reward_shares_nothing_with_who_has_taken_back() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        delegate(EVE, ALICE, 1_000);
        assert_ok!(Operators::undelegate(signed(EVE), ALICE, 1_000));
        assert_eq!(rewarded(1_000), 1_000);
        assert_eq!(Operators::delegations(&EVE)[0].unbonding, [(1_000, 21)]);
    });
}

#[test]
fn reward_rounds_for_the_operator() {
    with_operators(|| {
        register(ALICE, 2 * MIN_BOND);
        delegate(EVE, ALICE, 1_000);
        assert_eq!(rewarded(2), 2);
        assert_eq!(rewarded(5), 4);
        assert_eq!(worth(EVE, ALICE), 1_001);
    });
}

#[test]
fn payout_account_receives_pay_and_keeps_the_stash_apart() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        assert_ok!(Operators::set_payout(signed(ALICE), BOB));
        assert_eq!(last_event(), Event::PayoutSet { operator: ALICE, payout: BOB });
        assert_eq!(rewarded(700), 0);
        assert_eq!(free(BOB), ENDOWMENT + 700);
        assert_eq!(Operators::view(&ALICE).unwrap().payout, BOB);
        assert_ok!(Operators::set_payout(signed(ALICE), ALICE));
        assert_eq!(rewarded(700), 700);
    });
}

#[test]
fn payout_account_that_cannot_receive_leaves_it_to_the_stash() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        assert_ok!(Operators::set_payout(signed(ALICE), NOBODY));
        assert_eq!(rewarded(EXISTENTIAL_DEPOSIT - 1), EXISTENTIAL_DEPOSIT - 1);
        assert_eq!(rewarded(EXISTENTIAL_DEPOSIT), 0);
        assert_eq!(free(NOBODY), EXISTENTIAL_DEPOSIT);
    });
}

#[test]
fn reward_of_who_is_no_operator_is_its_own() {
    with_operators(|| {
        assert_eq!(rewarded(5), 5);
        assert!(events().is_empty());
    });
}

#[test]
fn reward_of_nothing_does_nothing() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        let before = events().len();
        assert_eq!(rewarded(0), 0);
        assert_eq!(events().len(), before);
    });
}

#[test]
fn commission_is_set_at_once_without_delegators() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        assert_ok!(set_commission(60));
        assert_eq!(
            last_event(),
            Event::CommissionSet {
                operator: ALICE,
                commission: Perbill::from_percent(60),
                from: 1
            }
        );
        assert_eq!(operator(ALICE).commission.at(1), Perbill::from_percent(60));
    });
}

#[test]
fn commission_rises_after_delegators_could_leave() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        delegate(EVE, ALICE, 1_000);
        assert_ok!(set_commission(10));
        let from = 21;
        let commission = Perbill::from_percent(10);
        assert_eq!(last_event(), Event::CommissionSet { operator: ALICE, commission, from });
        assert_eq!(rewarded(200), 100);
        skip(UNBONDING - 1);
        assert_eq!(operator(ALICE).commission.at(20), Perbill::zero());
        skip(1);
        assert_eq!(operator(ALICE).commission.at(21), commission);
        // 110 of 210 would be 100 without the commission of 21.
        assert_eq!(rewarded(210), 21 + 189 - 189 * 1_100 / 2_100);
        // A raise begins where the last one has ended.
        assert_ok!(set_commission(20));
        let raise = Some(Raise { to: Perbill::from_percent(20), from: 41 });
        assert_eq!(operator(ALICE).commission, Commission { current: commission, raise });
    });
}

#[test]
fn commission_rises_by_little_at_a_time() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        delegate(EVE, ALICE, 1_000);
        assert_noop!(set_commission(11), Error::<Test>::CommissionRaiseTooHigh);
        assert_ok!(set_commission(10));
        // An announced raise is not a base for another one.
        assert_noop!(set_commission(11), Error::<Test>::CommissionRaiseTooHigh);
    });
}

#[test]
fn commission_falls_at_once_and_ends_a_raise() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        assert_ok!(set_commission(50));
        delegate(EVE, ALICE, 1_000);
        assert_ok!(set_commission(55));
        assert_ok!(set_commission(40));
        skip(UNBONDING);
        assert_eq!(operator(ALICE).commission.at(21), Perbill::from_percent(40));
    });
}
