// SPDX-License-Identifier: Apache-2.0
//! Delegating, taking back, withdrawing.

use crate::{mock::*, Delegations, Error, Event, Operators as OperatorMap};
use assay_primitives::{
    api::DelegationView,
    traits::{Duty, Operators as _},
    Balance,
};
use frame_support::{assert_noop, assert_ok, traits::Imbalance};
use sp_runtime::{DispatchResult, Perbill, TokenError};

fn try_delegate(who: AccountId, amount: Balance) -> DispatchResult {
    Operators::delegate(signed(who), ALICE, amount)
}

fn undelegate(who: AccountId, amount: Balance) -> DispatchResult {
    Operators::undelegate(signed(who), ALICE, amount)
}

fn withdraw(who: AccountId) -> DispatchResult {
    // Anyone can withdraw for the delegator.
    Operators::withdraw_delegation(signed(BOB), ALICE, who)
}

fn view(worth: Balance, unbonding: &[(Balance, u32)], operator_gone: bool) -> DelegationView<u64> {
    DelegationView { operator: ALICE, worth, unbonding: unbonding.to_vec(), operator_gone }
}

#[test]
fn delegate_moves_money_to_the_vault_and_adds_stake() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        assert_ok!(try_delegate(EVE, 1_500));
        assert_eq!(
            last_event(),
            Event::Delegated { operator: ALICE, delegator: EVE, amount: 1_500 }
        );
        assert_ok!(try_delegate(FRANK, 1_000));
        assert_ok!(try_delegate(EVE, 1));
        assert_eq!(free(EVE), ENDOWMENT - 1_501);
        assert_eq!(held(Operators::vault()), 2_501);
        assert_eq!((worth(EVE, ALICE), worth(FRANK, ALICE)), (1_501, 1_000));
        assert_eq!(operator(ALICE).stake(), 3_501);
        assert_eq!(operator(ALICE).delegated.delegators, 2);
        // The delegation backs no duty, since duties are backed by her own stake.
        assert_eq!(Operators::terms(&ALICE, &model(1)).unwrap().unreserved, MIN_BOND);
        assert!(Operators::delegates(&ALICE, &EVE));
        assert!(!Operators::delegates(&ALICE, &BOB));
    });
}

#[test]
fn delegate_has_a_minimum_for_the_first_and_none_for_more() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        assert_noop!(try_delegate(EVE, 999), Error::<Test>::DelegationBelowMinimum);
        assert_noop!(try_delegate(EVE, 0), Error::<Test>::AmountZero);
        assert_ok!(try_delegate(EVE, 1_000));
    });
}

#[test]
fn delegate_refuses_more_than_the_own_stake_allows() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        assert_noop!(try_delegate(EVE, 4_001), Error::<Test>::DelegationsAboveCap);
        assert_ok!(try_delegate(EVE, 3_000));
        assert_noop!(try_delegate(FRANK, 1_001), Error::<Test>::DelegationsAboveCap);
        assert_ok!(try_delegate(FRANK, 1_000));
    });
}

#[test]
fn delegate_refuses_the_operator_itself() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        assert_noop!(try_delegate(ALICE, 1_000), Error::<Test>::SelfDelegation);
    });
}

#[test]
fn delegate_leaves_the_existential_deposit() {
    with_operators(|| {
        register(ALICE, ENDOWMENT / 2);
        let most = ENDOWMENT - EXISTENTIAL_DEPOSIT;
        assert_noop!(try_delegate(EVE, most + 1), Error::<Test>::BalanceTooLow);
        assert_ok!(try_delegate(EVE, most));
    });
}

#[test]
fn delegate_refuses_who_drains_and_who_has_too_little() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        assert_ok!(Operators::set_draining(signed(ALICE), true));
        assert_noop!(try_delegate(EVE, 1_000), Error::<Test>::OperatorDraining);
        assert_ok!(Operators::set_draining(signed(ALICE), false));
        slash(ALICE, Perbill::from_percent(1));
        assert_noop!(try_delegate(EVE, 1_000), Error::<Test>::BondBelowMinimum);
    });
}

