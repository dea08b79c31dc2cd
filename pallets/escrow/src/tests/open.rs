// SPDX-License-Identifier: Apache-2.0
//! Opening and raising an escrow.

use crate::{mock::*, Error, EscrowRecord, Escrows, Event, Left};
use assay_primitives::{traits::Escrow as _, Balance};
use frame_support::{
    assert_noop, assert_ok,
    traits::{LockableCurrency, WithdrawReasons},
};

#[test]
fn open_puts_payment_bounty_and_deposit_on_hold() {
    with_escrow(|| {
        assert_ok!(Escrow::open(&job(1), &CLIENT, payment(50, 1_000, 20), 7, 30));
        assert_eq!(held(CLIENT), 1_107);
        assert_eq!(free(CLIENT), ENDOWMENT - 1_107);
        assert_eq!(
            Escrow::escrow(&job(1)),
            Some(EscrowRecord {
                client: CLIENT,
                payment: payment(50, 1_000, 20),
                bounty: 7,
                deposit: 30,
                audit: 0,
                bond: 0,
                left: Left { down: 50, price: 1_020, bounty: 7, deposit: 30, audit: 0, bond: 0 },
            })
        );
        assert_eq!(Escrow::payment(&job(1)), Some(payment(50, 1_000, 20)));
        assert_eq!(
            last_event(),
            Event::Opened {
                job: job(1),
                client: CLIENT,
                payment: payment(50, 1_000, 20),
                bounty: 7,
                deposit: 30,
            }
        );
    });
}

#[test]
fn open_refuses_a_second_escrow_of_a_job() {
    with_escrow(|| {
        let id = open_first();
        assert_noop!(
            Escrow::open(&id, &OTHER_CLIENT, payment(0, 1, 0), 0, 0),
            Error::<Test>::EscrowExists
        );
    });
}

#[test]
fn open_leaves_the_client_its_existential_deposit() {
    with_escrow(|| {
        let most = ENDOWMENT - EXISTENTIAL_DEPOSIT;
        assert_noop!(
            Escrow::open(&job(1), &CLIENT, payment(0, most, 1), 0, 0),
            Error::<Test>::BalanceTooLow
        );
        assert_ok!(Escrow::open(&job(1), &CLIENT, payment(0, most, 0), 0, 0));
        assert_eq!(free(CLIENT), EXISTENTIAL_DEPOSIT);
        assert_ok!(Balances::transfer_allow_death(RuntimeOrigin::signed(OPERATOR), CLIENT, 1));
    });
}

#[test]
fn open_leaves_the_existential_deposit_of_a_client_with_another_provider() {
    with_escrow(|| {
        System::inc_providers(&CLIENT);
        assert_noop!(
            Escrow::open(&job(1), &CLIENT, payment(0, ENDOWMENT, 0), 0, 0),
            Error::<Test>::BalanceTooLow
        );
    });
}

#[test]
fn open_refuses_a_client_without_account() {
    with_escrow(|| {
        assert_noop!(
            Escrow::open(&job(1), &NOBODY, payment(0, 1, 0), 0, 0),
            Error::<Test>::BalanceTooLow
        );
    });
}

#[test]
fn open_refuses_sums_that_overflow() {
    with_escrow(|| {
        for (payment, bounty, deposit) in [
            (payment(Balance::MAX, 1, 0), 0, 0),
            (payment(0, Balance::MAX, 1), 0, 0),
            (payment(1, 1, Balance::MAX), 0, 0),
            (payment(0, Balance::MAX, 0), 1, 0),
            (payment(0, Balance::MAX, 0), 0, 1),
        ] {
            assert_noop!(
                Escrow::open(&job(1), &CLIENT, payment, bounty, deposit),
                Error::<Test>::AmountOverflow
            );
        }
    });
}

#[test]
fn open_of_nothing_holds_nothing() {
    with_escrow(|| {
        assert_ok!(Escrow::open(&job(1), &CLIENT, payment(0, 0, 0), 0, 0));
        assert_eq!(held(CLIENT), 0);
        assert_eq!(Escrow::refund(&job(1)), 0);
        assert!(!Escrows::<Test>::contains_key(job(1)));
    });
}

#[test]
fn raise_adds_to_each_part() {
    with_escrow(|| {
        let id = open_first();
        assert_ok!(Escrow::raise(&id, payment(5, 100, 2)));
        assert_eq!(Escrow::payment(&id), Some(payment(55, 1_100, 22)));
        assert_eq!(
            Escrow::escrow(&id).map(|record| record.left),
            Some(Left { down: 55, price: 1_122, bounty: 7, ..Left::default() })
        );
        assert_eq!(held(CLIENT), 1_184);
        assert_eq!(last_event(), Event::Raised { job: id, more: payment(5, 100, 2) });
    });
}

#[test]
fn raise_refuses_an_unknown_job() {
    with_escrow(|| {
        assert_noop!(Escrow::raise(&job(1), payment(0, 1, 0)), Error::<Test>::NoEscrow);
    });
}

#[test]
fn raise_refuses_sums_that_overflow() {
    with_escrow(|| {
        let id = open_first();
        for more in [
            payment(Balance::MAX, 0, 0),
            payment(0, Balance::MAX, 0),
            payment(0, 0, Balance::MAX),
            payment(Balance::MAX, Balance::MAX, 0),
            payment(0, Balance::MAX - 1_050, 0),
        ] {
            assert_noop!(Escrow::raise(&id, more), Error::<Test>::AmountOverflow);
        }
        let id = job(2);
        assert_ok!(Escrow::open(&id, &CLIENT, payment(0, 1, 0), 7, 30));
        let more = payment(0, Balance::MAX - 1 - 7 - 30 + 1, 0);
        assert_noop!(Escrow::raise(&id, more), Error::<Test>::AmountOverflow);
    });
}

#[test]
fn raise_refuses_more_than_the_client_has() {
    with_escrow(|| {
        let id = open_first();
        assert_noop!(Escrow::raise(&id, payment(0, ENDOWMENT, 0)), Error::<Test>::BalanceTooLow);
    });
}

#[test]
fn open_refuses_frozen_money() {
    with_escrow(|| {
        Balances::set_lock(*b"frozen  ", &CLIENT, ENDOWMENT - 10, WithdrawReasons::all());
        assert_noop!(
            Escrow::open(&job(1), &CLIENT, payment(0, 11, 0), 0, 0),
            Error::<Test>::BalanceTooLow
        );
        assert_ok!(Escrow::open(&job(1), &CLIENT, payment(0, 10, 0), 0, 0));
    });
}

#[test]
fn genesis_endows_the_pot() {
    with_escrow(|| {
        assert_eq!(free(Escrow::pot()), EXISTENTIAL_DEPOSIT);
        assert_eq!(
            pallet_balances::TotalIssuance::<Test>::get(),
            3 * ENDOWMENT + 2 * EXISTENTIAL_DEPOSIT
        );
    });
}
