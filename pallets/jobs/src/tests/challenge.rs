// SPDX-License-Identifier: Apache-2.0
//! The ends of jobs whose outputs are challenged.

use crate::mock::*;
use assay_primitives::{
    job::{JobId, JobState},
    settlement::{AuditOutcome, Challenge, Outcome},
    traits::AuditedJobs,
};
use frame_support::assert_noop;

/// A delivered job of 10 tokens that the account challenges, with its operator.
fn challenged(by: AccountId) -> (JobId, AccountId) {
    let (id, operator) = delivered(10);
    assert_eq!(Jobs::challengeable(&id), None, "it waits for the draw of an audit");
    Jobs::conclude(&id, AuditOutcome::NotAudited, &[], 0, 0);
    assert!(Jobs::challengeable(&id).is_some());
    Jobs::challenge(&id, &by);
    assert_eq!(Jobs::challengeable(&id), None);
    assert_eq!(Jobs::subject(&id).and_then(|subject| subject.challenger), Some(by));
    (id, operator)
}

#[test]
fn challenged_job_is_settled_by_its_jury_alone() {
    with_jobs(|| {
        let (id, _) = challenged(KEEPER);
        let open = crate::Error::<Test>::AuditOpen;
        assert_noop!(Jobs::confirm_received(signed(CLIENT), id), open);
        run_blocks(30);
        let open = crate::Error::<Test>::AuditOpen;
        assert_noop!(Jobs::settle(signed(KEEPER), id), open);
        assert!(matches!(state(&id), JobState::Delivered { audit: true, .. }));
        Jobs::conclude(&id, AuditOutcome::Accepted, &[], 5, 0);
        assert_eq!(settlement(&id).outcome, Outcome::Paid);
    });
}

#[test]
fn challenge_that_nobody_could_hear_ends_paid_at_once() {
    with_jobs(|| {
        let (id, operator) = challenged(KEEPER);
        Jobs::conclude(&id, AuditOutcome::NotAudited, &[], 0, 0);
        let settlement = settlement(&id);
        assert_eq!(
            (settlement.outcome, settlement.audit),
            (Outcome::Paid, AuditOutcome::NotAudited)
        );
        assert_eq!(settlement.challenge, Some(Challenge { challenger: KEEPER, reward: 0 }));
        assert_eq!(wealth(operator), ENDOWMENT + PAYMENT.down + 10 * PRICE + PAYMENT.tip);
    });
}

#[test]
fn accepted_challenge_measures_nothing() {
    with_jobs(|| {
        let (id, _) = challenged(KEEPER);
        Jobs::conclude(&id, AuditOutcome::Accepted, &[], 9, 0);
        assert!(Accepted::get().is_empty() && OnRequest::get().is_empty());
    });
}

#[test]
fn reward_of_a_challenger_and_the_compensation_are_half_of_the_rest_at_most() {
    with_jobs(|| {
        let (id, _) = challenged(KEEPER);
        Jobs::conclude(&id, AuditOutcome::Rejected, &[], 0, 0);
        let rest = bond_of(10) - PAYMENT.down;
        let settlement = settlement(&id);
        let reward = settlement.challenge.map(|challenge| challenge.reward).unwrap();
        assert_eq!(reward, rest / 10);
        assert_eq!(wealth(KEEPER), ENDOWMENT + reward);
        assert!(settlement.burnt >= rest / 2);
    });
    BondFactor::set(2);
    with_jobs(|| {
        let (id, _) = challenged(KEEPER);
        Jobs::conclude(&id, AuditOutcome::Rejected, &[], 0, 0);
        // The client's compensation is all of the half.
        assert_eq!(settlement(&id).challenge.map(|challenge| challenge.reward), Some(0));
        assert_eq!(wealth(KEEPER), ENDOWMENT);
    });
}

#[test]
fn client_that_challenges_gets_no_reward_in_addition_to_its_compensation() {
    with_jobs(|| {
        let (id, _) = challenged(CLIENT);
        Jobs::conclude(&id, AuditOutcome::Rejected, &[], 0, 0);
        assert_eq!(settlement(&id).challenge, Some(Challenge { challenger: CLIENT, reward: 0 }));
        let compensation = PAYMENT.down + 10 * PRICE + PAYMENT.tip;
        assert_eq!(wealth(CLIENT), ENDOWMENT + compensation);
    });
}

#[test]
fn output_that_is_withheld_from_its_jury_earns_no_reward() {
    with_jobs(|| {
        let (id, _) = challenged(KEEPER);
        Jobs::conclude(&id, AuditOutcome::Withheld, &[], 0, 0);
        assert_eq!(settlement(&id).outcome, Outcome::Slashed);
        assert_eq!(wealth(KEEPER), ENDOWMENT);
    });
}
