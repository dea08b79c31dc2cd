// SPDX-License-Identifier: Apache-2.0
//! The draws of operators.

use crate::{mock::*, Event, JobsOfOperator};
use assay_primitives::{
    job::{JobId, JobSpec, JobState, Payment},
    report::Report,
    settlement::Outcome,
    DeclineReason,
};
use frame_support::{traits::Hooks, BoundedVec};
use sp_core::H256;

fn operator_of(id: &JobId) -> Option<AccountId> {
    match state(id) {
        JobState::Assigned { operator, .. } => Some(operator),
        _ => None,
    }
}

fn decline(id: JobId) -> AccountId {
    let operator = operator_of(&id).expect("assigned");
    report(operator, Report::Decline { job: id, reason: DeclineReason::Resource }).unwrap();
    operator
}

#[test]
fn assignment_draws_in_the_next_block_and_reserves_the_bond() {
    with_jobs(|| {
        let id = order();
        assert_eq!(operator_of(&id), None);
        run_blocks(1);
        let operator = operator_of(&id).expect("assigned");
        assert!(OPERATORS.contains(&operator));
        assert_eq!(state(&id), JobState::Assigned { operator, prices: PRICES, until: 5 });
        assert_eq!(reserved(operator, &id), BOND);
        assert!(JobsOfOperator::<Test>::contains_key(operator, id));
        assert_eq!(
            last_event(),
            Event::JobAssigned {
                job: id,
                operator,
                prices: PRICES,
                bond: BOND,
                routed: true,
                until: 5
            }
        );
    });
}

#[test]
fn assignment_waits_for_randomness() {
    with_jobs(|| {
        ParentRandomness::set(None);
        let id = order();
        run_blocks(4);
        assert_eq!(operator_of(&id), None);
        ParentRandomness::set(Some(H256::zero()));
        run_blocks(1);
        assert!(operator_of(&id).is_some());
    });
}

#[test]
fn assignment_follows_the_randomness() {
    with_jobs(|| {
        let mut seen = std::collections::BTreeSet::new();
        for n in 0..40u8 {
            ParentRandomness::set(Some(H256::repeat_byte(n)));
            seen.insert(assigned().1);
        }
        assert_eq!(seen.len(), OPERATORS.len(), "each of four equals is drawn in forty draws");
    });
}

#[test]
fn assignment_works_off_a_bounded_number_per_block() {
    with_jobs(|| {
        let ids: Vec<_> = (0..5).map(|_| order()).collect();
        let assigned = || ids.iter().filter(|id| operator_of(id).is_some()).count();
        for expected in [2, 4, 5] {
            skip_block();
            assert_eq!(assigned(), expected);
        }
    });
}

#[test]
fn assignment_weighs_what_it_did() {
    with_jobs(|| {
        use crate::WeightInfo;
        order();
        System::set_block_number(2);
        let draw = Jobs::draw_weight();
        assert!(draw.all_gt(Default::default()));
        assert_eq!(Jobs::on_initialize(2), <() as WeightInfo>::on_initialize(1) + draw);
        System::set_block_number(3);
        assert_eq!(Jobs::on_initialize(3), <() as WeightInfo>::on_initialize(0));
    });
}

#[test]
fn assignment_keeps_to_the_allowed_operators() {
    with_jobs(|| {
        for n in 0..10u8 {
            ParentRandomness::set(Some(H256::repeat_byte(n)));
            let allowed = BoundedVec::truncate_from(vec![OPERATORS[2]]);
            let id = order_with(CLIENT, JobSpec { allowed, ..spec() }, PAYMENT);
            skip_block();
            assert_eq!(operator_of(&id), Some(OPERATORS[2]));
        }
    });
}

#[test]
fn assignment_never_gives_a_client_its_own_job() {
    with_jobs(|| {
        let own = OPERATORS[0];
        let allowed = BoundedVec::truncate_from(vec![own]);
        let id = order_with(own, JobSpec { allowed, ..spec() }, PAYMENT);
        run_blocks(3);
        assert_eq!(operator_of(&id), None);
    });
}

#[test]
fn assignment_asks_no_one_who_is_too_expensive() {
    with_jobs(|| {
        serve::<Test>(NEWCOMER, model(1), PRICE - 1, CONTEXT, STAKE);
        let id = order_with(CLIENT, spec(), Payment { cost: 20 * PRICE - 1, ..PAYMENT });
        run_blocks(1);
        assert_eq!(operator_of(&id), Some(NEWCOMER));
    });
}

#[test]
fn assignment_keeps_to_the_limits_of_offers_and_to_refusals() {
    let limited = |max_reward, max_bond| {
        with_jobs(|| {
            for stash in OPERATORS {
                let offer = pallet_operators::Offer::unlimited(model(1), PRICES, CONTEXT);
                let offer = pallet_operators::Offer { max_reward, max_bond, ..offer };
                let offers = BoundedVec::truncate_from(vec![offer]);
                Operators::set_offers(signed(stash), offers).unwrap();
            }
            let id = order();
            run_blocks(1);
            operator_of(&id).is_some()
        })
    };
    assert!(limited(BOND / 20, BOND));
    assert!(!limited(BOND / 20 - 1, BOND));
    assert!(!limited(BOND / 20, BOND - 1));
    with_jobs(|| {
        for stash in OPERATORS {
            Operators::refuse_client(signed(stash), CLIENT).unwrap();
        }
        let (refused, other) = (order(), order_with(OTHER_CLIENT, spec(), PAYMENT));
        run_blocks(1);
        assert_eq!(operator_of(&refused), None);
        assert!(operator_of(&other).is_some());
    });
}

