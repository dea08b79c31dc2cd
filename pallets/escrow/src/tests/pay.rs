// SPDX-License-Identifier: Apache-2.0
//! Paying out of an escrow, and returning what is left.

use crate::{mock::*, Event};
use assay_primitives::traits::{Escrow as _, Levied};
use frame_support::{
    assert_ok,
    traits::{fungible::Balanced, LockableCurrency, WithdrawReasons},
};

#[test]
fn pay_down_pays_the_operator_once() {
    with_escrow(|| {
        let id = open_first();
        pay_down(&id, &OPERATOR);
        assert_eq!(free(OPERATOR), ENDOWMENT + 50);
        assert_eq!(held(CLIENT), 1_027);
        assert!(events().contains(&Event::Paid { job: id, payee: OPERATOR, amount: 50 }));
        pay_down(&id, &OPERATOR);
        assert_eq!(free(OPERATOR), ENDOWMENT + 50);
    });
}

#[test]
fn burn_takes_up_to_what_each_part_has_and_pays_nobody() {
    with_escrow(|| {
        let id = open_first();
        let issuance = Balances::total_issuance();
        assert_eq!(Escrow::burn_down(&id, 20), 20);
        assert_eq!(last_event(), Event::Burnt { job: id, amount: 20 });
        assert_eq!(Escrow::burn_down(&id, 40), 30);
        assert_eq!(Escrow::levy(&id, 1_000), Levied { burnt: 1_000, kept: 0 });
        assert_eq!(Escrow::levy(&id, 1_000).burnt, 20);
        assert_eq!(Balances::total_issuance(), issuance - 1_070);
        let events = events().len();
        assert_eq!(Escrow::levy(&id, 1).total() + Escrow::burn_down(&id, 1), 0);
        assert_eq!(Escrow::levy(&job(9), 1).total(), 0);
        assert_eq!(crate::mock::events().len(), events, "nothing is said of nothing");
        assert_eq!(Escrow::refund(&id), 7);
    });
}

#[test]
fn burn_deposit_burns_the_deposit_alone_and_once() {
    with_escrow(|| {
        let id = job(1);
        assert_ok!(Escrow::open(&id, &CLIENT, payment(50, 1_000, 20), 7, 30));
        assert_eq!(held(CLIENT), 1_107);
        assert_eq!((Escrow::burn_deposit(&id), Escrow::burn_deposit(&id)), (30, 0));
        assert_eq!(Escrow::refund(&id), 1_077);
        assert_eq!(free(CLIENT), ENDOWMENT - 30);
        assert_ok!(Escrow::open(&id, &CLIENT, payment(0, 10, 0), 0, 30));
        assert_eq!(Escrow::refund(&id), 40, "it returns with the rest");
    });
}

#[test]
fn put_back_holds_the_down_payment_for_the_next_operator() {
    with_escrow(|| {
        let id = open_first();
        pay_down(&id, &OPERATOR);
        Escrow::put_back(&id, Balances::issue(50));
        assert_eq!(last_event(), Event::PutBack { job: id, client: CLIENT, amount: 50 });
        assert_eq!((held(CLIENT), free(CLIENT)), (1_077, ENDOWMENT - 1_077));
        assert_eq!(pay_down(&id, &OTHER_CLIENT), 50);
        assert_eq!(free(OTHER_CLIENT), ENDOWMENT + 50);
        assert_eq!(held(CLIENT), 1_027);
    });
}

#[test]
fn put_back_returns_to_the_client_with_the_rest() {
    with_escrow(|| {
        let id = open_first();
        pay_down(&id, &OPERATOR);
        Escrow::put_back(&id, Balances::issue(30));
        assert_eq!(Escrow::refund(&id), 1_057);
        assert_eq!((held(CLIENT), free(CLIENT)), (0, ENDOWMENT - 20));
    });
}

#[test]
fn put_back_of_nothing_or_of_an_unknown_job_changes_nothing() {
    with_escrow(|| {
        let id = open_first();
        let before = (held(CLIENT), events(), Balances::total_issuance());
        Escrow::put_back(&id, Balances::issue(0));
        Escrow::put_back(&job(9), Balances::issue(5));
        assert_eq!((held(CLIENT), events(), Balances::total_issuance()), before);
    });
}

#[test]
fn pay_pays_up_to_cost_and_tip() {
    with_escrow(|| {
        let id = open_first();
        assert_eq!(Escrow::pay(&id, &OPERATOR, 600), 600);
        assert_eq!(Escrow::pay(&id, &OPERATOR, 600), 420);
        assert_eq!(Escrow::pay(&id, &OPERATOR, 600), 0);
        assert_eq!(free(OPERATOR), ENDOWMENT + 1_020);
        assert_eq!(held(CLIENT), 57);
    });
}

