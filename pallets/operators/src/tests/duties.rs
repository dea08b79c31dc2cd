// SPDX-License-Identifier: Apache-2.0
//! Terms and price of models, and the stake that duties reserve.

use crate::{mock::*, Error, Event, Reservation, Reservations};
use assay_primitives::{
    traits::{Duty, Load, Operators as _},
    Balance,
};
use frame_support::{assert_noop, assert_ok, traits::Imbalance};
use sp_runtime::Perbill;

const RUN: fn(u64) -> Duty = |n| Duty::Run(job(n));
const VERIFY: fn(u64) -> Duty = |n| Duty::Verify(job(n));

/// Registers ALICE with 3,000 at the price 5, BOB with 1,000 at 4 and CAROL with 1,000 at 9, all
/// with model 1. BOB also serves model 2, and has the longest contexts.
fn register_three() {
    let register = |stash: AccountId, bond: Balance, offered: &[(u64, Balance, u32)]| {
        let (contact, offers) = (contact(stash, b""), offers(offered));
        assert_ok!(Operators::register(signed(stash), stash + 100, contact, offers, 1, bond));
    };
    register(CAROL, 1_000, &[(1, 9, 10)]);
    register(ALICE, 3_000, &[(1, 5, 100)]);
    register(BOB, 1_000, &[(2, 1, 300), (1, 4, 200)]);
}

fn terms(stash: AccountId, n: u64) -> Option<(Balance, u32, Balance)> {
    let terms = Operators::terms(&stash, &model(n))?;
    Some((terms.prices.output, terms.context, terms.unreserved))
}

/// Returns the price of a token that model `n` writes.
fn price_of(n: u64) -> Option<Balance> {
    Operators::prices(&model(n), 0, 1).map(|prices| prices.output)
}

#[test]
fn terms_are_those_of_the_offer() {
    with_operators(|| {
        register_three();
        assert_eq!(terms(ALICE, 1), Some((5, 100, 3_000)));
        assert_eq!(terms(BOB, 1), Some((4, 200, 1_000)));
        assert_eq!(terms(BOB, 2), Some((1, 300, 1_000)));
        assert_eq!(terms(ALICE, 2), None);
        assert_eq!(terms(DAVE, 1), None);
    });
}

#[test]
fn terms_say_what_duties_leave() {
    with_operators(|| {
        register_three();
        assert_ok!(Operators::reserve(&ALICE, VERIFY(1), 2_000));
        assert_eq!(terms(ALICE, 1), Some((5, 100, 1_000)));
        assert!(Operators::terms(&ALICE, &model(1)).unwrap().load.has_room());
        assert_ok!(Operators::reserve(&ALICE, RUN(1), 0));
        let load = Operators::terms(&ALICE, &model(1)).unwrap().load;
        assert_eq!(load, Load { running: 1, concurrency: 1 });
        assert!(!load.has_room());
    });
}

#[test]
fn terms_are_none_below_the_minimum_bond_and_while_draining() {
    with_operators(|| {
        register_three();
        slash(BOB, Perbill::from_percent(1));
        assert_eq!(terms(BOB, 1), None);
        assert_eq!(price_of(2), None);
        assert_ok!(Operators::set_draining(RuntimeOrigin::signed(ALICE), true));
        assert_eq!(terms(ALICE, 1), None);
        assert_ok!(Operators::set_draining(RuntimeOrigin::signed(ALICE), false));
        assert!(terms(ALICE, 1).is_some());
    });
}

#[test]
fn price_is_that_with_which_half_of_the_others_can_run_the_job() {
    with_operators(|| {
        register_three();
        assert_eq!(price_of(1), Some(5));
        assert_eq!(price_of(2), Some(1));
        assert_eq!(price_of(3), None);
        // Now 9 has 3,500 of 7,500: whichever of those at 5 ran the job, the other would have less than half
        // of the stake of the others.
        assert_ok!(Operators::bond_extra(RuntimeOrigin::signed(CAROL), 3_000));
        assert_eq!(price_of(1), Some(9));
    });
}

#[test]
fn reserve_sets_stake_aside_and_takes_a_slot() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        assert_ok!(Operators::reserve(&ALICE, RUN(1), 300));
        assert_eq!(last_event(), Event::Reserved { operator: ALICE, duty: RUN(1), amount: 300 });
        assert_ok!(Operators::reserve(&ALICE, VERIFY(1), 400));
        assert_eq!((operator(ALICE).reserved, operator(ALICE).running), (700, 1));
        assert_eq!(Operators::reserved(&ALICE, RUN(1)), 300);
        assert_eq!(Operators::reserved(&ALICE, VERIFY(1)), 400);
        assert_eq!(Operators::reserved(&ALICE, VERIFY(2)), 0);
        assert_eq!(held(ALICE), MIN_BOND);
    });
}

#[test]
fn reserve_refuses_what_another_duty_reserves() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        assert_ok!(Operators::reserve(&ALICE, RUN(1), 600));
        assert_noop!(Operators::reserve(&ALICE, VERIFY(2), 401), Error::<Test>::StakeReserved);
        assert_ok!(Operators::reserve(&ALICE, VERIFY(2), 400));
    });
}

#[test]
fn reserve_refuses_a_second_reservation_of_a_duty() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        assert_ok!(Operators::reserve(&ALICE, RUN(1), 1));
        assert_noop!(Operators::reserve(&ALICE, RUN(1), 1), Error::<Test>::DutyReserved);
    });
}

