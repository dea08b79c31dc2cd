// SPDX-License-Identifier: Apache-2.0
//! The reports to routing on the conduct of operators.

use crate::mock::*;
use assay_primitives::{
    job::{JobId, JobSpec, JobState},
    report::Report,
    settlement::AuditOutcome,
    traits::{AuditedJobs, Performance},
    DeclineReason,
};
use frame_support::{assert_ok, BoundedVec};
use sp_runtime::Permill;

/// Returns the operator's counts: answered, missed, and tokens measured.
fn counted(operator: AccountId) -> (u32, u32, u64) {
    let member = pallet_routing::Members::<Test>::get(operator).expect("it is registered");
    let tokens = member.served.iter().map(|served| served.work.tokens).sum();
    (member.conduct.answered, member.conduct.missed, tokens)
}

/// A job of up to 40 tokens that is assigned, with its operator.
fn long_job(allowed: &[AccountId]) -> (JobId, AccountId) {
    let allowed = BoundedVec::truncate_from(allowed.to_vec());
    let payment = assay_primitives::job::Payment { cost: 40 * PRICE, ..PAYMENT };
    let id = order_with(CLIENT, JobSpec { max_tokens: 40, allowed, ..spec() }, payment);
    skip_block();
    let JobState::Assigned { operator, .. } = state(&id) else { panic!("not assigned") };
    (id, operator)
}

/// The operator accepts, and delivers 36 tokens six blocks later.
fn deliver(id: JobId, operator: AccountId) {
    report(operator, Report::Accept { job: id }).unwrap();
    for _ in 0..6 {
        skip_block();
    }
    let output = Report::CommitOutput { job: id, commitment: commitment(36) };
    report(operator, output).unwrap();
}

#[test]
fn delivery_is_an_answer_and_acceptance_is_not() {
    with_jobs(|| {
        let (id, operator) = running();
        assert_eq!(counted(operator), (0, 0, 0));
        let output = Report::CommitOutput { job: id, commitment: commitment(10) };
        report(operator, output).unwrap();
        assert_eq!(counted(operator), (1, 0, 0));
    });
}

#[test]
fn operator_that_accepts_and_delivers_nothing_falls_silent() {
    with_jobs(|| {
        MaxMisses::set(2);
        Operators::set_offers(signed(OPERATORS[0]), Default::default()).unwrap();
        let chosen = OPERATORS[1];
        for other in &OPERATORS[2..] {
            Operators::set_draining(signed(*other), true).unwrap();
        }
        for misses in 1..=2 {
            let (id, operator) = running();
            assert_eq!(operator, chosen);
            run_blocks(22);
            assert_eq!(pallet_routing::Members::<Test>::get(chosen).unwrap().misses, misses);
            assert_ok!(Jobs::cancel(signed(CLIENT), id));
        }
        assert!(pallet_routing::Members::<Test>::get(chosen).unwrap().silent);
    });
}

#[test]
fn silence_and_lateness_are_misses() {
    with_jobs(|| {
        let (_, silent) = assigned();
        run_blocks(5);
        assert_eq!(counted(silent), (0, 1, 0));
    });
    with_jobs(|| {
        let (_, late) = running();
        run_blocks(22);
        assert_eq!(counted(late), (0, 1, 0));
    });
}

#[test]
fn decline_counts_once_another_operator_accepts_the_job() {
    for reason in [
        DeclineReason::ModelMissing,
        DeclineReason::Resource,
        DeclineReason::PayloadUnavailable,
        DeclineReason::InputLength,
        DeclineReason::ContextExceeded,
        DeclineReason::Request,
    ] {
        with_jobs(|| {
            let (id, first) = assigned();
            report(first, Report::Decline { job: id, reason }).unwrap();
            skip_block();
            let second = job(&id).drawn[1];
            report(second, Report::Decline { job: id, reason }).unwrap();
            skip_block();
            let third = job(&id).drawn[2];
            assert_eq!((counted(first).1, counted(second).1), (0, 0), "{reason:?}");
            report(third, Report::Accept { job: id }).unwrap();
            assert_eq!((counted(first).1, counted(second).1), (1, 1), "{reason:?}");
            assert!(job(&id).declined.is_empty());
        });
    }
}

#[test]
fn decline_of_a_job_that_nobody_accepts_is_a_sign_of_life() {
    with_jobs(|| {
        MaxMisses::set(2);
        let id = order();
        for _ in 0..3 {
            skip_block();
            let JobState::Assigned { operator, .. } = state(&id) else { panic!("not assigned") };
            <Routing as Performance<_>>::missed(&operator);
            report(operator, Report::Decline { job: id, reason: DeclineReason::Resource }).unwrap();
            let member = pallet_routing::Members::<Test>::get(operator).unwrap();
            assert_eq!((member.misses, member.silent), (0, false));
        }
    });
}

#[test]
fn decline_after_the_deadline_is_a_miss() {
    with_jobs(|| {
        let (id, operator) = assigned();
        skip_to(now() + 4);
        report(operator, Report::Decline { job: id, reason: DeclineReason::Resource }).unwrap();
        assert_eq!(counted(operator), (0, 1, 0));
        assert!(job(&id).declined.is_empty());
    });
}

#[test]
fn verified_output_is_measured_by_the_blocks_that_it_took() {
    with_jobs(|| {
        BurnShare::set(Permill::from_percent(5));
        let (id, operator) = long_job(&[]);
        deliver(id, operator);
        assert_eq!(counted(operator), (1, 0, 0));
        Jobs::conclude(&id, AuditOutcome::Accepted, &[], 0, 0);
        assert_eq!(counted(operator), (1, 0, 36));
        let member = pallet_routing::Members::<Test>::get(operator).unwrap();
        // 36 tokens in six blocks of three seconds.
        assert_eq!(member.served[0].work.speed(), Some(2_000));
        // A twentieth of the price; nothing of the down payment of 10 and the tip of 3, rounded down.
        assert_eq!(member.served[0].work.fees, 9);
    });
}

#[test]
fn output_that_nobody_verified_is_not_measured() {
    for outcome in [AuditOutcome::Undecided, AuditOutcome::Rejected] {
        with_jobs(|| {
            let (id, operator) = long_job(&[]);
            deliver(id, operator);
            Jobs::conclude(&id, outcome, &[], 0, 0);
            assert_eq!(counted(operator), (1, 0, 0));
        });
    }
}

#[test]
fn job_of_an_operator_that_its_client_chose_tells_nothing_of_it() {
    with_jobs(|| {
        let chosen = OPERATORS[1];
        let (id, operator) = long_job(&[chosen]);
        deliver(id, operator);
        Jobs::conclude(&id, AuditOutcome::Accepted, &[], 0, 0);
        let (id, _) = long_job(&[chosen]);
        report(chosen, Report::Decline { job: id, reason: DeclineReason::Resource }).unwrap();
        long_job(&[chosen]);
        run_blocks(5);
        assert_eq!(counted(chosen), (0, 0, 0));
        let given = pallet_routing::Markets::<Test>::get(model(1)).unwrap().assigned;
        assert_eq!(given.of(0), 0);
    });
}

#[test]
fn silent_operator_is_given_no_more_jobs() {
    with_jobs(|| {
        MaxMisses::set(1);
        let (_, silent) = assigned();
        run_blocks(5);
        for _ in 0..20 {
            assert_ne!(assigned().1, silent);
        }
    });
}
