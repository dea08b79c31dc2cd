// SPDX-License-Identifier: Apache-2.0
//! The fund of juries.

use crate::{mock::*, Event};
use assay_primitives::traits::{Escrow as _, Levied};
use frame_support::{
    assert_ok,
    traits::{fungible::Mutate, tokens::Preservation},
};

/// Runs the test with a fund that keeps up to 100.
fn with_fund(test: impl FnOnce()) {
    FundMost::set(100);
    with_escrow(test);
    FundMost::set(0);
}

#[test]
fn levy_fills_the_fund_and_burns_what_it_has_no_room_for() {
    with_fund(|| {
        let id = open_first();
        let issuance = Balances::total_issuance();
        assert_eq!(Escrow::levy(&id, 70), Levied { burnt: 0, kept: 70 });
        assert_eq!(last_event(), Event::FundRaised { job: id, amount: 70 });
        assert_eq!(Balances::total_issuance(), issuance);
        assert_eq!(Escrow::levy(&id, 70), Levied { burnt: 40, kept: 30 });
        assert_eq!(last_event(), Event::Burnt { job: id, amount: 40 });
        assert_eq!(Balances::total_issuance(), issuance - 40);
        assert_eq!(Escrow::levy(&id, 70), Levied { burnt: 70, kept: 0 });
        assert_eq!(Escrow::in_fund(), 100);
        assert_eq!(Escrow::refund(&id), 1_077 - 210);
    });
}

#[test]
fn fund_pays_as_far_as_it_goes_and_keeps_its_deposit() {
    with_fund(|| {
        let id = open_first();
        Escrow::levy(&id, 80);
        let issuance = Balances::total_issuance();
        assert_eq!(Escrow::deposit(&OPERATOR, Escrow::draw_fund(50)), 50);
        assert_eq!(Escrow::deposit(&OPERATOR, Escrow::draw_fund(50)), 30);
        let events = events().len();
        assert_eq!(Escrow::value(&Escrow::draw_fund(50)), 0);
        assert_eq!(crate::mock::events().len(), events, "nothing is said of nothing");
        assert_eq!(free(OPERATOR), ENDOWMENT + 80);
        assert_eq!(free(Escrow::fund()), EXISTENTIAL_DEPOSIT);
        assert_eq!(Balances::total_issuance(), issuance);
    });
}

#[test]
fn fund_that_was_given_more_than_its_most_keeps_nothing_else() {
    with_fund(|| {
        let id = open_first();
        assert_ok!(Balances::transfer(&OPERATOR, &Escrow::fund(), 500, Preservation::Preserve));
        assert_eq!(Escrow::levy(&id, 10), Levied { burnt: 10, kept: 0 });
        FundMost::set(505);
        assert_eq!(Escrow::levy(&id, 10), Levied { burnt: 5, kept: 5 });
        FundMost::set(0);
        assert_eq!(Escrow::levy(&id, 10), Levied { burnt: 10, kept: 0 });
        assert_eq!(Escrow::in_fund(), 505);
    });
}

#[test]
fn genesis_endows_the_fund() {
    with_escrow(|| {
        assert_eq!((free(Escrow::fund()), Escrow::in_fund()), (EXISTENTIAL_DEPOSIT, 0));
    });
}
