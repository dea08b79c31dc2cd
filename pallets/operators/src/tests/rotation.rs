// SPDX-License-Identifier: Apache-2.0
//! The replacement of a worker while duties are open.

use crate::{mock::*, Config, Error, Event, Operators as OperatorMap, Workers};
use assay_primitives::{
    traits::{Duty, Operators as _},
    BlockNumber, FinishReason, OutputCommitment, Report,
};
use frame_support::{assert_noop, assert_ok, traits::Get};
use sp_core::H256;

/// The worker that [`register`] gives ALICE, and its successors.
const OLD: AccountId = 101;
const NEW: AccountId = 200;
const THIRD: AccountId = 300;

/// The blocks for which a worker that was replaced can report.
fn period() -> u64 {
    let blocks: BlockNumber = <Test as Config>::RetirementPeriod::get();
    blocks.into()
}

fn commit(n: u64) -> Report {
    let commitment = OutputCommitment {
        output_hash: H256::zero(),
        digest_commitment: H256::zero(),
        tokens: 1,
        finish: FinishReason::Length,
    };
    Report::CommitOutput { job: job(n), commitment }
}

fn send(worker: AccountId, report: Report) -> frame_support::dispatch::DispatchResultWithPostInfo {
    Operators::report(signed(worker), vec![report].try_into().unwrap())
}

/// Sends a report and returns whether it was taken.
fn takes(worker: AccountId, report: Report) -> bool {
    System::reset_events();
    assert_ok!(send(worker, report));
    !events().iter().any(|event| matches!(event, Event::ReportRefused { .. }))
}

/// Has ALICE run these jobs, and replaces her worker.
fn rotate_with(jobs: &[u64]) {
    for n in jobs {
        assert_ok!(Operators::reserve(&ALICE, Duty::Run(job(*n)), 100));
    }
    assert_ok!(Operators::set_worker(signed(ALICE), NEW));
}

#[test]
fn previous_worker_reports_on_open_duties_until_the_last_has_ended() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        System::reset_events();
        rotate_with(&[1, 2]);
        let until = 1 + period() as BlockNumber;
        assert!(events().ends_with(&[
            Event::WorkerSet { operator: ALICE, worker: NEW },
            Event::WorkerRetiring { operator: ALICE, worker: OLD, until },
        ]));
        assert_eq!(Operators::view(&ALICE).unwrap().retiring, Some((OLD, until)));
        assert_eq!(Operators::stash_of(&OLD), Some(ALICE));
        assert!(takes(OLD, commit(1)));
        assert_eq!(reservation(ALICE, job(1)), None);
        assert!(takes(OLD, commit(2)));
        assert!(events().contains(&Event::WorkerRetired { operator: ALICE, worker: OLD }));
        assert_eq!((operator(ALICE).retiring, operator(ALICE).duties), (None, 0));
        assert_eq!(Workers::<Test>::get(OLD), None);
        assert_noop!(send(OLD, commit(3)), Error::<Test>::NotWorker);
    });
}

#[test]
fn previous_worker_reports_on_no_newer_duty() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        rotate_with(&[1]);
        assert_ok!(Operators::reserve(&ALICE, Duty::Run(job(2)), 100));
        assert!(!takes(OLD, commit(2)));
        let error = Error::<Test>::WorkerReplaced.into();
        assert_eq!(last_event(), Event::ReportRefused { operator: ALICE, job: job(2), error });
        // A verifier's seat of the same job is another duty.
        let hash = H256::zero();
        for report in
            [Report::CommitVerdict { job: job(1), hash }, Report::Heartbeat { at: 1, answer: hash }]
        {
            assert!(!takes(OLD, report));
            let job = report.job();
            assert_eq!(last_event(), Event::ReportRefused { operator: ALICE, job, error });
        }
        assert_eq!(reservation(ALICE, job(2)), Some(100));
        assert!(takes(NEW, commit(2)));
        // A new duty that ends does not count for the previous worker.
        assert!(takes(OLD, commit(1)));
    });
}

#[test]
fn new_worker_reports_on_everything_at_once() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        rotate_with(&[1]);
        assert!(takes(NEW, commit(1)));
        assert_noop!(send(OLD, commit(1)), Error::<Test>::NotWorker);
    });
}

