// SPDX-License-Identifier: Apache-2.0
//! Offences against consensus, whose slashes can be cancelled before they are applied.

use crate::{
    mock::*, offences::MAX_SLASHES_PER_BLOCK, Error, Event, NextSlash, Offences, OldestSlash,
    Ranking, Slashes, WeightInfo,
};
use assay_primitives::{
    traits::{Duty, OperatorChanged, Operators as _},
    Balance,
};
use frame_support::{assert_noop, assert_ok, traits::Hooks, weights::Weight};
use sp_runtime::{DispatchResult, Perbill};
use sp_staking::offence::{OffenceDetails, OnOffenceHandler};

fn percent(n: u32) -> Perbill {
    Perbill::from_percent(n)
}

fn apply(id: u32) -> DispatchResult {
    Operators::apply_slash(signed(DAVE), id)
}

fn idle() -> Weight {
    Operators::on_idle(System::block_number(), Weight::MAX)
}

fn burnt_when_idle() -> Balance {
    burnt(|| {
        idle();
    })
}

fn amount_of(id: u32) -> Option<Balance> {
    Slashes::<Test>::get(id).map(|slash| slash.amount)
}

#[test]
fn offence_waits_and_then_burns_the_fraction_of_all_at_stake() {
    with_operators(|| {
        register(ALICE, 2_000);
        assert_ok!(Operators::unbond(signed(ALICE), 500));
        offend(ALICE, percent(10), vec![]);
        assert_eq!(
            last_event(),
            Event::SlashRecorded { operator: ALICE, slash: 0, session: 7, amount: 200 }
        );
        assert_eq!((operator(ALICE).bonded, operator(ALICE).pending), (1_500, 200));
        skip(SLASH_DELAY - 1);
        assert_noop!(apply(0), Error::<Test>::SlashNotDue);
        skip(1);
        assert_eq!(burnt(|| apply(0).unwrap()), 200);
        assert_eq!(
            last_event(),
            Event::Slashed { operator: ALICE, slash: 0, amount: 200, reporter: None }
        );
        assert_eq!((operator(ALICE).bonded, operator(ALICE).pending), (1_350, 0));
        assert_eq!(operator(ALICE).unbonding_total(), 450);
        assert_noop!(apply(0), Error::<Test>::SlashUnknown);
    });
}

#[test]
fn offences_of_several_are_each_their_own() {
    with_operators(|| {
        register(ALICE, 2_000);
        register(BOB, 3_000);
        let details = |who| OffenceDetails { offender: (who, ()), reporters: vec![] };
        Operators::on_offence(&[details(ALICE), details(BOB)], &[percent(10), percent(50)], 7);
        assert_eq!((amount_of(0), amount_of(1)), (Some(200), Some(1_500)));
    });
}

#[test]
fn offence_pays_half_to_its_reporter() {
    with_operators(|| {
        register(ALICE, 2_000);
        offend(ALICE, percent(10), vec![BOB, CAROL]);
        skip(SLASH_DELAY);
        assert_eq!(burnt(|| apply(0).unwrap()), 100);
        assert_eq!((free(BOB), free(CAROL)), (ENDOWMENT + 100, ENDOWMENT));
    });
}

#[test]
fn offence_pays_nobody_who_reports_itself_or_cannot_receive() {
    with_operators(|| {
        register(ALICE, 2_000);
        offend(ALICE, percent(10), vec![ALICE]);
        offend(ALICE, Perbill::from_parts(1_000_000), vec![NOBODY]);
        skip(SLASH_DELAY);
        assert_eq!(burnt(|| apply(0).unwrap()), 200);
        assert_eq!(burnt(|| apply(1).unwrap()), 2);
    });
}

