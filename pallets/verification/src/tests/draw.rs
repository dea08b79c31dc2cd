// SPDX-License-Identifier: Apache-2.0
//! Which deliveries are audited, and by whom.

use crate::{mock::*, Event, PanelFailure, Phase, Records, SeatsOf, Stage, WHOLE};
use assay_primitives::{
    draw::{seed, without_replacement, Purpose, Weighted},
    job::{JobSpec, JobState},
    settlement::{AuditOutcome, Outcome},
    traits::{Auditor, PastRandomness},
};
use frame_support::{traits::Hooks, BoundedVec};
use sp_core::H256;
use sp_runtime::Permill;

#[test]
fn delivery_waits_for_randomness_that_was_not_known_when_it_came() {
    with_operators(|| {
        let (id, _) = delivered();
        let at = now() + 2;
        assert_eq!(phase(&id), Phase::Drawing { at });
        run_blocks(1);
        assert_eq!(phase(&id), Phase::Drawing { at });
        run_blocks(1);
        assert_eq!(phase(&id), Phase::Committing { until: at + COMMIT_WINDOW });
    });
}

#[test]
fn draw_waits_for_a_span_in_which_a_block_has_randomness() {
    with_operators(|| {
        let (id, _) = delivered();
        ParentRandomness::set(None);
        run_blocks(5);
        assert!(matches!(phase(&id), Phase::Drawing { .. }));
        ParentRandomness::set(Some(H256::zero()));
        run_blocks(2);
        assert!(matches!(phase(&id), Phase::Committing { .. }));
    });
}

#[test]
fn draw_that_had_to_wait_too_long_is_made_with_the_last_blocks() {
    with_operators(|| {
        let (id, _) = delivered();
        let before = audit(&id).span;
        // For 200 blocks nobody works off the agenda, and the beacon forgets.
        for _ in 0..200 {
            let next = now() + 1;
            System::set_block_number(next.into());
            Beacon::on_initialize(next.into());
        }
        let late = now();
        for _ in 0..60 {
            if matches!(phase(&id), Phase::Drawing { .. }) {
                run_blocks(1);
            }
        }
        // The draw is made when its turn comes, and does not wait again.
        assert_eq!(phase(&id), Phase::Committing { until: now() + COMMIT_WINDOW });
        let span = audit(&id).span;
        assert!(before.first < late && span.first >= late);
        assert_eq!(span.known(), now());
        assert!(Beacon::of_span(span.first, span.count).is_some());
    });
}

#[test]
fn draw_reads_the_blocks_after_the_commitment_and_no_others() {
    DrawBlocks::set(16);
    with_operators(|| {
        let (id, _) = delivered();
        let first = now() + 1;
        let span = audit(&id).span;
        assert_eq!((span.first, span.count, Beacon::of_span(first, 16)), (first, 16, None));
        run_blocks(16);
        assert!(matches!(phase(&id), Phase::Drawing { .. }));
        run_blocks(1);
        assert!(matches!(phase(&id), Phase::Committing { .. }));
        assert_eq!(audit(&id).span, span);
        assert!(span.blocks().all(|block| Beacon::of(block).is_some()));
    });
}

#[test]
fn draw_seats_three_and_reserves_their_bonds() {
    with_operators(|| {
        let (id, operator, committee) = drawn();
        for verifier in &committee {
            assert_ne!(*verifier, operator);
            assert_eq!(reserved(*verifier, &id), BOND);
            assert!(SeatsOf::<Test>::contains_key(verifier, id));
        }
        let until = now() + COMMIT_WINDOW;
        assert_eq!(
            events(),
            vec![Event::AuditDrawn {
                job: id,
                stage: Stage::Committee,
                round: 0,
                committee,
                until
            }]
        );
    });
}

#[test]
fn draw_can_be_recomputed_by_anyone() {
    with_operators(|| {
        let (id, operator) = delivered();
        run_blocks(2);
        let span = audit(&id).span;
        let randomness = Beacon::of_span(span.first, span.count).unwrap();
        let seed = seed(&randomness, &id, Purpose::Committee(0));
        // All in the order of their places, of which the operator's own tickets are void.
        let all: Vec<_> =
            OPERATORS.iter().map(|item| Weighted { item: *item, weight: STAKE }).collect();
        let expected: Vec<_> = without_replacement(&seed, &all, 4)
            .into_iter()
            .map(|drawn| drawn.item)
            .filter(|account| *account != operator)
            .take(3)
            .collect();
        assert_eq!(Verification::committee(&id), expected);
    });
}

#[test]
fn draw_excludes_operator_and_client() {
    with_operators(|| {
        for n in 0..20u8 {
            ParentRandomness::set(Some(H256::repeat_byte(n)));
            let client = OPERATORS[usize::from(n) % OPERATORS.len()];
            let (id, operator) = delivered_for(client, spec());
            run_blocks(2);
            let committee = Verification::committee(&id);
            assert_eq!(committee.len(), 3);
            assert!(!committee.contains(&operator) && !committee.contains(&client));
            for verifier in committee {
                commit(verifier, id, accepts()).unwrap();
            }
            for verifier in Verification::committee(&id) {
                reveal(verifier, id, accepts()).unwrap();
            }
        }
    });
}

#[test]
fn draw_excludes_delegators_of_the_operator() {
    with_operators(|| {
        for n in 0..10u8 {
            ParentRandomness::set(Some(H256::repeat_byte(n)));
            let (id, operator) = delivered();
            let delegators: Vec<_> =
                OPERATORS.into_iter().filter(|other| *other != operator).take(2).collect();
            for delegator in &delegators {
                Operators::delegate(signed(*delegator), operator, STAKE / 20).unwrap();
            }
            run_blocks(2);
            let committee = Verification::committee(&id);
            assert_eq!(committee.len(), 3);
            assert!(committee.iter().all(|verifier| !delegators.contains(verifier)));
            for verifier in committee {
                commit(verifier, id, accepts()).unwrap();
            }
            for verifier in Verification::committee(&id) {
                reveal(verifier, id, accepts()).unwrap();
            }
        }
    });
}

