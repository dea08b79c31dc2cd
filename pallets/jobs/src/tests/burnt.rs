// SPDX-License-Identifier: Apache-2.0
//! The part of payments that is burnt, and the lowest price of an output.

use crate::{mock::*, Error};
use assay_primitives::{
    job::Payment, report::Report, settlement::AuditOutcome, traits::AuditedJobs, Balance,
};
use frame_support::{assert_noop, assert_ok, traits::Hooks};
use sp_runtime::Permill;

/// Runs the test on a chain that burns a fifth of every payment.
fn with_burn(test: impl FnOnce()) {
    with_jobs(|| {
        BurnShare::set(Permill::from_percent(20));
        test();
    });
}

#[test]
fn part_of_every_payment_is_burnt_before_it_is_shared() {
    with_burn(|| {
        let issuance = Balances::total_issuance();
        let (id, operator) = running();
        assert_eq!(wealth(operator), ENDOWMENT + 8, "of the down payment of 10");
        let output = Report::CommitOutput { job: id, commitment: commitment(10) };
        assert_ok!(report(operator, output));
        let verifiers: Vec<_> = OPERATORS.into_iter().filter(|other| *other != operator).collect();
        Jobs::conclude(&id, AuditOutcome::Accepted, &verifiers, 0, 0);
        // Of a price of 50 and a tip of 3.
        assert_eq!(issuance - Balances::total_issuance(), 2 + 10);
        for verifier in verifiers {
            assert_eq!(wealth(verifier), ENDOWMENT + 5, "a tenth of the whole price");
        }
        assert_eq!(wealth(operator), ENDOWMENT + 8 + (50 - 10 - 15) + 3);
        let settlement = settlement(&id);
        assert_eq!((settlement.paid, settlement.burnt), (63, 12));
        assert_eq!(wealth(CLIENT), ENDOWMENT - 63);
    });
}

#[test]
fn fund_of_juries_keeps_what_is_taken_of_price_and_tip_until_it_is_full() {
    with_burn(|| {
        FundMost::set(12);
        let issuance = Balances::total_issuance();
        let (id, _) = delivered(10);
        Jobs::conclude(&id, AuditOutcome::Accepted, &[], 0, 0);
        // Of a down payment of 10, a price of 50 and a tip of 3.
        let first = settlement(&id);
        assert_eq!((first.paid, first.burnt, first.fund), (63, 2, 10));
        assert_eq!((issuance - Balances::total_issuance(), Escrow::in_fund()), (2, 10));
        let (id, _) = delivered(10);
        Jobs::conclude(&id, AuditOutcome::Accepted, &[], 0, 0);
        let second = settlement(&id);
        assert_eq!((second.paid, second.burnt, second.fund), (63, 10, 2));
        assert_eq!((issuance - Balances::total_issuance(), Escrow::in_fund()), (12, 12));
        assert_eq!(wealth(CLIENT), ENDOWMENT - 126);
    });
    FundMost::set(0);
}

#[test]
fn operator_that_is_rejected_or_late_returns_the_whole_down_payment() {
    with_burn(|| {
        let issuance = Balances::total_issuance();
        let (id, _) = delivered(10);
        Jobs::conclude(&id, AuditOutcome::Rejected, &[], 0, 0);
        let compensation = 10 + 50 + 3;
        assert_eq!(wealth(CLIENT), ENDOWMENT + compensation);
        let burnt = 2 + bond_of(10) - 10 - compensation;
        assert_eq!(settlement(&id).burnt, burnt);
        assert_eq!(issuance - Balances::total_issuance(), burnt);

        let (id, _) = running();
        spend_attempts(&id);
        let before = (wealth(CLIENT), Balances::total_issuance());
        run_blocks(22);
        assert_eq!(wealth(CLIENT), before.0 + 10);
        let fined = BOND / 10;
        assert_eq!(settlement(&id).burnt, 2 + fined);
        assert_eq!(before.1 - Balances::total_issuance(), fined);
    });
}

#[test]
fn output_costs_at_least_what_its_verifiers_are_paid() {
    with_burn(|| {
        VerificationPrice::set(4);
        // 30 tokens cost each of three verifiers 120, and a fifth is burnt before: 450.
        let quote = Jobs::quote(&model(1), 10, 20).unwrap();
        assert_eq!((quote.least_cost, quote.payment.cost), (450, 450));
        let payment = Payment { cost: 449, ..PAYMENT };
        let create = Jobs::create(signed(CLIENT), spec(), payment);
        assert_noop!(create, Error::<Test>::CostBelowOffers);
        let id = order_with(CLIENT, spec(), quote.payment);
        skip_block();
        let operator = job(&id).drawn[0];
        assert_eq!(reserved(operator, &id), 20 * 450);
        assert_ok!(report(operator, Report::Accept { job: id }));
        let output = Report::CommitOutput { job: id, commitment: commitment(1) };
        assert_ok!(report(operator, output));
        let verifiers: Vec<_> = OPERATORS.into_iter().filter(|other| *other != operator).collect();
        Jobs::conclude(&id, AuditOutcome::Accepted, &verifiers, 0, 0);
        let fee: Balance = 11 * 4;
        for verifier in verifiers {
            assert_eq!(wealth(verifier), ENDOWMENT + fee);
        }
        let price = (3 * fee).div_ceil(4) * 5;
        assert_eq!((settlement(&id).paid, settlement(&id).burnt), (price, price / 5));
        assert_eq!(wealth(operator), ENDOWMENT);
    });
}

#[test]
fn verifiers_share_what_a_cost_below_a_raised_minimum_has() {
    with_burn(|| {
        let (id, operator) = delivered(10);
        VerificationPrice::set(1_000);
        let verifiers: Vec<_> = OPERATORS.into_iter().filter(|other| *other != operator).collect();
        Jobs::conclude(&id, AuditOutcome::Accepted, &verifiers, 0, 0);
        let pay = |who| wealth(who) - ENDOWMENT;
        assert_eq!(verifiers.into_iter().map(pay).collect::<Vec<_>>(), [80, 0, 0]);
        assert_eq!(settlement(&id).paid, 113);
    });
}

#[test]
#[should_panic(expected = "no more than a fifth is burnt")]
fn parameters_refuse_to_burn_more_than_a_fifth() {
    BurnShare::set(Permill::from_percent(21));
    Jobs::integrity_test();
}
