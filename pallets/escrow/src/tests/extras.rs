// SPDX-License-Identifier: Apache-2.0
//! The fees of an audit and the bond for a challenge, which a client puts on hold in addition.

use crate::{mock::*, Error, Event};
use assay_primitives::{traits::Escrow as _, Balance};
use frame_support::{assert_noop, assert_ok, traits::Imbalance};

fn opened() {
    assert_ok!(Escrow::open(&job(1), &CLIENT, payment(0, 100, 0), 0, 0));
}

#[test]
fn fees_of_an_audit_are_held_and_drawn_apart_from_the_price() {
    with_escrow(|| {
        opened();
        assert_ok!(Escrow::hold_audit(&job(1), 30));
        assert_eq!(last_event(), Event::AuditHeld { job: job(1), amount: 30 });
        assert_ok!(Escrow::hold_audit(&job(1), 6));
        assert_eq!(held(CLIENT), 136);
        let credit = Escrow::draw_audit(&job(1), &OPERATOR, 20);
        assert_eq!(Escrow::deposit(&OPERATOR, credit), 20);
        let credit = Escrow::draw_audit(&job(1), &OPERATOR, 20);
        assert_eq!(credit.peek(), 16, "no more than what was held for it");
        assert_eq!(Escrow::deposit(&OPERATOR, credit), 16);
        assert_eq!(Escrow::refund(&job(1)), 100);
        assert_eq!(held(CLIENT), 0);
    });
}

#[test]
fn bond_of_a_client_returns_or_is_seized() {
    with_escrow(|| {
        opened();
        assert_ok!(Escrow::hold_bond(&job(1), 40));
        assert_eq!(last_event(), Event::BondHeld { job: job(1), amount: 40 });
        assert_eq!((Escrow::bond(&job(1)), held(CLIENT)), (40, 140));
        assert_eq!(Escrow::release_bond(&job(1)), 40);
        assert_eq!((Escrow::bond(&job(1)), held(CLIENT), free(CLIENT)), (0, 100, ENDOWMENT - 100));
        assert_ok!(Escrow::hold_bond(&job(1), 50));
        let credit = Escrow::seize_bond(&job(1));
        assert_eq!(last_event(), Event::BondSeized { job: job(1), amount: 50 });
        assert_eq!(Escrow::deposit(&OPERATOR, credit), 50);
        assert_eq!((Escrow::bond(&job(1)), Escrow::release_bond(&job(1))), (0, 0));
        assert_eq!(Escrow::refund(&job(1)), 100);
    });
}

#[test]
fn extras_need_an_escrow_and_the_money() {
    with_escrow(|| {
        for hold in [Escrow::hold_audit, Escrow::hold_bond] {
            assert_noop!(hold(&job(1), 1), Error::<Test>::NoEscrow);
        }
        opened();
        for hold in [Escrow::hold_audit, Escrow::hold_bond] {
            assert_noop!(hold(&job(1), ENDOWMENT), Error::<Test>::BalanceTooLow);
            assert_noop!(hold(&job(1), Balance::MAX), Error::<Test>::AmountOverflow);
        }
    });
}