#[test]
fn slash_that_waits_keeps_stake_from_duties_and_from_leaving() {
    with_operators(|| {
        register(ALICE, 2_000);
        assert_ok!(Operators::unbond(signed(ALICE), 500));
        skip(UNBONDING);
        offend(ALICE, percent(50), vec![]);
        assert_eq!(operator(ALICE).unreserved(), 500);
        assert_noop!(
            Operators::reserve(&ALICE, Duty::Run(job(1)), 501),
            Error::<Test>::StakeReserved
        );
        assert_noop!(
            Operators::withdraw_unbonded(signed(ALICE), ALICE),
            Error::<Test>::SlashPending
        );
        assert_ok!(Operators::cancel_slash(RuntimeOrigin::root(), 0));
        assert_eq!(last_event(), Event::SlashCancelled { operator: ALICE, slash: 0 });
        assert_ok!(Operators::withdraw_unbonded(signed(ALICE), ALICE));
        assert_eq!(operator(ALICE).unreserved(), 1_500);
        assert_noop!(
            Operators::cancel_slash(RuntimeOrigin::root(), 0),
            Error::<Test>::SlashUnknown
        );
    });
}

#[test]
fn slash_waits_for_what_duties_reserve() {
    with_operators(|| {
        register(ALICE, 3_000);
        delegate(EVE, ALICE, 1_000);
        assert_ok!(Operators::reserve(&ALICE, Duty::Run(job(1)), 1_200));
        offend(ALICE, percent(80), vec![]);
        skip(SLASH_DELAY);
        assert_noop!(apply(0), Error::<Test>::StakeReserved);
        assert_eq!(burnt_when_idle(), 0);
        // No new duty makes it wait longer.
        assert_eq!(operator(ALICE).unreserved(), 0);
        Operators::release(&ALICE, Duty::Run(job(1)));
        assert_eq!(burnt_when_idle(), 3_200);
        assert_eq!((operator(ALICE).bonded, worth(EVE, ALICE)), (600, 200));
    });
}

#[test]
fn further_offenders_of_a_session_only_add_what_they_raise() {
    with_operators(|| {
        register(ALICE, 2_000);
        offend_in(7, ALICE, percent(10), vec![]);
        offend_in(7, ALICE, percent(25), vec![]);
        offend_in(7, ALICE, percent(15), vec![]);
        assert_eq!((amount_of(0), amount_of(1)), (Some(200), Some(300)));
        assert_eq!(operator(ALICE).pending, 500);
        offend_in(8, ALICE, percent(10), vec![]);
        assert_eq!(operator(ALICE).pending, 700);
    });
}

#[test]
fn offences_are_forgotten_when_they_cannot_be_reported_any_more() {
    use pallet_session::SessionManager;
    with_operators(|| {
        register(ALICE, 2_000);
        offend_in(7, ALICE, percent(10), vec![]);
        for session in 8..11 {
            <Operators as SessionManager<AccountId>>::start_session(session);
            assert!(Offences::<Test>::contains_key(7, ALICE));
        }
        <Operators as SessionManager<AccountId>>::start_session(11);
        assert!(!Offences::<Test>::contains_key(7, ALICE));
    });
}

#[test]
fn operator_gains_nothing_by_reporting_itself_under_another_name() {
    with_operators(|| {
        register(ALICE, 1_000);
        delegate(EVE, ALICE, 4_000);
        let before = free(BOB) + held(ALICE);
        offend(ALICE, percent(50), vec![BOB]);
        skip(SLASH_DELAY);
        assert_eq!(burnt(|| apply(0).unwrap()), 2_250);
        assert_eq!(free(BOB), ENDOWMENT + 250);
        assert!(free(BOB) + held(ALICE) < before);
    });
}

#[test]
fn offender_does_not_stand_for_election() {
    with_operators(|| {
        register(ALICE, 2_000);
        register(BOB, 1_000);
        offend(ALICE, percent(1), vec![]);
        let ranked =
            || -> Vec<_> { Ranking::<Test>::get().into_iter().map(|next| next.stash).collect() };
        assert_eq!(ranked(), [BOB]);
        assert_ok!(Operators::cancel_slash(RuntimeOrigin::root(), 0));
        assert_eq!(ranked(), [ALICE, BOB]);
    });
}

