// SPDX-License-Identifier: Apache-2.0
//! The work of operators and its reports.

use crate::{mock::*, Error, Event, JobsOfOperator, WeightInfo};
use assay_primitives::{
    engine::{EngineResult, Work},
    job::{FinishReason, JobId, JobState, OutputCommitment},
    report::Report,
    traits::{Duties, Operators as OperatorsTrait, Performance},
    DeclineReason, Verdict,
};
use frame_support::{assert_noop, assert_ok};
use sp_core::H256;

fn accept(job: JobId) -> Report {
    Report::Accept { job }
}

fn decline(job: JobId) -> Report {
    Report::Decline { job, reason: DeclineReason::ModelMissing }
}

fn commit(job: JobId, tokens: u32) -> Report {
    Report::CommitOutput { job, commitment: commitment(tokens) }
}

fn other_than(operator: AccountId) -> AccountId {
    OPERATORS.into_iter().find(|other| *other != operator).unwrap()
}

#[test]
fn accept_pays_down_and_starts_the_clock() {
    with_jobs(|| {
        let (id, operator) = assigned();
        let before = wealth(operator);
        assert_ok!(report(operator, accept(id)));
        assert_eq!(state(&id), JobState::Running { operator, prices: PRICES, until: now() + 20 });
        assert_eq!(wealth(operator), before + PAYMENT.down);
        assert_eq!(reserved(operator, &id), BOND);
        assert_eq!(last_event(), Event::JobAccepted { job: id, operator, until: now() + 20 });
    });
}

#[test]
fn accept_is_possible_in_the_last_block_and_not_after() {
    with_jobs(|| {
        let (id, operator) = assigned();
        skip_to(6);
        assert_noop!(report(operator, accept(id)), Error::<Test>::DeadlineOver);
        let (id, operator) = assigned();
        skip_to(now() + 3);
        assert_ok!(report(operator, accept(id)));
    });
}

#[test]
fn accept_refuses_others_and_other_states() {
    with_jobs(|| {
        let (id, operator) = assigned();
        assert_noop!(report(other_than(operator), accept(id)), Error::<Test>::NotTheOperator);
        assert_noop!(report(operator, accept(JobId::zero())), Error::<Test>::JobNotFound);
        assert_ok!(report(operator, accept(id)));
        assert_noop!(report(operator, accept(id)), Error::<Test>::JobNotAssigned);
    });
}

#[test]
fn decline_refuses_others_and_other_states() {
    with_jobs(|| {
        let (id, operator) = assigned();
        assert_noop!(report(other_than(operator), decline(id)), Error::<Test>::NotTheOperator);
        assert_noop!(report(operator, decline(JobId::zero())), Error::<Test>::JobNotFound);
        assert_ok!(report(operator, accept(id)));
        assert_noop!(report(operator, decline(id)), Error::<Test>::JobNotAssigned);
    });
}

#[test]
fn commit_output_delivers_and_calls_the_auditor() {
    with_jobs(|| {
        let (id, operator) = running();
        assert_ok!(report(operator, commit(id, 12)));
        let (commitment, until) = (commitment(12), now() + 10);
        assert_eq!(
            state(&id),
            JobState::Delivered {
                operator,
                prices: PRICES,
                commitment,
                took: 0,
                audit: true,
                challenger: None,
                until
            }
        );
        assert_eq!(last_event(), Event::OutputCommitted { job: id, operator, commitment, until });
        assert_eq!(Delivered::get(), vec![(id, operator)]);
        assert_eq!(reserved(operator, &id), bond_of(12), "what was delivered stays at stake");
        assert!(!JobsOfOperator::<Test>::contains_key(operator, id));
    });
}

#[test]
fn commit_output_refuses_lengths_that_cannot_be() {
    with_jobs(|| {
        let (id, operator) = running();
        for tokens in [0, 21] {
            assert_noop!(report(operator, commit(id, tokens)), Error::<Test>::TokensOutOfRange);
        }
        let commitment = OutputCommitment { finish: FinishReason::Length, ..commitment(19) };
        assert_noop!(
            report(operator, Report::CommitOutput { job: id, commitment }),
            Error::<Test>::LengthNotReached
        );
        let commitment =
            OutputCommitment { tokens: 20, finish: FinishReason::EndToken, ..commitment };
        assert_ok!(report(operator, Report::CommitOutput { job: id, commitment }));
    });
}

