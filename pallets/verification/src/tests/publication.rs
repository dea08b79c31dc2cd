// SPDX-License-Identifier: Apache-2.0
//! Payloads that a jury could not fetch: the operator publishes them or loses its bond.

use crate::{mock::*, Chunks, Error, Event, Phase, ProducingOf, Publications, SeatsOf, Stage};
use assay_primitives::{engine::EngineResult, report::Report};
use assay_primitives::{
    publication::{NextChunk, Part, MAX_CHUNKS},
    settlement::{AuditOutcome, Outcome},
    traits::Duties,
    JobId, VacateReason,
};
use frame_support::{assert_noop, assert_ok};
use sp_core::H256;
use sp_runtime::traits::{BlakeTwo256, Hash};

/// The worker of an operator.
fn worker(operator: AccountId) -> AccountId {
    operator + 100_000
}

/// Lets the operator publish request and transcript.
fn publish_all(id: JobId, operator: AccountId) {
    assert_ok!(publish(operator, id, Part::Request, REQUEST, 7));
    assert_ok!(publish(worker(operator), id, Part::Transcript, TRANSCRIPT, 100));
}

#[test]
fn jury_that_is_short_lets_the_operator_publish() {
    with_operators(|| {
        let (id, operator) = producing();
        let until = now() + PRODUCE_WINDOW;
        assert_eq!(phase(&id), Phase::Producing { until });
        assert_eq!(events().pop(), Some(Event::PublicationDue { job: id, operator, until }));
        assert!(Verification::committee(&id).is_empty());
        assert_eq!(SeatsOf::<Test>::iter().count(), 0);
        publish_all(id, operator);
    });
}

#[test]
fn operator_that_publishes_nothing_loses_its_bond() {
    with_operators(|| {
        let (id, operator) = producing();
        run_blocks(PRODUCE_WINDOW);
        assert!(!is_over(&id));
        run_blocks(1);
        assert_eq!(conclusions(), vec![(AuditOutcome::Withheld, vec![])]);
        assert_eq!(settlement(&id).outcome, Outcome::Slashed);
        assert_eq!(settlement(&id).audit, AuditOutcome::Withheld);
        assert_eq!(wealth(operator), ENDOWMENT + PAYMENT.down - JOB_BOND);
        assert!(wealth(CLIENT) > ENDOWMENT);
        assert_eq!(slashes(), vec![], "no verifier is punished");
    });
}

#[test]
fn operator_that_publishes_a_part_loses_its_bond_and_what_it_published_is_removed() {
    with_operators(|| {
        let (id, operator) = producing();
        assert_ok!(publish(operator, id, Part::Request, REQUEST, 7));
        assert_ok!(publish_chunk(operator, id, Part::Transcript, 0, false, &TRANSCRIPT[..5]));
        run_blocks(PRODUCE_WINDOW + 1);
        assert_eq!(settlement(&id).outcome, Outcome::Slashed);
        assert_eq!(wealth(operator), ENDOWMENT + PAYMENT.down - JOB_BOND);
        assert_eq!(Chunks::<Test>::iter().count() + Publications::<Test>::iter().count(), 0);
        assert_eq!(ProducingOf::<Test>::iter().count(), 0);
    });
}

#[test]
fn what_is_published_is_checked_by_another_jury() {
    with_operators(|| {
        let (id, operator, committee, jury) = appealed([accepts(), abstains(), accepts()]);
        judge(id, |place| if place < 2 { accepts() } else { abstains() });
        publish_all(id, operator);
        assert_eq!(audit(&id).stage, Stage::Published);
        let heard: Vec<_> = audit(&id).heard.iter().map(|seat| seat.verifier).collect();
        assert_eq!(heard, [committee[0], committee[2], jury[0], jury[1]]);
        // Of the eleven others one is left, and that is no jury.
        run_blocks(2);
        assert!(is_over(&id));
        assert_eq!(settlement(&id).outcome, Outcome::Unverified);
        assert_eq!(Chunks::<Test>::iter().count() + Publications::<Test>::iter().count(), 0);
    });
}

/// Brings a job with a small first jury before the one that checks what was published.
fn republished() -> (JobId, AccountId, Vec<AccountId>) {
    JurySize::set(5);
    let (id, operator, _, _) = appealed([abstains(); 3]);
    judge(id, |place| if place == 0 { accepts() } else { abstains() });
    publish_all(id, operator);
    // The committee and the jury have left, so a smaller jury has to do.
    MinJury::set(3);
    run_blocks(2);
    let jury = Verification::committee(&id);
    (id, operator, jury)
}

#[test]
fn jury_of_what_is_published_decides_and_contradicts_earlier_votes() {
    with_operators(|| {
        let (id, operator, jury) = republished();
        assert_eq!(jury.len(), 3);
        judge(id, |_| rejects());
        assert_eq!(settlement(&id).outcome, Outcome::Slashed);
        assert_eq!(settlement(&id).audit, AuditOutcome::Rejected);
        assert_eq!(slashes().len(), 1, "the juror that accepted");
        assert_eq!(wealth(operator), ENDOWMENT + PAYMENT.down - JOB_BOND);
    });
    with_operators(|| {
        let (id, _, _) = republished();
        judge(id, |_| accepts());
        assert_eq!(settlement(&id).outcome, Outcome::Paid);
        assert_eq!(slashes(), vec![]);
        assert_eq!(Chunks::<Test>::iter().count() + Publications::<Test>::iter().count(), 0);
    });
}

