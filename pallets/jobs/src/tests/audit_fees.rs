// SPDX-License-Identifier: Apache-2.0
//! The fees of an audit that the client asks for.

use crate::{mock::*, Error};
use assay_primitives::{
    job::{JobId, JobSpec, JobState, Payment, Verification},
    report::Report,
    settlement::AuditOutcome,
    traits::AuditedJobs,
    Balance,
};
use frame_support::{assert_noop, assert_ok};

fn ordered() -> JobSpec<AccountId> {
    JobSpec { audit: true, verification: Verification::Required, ..spec() }
}

/// The most that three verifiers get: a tenth each of the most that the client pays.
const MOST: Balance = 30;

/// A delivered job of 10 tokens that asks for an audit, with its operator and two others.
fn delivered() -> (JobId, AccountId, Vec<AccountId>) {
    let id = order_with(CLIENT, ordered(), PAYMENT);
    skip_block();
    let JobState::Assigned { operator, .. } = state(&id) else { panic!("not assigned") };
    assert_ok!(report(operator, Report::Accept { job: id }));
    assert_ok!(report(operator, Report::CommitOutput { job: id, commitment: commitment(10) }));
    let others = OPERATORS.into_iter().filter(|other| *other != operator).take(2).collect();
    (id, operator, others)
}

#[test]
fn fees_of_an_audit_are_held_at_the_most_that_they_can_be() {
    with_jobs(|| {
        order_with(CLIENT, ordered(), PAYMENT);
        assert_eq!(Balances::reserved_balance(CLIENT), 113 + BOUNTY + MOST);
        VerificationPrice::set(2);
        // Thirty tokens at two each.
        order_with(OTHER_CLIENT, ordered(), Payment { cost: 190, ..PAYMENT });
        assert_eq!(Balances::reserved_balance(OTHER_CLIENT), 203 + BOUNTY + 3 * 60);
        VerificationPrice::set(0);
    });
}

#[test]
fn quote_says_what_an_audit_costs_in_addition() {
    with_jobs(|| {
        let quote = Jobs::quote(&model(1), 10, 20).unwrap();
        assert_eq!(quote.audit, MOST);
        assert_eq!(quote.total, quote.payment.cost + BOUNTY);
        order_with(CLIENT, ordered(), quote.payment);
        assert_eq!(Balances::reserved_balance(CLIENT), quote.total + quote.audit);
    });
}

#[test]
fn fees_of_an_audit_are_raised_with_the_cost() {
    with_jobs(|| {
        let id = order_with(CLIENT, ordered(), PAYMENT);
        let more = Payment { down: 0, cost: 50, tip: 0 };
        assert_ok!(Jobs::raise_payment(signed(CLIENT), id, more));
        assert_eq!(Balances::reserved_balance(CLIENT), 163 + BOUNTY + 45);
    });
}

#[test]
fn fees_of_an_audit_must_fit_into_a_balance() {
    with_jobs(|| {
        let cost = Balance::MAX - 100;
        let payment = Payment { down: 0, cost, tip: 0 };
        assert_noop!(
            Jobs::create(signed(CLIENT), ordered(), payment),
            Error::<Test>::PaymentOverflow
        );
    });
}

#[test]
fn verifiers_are_paid_by_the_client_and_the_rest_returns() {
    with_jobs(|| {
        let (id, operator, verifiers) = delivered();
        Jobs::conclude(&id, AuditOutcome::Accepted, &verifiers, 0, 0);
        let price = 10 * PRICE;
        for verifier in verifiers {
            assert_eq!(wealth(verifier), ENDOWMENT + price / 10);
        }
        let reward = PAYMENT.down + price + PAYMENT.tip;
        assert_eq!(wealth(operator), ENDOWMENT + reward, "nothing is taken of its price");
        assert_eq!(wealth(CLIENT), ENDOWMENT - reward - 2 * price / 10);
        assert_eq!(settlement(&id).audit_fees, 2 * price / 10);
        assert_eq!(settlement(&id).paid, reward + 2 * price / 10);
        // It counts as what the operator was paid.
        assert_eq!((OnRequest::get(), Accepted::get()), (vec![(operator, reward)], vec![]));
    });
}

#[test]
fn fees_return_with_every_other_end() {
    for outcome in [AuditOutcome::Undecided, AuditOutcome::Rejected, AuditOutcome::Withheld] {
        with_jobs(|| {
            let (id, _, _) = delivered();
            Jobs::conclude(&id, outcome, &[], 0, 0);
            assert_eq!((settlement(&id).audit_fees, Balances::reserved_balance(CLIENT)), (0, 0));
            assert!(settlement(&id).refunded >= MOST);
        });
    }
    with_jobs(|| {
        let id = order_with(CLIENT, ordered(), PAYMENT);
        assert_ok!(Jobs::cancel(signed(CLIENT), id));
        assert_eq!(wealth(CLIENT), ENDOWMENT);
    });
}

#[test]
fn audit_is_ordered_only_where_verification_is_required() {
    with_jobs(|| {
        let spec = JobSpec { verification: Verification::IfPossible, ..ordered() };
        assert_noop!(Jobs::create(signed(CLIENT), spec, PAYMENT), Error::<Test>::AuditNotRequired);
    });
}
