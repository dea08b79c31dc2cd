// SPDX-License-Identifier: Apache-2.0
//! What verifiers have to do and report.

use crate::{duties::round_salt, mock::*, WeightInfo};
use assay_primitives::{
    engine::{EngineResult, Work},
    report::Report,
    traits::Duties,
    verdict::{verdict_hash, Verdict},
    DeclineReason, JobId,
};
use frame_support::assert_ok;
use sp_core::H256;

fn verified(job: JobId, verdict: Verdict) -> Vec<EngineResult> {
    vec![
        EngineResult::Ready { job },
        EngineResult::Verified { job, verdict, salt: H256::repeat_byte(5) },
    ]
}

/// Lets the pallet report for the verifier, and takes the report.
fn follow(verifier: AccountId, results: &[EngineResult]) {
    let reports = Verification::reports(&verifier, results);
    assert_eq!(reports.len(), 1);
    assert_ok!(report(verifier, reports[0]));
}

#[test]
fn work_is_to_verify_until_the_verdict_is_told() {
    with_operators(|| {
        let (id, operator, committee) = drawn();
        let task = pallet_jobs::Jobs::<Test>::get(id).unwrap().task();
        let work = vec![Work::Verify { job: id, task, commitment: commitment() }];
        let first = committee[0];
        assert_eq!(Verification::work(&first), work);
        assert_eq!(Verification::work(&operator), vec![]);
        for verifier in committee {
            assert_ok!(commit(verifier, id, accepts()));
        }
        assert_eq!(Verification::work(&first), work, "a node that lost its finding needs it again");
        assert_ok!(reveal(first, id, accepts()));
        assert_eq!(Verification::work(&first), vec![]);
    });
}

#[test]
fn reports_are_a_commit_then_a_reveal_then_nothing() {
    with_operators(|| {
        let (id, operator, committee) = drawn();
        let results = verified(id, accepts());
        let first = committee[0];
        let salt = round_salt(&H256::repeat_byte(5), 0, &first);
        let hash = verdict_hash(&id, 0, &first, &accepts(), &salt);
        assert_eq!(
            Verification::reports(&first, &results),
            vec![Report::CommitVerdict { job: id, hash }]
        );
        follow(first, &results);
        assert_eq!(Verification::reports(&first, &results), vec![]);
        assert_eq!(Verification::reports(&operator, &results), vec![]);
        follow(committee[1], &results);
        follow(committee[2], &results);
        assert_eq!(
            Verification::reports(&first, &results),
            vec![Report::RevealVerdict { job: id, verdict: accepts(), salt }]
        );
        follow(first, &results);
        assert_eq!(Verification::reports(&first, &results), vec![]);
        follow(committee[1], &results);
        follow(committee[2], &results);
        assert!(is_over(&id));
        assert_eq!(Verification::reports(&first, &results), vec![]);
    });
}

#[test]
fn reports_reveal_nothing_that_was_not_committed() {
    with_operators(|| {
        let (id, _, committee) = drawn();
        for verifier in &committee {
            follow(*verifier, &verified(id, accepts()));
        }
        assert_eq!(Verification::reports(&committee[0], &verified(id, rejects())), vec![]);
    });
}

#[test]
fn reports_that_would_be_late_are_not_made() {
    with_operators(|| {
        let (id, _, committee) = drawn();
        let results = verified(id, accepts());
        skip_blocks(COMMIT_WINDOW - 1);
        assert_eq!(Verification::reports(&committee[0], &results).len(), 1);
        skip_blocks(1);
        assert_eq!(Verification::reports(&committee[0], &results), vec![]);
    });
}

#[test]
fn reports_of_one_round_do_not_open_those_of_the_next() {
    let salt = H256::repeat_byte(5);
    assert_ne!(round_salt(&salt, 0, &OPERATORS[0]), round_salt(&salt, 1, &OPERATORS[0]));
    assert_ne!(round_salt(&salt, 0, &OPERATORS[0]), round_salt(&salt, 0, &OPERATORS[1]));
}

#[test]
fn reports_have_the_weights_of_their_benchmarks() {
    type Weights = ();
    let id = JobId::zero();
    let commit = Report::CommitVerdict { job: id, hash: id };
    let reveal = Report::RevealVerdict { job: id, verdict: accepts(), salt: id };
    assert_eq!(Verification::weight_of(&commit), Some(Weights::commit_verdict()));
    assert_eq!(Verification::weight_of(&reveal), Some(Weights::reveal_verdict()));
    for other in [
        Report::Accept { job: id },
        Report::Decline { job: id, reason: DeclineReason::Resource },
        Report::CommitOutput { job: id, commitment: commitment() },
    ] {
        assert_eq!(Verification::weight_of(&other), None);
        assert_eq!(<Verification as Duties<_>>::handle(&OPERATORS[0], &other), None);
    }
}
