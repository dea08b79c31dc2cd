// SPDX-License-Identifier: Apache-2.0
//! Verifiers who do not answer.

use crate::{mock::*, Offence, Phase, RoundFailure};
use assay_primitives::settlement::AuditOutcome;
use frame_support::assert_ok;

#[test]
fn silent_verifier_loses_a_fraction_and_its_seat_and_the_others_go_on() {
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
        assert_eq!(phase(&id), Phase::Revealing { until: now() + REVEAL_WINDOW });
        assert_eq!(Verification::committee(&id), committee[..2].to_vec());
        for verifier in &committee[..2] {
            reveal(*verifier, id, accepts()).unwrap();
        }
        assert_eq!(conclusions(), vec![(AuditOutcome::Accepted, committee[..2].to_vec())]);
    });
}

#[test]
fn silent_majority_is_replaced_and_not_drawn_again() {
    with_operators(|| {
        let (id, operator, committee) = drawn();
        commit(committee[0], id, accepts()).unwrap();
        run_blocks(COMMIT_WINDOW + 1);
        assert_eq!(failures(), vec![(0, RoundFailure::TooFewCommits)]);
        assert_eq!(slashes().len(), 2);
        assert_eq!(wealth(committee[0]), ENDOWMENT, "who has committed is not punished");
        assert_eq!(audit(&id).silent.to_vec(), committee[1..].to_vec());
        run_blocks(2);
        let second = Verification::committee(&id);
        assert_eq!(second.len(), 3);
        for verifier in second {
            assert!(!committee[1..].contains(&verifier) && verifier != operator);
        }
    });
}

#[test]
fn verifier_that_does_not_reveal_loses_a_fraction() {
    with_operators(|| {
        let (id, _, committee) = committed([accepts(), accepts(), rejects()]);
        reveal(committee[0], id, accepts()).unwrap();
        reveal(committee[1], id, accepts()).unwrap();
        run_blocks(REVEAL_WINDOW);
        assert!(!is_over(&id));
        run_blocks(1);
        assert_eq!(slashes(), vec![(committee[2], Offence::Silent, SILENCE)]);
        assert_eq!(conclusions(), vec![(AuditOutcome::Accepted, committee[..2].to_vec())]);
    });
}

#[test]
fn too_few_reveals_are_followed_by_another_round() {
    with_operators(|| {
        let (id, _, committee) = committed([accepts(); 3]);
        reveal(committee[0], id, accepts()).unwrap();
        run_blocks(REVEAL_WINDOW + 1);
        assert_eq!(failures(), vec![(0, RoundFailure::NoMajority)]);
        assert_eq!(slashes().len(), 2);
        assert_eq!((round(&id), wealth(committee[0])), (1, ENDOWMENT));
        assert_eq!(phase(&id), Phase::Drawing { at: now() + 2 });
    });
}

#[test]
fn silence_of_all_runs_out_of_verifiers() {
    with_operators(|| {
        let (_, _, committee) = drawn();
        run_blocks(30);
        // Two of six are left for the second round, and none for the third.
        assert_eq!(
            failures(),
            vec![
                (0, RoundFailure::TooFewCommits),
                (1, RoundFailure::TooFewCommits),
                (2, RoundFailure::TooFewVerifiers)
            ]
        );
        assert_eq!(conclusions(), vec![(AuditOutcome::Undecided, vec![])]);
        assert_eq!(slashes().len(), 5);
        assert!(committee.iter().all(|verifier| wealth(*verifier) == ENDOWMENT - SILENCE));
    });
}

#[test]
fn anyone_can_close_commits_and_reveals_that_are_over() {
    with_operators(|| {
        let (id, _, committee) = drawn();
        commit(committee[0], id, accepts()).unwrap();
        commit(committee[1], id, accepts()).unwrap();
        skip_blocks(COMMIT_WINDOW + 1);
        assert_ok!(Verification::advance(signed(KEEPER), id));
        assert_eq!(phase(&id), Phase::Revealing { until: now() + REVEAL_WINDOW });
        reveal(committee[0], id, accepts()).unwrap();
        skip_blocks(REVEAL_WINDOW + 1);
        assert_ok!(Verification::advance(signed(KEEPER), id));
        assert_eq!(failures(), vec![(0, RoundFailure::NoMajority)]);
    });
}