#[test]
fn reserve_refuses_more_jobs_than_slots() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        assert_ok!(Operators::reserve(&ALICE, RUN(1), 1));
        assert_ok!(Operators::reserve(&ALICE, RUN(2), 1));
        assert_noop!(Operators::reserve(&ALICE, RUN(3), 1), Error::<Test>::NoFreeSlot);
        assert_ok!(Operators::reserve(&ALICE, VERIFY(3), 1));
    });
}

#[test]
fn reserve_refuses_who_is_no_operator() {
    with_operators(|| {
        assert_noop!(Operators::reserve(&ALICE, RUN(1), 1), Error::<Test>::NotOperator);
    });
}

#[test]
fn free_slot_keeps_the_reservation() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        assert_ok!(Operators::reserve(&ALICE, RUN(1), 300));
        assert_ok!(Operators::reserve(&ALICE, RUN(2), 300));
        for _ in 0..2 {
            Operators::free_slot(&ALICE, RUN(1));
            assert_eq!((operator(ALICE).reserved, operator(ALICE).running), (600, 1));
        }
        assert_eq!(Operators::seize(&ALICE, RUN(1), 100).peek(), 100);
        Operators::release(&ALICE, RUN(1));
        assert_eq!((operator(ALICE).reserved, operator(ALICE).running), (300, 1));
    });
}

#[test]
fn free_slot_of_a_duty_without_slot_does_nothing() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        assert_ok!(Operators::reserve(&ALICE, RUN(1), 0));
        assert_ok!(Operators::reserve(&ALICE, VERIFY(1), 0));
        Operators::free_slot(&ALICE, VERIFY(1));
        Operators::free_slot(&ALICE, RUN(2));
        Operators::free_slot(&BOB, RUN(1));
        assert_eq!(operator(ALICE).running, 1);
    });
}

#[test]
fn shrink_frees_what_a_duty_does_not_need_and_never_reserves_more() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        assert_ok!(Operators::reserve(&ALICE, RUN(1), 300));
        assert_ok!(Operators::reserve(&ALICE, VERIFY(2), 200));
        Operators::shrink(&ALICE, RUN(1), 120);
        let shrunk = Event::Shrunk { operator: ALICE, duty: RUN(1), amount: 120 };
        assert_eq!(last_event(), shrunk);
        Operators::shrink(&ALICE, RUN(1), 300);
        Operators::shrink(&ALICE, RUN(3), 0);
        Operators::shrink(&BOB, RUN(1), 0);
        assert_eq!(last_event(), shrunk);
        assert_eq!(Operators::reserved(&ALICE, RUN(1)), 120);
        assert_eq!((operator(ALICE).reserved, operator(ALICE).running), (320, 1));
        Operators::release(&ALICE, RUN(1));
        assert_eq!((operator(ALICE).reserved, operator(ALICE).running), (200, 0));
    });
}

#[test]
fn release_frees_stake_and_slot_once() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        assert_ok!(Operators::reserve(&ALICE, RUN(1), 300));
        assert_ok!(Operators::reserve(&ALICE, VERIFY(2), 200));
        for _ in 0..2 {
            Operators::release(&ALICE, RUN(1));
            assert_eq!((operator(ALICE).reserved, operator(ALICE).running), (200, 0));
        }
        assert_eq!(last_event(), Event::Released { operator: ALICE, duty: RUN(1), amount: 300 });
        Operators::release(&ALICE, VERIFY(2));
        assert_eq!(operator(ALICE).reserved, 0);
    });
}

#[test]
fn seize_takes_from_the_duty_alone() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        assert_ok!(Operators::reserve(&ALICE, RUN(1), 300));
        assert_ok!(Operators::reserve(&ALICE, VERIFY(2), 200));
        let issuance = Balances::total_issuance();
        let credit = Operators::seize(&ALICE, RUN(1), 100);
        assert_eq!(credit.peek(), 100);
        assert_eq!(last_event(), Event::Seized { operator: ALICE, duty: RUN(1), amount: 100 });
        assert_eq!(Operators::reserved(&ALICE, RUN(1)), 200);
        assert_eq!((operator(ALICE).reserved, operator(ALICE).bonded), (400, 900));
        assert_eq!(held(ALICE), 900);
        assert_eq!(Balances::total_issuance(), issuance);
        drop(credit);
        assert_eq!(Balances::total_issuance(), issuance - 100);
    });
}

#[test]
fn seize_takes_no_more_than_is_reserved() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        assert_ok!(Operators::reserve(&ALICE, RUN(1), 300));
        assert_eq!(Operators::seize(&ALICE, RUN(1), 1_000).peek(), 300);
        assert_eq!(Operators::seize(&ALICE, RUN(1), 1_000).peek(), 0);
        assert_eq!((operator(ALICE).bonded, operator(ALICE).running), (700, 1));
        assert_eq!(
            Reservations::<Test>::get(ALICE, RUN(1)),
            Some(Reservation { amount: 0, slot: true, rotation: 0 })
        );
        Operators::release(&ALICE, RUN(1));
        assert_eq!(operator(ALICE).running, 0);
    });
}

#[test]
fn seize_without_reservation_takes_nothing() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        assert_eq!(Operators::seize(&ALICE, RUN(1), 10).peek(), 0);
        assert_eq!(Operators::seize(&BOB, RUN(1), 10).peek(), 0);
        assert_eq!(Reservations::<Test>::iter().count(), 0);
        assert_eq!(operator(ALICE).bonded, MIN_BOND);
    });
}
