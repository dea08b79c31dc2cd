// SPDX-License-Identifier: Apache-2.0
//! Verifiers that do not answer, and seats that become vacant.

use crate::{mock::*, Error, Event, Offence, PanelFailure, Phase, Stage};
use assay_primitives::{
    settlement::{AuditOutcome, Outcome},
    JobId, VacateReason,
};
use frame_support::{assert_noop, assert_ok};

#[test]
fn silent_verifier_loses_a_fraction_and_its_seat_is_drawn_again() {
    with_operators(|| {
        let issuance = Balances::total_issuance();
        let (id, _, committee) = drawn();
        commit(committee[0], id, accepts()).unwrap();
        commit(committee[1], id, accepts()).unwrap();
        run_blocks(COMMIT_WINDOW + 1);
        let silent = committee[2];
        assert_eq!(slashes(), vec![(silent, Offence::Silent, SILENCE)]);
        assert_eq!(wealth(silent), ENDOWMENT - SILENCE);
        assert_eq!(Balances::total_issuance(), issuance - SILENCE, "all of it is burnt");
        assert_eq!(reserved(silent, &id), 0);
        assert_eq!(phase(&id), Phase::Drawing { at: now() + 2 });
        run_blocks(2);
        let panel = Verification::committee(&id);
        assert_eq!((panel.len(), &panel[..2]), (3, &committee[..2]));
        assert!(!committee.contains(&panel[2]), "it is not drawn again");
        // Verifiers that have committed do nothing more before the reveals.
        assert_noop!(commit(committee[0], id, accepts()), Error::<Test>::AlreadyCommitted);
        commit(panel[2], id, accepts()).unwrap();
        for verifier in &panel {
            reveal(*verifier, id, accepts()).unwrap();
        }
        assert_eq!(conclusions(), vec![(AuditOutcome::Accepted, panel)]);
    });
}

#[test]
fn seat_is_vacated_for_nothing_and_drawn_again_at_once() {
    with_operators(|| {
        let (id, _, committee) = drawn();
        assert_ok!(vacate(committee[0], id));
        let (verifier, reason) = (committee[0], VacateReason::Resource);
        assert_eq!(events().pop(), Some(Event::SeatVacated { job: id, verifier, reason }));
        assert_eq!((reserved(verifier, &id), wealth(verifier)), (0, ENDOWMENT));
        assert_eq!(Verification::committee(&id), committee[1..]);
        commit(committee[1], id, accepts()).unwrap();
        commit(committee[2], id, accepts()).unwrap();
        assert_eq!(phase(&id), Phase::Drawing { at: now() + 2 });
        run_blocks(2);
        let panel = Verification::committee(&id);
        assert_eq!(panel.len(), 3);
        assert!(!committee.contains(&panel[2]));
        assert_eq!(slashes(), vec![]);
    });
}

#[test]
fn seat_is_vacated_before_a_commit_and_by_its_verifier_alone() {
    with_operators(|| {
        let (id, operator, committee) = drawn();
        assert_noop!(vacate(operator, id), Error::<Test>::NotOnCommittee);
        assert_noop!(vacate(operator, JobId::zero()), Error::<Test>::AuditNotFound);
        commit(committee[0], id, accepts()).unwrap();
        assert_noop!(vacate(committee[0], id), Error::<Test>::AlreadyCommitted);
        skip_blocks(COMMIT_WINDOW + 1);
        assert_noop!(vacate(committee[1], id), Error::<Test>::DeadlineOver);
    });
    with_operators(|| {
        let (id, _, committee) = committed([accepts(); 3]);
        assert_noop!(vacate(committee[0], id), Error::<Test>::NotCommitting);
    });
}

#[test]
fn seats_that_are_vacated_again_and_again_are_drawn_three_times() {
    with_operators(|| {
        let (id, _, _) = drawn();
        for _ in 0..3 {
            let panel = Verification::committee(&id);
            assert_eq!(panel.len(), 3);
            for verifier in panel {
                vacate(verifier, id).unwrap();
            }
            if !is_over(&id) {
                run_blocks(2);
            }
        }
        assert_eq!(failures(), vec![(Stage::Committee, PanelFailure::TooFewCommits)]);
        assert_eq!(settlement(&id).outcome, Outcome::Unverified);
        assert!(OPERATORS.into_iter().all(|verifier| wealth(verifier) >= ENDOWMENT));
    });
}