#[test]
fn delegate_refuses_while_a_slash_waits() {
    with_operators(|| {
        register(ALICE, 2 * MIN_BOND);
        offend(ALICE, Perbill::from_percent(10), vec![]);
        assert_noop!(try_delegate(EVE, 1_000), Error::<Test>::SlashPending);
        assert_ok!(Operators::cancel_slash(RuntimeOrigin::root(), 0));
        assert_ok!(try_delegate(EVE, 1_000));
    });
}

#[test]
fn delegate_refuses_to_buy_shares_that_are_too_dear() {
    with_operators(|| {
        register(ALICE, 100_000);
        delegate(EVE, ALICE, 1_000);
        // One in 101 is the delegator's: a share is now worth 100, and 1,099 would buy 10.
        reward(ALICE, 101 * 99_000);
        assert_eq!(worth(EVE, ALICE), 100_000);
        assert_noop!(try_delegate(FRANK, 1_099), Error::<Test>::SharePriceOutOfRange);
        assert_noop!(try_delegate(EVE, 99), Error::<Test>::SharePriceOutOfRange);
        assert_ok!(try_delegate(FRANK, 2_000));
        assert_eq!((worth(EVE, ALICE), worth(FRANK, ALICE)), (100_000, 2_000));
    });
}

#[test]
fn undelegate_keeps_the_money_at_stake_until_it_is_withdrawn() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        delegate(EVE, ALICE, 3_000);
        assert_ok!(undelegate(EVE, 1_200));
        assert_eq!(
            last_event(),
            Event::Undelegated { operator: ALICE, delegator: EVE, amount: 1_200, until: 21 }
        );
        assert_ok!(undelegate(EVE, 300));
        assert_eq!(Operators::delegations(&EVE), [view(1_500, &[(1_500, 21)], false)]);
        assert_eq!((operator(ALICE).stake(), operator(ALICE).at_stake()), (2_500, 4_000));
        assert_noop!(withdraw(EVE), Error::<Test>::NothingToWithdraw);
        skip(UNBONDING);
        assert_ok!(withdraw(EVE));
        assert_eq!(
            last_event(),
            Event::DelegationWithdrawn { operator: ALICE, delegator: EVE, amount: 1_500 }
        );
        assert_eq!(free(EVE), ENDOWMENT - 1_500);
        assert_eq!(held(Operators::vault()), 1_500);
        assert_eq!(operator(ALICE).delegated.delegators, 1);
    });
}

#[test]
fn undelegate_leaves_nothing_or_the_minimum() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        delegate(EVE, ALICE, 3_000);
        assert_noop!(undelegate(EVE, 2_001), Error::<Test>::DelegationBelowMinimum);
        assert_noop!(undelegate(EVE, 0), Error::<Test>::AmountZero);
        assert_ok!(undelegate(EVE, Balance::MAX));
        assert_eq!(Operators::delegations(&EVE), [view(0, &[(3_000, 21)], false)]);
        assert_noop!(undelegate(EVE, 1), Error::<Test>::NotDelegator);
        skip(UNBONDING);
        assert_ok!(withdraw(EVE));
        assert!(Operators::delegations(&EVE).is_empty());
        assert_eq!((free(EVE), operator(ALICE).delegated.delegators), (ENDOWMENT, 0));
        assert!(!Operators::delegates(&ALICE, &EVE));
    });
}

#[test]
fn undelegate_refuses_who_has_delegated_nothing() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        assert_noop!(undelegate(EVE, 1), Error::<Test>::NotDelegator);
        assert_noop!(withdraw(EVE), Error::<Test>::NotDelegator);
    });
}

#[test]
fn undelegate_refuses_more_amounts_than_the_queue_takes() {
    with_operators(|| {
        register(ALICE, 2 * MIN_BOND);
        delegate(EVE, ALICE, 6_000);
        for _ in 0..2 {
            assert_ok!(undelegate(EVE, 100));
            skip(1);
        }
        assert_noop!(undelegate(EVE, 100), Error::<Test>::UnbondingQueueFull);
    });
}