#[test]
fn assignment_never_backs_two_jobs_with_one_stake() {
    with_jobs(|| {
        serve::<Test>(NEWCOMER, model(3), PRICE, CONTEXT, BOND + 10);
        let spec = JobSpec { model: model(3), ..spec() };
        let first = order_with(CLIENT, spec.clone(), PAYMENT);
        let second = order_with(CLIENT, spec, PAYMENT);
        run_blocks(1);
        let served = [first, second].iter().filter(|id| operator_of(id).is_some()).count();
        assert_eq!(served, 1);
    });
}

#[test]
fn jobs_that_nobody_takes_do_not_hold_up_new_ones() {
    with_jobs(|| {
        let allowed = BoundedVec::truncate_from(vec![NEWCOMER]);
        for _ in 0..40 {
            order_with(CLIENT, JobSpec { allowed: allowed.clone(), ..spec() }, PAYMENT);
            run_blocks(1);
        }
        let id = order();
        run_blocks(1);
        assert!(operator_of(&id).is_some());
    });
}

#[test]
fn assignment_tries_again_until_someone_comes() {
    with_jobs(|| {
        let allowed = BoundedVec::truncate_from(vec![NEWCOMER]);
        let id = order_with(CLIENT, JobSpec { allowed, ..spec() }, PAYMENT);
        run_blocks(10);
        assert_eq!(operator_of(&id), None);
        serve::<Test>(NEWCOMER, model(1), PRICE, CONTEXT, STAKE);
        run_blocks(2);
        assert_eq!(operator_of(&id), Some(NEWCOMER));
    });
}

#[test]
fn assignment_of_a_job_that_waits_long_is_tried_less_often() {
    with_jobs(|| {
        let allowed = BoundedVec::truncate_from(vec![NEWCOMER]);
        let id = order_with(CLIENT, JobSpec { allowed, deadline: 100, ..spec() }, PAYMENT);
        let mut tries = 0;
        for _ in 0..100 {
            let before = crate::AssignmentEntries::<Test>::iter().next();
            run_blocks(1);
            tries += u32::from(crate::AssignmentEntries::<Test>::iter().next() != before);
        }
        assert!(tries < 40, "{tries} tries in 100 blocks");
        run_blocks(2);
        assert_eq!(settlement(&id).outcome, Outcome::Expired);
    });
}

#[test]
fn decline_frees_the_operator_and_draws_another() {
    with_jobs(|| {
        let (id, first) = assigned();
        decline(id);
        assert_eq!(reserved(first, &id), 0);
        assert_eq!(state(&id), JobState::Open { until: 21 });
        assert_eq!(
            last_event(),
            Event::JobDeclined { job: id, operator: first, reason: DeclineReason::Resource }
        );
        run_blocks(1);
        let second = operator_of(&id).expect("assigned");
        assert_ne!(second, first);
        assert_eq!(Jobs::view(&id).unwrap().attempts, 2);
    });
}

#[test]
fn decline_of_the_last_attempt_expires_the_job() {
    with_jobs(|| {
        let (id, _) = assigned();
        let mut declined = std::collections::BTreeSet::new();
        for _ in 0..2 {
            declined.insert(decline(id));
            run_blocks(1);
        }
        declined.insert(decline(id));
        assert_eq!(declined.len(), 3, "nobody was drawn twice");
        assert_eq!(settlement(&id).outcome, Outcome::Expired);
        assert_eq!(wealth(CLIENT), ENDOWMENT);
        assert_eq!(Balances::reserved_balance(CLIENT), 0);
    });
}

#[test]
fn decline_in_the_last_open_block_expires_the_job() {
    with_jobs(|| {
        ParentRandomness::set(None);
        let id = order();
        run_to(20);
        ParentRandomness::set(Some(H256::zero()));
        run_to(21);
        decline(id);
        assert_eq!(settlement(&id).outcome, Outcome::Expired);
    });
}

#[test]
fn assignment_is_tried_in_the_last_open_block() {
    with_jobs(|| {
        let allowed = BoundedVec::truncate_from(vec![NEWCOMER]);
        let id = order_with(CLIENT, JobSpec { allowed, deadline: 100, ..spec() }, PAYMENT);
        run_to(100);
        serve::<Test>(NEWCOMER, model(1), PRICE, CONTEXT, STAKE);
        run_to(101);
        assert_eq!(operator_of(&id), Some(NEWCOMER));
    });
}

#[test]
fn draw_of_an_operator_waits_for_blocks_after_the_job() {
    AssignmentBlocks::set(2);
    with_jobs(|| {
        let id = order();
        for _ in 0..2 {
            run_blocks(1);
            assert!(matches!(state(&id), JobState::Open { .. }));
        }
        run_blocks(1);
        let JobState::Assigned { operator, .. } = state(&id) else { panic!("not assigned") };
        // The next operator is drawn from blocks after the decline.
        report(operator, Report::Decline { job: id, reason: DeclineReason::Resource }).unwrap();
        run_blocks(2);
        assert!(matches!(state(&id), JobState::Open { .. }));
        run_blocks(1);
        assert!(matches!(state(&id), JobState::Assigned { .. }));
    });
}

#[test]
fn job_that_cannot_wait_for_the_next_draw_expires() {
    AssignmentBlocks::set(2);
    with_jobs(|| {
        let id = order_with(CLIENT, JobSpec { deadline: 5, ..spec() }, PAYMENT);
        run_blocks(3);
        let JobState::Assigned { operator, .. } = state(&id) else { panic!("not assigned") };
        report(operator, Report::Decline { job: id, reason: DeclineReason::Resource }).unwrap();
        assert_eq!(settlement(&id).outcome, Outcome::Expired);
    });
}