#[test]
fn seat_that_cannot_be_filled_is_not_waited_for() {
    // The operator and its committee are all that there are.
    with_some_operators(4, || {
        let (id, _, committee) = drawn();
        vacate(committee[0], id).unwrap();
        commit(committee[1], id, accepts()).unwrap();
        commit(committee[2], id, accepts()).unwrap();
        run_blocks(2);
        assert_eq!(phase(&id), Phase::Revealing { until: now() + REVEAL_WINDOW });
        reveal(committee[1], id, accepts()).unwrap();
        reveal(committee[2], id, accepts()).unwrap();
        assert_eq!(conclusions(), vec![(AuditOutcome::Accepted, committee[1..].to_vec())]);
    });
}

#[test]
fn silence_of_all_ends_unverified() {
    with_operators(|| {
        let (id, operator, committee) = drawn();
        run_blocks(40);
        assert!(is_over(&id));
        // Nine of the eleven others were drawn, three at a time.
        assert_eq!(failures(), vec![(Stage::Committee, PanelFailure::TooFewCommits)]);
        assert_eq!(conclusions(), vec![(AuditOutcome::Undecided, vec![])]);
        assert_eq!(slashes().len(), 9);
        assert!(committee.iter().all(|verifier| wealth(*verifier) == ENDOWMENT - SILENCE));
        assert_eq!(settlement(&id).outcome, Outcome::Unverified);
        assert_eq!(wealth(operator), ENDOWMENT + PAYMENT.down);
    });
}

#[test]
fn committee_that_reveals_nothing_loses_all_and_a_jury_is_called() {
    with_operators(|| {
        let (id, _, committee) = committed([accepts(); 3]);
        run_blocks(REVEAL_WINDOW);
        assert_eq!(slashes(), vec![]);
        run_blocks(1);
        let all: Vec<_> =
            committee.iter().map(|verifier| (*verifier, Offence::Withheld, BOND)).collect();
        assert_eq!(slashes(), all);
        assert_eq!(audit(&id).stage, Stage::Jury);
        run_blocks(2);
        judge(id, |_| accepts());
        assert_eq!(settlement(&id).outcome, Outcome::Paid);
        assert_eq!(settlement(&id).verifiers, 7);
    });
}

#[test]
fn reasons_to_vacate_are_no_ballots() {
    use assay_primitives::{AbstainReason, Verdict};
    for reason in [AbstainReason::ModelMissing, AbstainReason::Resource] {
        with_operators(|| {
            let verdict = Verdict::Abstain(reason);
            let (id, _, committee) = committed([verdict, accepts(), accepts()]);
            assert_noop!(reveal(committee[0], id, verdict), Error::<Test>::NotABallot);
        });
    }
}

#[test]
fn time_to_commit_grows_with_the_tokens() {
    // 10 tokens of the prompt and 20 of the output at 4 a block are seven blocks.
    VerificationSpeed::set(4);
    with_operators(|| {
        let (id, _, _) = drawn();
        assert_eq!(phase(&id), Phase::Committing { until: now() + COMMIT_WINDOW + 7 });
    });
}

#[test]
fn anyone_can_close_commits_and_reveals_that_are_over() {
    with_operators(|| {
        let (id, _, committee) = drawn();
        commit(committee[0], id, accepts()).unwrap();
        skip_blocks(COMMIT_WINDOW + 1);
        assert_ok!(Verification::advance(signed(KEEPER), id));
        assert_eq!(phase(&id), Phase::Drawing { at: now() + 2 });
        run_blocks(2);
        for verifier in &Verification::committee(&id)[1..] {
            commit(*verifier, id, accepts()).unwrap();
        }
        assert_eq!(phase(&id), Phase::Revealing { until: now() + REVEAL_WINDOW });
        skip_blocks(REVEAL_WINDOW + 1);
        assert_ok!(Verification::advance(signed(KEEPER), id));
        assert_eq!(audit(&id).stage, Stage::Jury);
    });
}