#[test]
fn delegators_come_out_whatever_duties_reserve() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        delegate(EVE, ALICE, 3_000);
        assert_ok!(Operators::reserve(&ALICE, Duty::Run(job(1)), MIN_BOND));
        assert_ok!(undelegate(EVE, 3_000));
        assert_eq!(Operators::seize(&ALICE, Duty::Run(job(1)), MIN_BOND).peek(), MIN_BOND);
        skip(UNBONDING);
        assert_ok!(withdraw(EVE));
        assert_eq!(free(EVE), ENDOWMENT);
        Operators::release(&ALICE, Duty::Run(job(1)));
    });
}

#[test]
fn undelegate_refuses_shares_without_number() {
    new_test_ext().execute_with(|| {
        register(ALICE, MIN_BOND);
        delegate(EVE, ALICE, 3_000);
        OperatorMap::<Test>::mutate(ALICE, |alice| {
            let pool = &mut alice.as_mut().unwrap().delegated.unbonding;
            (pool.value, pool.shares) = (1, Balance::MAX / 2);
        });
        assert_noop!(undelegate(EVE, 3_000), Error::<Test>::SharePriceOutOfRange);
    });
}

#[test]
fn withdraw_waits_for_slashes() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        delegate(EVE, ALICE, 3_000);
        assert_ok!(undelegate(EVE, 3_000));
        skip(UNBONDING);
        offend(ALICE, Perbill::from_percent(50), vec![]);
        assert_noop!(withdraw(EVE), Error::<Test>::SlashPending);
        skip(SLASH_DELAY);
        assert_ok!(Operators::apply_slash(signed(EVE), 0));
        assert_ok!(withdraw(EVE));
        assert_eq!(free(EVE), ENDOWMENT - 1_500);
    });
}

#[test]
fn withdraw_refuses_an_account_that_cannot_receive_it() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        delegate(EVE, ALICE, 1_000);
        // All but five is slashed, and the delegator is removed.
        slash(ALICE, Perbill::from_parts(995_000_000));
        assert_eq!(worth(EVE, ALICE), 5);
        assert_ok!(undelegate(EVE, 5));
        assert_ok!(Balances::transfer_all(signed(EVE), BOB, false));
        skip(UNBONDING);
        assert_noop!(withdraw(EVE), TokenError::CannotCreate);
        assert_ok!(Balances::transfer_allow_death(signed(BOB), EVE, EXISTENTIAL_DEPOSIT));
        assert_ok!(withdraw(EVE));
        assert_eq!(free(EVE), EXISTENTIAL_DEPOSIT + 5);
    });
}

#[test]
fn withdraw_forgets_a_delegation_that_is_worth_nothing() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        delegate(EVE, ALICE, 2_000);
        assert_noop!(withdraw(EVE), Error::<Test>::NothingToWithdraw);
        slash(ALICE, Perbill::one());
        assert_eq!(worth(EVE, ALICE), 0);
        assert_noop!(undelegate(EVE, 1), Error::<Test>::NotDelegator);
        assert_ok!(withdraw(EVE));
        assert!(!Delegations::<Test>::contains_key(EVE, ALICE));
        assert_eq!(free(EVE), ENDOWMENT - 2_000);
    });
}

#[test]
fn pool_that_was_slashed_to_nothing_does_not_dilute_who_comes_later() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        delegate(EVE, ALICE, 2_000);
        assert_ok!(undelegate(EVE, 1_000));
        slash(ALICE, Perbill::one());
        assert_ok!(Operators::bond_extra(signed(ALICE), MIN_BOND));
        delegate(FRANK, ALICE, 1_000);
        delegate(EVE, ALICE, 1_000);
        assert_eq!((worth(EVE, ALICE), worth(FRANK, ALICE)), (1_000, 1_000));
        assert_ok!(undelegate(EVE, 1_000));
        assert_eq!(Operators::delegations(&EVE), [view(0, &[(1_000, 21)], false)]);
    });
}