#[test]
fn slashes_never_wait_for_more_than_is_at_stake() {
    with_operators(|| {
        register(ALICE, 2_000);
        offend(ALICE, percent(60), vec![]);
        offend(ALICE, percent(60), vec![]);
        assert_eq!((amount_of(0), amount_of(1)), (Some(1_200), Some(800)));
        offend(ALICE, percent(60), vec![]);
        assert_eq!(operator(ALICE).pending, 2_000);
    });
}

#[test]
fn slash_beyond_the_bound_joins_the_last_one_and_does_not_put_it_off() {
    with_operators(|| {
        register(ALICE, 2_000);
        offend(ALICE, percent(10), vec![]);
        offend(ALICE, percent(20), vec![BOB]);
        skip(5);
        offend(ALICE, percent(30), vec![CAROL]);
        assert_eq!(operator(ALICE).slashes.to_vec(), [0, 1]);
        assert_eq!((amount_of(0), amount_of(1), amount_of(2)), (Some(200), Some(1_000), None));
        assert_eq!(Slashes::<Test>::get(1).unwrap().due, 1 + SLASH_DELAY as u32);
        assert_eq!(operator(ALICE).pending, 1_200);
    });
}

#[test]
fn blocks_apply_what_is_due_in_order() {
    with_operators(|| {
        register(ALICE, 2_000);
        register(BOB, 2_000);
        offend(ALICE, percent(10), vec![]);
        offend(BOB, percent(10), vec![]);
        skip(3);
        offend(ALICE, percent(10), vec![]);
        assert_eq!(burnt_when_idle(), 0);
        skip(SLASH_DELAY - 3);
        // One slash is applied by hand, and the queue goes on after it.
        assert_ok!(apply(0));
        assert_eq!(burnt_when_idle(), 200);
        assert_eq!((OldestSlash::<Test>::get(), NextSlash::<Test>::get()), (2, 3));
        skip(3);
        assert_eq!(burnt_when_idle(), 200);
        assert!(operator(ALICE).slashes.is_empty());
        assert_eq!(idle(), <() as WeightInfo>::on_idle());
    });
}

#[test]
fn blocks_apply_no_more_than_they_have_room_for() {
    with_operators(|| {
        register(ALICE, 2_000);
        register(BOB, 2_000);
        offend(ALICE, percent(10), vec![]);
        offend(BOB, percent(10), vec![]);
        skip(SLASH_DELAY);
        let base = <() as WeightInfo>::on_idle();
        let one = base
            .saturating_add(<() as WeightInfo>::apply_slash())
            .saturating_add(<Told as OperatorChanged<AccountId>>::weight());
        let too_little = base.saturating_sub(Weight::from_parts(1, 0));
        assert_eq!(Operators::on_idle(1, too_little), Weight::zero());
        assert_eq!(Operators::on_idle(1, base), base);
        assert_eq!(Operators::on_idle(1, one), one);
        assert_eq!(operator(ALICE).pending + operator(BOB).pending, 200);
    });
}

#[test]
fn blocks_look_at_no_more_than_so_many() {
    with_operators(|| {
        // All but the last are applied or cancelled already.
        NextSlash::<Test>::put(MAX_SLASHES_PER_BLOCK + 2);
        idle();
        assert_eq!(OldestSlash::<Test>::get(), MAX_SLASHES_PER_BLOCK);
        idle();
        assert_eq!(OldestSlash::<Test>::get(), MAX_SLASHES_PER_BLOCK + 2);
    });
}

#[test]
fn offence_of_no_operator_is_not_recorded() {
    with_operators(|| {
        offend(VALIDATOR, Perbill::one(), vec![]);
        assert!(events().is_empty());
        assert_eq!(NextSlash::<Test>::get(), 0);
    });
}

#[test]
fn offence_without_fraction_is_not_recorded() {
    with_operators(|| {
        register(ALICE, 2_000);
        offend(ALICE, Perbill::zero(), vec![]);
        assert_eq!(NextSlash::<Test>::get(), 0);
    });
}
