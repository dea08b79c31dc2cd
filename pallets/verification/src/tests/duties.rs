// SPDX-License-Identifier: Apache-2.0
//! The duties of verifiers, and their reports.

use crate::{duties::round_salt, mock::*, WeightInfo};
use assay_primitives::{
    engine::{EngineResult, Task, Work},
    report::Report,
    traits::{AuditedJobs, Duties},
    verdict::{verdict_hash, Verdict},
    AbstainReason, BlockNumber, DeclineReason, JobId, OutputCommitment, VacateReason,
};
use frame_support::{assert_ok, weights::Weight};
use sp_core::H256;

/// Returns the work of the committee of a round.
fn check(job: JobId, round: u8, left: BlockNumber) -> Work {
    let subject = pallet_jobs::Pallet::<Test>::subject(&job).unwrap();
    let task = Task::new(&job, &subject.operator, &subject.spec);
    Work::Verify { job, task, commitment: commitment(), round, left }
}

fn verified(job: JobId, verdict: Verdict) -> Vec<EngineResult> {
    let work = check(job, 0, 0).id();
    vec![
        EngineResult::Ready { job },
        EngineResult::Verified { job, verdict, salt: H256::repeat_byte(5), work },
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
        let first = committee[0];
        // The last report is made a block before the last in which it is taken.
        assert_eq!(Verification::work(&first), vec![check(id, 0, COMMIT_WINDOW - 1)]);
        assert_eq!(Verification::work(&operator), vec![]);
        skip_blocks(1);
        assert_eq!(Verification::work(&first), vec![check(id, 0, COMMIT_WINDOW - 2)]);
        for verifier in committee {
            assert_ok!(commit(verifier, id, accepts()));
        }
        // A node that lost its finding needs it again.
        assert_eq!(Verification::work(&first), vec![check(id, 0, REVEAL_WINDOW - 1)]);
        assert_ok!(reveal(first, id, accepts()));
        assert_eq!(Verification::work(&first), vec![]);
    });
}