#[test]
fn unavailable_is_no_ballot_on_what_is_published() {
    with_operators(|| {
        let (id, _, jury) = republished();
        for juror in &jury {
            assert_ok!(commit(*juror, id, abstains()));
        }
        assert_noop!(reveal(jury[0], id, abstains()), Error::<Test>::NotABallot);
    });
    // The worker of a juror that cannot read the state says that it cannot check.
    with_operators(|| {
        let (id, _, jury) = republished();
        let work = Verification::work(&jury[0]).pop().unwrap().id();
        let salt = H256::zero();
        let results = [EngineResult::Verified { job: id, verdict: abstains(), salt, work }];
        let reports = Verification::reports(&jury[0], &results);
        assert_eq!(reports, vec![Report::Vacate { job: id, reason: VacateReason::Resource }]);
    });
}

#[test]
fn each_byte_is_burnt_out_of_the_bond() {
    with_operators(|| {
        let (id, operator) = producing();
        let issuance = Balances::total_issuance();
        let before = wealth(operator);
        publish_all(id, operator);
        let price = BYTE * (REQUEST.len() + TRANSCRIPT.len()) as u128;
        assert_eq!(wealth(operator), before - price);
        assert_eq!(Balances::total_issuance(), issuance - price);
    });
}

#[test]
fn published_payload_is_read_by_its_hash_when_it_is_complete() {
    with_operators(|| {
        let (id, operator) = producing();
        let hash = BlakeTwo256::hash(REQUEST);
        assert_ok!(publish_chunk(operator, id, Part::Request, 0, false, &REQUEST[..5]));
        assert_eq!(Verification::published(&id, &hash), None);
        assert_ok!(publish_chunk(operator, id, Part::Request, 1, true, &REQUEST[5..]));
        assert_eq!(Verification::published(&id, &hash), Some(REQUEST.to_vec()));
        assert_eq!(Verification::published(&id, &H256::zero()), None);
        assert_eq!(Verification::published(&JobId::zero(), &hash), None);
    });
}

#[test]
fn first_chunk_begins_a_payload_anew() {
    with_operators(|| {
        let (id, operator) = producing();
        assert_ok!(publish_chunk(operator, id, Part::Request, 0, false, b"wrong"));
        assert_ok!(publish_chunk(operator, id, Part::Request, 1, false, b"wrong"));
        assert_ok!(publish(operator, id, Part::Request, REQUEST, 100));
        assert_eq!(Chunks::<Test>::iter().count(), 1);
    });
}

#[test]
fn chunk_that_is_due_is_the_next_one_of_what_is_not_complete() {
    with_operators(|| {
        let (id, operator) = producing();
        let due = |part, payload: &[u8], index| {
            Some(NextChunk { job: id, part, hash: BlakeTwo256::hash(payload), index })
        };
        let next = || <Verification as Duties<_>>::chunk_due(&operator);
        assert_eq!(next(), due(Part::Request, REQUEST, 0));
        assert_ok!(publish_chunk(operator, id, Part::Request, 0, false, &REQUEST[..5]));
        assert_eq!(next(), due(Part::Request, REQUEST, 1));
        assert_ok!(publish_chunk(operator, id, Part::Request, 1, true, &REQUEST[5..]));
        assert_eq!(next(), due(Part::Transcript, TRANSCRIPT, 0));
        assert_eq!(<Verification as Duties<_>>::chunk_due(&CLIENT), None);
        // A chunk that would be late is not sent.
        skip_blocks(PRODUCE_WINDOW);
        assert_eq!(next(), None);
    });
}

#[test]
fn chunks_are_refused_from_others_out_of_order_and_too_late() {
    with_operators(|| {
        let unknown = JobId::zero();
        let part = Part::Request;
        let (id, operator, _) = drawn();
        let chunk =
            |who, id, index, last, bytes: &[u8]| publish_chunk(who, id, part, index, last, bytes);
        assert_noop!(chunk(operator, unknown, 0, true, REQUEST), Error::<Test>::AuditNotFound);
        assert_noop!(chunk(operator, id, 0, true, REQUEST), Error::<Test>::NotProducing);
        let (id, operator) = producing();
        let other = OPERATORS.into_iter().find(|other| *other != operator).unwrap();
        for stranger in [CLIENT, other, worker(other)] {
            assert_noop!(chunk(stranger, id, 0, true, REQUEST), Error::<Test>::NotTheOperator);
        }
        assert_noop!(chunk(operator, id, 1, true, REQUEST), Error::<Test>::ChunkOutOfOrder);
        assert_noop!(chunk(operator, id, 0, true, TRANSCRIPT), Error::<Test>::WrongPayload);
        assert_ok!(chunk(operator, id, 0, true, REQUEST));
        assert_noop!(chunk(operator, id, 0, true, REQUEST), Error::<Test>::PartComplete);
        skip_blocks(PRODUCE_WINDOW + 1);
        let late = publish_chunk(operator, id, Part::Transcript, 0, true, TRANSCRIPT);
        assert_noop!(late, Error::<Test>::DeadlineOver);
    });
}

#[test]
fn chunks_are_bounded_in_number() {
    with_operators(|| {
        let (id, operator) = producing();
        for index in 0..MAX_CHUNKS {
            assert_ok!(publish_chunk(operator, id, Part::Request, index, false, b"x"));
        }
        let one = publish_chunk(operator, id, Part::Request, MAX_CHUNKS, false, b"x");
        assert_noop!(one, Error::<Test>::PublicationTooLong);
        // Replacing chunks is bounded too.
        for _ in 0..3 * MAX_CHUNKS {
            assert_ok!(publish_chunk(operator, id, Part::Request, 0, false, b"x"));
        }
        let one = publish_chunk(operator, id, Part::Request, 0, false, b"x");
        assert_noop!(one, Error::<Test>::PublicationTooLong);
    });
}