#[test]
fn commit_output_refuses_others_other_states_and_late_ones() {
    with_jobs(|| {
        let (id, operator) = assigned();
        assert_noop!(report(operator, commit(id, 1)), Error::<Test>::JobNotRunning);
        assert_noop!(report(operator, commit(JobId::zero(), 1)), Error::<Test>::JobNotFound);
        assert_ok!(report(operator, accept(id)));
        assert_noop!(report(other_than(operator), commit(id, 1)), Error::<Test>::NotTheOperator);
        skip_to(now() + 21);
        assert_noop!(report(operator, commit(id, 1)), Error::<Test>::DeadlineOver);
    });
}

#[test]
fn work_is_to_prepare_then_to_generate_then_nothing() {
    with_jobs(|| {
        let (id, operator) = assigned();
        let task = job(&id).task(&id, &operator);
        assert_eq!(Jobs::work(&operator), vec![Work::Prepare { job: id, task: task.clone() }]);
        assert_ok!(report(operator, accept(id)));
        assert_eq!(Jobs::work(&operator), vec![Work::Generate { job: id, task }]);
        assert_ok!(report(operator, commit(id, 3)));
        assert_eq!(Jobs::work(&operator), vec![]);
        assert_eq!(Jobs::work(&other_than(operator)), vec![]);
    });
}

/// Returns an output that the operator has generated.
fn generated(id: JobId, operator: AccountId) -> EngineResult {
    let work = Work::Generate { job: id, task: job(&id).task(&id, &operator) }.id();
    EngineResult::Generated { job: id, commitment: commitment(5), work }
}

#[test]
fn reports_follow_from_the_state_and_are_never_repeated() {
    with_jobs(|| {
        let (id, operator) = assigned();
        let ready = EngineResult::Ready { job: id };
        let refused = EngineResult::Refused { job: id, reason: DeclineReason::ModelMissing };
        let of_another = generated(id, other_than(operator));
        let generated = generated(id, operator);
        let verified = EngineResult::Verified {
            job: id,
            verdict: Verdict::Accept { digest_root: H256::zero() },
            salt: H256::zero(),
            work: H256::zero(),
        };
        let all = [ready.clone(), generated.clone(), verified];
        assert_eq!(Jobs::reports(&operator, &[refused]), vec![decline(id)]);
        assert_eq!(Jobs::reports(&operator, &all), vec![accept(id)]);
        assert_eq!(Jobs::reports(&other_than(operator), &all), vec![]);
        assert_ok!(report(operator, accept(id)));
        assert_eq!(Jobs::reports(&operator, &all), vec![commit(id, 5)]);
        assert_eq!(Jobs::reports(&operator, &[ready]), vec![]);
        assert_eq!(Jobs::reports(&operator, &[of_another]), vec![]);
        assert_ok!(report(operator, commit(id, 5)));
        assert_eq!(Jobs::reports(&operator, &all), vec![]);
    });
}

#[test]
fn reports_that_would_be_late_are_not_made() {
    with_jobs(|| {
        let (id, operator) = assigned();
        let ready = [EngineResult::Ready { job: id }];
        skip_to(4);
        assert_eq!(Jobs::reports(&operator, &ready), vec![accept(id)]);
        skip_to(5);
        assert_eq!(Jobs::reports(&operator, &ready), vec![]);
    });
}

#[test]
fn reports_have_the_weights_of_their_benchmarks() {
    type Weights = ();
    let id = JobId::zero();
    assert_eq!(Jobs::weight_of(&accept(id)), Some(Weights::accept()));
    let miss = <Routing as Performance<AccountId>>::miss_weight();
    let release = <Operators as OperatorsTrait<AccountId>>::release_weight();
    assert_eq!(Jobs::weight_of(&decline(id)), Some(Weights::decline() + miss + release));
    assert_eq!(Jobs::weight_of(&commit(id, 1)), Some(Weights::commit_output()));
    assert_eq!(Jobs::weight_of(&Report::CommitVerdict { job: id, hash: id }), None);
}

#[test]
fn reports_of_other_pallets_are_left_to_them() {
    let verdict = Report::CommitVerdict { job: JobId::zero(), hash: H256::zero() };
    assert_eq!(<Jobs as Duties<_>>::handle(&OPERATORS[0], &verdict), None);
}

#[test]
fn commit_output_frees_the_slot_and_accept_does_not() {
    with_jobs(|| {
        let slots = |operator| {
            pallet_operators::Operators::<Test>::get(operator).map(|operator| operator.running)
        };
        let (id, operator) = running();
        assert_eq!(slots(operator), Some(1));
        assert_ok!(report(operator, commit(id, 3)));
        assert_eq!(slots(operator), Some(0));
    });
}
