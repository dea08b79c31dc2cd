// SPDX-License-Identifier: Apache-2.0
//! Payloads that a jury could not fetch: the operator publishes them or loses its bond.

use crate::{
    mock::*, Chunks, Error, Event, Obsolete, PanelFailure, Phase, ProducingOf, Publications,
    SeatsOf, Stage,
};
use assay_primitives::{engine::EngineResult, report::Report};
use assay_primitives::{
    publication::{NextChunk, Part, MAX_CHUNKS},
    settlement::{AuditOutcome, Outcome},
    traits::Duties,
    JobId, VacateReason,
};
use frame_support::{assert_noop, assert_ok, dispatch::Pays, traits::Hooks, weights::Weight};
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
        run_blocks(1);
        assert_eq!(Chunks::<Test>::iter().count() + Publications::<Test>::iter().count(), 0);
        assert_eq!(ProducingOf::<Test>::iter().count(), 0);
    });
}

#[test]
fn what_is_published_is_checked_by_a_jury_of_those_that_have_not_voted() {
    with_operators(|| {
        let (id, operator, committee, jury) = appealed([accepts(), abstains(), accepts()]);
        judge(id, |place| if place < 2 { accepts() } else { abstains() });
        publish_all(id, operator);
        assert_eq!(audit(&id).stage, Stage::Published);
        let heard: Vec<_> = audit(&id).heard.iter().map(|seat| seat.verifier).collect();
        assert_eq!(heard, [committee[0], committee[2], jury[0], jury[1]]);
        for juror in &jury[2..] {
            assert_eq!((reserved(*juror, &id), wealth(*juror)), (0, ENDOWMENT));
        }
        // Of the eleven others the five jurors that could not fetch anything are left, and one that was
        // on no panel. The verifier of the committee that could not is not among them.
        run_blocks(2);
        let last = Verification::committee(&id);
        assert_eq!(last.len(), 5);
        let others = [&committee[..], &jury[..2], &[operator]].concat();
        assert!(last.iter().all(|juror| !others.contains(juror)));
        judge(id, |_| accepts());
        assert_eq!(settlement(&id).outcome, Outcome::Paid);
    });
}

#[test]
fn what_is_published_stays_unverified_if_no_jury_is_left() {
    with_some_operators(9, || {
        let (id, operator, _, jury) = appealed([abstains(); 3]);
        assert_eq!(jury.len(), 5);
        judge(id, |place| if place == 0 { accepts() } else { abstains() });
        publish_all(id, operator);
        run_blocks(2);
        assert_eq!(failures(), vec![(Stage::Published, PanelFailure::TooFewVerifiers)]);
        assert_eq!(settlement(&id).outcome, Outcome::Unverified);
        assert_eq!(slashes(), vec![]);
        run_blocks(1);
        assert_eq!(Chunks::<Test>::iter().count() + Publications::<Test>::iter().count(), 0);
    });
}

/// Brings a job before a jury that checks what was published, after a juror has accepted it; returns it
/// with its operator and that jury.
fn republished() -> (JobId, AccountId, Vec<AccountId>) {
    let (id, operator, _, _) = appealed([abstains(); 3]);
    judge(id, |place| if place == 0 { accepts() } else { abstains() });
    publish_all(id, operator);
    run_blocks(2);
    let jury = Verification::committee(&id);
    (id, operator, jury)
}

#[test]
fn jury_of_what_is_published_decides_and_contradicts_earlier_votes() {
    with_operators(|| {
        let (id, operator, jury) = republished();
        assert_eq!(jury.len(), 7);
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
        run_blocks(1);
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
fn chunk_that_the_bond_pays_for_costs_no_fee_unless_it_replaces_another() {
    with_operators(|| {
        let (id, operator) = producing();
        let pays = |index, last, bytes: &[u8]| {
            let bytes = bytes.to_vec().try_into().unwrap();
            let origin = signed(operator);
            Verification::publish(origin, id, Part::Request, index, last, bytes).unwrap().pays_fee
        };
        assert_eq!(pays(0, false, &REQUEST[..5]), Pays::No);
        assert_eq!(pays(1, false, b""), Pays::Yes, "nothing is paid for");
        assert_eq!(pays(0, false, &REQUEST[..5]), Pays::Yes);
        // More than half of the bond.
        let half = usize::try_from(JOB_BOND / BYTE / 2).unwrap();
        assert_eq!(pays(1, false, &vec![1; half]), Pays::Yes);
        assert_eq!(pays(0, true, REQUEST), Pays::Yes);
        let bytes = TRANSCRIPT.to_vec().try_into().unwrap();
        let done =
            Verification::publish(signed(operator), id, Part::Transcript, 0, true, bytes).unwrap();
        assert_eq!(done.pays_fee, Pays::No);
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
        let due = |part, payload: &[u8], index, offset| {
            vec![NextChunk { job: id, part, hash: BlakeTwo256::hash(payload), index, offset }]
        };
        let next = || <Verification as Duties<_>>::chunks_due(&operator);
        assert_eq!(next(), due(Part::Request, REQUEST, 0, 0));
        assert_ok!(publish_chunk(operator, id, Part::Request, 0, false, &REQUEST[..9]));
        assert_ok!(publish_chunk(operator, id, Part::Request, 0, false, &REQUEST[..5]));
        assert_eq!(next(), due(Part::Request, REQUEST, 1, 5));
        assert_ok!(publish_chunk(operator, id, Part::Request, 1, true, &REQUEST[5..]));
        assert_eq!(next(), due(Part::Transcript, TRANSCRIPT, 0, 0));
        assert_eq!(<Verification as Duties<_>>::chunks_due(&CLIENT), vec![]);
        // A chunk that would be late is not sent.
        skip_blocks(PRODUCE_WINDOW);
        assert_eq!(next(), vec![]);
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

/// The chunks and what is known of publications that are over.
fn left() -> (usize, usize) {
    (Chunks::<Test>::iter().count(), Obsolete::<Test>::iter().count())
}

#[test]
fn chunks_of_publications_that_are_over_are_removed_as_far_as_the_weight_allows() {
    with_operators(|| {
        let mut published = vec![];
        for _ in 0..2 {
            let (id, operator) = producing();
            assert_ok!(publish(operator, id, Part::Request, REQUEST, 7));
            assert_ok!(publish_chunk(operator, id, Part::Transcript, 0, false, b"x"));
            published.push(id);
        }
        skip_blocks(PRODUCE_WINDOW + 1);
        for id in published {
            assert_ok!(Verification::advance(signed(KEEPER), id));
        }
        assert_eq!(left(), (8, 2));
        let each = <() as crate::WeightInfo>::remove_chunk();
        let idle = |limit| Verification::on_idle(now().into(), limit);
        assert_eq!(idle(each / 2), Weight::zero());
        assert_eq!(idle(each * 4), each * 4, "one look and three chunks");
        assert_eq!(left(), (5, 2));
        Verification::do_try_state().unwrap();
        assert_eq!(idle(Weight::MAX), each * (3 + 5));
        assert_eq!(left(), (0, 0));
    });
}
