// SPDX-License-Identifier: Apache-2.0
//! Offences against consensus.

use crate::{mock::*, Event, Unbonding};
use assay_primitives::{
    traits::{Duty, Operators as _},
    Balance,
};
use frame_support::assert_ok;
use sp_runtime::Perbill;
use sp_staking::offence::{OffenceDetails, OnOffenceHandler};

/// Reports an offence of each of `offenders` in session 7.
fn offend(offenders: &[(AccountId, Perbill)]) {
    let details: Vec<_> = offenders
        .iter()
        .map(|(who, _)| OffenceDetails::<AccountId, _> { offender: (*who, ()), reporters: vec![] })
        .collect();
    let fractions: Vec<_> = offenders.iter().map(|(_, fraction)| *fraction).collect();
    Operators::on_offence(&details, &fractions, 7);
}

fn percent(n: u32) -> Perbill {
    Perbill::from_percent(n)
}

fn burnt(action: impl FnOnce()) -> Balance {
    let before = Balances::total_issuance();
    action();
    before - Balances::total_issuance()
}

#[test]
fn offence_burns_the_fraction_of_the_stake() {
    with_operators(|| {
        register(ALICE, 2_000);
        register(BOB, 3_000);
        assert_eq!(burnt(|| offend(&[(ALICE, percent(10)), (BOB, percent(50))])), 1_700);
        assert_eq!(operator(ALICE).bonded, 1_800);
        assert_eq!(operator(BOB).bonded, 1_500);
        assert_eq!(free(ALICE), ENDOWMENT - 2_000);
        assert!(events().contains(&Event::Slashed { operator: ALICE, session: 7, amount: 200 }));
        assert_eq!(last_event(), Event::Slashed { operator: BOB, session: 7, amount: 1_500 });
    });
}

#[test]
fn offence_counts_and_reaches_what_is_being_unbonded() {
    with_operators(|| {
        register(ALICE, 3_000);
        for (block, amount) in [(1, 300), (2, 700)] {
            System::set_block_number(block);
            assert_ok!(Operators::unbond(RuntimeOrigin::signed(ALICE), amount));
        }
        assert_eq!(burnt(|| offend(&[(ALICE, percent(80))])), 2_400);
        assert_eq!(operator(ALICE).bonded, 0);
        assert_eq!(operator(ALICE).unbonding.to_vec(), [Unbonding { amount: 600, until: 22 }]);
        assert_eq!(held(ALICE), 600);
    });
}

#[test]
fn offence_leaves_what_duties_reserve() {
    with_operators(|| {
        register(ALICE, 3_000);
        assert_ok!(Operators::reserve(&ALICE, Duty::Run(job(1)), 1_200));
        assert_ok!(Operators::unbond(RuntimeOrigin::signed(ALICE), 500));
        assert_eq!(burnt(|| offend(&[(ALICE, Perbill::one())])), 1_800);
        assert_eq!((operator(ALICE).bonded, operator(ALICE).reserved), (1_200, 1_200));
        assert!(operator(ALICE).unbonding.is_empty());
        assert_eq!(burnt(|| offend(&[(ALICE, Perbill::one())])), 0);
    });
}

#[test]
fn offence_of_no_operator_burns_nothing() {
    with_operators(|| {
        assert_eq!(burnt(|| offend(&[(VALIDATOR, Perbill::one())])), 0);
        assert!(events().is_empty());
    });
}

#[test]
fn offence_without_fraction_burns_nothing() {
    with_operators(|| {
        register(ALICE, 2_000);
        assert_eq!(burnt(|| offend(&[(ALICE, Perbill::zero())])), 0);
        assert_eq!(operator(ALICE).bonded, 2_000);
    });
}