#[test]
fn pay_bounty_pays_once() {
    with_escrow(|| {
        let id = open_first();
        assert_eq!(Escrow::pay_bounty(&id, &OTHER_CLIENT), 7);
        assert_eq!(Escrow::pay_bounty(&id, &OTHER_CLIENT), 0);
        assert_eq!(free(OTHER_CLIENT), ENDOWMENT + 7);
    });
}

#[test]
fn pay_can_pay_the_client_itself() {
    with_escrow(|| {
        let id = open_first();
        assert_eq!(Escrow::pay_bounty(&id, &CLIENT), 7);
        assert_eq!(held(CLIENT), 1_070);
        assert_eq!(free(CLIENT), ENDOWMENT - 1_070);
    });
}

#[test]
fn pay_of_an_unknown_job_pays_nothing() {
    with_escrow(|| {
        pay_down(&job(1), &OPERATOR);
        assert_eq!(Escrow::pay(&job(1), &OPERATOR, 1), 0);
        assert_eq!(Escrow::pay_bounty(&job(1), &OPERATOR), 0);
        assert_eq!(Escrow::refund(&job(1)), 0);
        assert_eq!(Escrow::payment(&job(1)), None);
        assert!(events().is_empty());
    });
}

#[test]
fn pay_takes_only_from_its_own_job() {
    with_escrow(|| {
        let id = open_first();
        assert_ok!(Escrow::open(&job(2), &CLIENT, payment(0, 300, 0), 0, 0));
        assert_eq!(Escrow::pay(&id, &OPERATOR, 10_000), 1_020);
        assert_eq!(Escrow::refund(&id), 57);
        assert_eq!(held(CLIENT), 300);
    });
}

#[test]
fn pay_is_not_hindered_by_a_freeze_of_the_client() {
    with_escrow(|| {
        let id = open_first();
        Balances::set_lock(*b"frozen  ", &CLIENT, ENDOWMENT, WithdrawReasons::all());
        assert_eq!(Escrow::pay(&id, &OPERATOR, 1_000), 1_000);
        assert_eq!(free(OPERATOR), ENDOWMENT + 1_000);
    });
}

#[test]
fn refund_returns_what_is_left_and_ends_the_escrow() {
    with_escrow(|| {
        let id = open_first();
        pay_down(&id, &OPERATOR);
        assert_eq!(Escrow::pay(&id, &OPERATOR, 400), 400);
        assert_eq!(Escrow::refund(&id), 627);
        assert_eq!(last_event(), Event::Refunded { job: id, client: CLIENT, amount: 627 });
        assert_eq!(held(CLIENT), 0);
        assert_eq!(free(CLIENT), ENDOWMENT - 450);
        assert_eq!(Escrow::payment(&id), None);
        assert_eq!(Escrow::refund(&id), 0);
    });
}

#[test]
fn deposit_gives_the_credit_to_the_payee() {
    with_escrow(|| {
        let credit = Balances::issue(500);
        assert_eq!(Escrow::deposit(&CLIENT, credit), 500);
        assert_eq!(free(CLIENT), ENDOWMENT + 500);
        assert_eq!(last_event(), Event::Deposited { payee: CLIENT, amount: 500 });
    });
}

#[test]
fn deposit_of_nothing_does_nothing() {
    with_escrow(|| {
        assert_eq!(Escrow::deposit(&CLIENT, Balances::issue(0)), 0);
        assert!(events().is_empty());
    });
}

#[test]
fn split_and_value_conserve_the_credit() {
    with_escrow(|| {
        let issuance = Balances::total_issuance();
        let (first, second) = Escrow::split(Balances::issue(500), 200);
        assert_eq!((Escrow::value(&first), Escrow::value(&second)), (200, 300));
        let (all, none) = Escrow::split(second, 1_000);
        assert_eq!((Escrow::value(&all), Escrow::value(&none)), (300, 0));
        drop((first, all, none));
        assert_eq!(Balances::total_issuance(), issuance);
    });
}

#[test]
fn draw_takes_up_to_cost_and_tip_out_of_the_hold() {
    with_escrow(|| {
        let id = open_first();
        let issuance = Balances::total_issuance();
        let credit = Escrow::draw(&id, &OPERATOR, 600);
        assert_eq!(last_event(), Event::Paid { job: id, payee: OPERATOR, amount: 600 });
        assert_eq!(Escrow::value(&credit), 600);
        assert_eq!((held(CLIENT), free(OPERATOR)), (477, ENDOWMENT));
        assert_eq!(Escrow::deposit(&OPERATOR, credit), 600);
        assert_eq!(Escrow::deposit(&OPERATOR, Escrow::draw(&id, &OPERATOR, 600)), 420);
        assert_eq!(Escrow::value(&Escrow::draw(&id, &OPERATOR, 600)), 0);
        assert_eq!(Escrow::value(&Escrow::draw(&job(2), &OPERATOR, 600)), 0);
        assert_eq!(Balances::total_issuance(), issuance);
        assert_eq!(Escrow::refund(&id), 57);
    });
}
