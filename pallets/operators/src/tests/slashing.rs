// SPDX-License-Identifier: Apache-2.0
//! Slashes: pro rata for offences, out of the own stake for duties.

use crate::{mock::*, Error, Unbonding};
use assay_primitives::traits::{Duty, Operators as _};
use frame_support::{assert_noop, assert_ok, traits::Imbalance};
use sp_runtime::Perbill;

#[test]
fn slash_is_pro_rata_over_own_and_delegated_and_what_leaves_of_both() {
    with_operators(|| {
        register(ALICE, 4_000);
        delegate(EVE, ALICE, 3_000);
        delegate(FRANK, ALICE, 1_000);
        assert_ok!(Operators::unbond(signed(ALICE), 300));
        skip(1);
        assert_ok!(Operators::unbond(signed(ALICE), 700));
        assert_ok!(Operators::undelegate(signed(EVE), ALICE, 2_000));
        let issuance = Balances::total_issuance();
        assert_eq!(slash(ALICE, Perbill::from_percent(10)), 800);
        assert_eq!(Balances::total_issuance(), issuance - 800);
        let alice = operator(ALICE);
        assert_eq!(alice.bonded, 2_700);
        let amount = |amount, until| Unbonding { amount, until };
        assert_eq!(alice.unbonding.to_vec(), [amount(270, 21), amount(630, 22)]);
        assert_eq!((worth(EVE, ALICE), worth(FRANK, ALICE)), (900, 900));
        assert_eq!(Operators::delegations(&EVE)[0].unbonding, [(1_800, 22)]);
        assert_eq!((held(ALICE), held(Operators::vault())), (3_600, 3_600));
    });
}

#[test]
fn slash_leaves_the_rest_of_rounding_to_the_operator() {
    with_operators(|| {
        register(ALICE, 2_000);
        delegate(EVE, ALICE, 1_000);
        offend(ALICE, Perbill::from_parts(500_000), vec![]);
        skip(SLASH_DELAY);
        assert_ok!(Operators::apply_slash(signed(DAVE), 0));
        assert_eq!((operator(ALICE).bonded, worth(EVE, ALICE)), (1_998, 1_000));
    });
}

#[test]
fn seize_takes_nothing_from_delegators() {
    with_operators(|| {
        register(ALICE, 1_000);
        delegate(EVE, ALICE, 3_000);
        let duty = Duty::Run(job(1));
        // Delegated stake backs no duty.
        assert_noop!(Operators::reserve(&ALICE, duty, 1_001), Error::<Test>::StakeReserved);
        assert_ok!(Operators::reserve(&ALICE, duty, 800));
        assert_eq!(Operators::seize(&ALICE, duty, 400).peek(), 400);
        assert_eq!((operator(ALICE).bonded, worth(EVE, ALICE)), (600, 3_000));
        assert_eq!(Operators::reserved(&ALICE, duty), 400);
        assert_eq!(operator(ALICE).reserved, 400);
    });
}

#[test]
fn seize_reaches_what_is_being_unbonded() {
    with_operators(|| {
        register(ALICE, 3_000);
        delegate(EVE, ALICE, 3_000);
        let duty = Duty::Run(job(1));
        assert_ok!(Operators::reserve(&ALICE, duty, 2_500));
        assert_ok!(Operators::leave(signed(ALICE)));
        assert_eq!(Operators::seize(&ALICE, duty, 2_500).peek(), 2_500);
        assert_eq!((operator(ALICE).unbonding_total(), worth(EVE, ALICE)), (500, 3_000));
    });
}

#[test]
fn slash_of_all_leaves_nothing() {
    with_operators(|| {
        register(ALICE, 1_000);
        delegate(EVE, ALICE, 3_000);
        assert_ok!(Operators::undelegate(signed(EVE), ALICE, 1_000));
        assert_ok!(Operators::unbond(signed(ALICE), 1_000));
        assert_eq!(slash(ALICE, Perbill::one()), 4_000);
        assert_eq!(operator(ALICE).at_stake(), 0);
        assert_eq!((held(ALICE), held(Operators::vault())), (0, 0));
        assert_eq!(slash(ALICE, Perbill::one()), 0);
    });
}
