// SPDX-License-Identifier: Apache-2.0
//! The deposit of a job, which returns unless none of its operators could get the prompt.

use crate::mock::*;
use assay_primitives::{
    job::{JobId, JobSpec, JobState},
    reason::DeclineReason,
    report::Report,
    settlement::{AuditOutcome, Outcome},
    traits::AuditedJobs,
    Balance,
};
use frame_support::{assert_ok, BoundedVec};
use DeclineReason::{
    ContextExceeded, InputLength, ModelMissing, PayloadUnavailable, Request, Resource,
};

const DEPOSIT: Balance = 30;

/// Runs the test on a chain where a job has a deposit.
fn with_deposit(test: impl FnOnce()) {
    with_jobs(|| {
        Deposit::set(DEPOSIT);
        test();
    });
}

/// Lets the job's operators decline for these reasons, one after the other.
fn declined(reasons: [DeclineReason; 3]) -> JobId {
    let id = order();
    for reason in reasons {
        skip_block();
        let JobState::Assigned { operator, .. } = state(&id) else { panic!("not assigned") };
        assert_ok!(report(operator, Report::Decline { job: id, reason }));
    }
    assert_eq!(settlement(&id).outcome, Outcome::Expired);
    id
}

#[test]
fn deposit_is_part_of_the_quote_and_of_what_is_held() {
    with_deposit(|| {
        let quote = Jobs::quote(&model(1), 10, 20).unwrap();
        assert_eq!((quote.deposit, quote.total), (DEPOSIT, 100 + BOUNTY + DEPOSIT));
        order_with(CLIENT, spec(), quote.payment);
        assert_eq!(Balances::reserved_balance(CLIENT), quote.total);
    });
}

#[test]
fn deposit_of_a_job_whose_prompt_no_operator_gets_is_burnt() {
    for reasons in [
        [PayloadUnavailable; 3],
        [InputLength; 3],
        [Request; 3],
        [InputLength, PayloadUnavailable, Request],
    ] {
        with_deposit(|| {
            let issuance = Balances::total_issuance();
            let id = declined(reasons);
            assert_eq!((settlement(&id).paid, settlement(&id).burnt), (DEPOSIT, DEPOSIT));
            assert_eq!(settlement(&id).refunded, 113 + BOUNTY);
            assert_eq!(wealth(CLIENT), ENDOWMENT - DEPOSIT);
            assert_eq!(Balances::total_issuance(), issuance - DEPOSIT);
        });
    }
}

#[test]
fn deposit_returns_if_any_operator_had_another_reason() {
    for other in [ModelMissing, Resource, ContextExceeded] {
        with_deposit(|| {
            let id = declined([PayloadUnavailable, other, InputLength]);
            assert_eq!(settlement(&id).burnt, 0);
            assert_eq!(wealth(CLIENT), ENDOWMENT);
        });
    }
}

/// Lets the job's first operator decline for this reason.
fn declined_once(id: &JobId, reason: DeclineReason) {
    skip_block();
    let JobState::Assigned { operator, .. } = state(id) else { panic!("not assigned") };
    assert_ok!(report(operator, Report::Decline { job: *id, reason }));
}

#[test]
fn deposit_of_a_job_that_is_cancelled_after_a_decline_for_its_prompt_is_burnt() {
    with_deposit(|| {
        let id = order();
        declined_once(&id, PayloadUnavailable);
        assert_ok!(Jobs::cancel(signed(CLIENT), id));
        assert_eq!((settlement(&id).outcome, settlement(&id).burnt), (Outcome::Cancelled, DEPOSIT));
        assert_eq!(wealth(CLIENT), ENDOWMENT - DEPOSIT);
    });
    with_deposit(|| {
        let id = order();
        declined_once(&id, Resource);
        assert_ok!(Jobs::cancel(signed(CLIENT), id));
        assert_eq!(wealth(CLIENT), ENDOWMENT);
    });
}

#[test]
fn decline_that_comes_too_late_burns_no_deposit() {
    with_deposit(|| {
        let (id, operator) = assigned();
        let JobState::Assigned { until, .. } = state(&id) else { panic!("not assigned") };
        skip_to(until + 1);
        assert_ok!(report(operator, Report::Decline { job: id, reason: PayloadUnavailable }));
        assert_ok!(Jobs::cancel(signed(CLIENT), id));
        assert_eq!((settlement(&id).outcome, settlement(&id).burnt), (Outcome::Cancelled, 0));
    });
}

#[test]
fn deposit_of_a_job_that_expires_after_one_decline_for_its_prompt_returns() {
    with_deposit(|| {
        let id = order();
        declined_once(&id, PayloadUnavailable);
        ParentRandomness::set(None);
        let JobState::Open { until } = state(&id) else { panic!("not open") };
        run_to(until + 2);
        assert_eq!((settlement(&id).outcome, settlement(&id).burnt), (Outcome::Expired, 0));
    });
}

#[test]
fn deposit_returns_if_one_of_the_operators_that_the_client_names_declines_for_the_prompt() {
    with_deposit(|| {
        let allowed = BoundedVec::truncate_from(OPERATORS.to_vec());
        let id = order_with(CLIENT, JobSpec { allowed, ..spec() }, PAYMENT);
        declined_once(&id, PayloadUnavailable);
        assert_ok!(Jobs::cancel(signed(CLIENT), id));
        assert_eq!(wealth(CLIENT), ENDOWMENT);
    });
}

#[test]
fn deposit_returns_with_every_other_end() {
    with_deposit(|| {
        let id = order();
        assert_ok!(Jobs::cancel(signed(CLIENT), id));
        assert_eq!(wealth(CLIENT), ENDOWMENT);
        let (id, _) = delivered(10);
        Jobs::conclude(&id, AuditOutcome::Accepted, &[], 0, 0);
        assert_eq!(wealth(CLIENT), ENDOWMENT - 63);
        let (id, _) = delivered(10);
        Jobs::conclude(&id, AuditOutcome::Rejected, &[], 0, 0);
        assert_eq!(wealth(CLIENT), ENDOWMENT);
        let (id, _) = running();
        spend_attempts(&id);
        run_blocks(22);
        assert_eq!(settlement(&id).outcome, Outcome::Refunded);
        assert_eq!(Balances::reserved_balance(CLIENT), 0);
        assert_eq!(wealth(CLIENT), ENDOWMENT);
    });
}