#[test]
fn work_that_is_due_first_comes_first() {
    with_operators(|| {
        let mut seats: Vec<(JobId, Vec<AccountId>)> = vec![];
        // The first round of each is still open when the second is drawn.
        for _ in 0..2 {
            let (id, _, committee) = drawn();
            seats.push((id, committee));
        }
        for verifier in OPERATORS {
            let own = seats.iter().filter(|(_, committee)| committee.contains(&verifier));
            let own: Vec<JobId> = own.map(|(id, _)| *id).collect();
            let work: Vec<JobId> = Verification::work(&verifier).iter().map(Work::job).collect();
            assert_eq!(work, own, "in the order of their deadlines");
        }
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
fn report_reveals_that_a_payload_was_unavailable_even_if_it_is_here_now() {
    with_operators(|| {
        let (id, _, committee) = drawn();
        follow(committee[0], &verified(id, abstains()));
        for verifier in &committee[1..] {
            follow(*verifier, &verified(id, accepts()));
        }
        // The node has lost its finding and has checked again.
        let salt = round_salt(&H256::repeat_byte(5), 0, &committee[0]);
        let reveal = Report::RevealVerdict { job: id, verdict: abstains(), salt };
        let results = verified(id, accepts());
        assert_eq!(Verification::reports(&committee[0], &results), vec![reveal]);
        follow(committee[0], &results);
        assert_eq!(audit(&id).seats[0].vote(), None);
    });
}

#[test]
fn reports_are_of_the_commitment_and_the_round_that_are_asked_about() {
    with_operators(|| {
        let (id, _, committee) = drawn();
        let first = committee[0];
        let result = |work: Work| {
            let (verdict, salt) = (accepts(), H256::repeat_byte(5));
            vec![EngineResult::Verified { job: id, verdict, salt, work: work.id() }]
        };
        let Work::Verify { task, .. } = check(id, 0, 0) else { panic!() };
        let other = OutputCommitment { output_hash: H256::repeat_byte(9), ..commitment() };
        let stale = Work::Verify { job: id, task, commitment: other, round: 0, left: 0 };
        assert_eq!(Verification::reports(&first, &result(stale)), vec![]);
        assert_eq!(Verification::reports(&first, &result(check(id, 1, 0))), vec![]);
        assert_eq!(Verification::reports(&first, &result(check(id, 0, 7))).len(), 1);
    });
}

#[test]
fn report_of_a_verifier_that_cannot_check_is_that_it_vacates_its_seat() {
    for (found, reason) in [
        (AbstainReason::ModelMissing, VacateReason::ModelMissing),
        (AbstainReason::Resource, VacateReason::Resource),
    ] {
        with_operators(|| {
            let (id, _, committee) = drawn();
            let results = verified(id, Verdict::Abstain(found));
            let reports = Verification::reports(&committee[0], &results);
            assert_eq!(reports, vec![Report::Vacate { job: id, reason }]);
            follow(committee[0], &results);
            assert_eq!(Verification::reports(&committee[0], &results), vec![]);
            assert_eq!(Verification::work(&committee[0]), vec![]);
        });
    }
}

#[test]
fn report_that_a_payload_is_unavailable_is_a_ballot_like_any_other() {
    with_operators(|| {
        let (id, _, committee) = drawn();
        let reports = Verification::reports(&committee[0], &verified(id, abstains()));
        assert!(matches!(reports[..], [Report::CommitVerdict { .. }]));
    });
}

#[test]
fn verifier_of_a_seat_that_was_drawn_again_reports_on_its_own_draw() {
    with_operators(|| {
        let (id, _, committee) = drawn();
        for verifier in &committee[1..] {
            follow(*verifier, &verified(id, accepts()));
        }
        vacate(committee[0], id).unwrap();
        run_blocks(2);
        let panel = Verification::committee(&id);
        let late = panel[2];
        assert_eq!(Verification::work(&late), vec![check(id, 1, COMMIT_WINDOW - 1)]);
        let salt = H256::repeat_byte(5);
        let work = check(id, 1, 0).id();
        let results = vec![EngineResult::Verified { job: id, verdict: accepts(), salt, work }];
        follow(late, &results);
        follow(late, &results);
        // Those that committed before have the finding that they committed to.
        follow(panel[0], &verified(id, accepts()));
        follow(panel[1], &verified(id, accepts()));
        assert!(is_over(&id));
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
    assert_eq!(Verification::weight_of(&commit), Some(Verification::commit_weight()));
    let freed = Verification::dismiss_weight();
    assert_eq!(Verification::weight_of(&reveal), Some(Verification::reveal_weight()));
    assert!(Verification::reveal_weight().all_gte(Weights::reveal_verdict() + freed));
    let vacate = Report::Vacate { job: id, reason: VacateReason::Resource };
    assert_eq!(Verification::weight_of(&vacate), Some(Weights::vacate() + freed));
    for other in [
        Report::Accept { job: id },
        Report::Decline { job: id, reason: DeclineReason::Resource },
        Report::CommitOutput { job: id, commitment: commitment() },
    ] {
        assert_eq!(Verification::weight_of(&other), None);
        assert_eq!(<Verification as Duties<_>>::handle(&OPERATORS[0], &other), None);
    }
}

#[test]
fn commitment_spares_the_end_of_an_audit_whose_seats_are_filled() {
    with_operators(|| {
        let (id, _, committee) = drawn();
        let commit = Report::CommitVerdict { job: id, hash: id };
        let spared = Verification::commit_weight() - Verification::commit_weight_before_others();
        assert_eq!(Verification::spared(&commit), spared);
        vacate(committee[0], id).unwrap();
        assert_eq!(Verification::spared(&commit), spared, "another is awaited");
        vacate(committee[1], id).unwrap();
        assert_eq!(Verification::spared(&commit), Weight::zero(), "the audit may end");
    });
}

#[test]
fn verdict_spares_what_the_end_of_a_larger_audit_would_need() {
    with_operators(|| {
        let (id, _, committee) = committed([accepts(); 3]);
        let salt = H256::repeat_byte(5);
        let reveal = Report::RevealVerdict { job: id, verdict: accepts(), salt };
        let needed = || Verification::reveal_weight() - Verification::spared(&reveal);
        for (told, verifier) in committee.iter().enumerate() {
            let last = told + 1 == committee.len();
            let weight = if last {
                Verification::last_reveal_weight(3)
            } else {
                Verification::reveal_weight_before_others()
            };
            assert_eq!(needed(), weight, "after {told} verdicts");
            assert_ok!(crate::mock::reveal(*verifier, id, accepts()));
        }
        // Of an audit that does not exist nothing is known.
        let unknown = Report::RevealVerdict { job: JobId::zero(), verdict: accepts(), salt };
        assert_eq!(Verification::spared(&unknown), Weight::zero());
    });
}
