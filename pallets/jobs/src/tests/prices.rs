// SPDX-License-Identifier: Apache-2.0
//! Prices of prompts and of outputs.

use crate::{mock::*, Error};
use assay_primitives::{
    job::Payment, report::Report, settlement::AuditOutcome, traits::AuditedJobs, Prices,
};
use frame_support::assert_noop;

const DEAR: Prices = Prices { input: 2, output: PRICE };

#[test]
fn prompt_is_paid_for_with_the_output() {
    with_jobs(|| {
        ask(DEAR);
        let quote = Jobs::quote(&model(1), 10, 20).unwrap();
        assert_eq!((quote.prices, quote.payment.cost, quote.least_cost), (DEAR, 120, 120));
        let id = order_with(CLIENT, spec(), quote.payment);
        skip_block();
        let operator = job(&id).drawn[0];
        assert_eq!(reserved(operator, &id), 20 * 120);
        report(operator, Report::Accept { job: id }).unwrap();
        let output = Report::CommitOutput { job: id, commitment: commitment(3) };
        report(operator, output).unwrap();
        assert_eq!(reserved(operator, &id), 20 * (10 * 2 + 3 * 5));
        Jobs::conclude(&id, AuditOutcome::Accepted, &[], 0, 0);
        assert_eq!(settlement(&id).paid, 10 * 2 + 3 * 5);
        assert_eq!(wealth(operator), ENDOWMENT + 35);
    });
}

#[test]
fn cost_must_pay_for_the_prompt_too() {
    with_jobs(|| {
        ask(DEAR);
        let payment = Payment { cost: 119, ..PAYMENT };
        let create = Jobs::create(signed(CLIENT), spec(), payment);
        assert_noop!(create, Error::<Test>::CostBelowOffers);
    });
}

#[test]
fn quote_is_what_half_of_the_others_ask_by_the_price_of_the_job() {
    with_jobs(|| {
        ask(Prices { input: 1, output: 10 });
        serve::<Test>(NEWCOMER, model(1), 11, CONTEXT, 4 * STAKE);
        let output = |input_tokens, tokens| {
            Jobs::quote(&model(1), input_tokens, tokens).unwrap().prices.output
        };
        // At 10 one of four would have three others, with less than half of the stake of the others.
        assert_eq!(output(1, 20), 11);
        // The price of 11 is for output alone, so the four are dearer here, and two of them suffice.
        assert_eq!(output(40, 20), 10);
        // No operator asks less for either kind of token.
        assert_eq!(Jobs::quote(&model(1), 40, 20).unwrap().least_cost, 20 * 10);
    });
}