#[test]
fn draw_of_two_is_enough_for_a_majority() {
    with_some_operators(3, || {
        let (id, _) = delivered();
        run_blocks(2);
        let committee = Verification::committee(&id);
        assert_eq!(committee.len(), 2);
        for verifier in &committee {
            commit(*verifier, id, accepts()).unwrap();
        }
        for verifier in &committee {
            reveal(*verifier, id, accepts()).unwrap();
        }
        assert_eq!(conclusions(), vec![(AuditOutcome::Accepted, committee)]);
    });
}

#[test]
fn draw_of_one_is_too_few_and_leaves_the_audit_undecided() {
    with_some_operators(2, || {
        let (id, operator) = delivered();
        run_blocks(2);
        assert_eq!(failures(), vec![(Stage::Committee, PanelFailure::TooFewVerifiers)]);
        assert_eq!(conclusions(), vec![(AuditOutcome::Undecided, vec![])]);
        assert_eq!(settlement(&id).outcome, Outcome::Unverified);
        let other = OPERATORS.into_iter().find(|other| *other != operator).unwrap();
        assert_eq!(reserved(other, &id), 0);
        assert!(!SeatsOf::<Test>::contains_key(other, id));
    });
}

#[test]
fn draws_per_block_are_bounded_and_the_others_come_next() {
    MaxAuditsPerBlock::set(2);
    with_operators(|| {
        let mut ids = vec![];
        for _ in 0..5 {
            ids.push(Jobs::next_job_id(&CLIENT, &spec()));
            Jobs::create(signed(CLIENT), spec(), PAYMENT).unwrap();
        }
        run_blocks(1);
        for id in &ids {
            use assay_primitives::{traits::Duties, Report};
            let JobState::Assigned { operator, .. } = state(id) else { panic!("not assigned") };
            Jobs::handle(&operator, &Report::Accept { job: *id }).unwrap().unwrap();
            let report = Report::CommitOutput { job: *id, commitment: commitment() };
            Jobs::handle(&operator, &report).unwrap().unwrap();
        }
        run_blocks(1);
        for expected in [2, 4, 5] {
            run_blocks(1);
            let drawn = ids.iter().filter(|id| !Verification::committee(id).is_empty()).count();
            assert_eq!(drawn, expected);
        }
    });
}

#[test]
fn audit_rate_is_whole_at_first_then_falls_to_its_floor() {
    with_operators(|| {
        let operator = OPERATORS[0];
        let rate_at = |record| {
            Records::<Test>::insert(operator, record * WHOLE);
            Verification::audit_rate(&operator)
        };
        assert_eq!(rate_at(0), Permill::one());
        assert_eq!(rate_at(4), Permill::one());
        assert_eq!(rate_at(5), Permill::one());
        assert_eq!(rate_at(10), Permill::from_percent(50));
        assert_eq!(rate_at(50), Permill::from_percent(10));
        assert_eq!(rate_at(5_000), Permill::from_percent(10));
        assert_eq!(rate_at(u64::MAX / WHOLE), Permill::from_percent(10));
    });
}

#[test]
fn audit_rate_is_whole_again_after_a_fault() {
    with_operators(|| {
        let operator = OPERATORS[0];
        for _ in 0..20 {
            Verification::accepted(&operator, RecordFee::get());
        }
        assert_eq!(Verification::audit_rate(&operator), Permill::from_percent(25));
        Verification::faulted(&operator);
        assert_eq!(Verification::audit_rate(&operator), Permill::one());
        assert_eq!(Records::<Test>::get(operator), 0);
    });
}

#[test]
fn rejected_job_is_a_fault_and_accepted_ones_are_none() {
    with_operators(|| {
        let (_, operator, _) = revealed([accepts(); 3]);
        assert_eq!(Records::<Test>::get(operator), WHOLE);
        for stash in OPERATORS {
            Records::<Test>::insert(stash, 4 * WHOLE);
        }
        let (id, operator, _, _) = appealed([rejects(); 3]);
        judge(id, |_| rejects());
        assert_eq!(Records::<Test>::get(operator), 0);
    });
}

#[test]
fn draw_waives_most_audits_of_a_long_record_and_jobs_are_told() {
    with_operators(|| {
        let allowed = BoundedVec::truncate_from(vec![OPERATORS[0]]);
        let mut audited = 0;
        for n in 0..100u8 {
            ParentRandomness::set(Some(H256::repeat_byte(n)));
            Records::<Test>::insert(OPERATORS[0], 1_000 * WHOLE);
            let (id, _) = delivered_for(CLIENT, JobSpec { allowed: allowed.clone(), ..spec() });
            run_blocks(2);
            if is_over(&id) {
                assert!(matches!(state(&id), JobState::Delivered { audit: false, .. }));
                assert_eq!(conclusions().pop(), Some((AuditOutcome::NotAudited, vec![])));
                Jobs::confirm_received(signed(CLIENT), id).unwrap();
                assert_eq!(settlement(&id).outcome, Outcome::Paid);
            } else {
                audited += 1;
                run_blocks(60);
            }
        }
        // 10 of 100 are expected; fewer than 2 or more than 22 have a probability of 0.1 %.
        assert!((2..=22).contains(&audited), "{audited} of 100 were audited");
    });
}
