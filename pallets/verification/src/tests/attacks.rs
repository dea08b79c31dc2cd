// SPDX-License-Identifier: Apache-2.0
//! Attempts of verifiers to cheat.

use crate::{mock::*, Ballot, Error, Event, Phase, SeatsOf};
use assay_primitives::{report::Report, settlement::AuditOutcome, JobId, Verdict};
use frame_support::{assert_noop, assert_ok};
use sp_core::H256;

fn outsider(committee: &[AccountId]) -> AccountId {
    OPERATORS.into_iter().find(|other| !committee.contains(other)).unwrap()
}

#[test]
fn copied_hash_cannot_be_revealed() {
    with_operators(|| {
        let (id, _, committee) = drawn();
        let [honest, other, copier] = committee[..] else { panic!("not three") };
        let hash = hash_of(honest, id, accepts());
        assert_ok!(report(honest, Report::CommitVerdict { job: id, hash }));
        assert_ok!(report(copier, Report::CommitVerdict { job: id, hash }));
        assert_ok!(commit(other, id, accepts()));
        assert_ok!(reveal(honest, id, accepts()));
        // Now all that the honest one said is known.
        let copy = Report::RevealVerdict { job: id, verdict: accepts(), salt: salt(honest) };
        assert_noop!(report(copier, copy), Error::<Test>::HashMismatch);
    });
}

#[test]
fn lazy_accept_without_the_digest_root_cannot_be_revealed() {
    with_operators(|| {
        let (id, _, committee) = drawn();
        let lazy = Verdict::Accept { digest_root: H256::repeat_byte(1) };
        for verifier in &committee {
            assert_ok!(commit(*verifier, id, lazy));
        }
        assert_noop!(reveal(committee[0], id, lazy), Error::<Test>::DigestMismatch);
        assert_noop!(reveal(committee[0], id, accepts()), Error::<Test>::HashMismatch);
    });
}

#[test]
fn other_verdict_or_salt_cannot_be_revealed() {
    with_operators(|| {
        let (id, _, committee) = committed([accepts(); 3]);
        assert_noop!(reveal(committee[0], id, rejects()), Error::<Test>::HashMismatch);
        let salted = Report::RevealVerdict { job: id, verdict: accepts(), salt: H256::zero() };
        assert_noop!(report(committee[0], salted), Error::<Test>::HashMismatch);
    });
}

#[test]
fn reveal_before_its_phase_is_refused() {
    with_operators(|| {
        let (id, _, committee) = drawn();
        assert_ok!(commit(committee[0], id, accepts()));
        assert_noop!(reveal(committee[0], id, accepts()), Error::<Test>::NotRevealing);
    });
}

#[test]
fn commit_after_its_phase_is_refused() {
    with_operators(|| {
        let (id, _, committee) = committed([accepts(); 3]);
        assert_noop!(commit(committee[0], id, rejects()), Error::<Test>::NotCommitting);
    });
}

#[test]
fn second_commit_is_refused() {
    with_operators(|| {
        let (id, _, committee) = drawn();
        assert_ok!(commit(committee[0], id, accepts()));
        assert_noop!(commit(committee[0], id, rejects()), Error::<Test>::AlreadyCommitted);
    });
}

#[test]
fn second_reveal_is_refused() {
    with_operators(|| {
        let (id, _, committee) = committed([accepts(); 3]);
        assert_ok!(reveal(committee[0], id, accepts()));
        assert_noop!(reveal(committee[0], id, accepts()), Error::<Test>::AlreadyRevealed);
    });
}

#[test]
fn outsiders_are_refused() {
    with_operators(|| {
        let (id, operator, committee) = drawn();
        let outsider = outsider(&committee);
        for stranger in [outsider, operator, CLIENT] {
            assert_noop!(commit(stranger, id, accepts()), Error::<Test>::NotOnCommittee);
        }
        for verifier in committee {
            assert_ok!(commit(verifier, id, accepts()));
        }
        assert_noop!(reveal(outsider, id, accepts()), Error::<Test>::NotOnCommittee);
    });
}

#[test]
fn reports_on_jobs_without_an_audit_are_refused() {
    with_operators(|| {
        let id = JobId::zero();
        assert_noop!(commit(OPERATORS[0], id, accepts()), Error::<Test>::AuditNotFound);
        assert_noop!(reveal(OPERATORS[0], id, accepts()), Error::<Test>::AuditNotFound);
    });
}

#[test]
fn reports_after_the_deadline_are_refused() {
    with_operators(|| {
        let (id, _, committee) = drawn();
        skip_blocks(COMMIT_WINDOW);
        assert_ok!(commit(committee[0], id, accepts()));
        skip_blocks(1);
        assert_noop!(commit(committee[1], id, accepts()), Error::<Test>::DeadlineOver);
    });
    with_operators(|| {
        let (id, _, committee) = committed([accepts(); 3]);
        skip_blocks(REVEAL_WINDOW);
        assert_ok!(reveal(committee[0], id, accepts()));
        skip_blocks(1);
        assert_noop!(reveal(committee[1], id, accepts()), Error::<Test>::DeadlineOver);
    });
}

#[test]
fn advance_is_refused_before_the_deadline_and_for_draws() {
    with_operators(|| {
        let (id, _) = delivered();
        skip_blocks(5);
        assert_noop!(Verification::advance(signed(KEEPER), id), Error::<Test>::NotDue);
        run_blocks(1);
        skip_blocks(COMMIT_WINDOW);
        assert_noop!(Verification::advance(signed(KEEPER), id), Error::<Test>::NotDue);
        assert_noop!(
            Verification::advance(signed(KEEPER), JobId::zero()),
            Error::<Test>::AuditNotFound
        );
    });
}

#[test]
fn commits_and_reveals_are_recorded() {
    with_operators(|| {
        let (id, _, committee) = drawn();
        let first = committee[0];
        assert_ok!(commit(first, id, abstains()));
        let hash = hash_of(first, id, abstains());
        assert_eq!(audit(&id).seats[0].ballot, Ballot::Committed { hash });
        assert_eq!(events().pop(), Some(Event::VerdictCommitted { job: id, verifier: first }));
        for verifier in &committee[1..] {
            assert_ok!(commit(*verifier, id, accepts()));
        }
        let until = now() + REVEAL_WINDOW;
        assert_eq!(phase(&id), Phase::Revealing { until });
        assert_eq!(events().pop(), Some(Event::RevealsOpened { job: id, until }));
        assert_ok!(reveal(first, id, abstains()));
        assert_eq!(
            events().pop(),
            Some(Event::VerdictRevealed { job: id, verifier: first, verdict: abstains() })
        );
    });
}

#[test]
fn verifiers_that_are_done_are_free() {
    with_operators(|| {
        let (id, _, committee) = revealed([accepts(); 3]);
        assert!(is_over(&id));
        for verifier in &committee {
            assert_eq!(reserved(*verifier, &id), 0);
            assert!(!SeatsOf::<Test>::contains_key(verifier, id));
        }
        assert_eq!(crate::AgendaEntries::<Test>::iter().count(), 0, "it is on no agenda");
        assert_eq!(conclusions(), vec![(AuditOutcome::Accepted, committee)]);
        assert!(Verification::committee(&id).is_empty());
    });
}