#[test]
fn previous_worker_reports_no_more_after_the_period() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        rotate_with(&[1, 2]);
        skip(period());
        assert!(takes(OLD, commit(1)));
        skip(1);
        assert_noop!(send(OLD, commit(2)), Error::<Test>::NotWorker);
        assert_eq!(Operators::stash_of(&OLD), None);
        assert!(takes(NEW, commit(2)));
        assert_eq!(Workers::<Test>::get(OLD), None);
    });
}

#[test]
fn stash_ends_the_reports_of_a_previous_worker() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        rotate_with(&[1]);
        assert_ok!(Operators::retire_worker(signed(ALICE)));
        assert_eq!(last_event(), Event::WorkerRetired { operator: ALICE, worker: OLD });
        assert_noop!(send(OLD, commit(1)), Error::<Test>::NotWorker);
        assert_noop!(Operators::retire_worker(signed(ALICE)), Error::<Test>::NoRetiringWorker);
        Operators::release(&ALICE, Duty::Run(job(1)));
    });
}

#[test]
fn worker_is_not_replaced_twice_while_the_first_can_report() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        rotate_with(&[1]);
        assert_noop!(Operators::set_worker(signed(ALICE), THIRD), Error::<Test>::WorkerRetiring);
        assert_noop!(Operators::set_worker(signed(ALICE), OLD), Error::<Test>::WorkerRetiring);
        assert_ok!(Operators::retire_worker(signed(ALICE)));
        assert_ok!(Operators::reserve(&ALICE, Duty::Run(job(2)), 100));
        assert_ok!(Operators::set_worker(signed(ALICE), THIRD));
        // Now the second worker reports on what is open, which is older than itself in part.
        assert_eq!(operator(ALICE).retiring.map(|old| (old.worker, old.duties)), Some((NEW, 2)));
        assert!(takes(NEW, commit(1)) && takes(NEW, commit(2)));
        assert_eq!(operator(ALICE).retiring, None);
    });
}

#[test]
fn worker_is_replaced_again_after_the_period() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        rotate_with(&[1]);
        skip(period() + 1);
        assert_ok!(Operators::set_worker(signed(ALICE), THIRD));
        assert_eq!(operator(ALICE).retiring.map(|old| (old.worker, old.duties)), Some((NEW, 1)));
        assert_eq!(Workers::<Test>::get(OLD), None);
    });
}

#[test]
fn previous_worker_returns_after_the_period_or_once_it_is_retired() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        rotate_with(&[1]);
        assert_noop!(Operators::set_worker(signed(ALICE), OLD), Error::<Test>::WorkerRetiring);
        skip(period() + 1);
        assert_ok!(Operators::set_worker(signed(ALICE), OLD));
        assert_eq!(operator(ALICE).retiring.map(|old| old.worker), Some(NEW));
        assert_ok!(Operators::retire_worker(signed(ALICE)));
        assert_ok!(Operators::set_worker(signed(ALICE), NEW));
        assert_eq!(operator(ALICE).worker, NEW);
        assert!(takes(OLD, commit(1)));
        assert_eq!(Workers::<Test>::get(OLD), None);
    });
}

#[test]
fn duties_that_outlive_every_previous_worker_end_as_others_do() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        rotate_with(&[1]);
        assert_ok!(Operators::retire_worker(signed(ALICE)));
        Operators::release(&ALICE, Duty::Run(job(1)));
        assert_ok!(Operators::leave(signed(ALICE)));
        skip(UNBONDING);
        assert_ok!(Operators::withdraw_unbonded(signed(BOB), ALICE));
        assert_eq!(Workers::<Test>::iter().count(), 0);
    });
}

#[test]
fn try_state_sees_duties_of_a_previous_worker_that_are_miscounted() {
    new_test_ext().execute_with(|| {
        register(ALICE, MIN_BOND);
        rotate_with(&[1]);
        Operators::do_try_state().unwrap();
        OperatorMap::<Test>::mutate(ALICE, |alice| {
            let retiring = alice.as_mut().and_then(|alice| alice.retiring.as_mut());
            retiring.unwrap().duties += 1;
        });
        assert!(Operators::do_try_state().is_err());
    });
}

#[test]
fn try_state_sees_duties_that_are_miscounted() {
    new_test_ext().execute_with(|| {
        register(ALICE, MIN_BOND);
        OperatorMap::<Test>::mutate(ALICE, |alice| alice.as_mut().unwrap().duties += 1);
        assert!(Operators::do_try_state().is_err());
    });
}
