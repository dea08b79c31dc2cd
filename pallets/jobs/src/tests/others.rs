// SPDX-License-Identifier: Apache-2.0
//! The operators beside that of a job: enough of them could have had a routed job, and enough of them can
//! check one whose client requires that.

use super::speed::end_epoch;
use crate::mock::*;
use assay_primitives::{
    api::Verifiers,
    job::{JobId, JobSpec, JobState, Payment, Verification},
    reason::DeclineReason,
    report::Report,
    settlement::{AuditOutcome, Outcome},
    traits::{AuditedJobs, Performance},
    Prices,
};
use frame_support::{assert_ok, BoundedVec};
use pallet_operators::Offer;
use sp_runtime::Permill;

/// Lets the operator make that offer.
fn offer(stash: AccountId, offer: Offer) {
    let offers = BoundedVec::truncate_from(vec![offer]);
    assert_ok!(Operators::set_offers(signed(stash), offers));
}

fn cheap() -> Offer {
    Offer::unlimited(model(1), Prices { input: 0, output: 1 }, CONTEXT)
}

/// Returns whether the job is routed, after an operator was drawn for it.
fn routed(id: JobId) -> bool {
    skip_block();
    let job = job(&id);
    assert_eq!(job.drawn.len(), 1, "no operator was drawn");
    job.routed
}

/// A job that pays no more than a token of output costs at a price of 1.
fn cheap_order() -> JobId {
    order_with(CLIENT, spec(), Payment { cost: 20, ..PAYMENT })
}

#[test]
fn job_that_all_could_have_had_is_routed() {
    with_jobs(|| assert!(routed(order())));
}

#[test]
fn job_that_names_operators_is_not_routed() {
    with_jobs(|| {
        let allowed = BoundedVec::truncate_from(OPERATORS.to_vec());
        let spec = JobSpec { allowed, ..spec() };
        assert!(!routed(order_with(CLIENT, spec, PAYMENT)));
    });
}

#[test]
fn job_is_not_routed_after_an_operator_did_not_get_its_prompt() {
    with_jobs(|| {
        let routed_again = |reason| {
            let (job, operator) = assigned();
            assert_ok!(report(operator, Report::Decline { job, reason }));
            skip_block();
            let again = crate::mock::job(&job);
            assert_eq!(again.drawn.len(), 2, "no other operator was drawn");
            again.routed
        };
        assert!(routed_again(DeclineReason::Resource));
        assert!(!routed_again(DeclineReason::PayloadUnavailable));
    });
}

#[test]
fn job_that_few_could_have_had_at_its_price_is_not_routed() {
    with_jobs(|| {
        offer(11, cheap());
        assert!(!routed(cheap_order()));
        // One other of three.
        offer(12, cheap());
        assert!(!routed(cheap_order()));
        // Two of three.
        offer(13, cheap());
        assert!(routed(cheap_order()));
    });
}

#[test]
fn others_must_be_two_and_have_half_of_the_stake_of_others() {
    with_jobs(|| {
        for stash in [13, 14] {
            Operators::set_draining(signed(stash), true).unwrap();
        }
        // The only other one has all of the others' stake.
        assert!(!routed(order()));
        serve::<Test>(NEWCOMER, model(1), PRICE, CONTEXT, STAKE);
        assert!(routed(order()));
    });
    with_jobs(|| {
        for stash in [11, 12, 13] {
            offer(stash, cheap());
        }
        // Two others of three, but four fifths of the stake could not have had it.
        serve::<Test>(NEWCOMER, model(1), PRICE, CONTEXT, 10 * STAKE);
        assert!(!routed(cheap_order()));
    });
}

#[test]
fn job_that_is_too_long_or_too_large_for_others_is_not_routed() {
    let alone = |change: fn(Offer) -> Offer| {
        with_jobs(|| {
            for stash in [12, 13, 14] {
                offer(stash, change(Offer::unlimited(model(1), PRICES, CONTEXT)));
            }
            assert!(!routed(order()));
        });
    };
    alone(|offer| Offer { context: 29, ..offer });
    alone(|offer| Offer { max_reward: 112, ..offer });
    alone(|offer| Offer { max_bond: BOND - 1, ..offer });
}

#[test]
fn job_whose_deadline_leaves_the_workers_of_others_no_time_is_not_routed() {
    with_jobs(|| {
        GenerationSpeed::set(7);
        // Twice the 20 tokens of output and the 10 of the prompt take 8 blocks.
        let routed = |deadline| {
            let spec = JobSpec { input_tokens: 10, max_tokens: 20, deadline, ..spec() };
            routed(order_with(CLIENT, spec, PAYMENT))
        };
        assert!(!routed(19));
        assert!(routed(20));
        assert_eq!(Jobs::quote(&model(1), 10, 20).unwrap().routed_deadline, 20);
        // Where operators were measured to be slower, workers want more time.
        for _ in 0..4 {
            for operator in OPERATORS {
                <Routing as Performance<_>>::delivered(&operator, &model(1), 40, 10, 1);
            }
            end_epoch();
        }
        let measured =
            <Routing as assay_primitives::traits::Routing<_>>::tokens_per_block(&model(1));
        let measured = measured.expect("all were measured");
        assert!((3..=4).contains(&measured), "{measured}");
        let least = 4 + 2 * 50u32.div_ceil(measured);
        assert!(!routed(least - 1));
        assert!(routed(least));
        // That others are faster than the least keeps nobody from a job.
        GenerationSpeed::set(2);
        assert!(!routed(4 + 2 * 25 - 1));
        assert!(routed(4 + 2 * 25));
    });
}

#[test]
fn job_whose_client_others_refuse_is_not_routed() {
    with_jobs(|| {
        for stash in [12, 13, 14] {
            assert_ok!(Operators::refuse_client(signed(stash), CLIENT));
        }
        assert!(!routed(order()));
        assert!(routed(order_with(OTHER_CLIENT, spec(), PAYMENT)));
    });
}

#[test]
fn free_slots_of_others_do_not_matter() {
    with_jobs(|| {
        for stash in OPERATORS {
            assert_ok!(Operators::set_concurrency(signed(stash), 1));
        }
        let jobs: Vec<_> = (0..4).map(|_| order()).collect();
        run_blocks(3);
        assert!(jobs.iter().all(|id| job(id).routed));
    });
}

#[test]
fn job_that_is_not_routed_counts_for_no_record_and_no_speed() {
    for allowed in [vec![], vec![11]] {
        with_jobs(|| {
            offer(11, cheap());
            let allowed = BoundedVec::truncate_from(allowed.clone());
            let spec = JobSpec { max_tokens: 40, allowed, ..spec() };
            let id = order_with(CLIENT, spec, Payment { cost: 40, ..PAYMENT });
            skip_block();
            finish(id, 11);
            assert_eq!(Accepted::get(), vec![]);
            let member = pallet_routing::Members::<Test>::get(11).unwrap();
            assert_eq!(member.served[0].work, Default::default());
        });
    }
    with_jobs(|| {
        let id = order_with(CLIENT, spec(), PAYMENT);
        skip_block();
        let operator = *job(&id).drawn.last().unwrap();
        finish(id, operator);
        assert_eq!(Accepted::get().len(), 1);
    });
}

/// Lets the operator deliver the job, whose output is then accepted.
fn finish(id: JobId, operator: AccountId) {
    report(operator, Report::Accept { job: id }).unwrap();
    let tokens = job(&id).spec.max_tokens - 1;
    report(operator, Report::CommitOutput { job: id, commitment: commitment(tokens) }).unwrap();
    Jobs::conclude(&id, AuditOutcome::Accepted, &[], 0, 0);
}

/// A job that is to be run only where it can be checked.
fn strict_order() -> JobId {
    order_with(CLIENT, JobSpec { verification: Verification::Required, ..spec() }, PAYMENT)
}

fn is_assigned(id: &JobId) -> bool {
    matches!(state(id), JobState::Assigned { .. })
}

#[test]
fn job_that_too_few_can_check_waits_expires_and_costs_nothing() {
    with_jobs(|| {
        FewestVerifiers::set(4);
        let before = wealth(CLIENT);
        let id = strict_order();
        run_blocks(10);
        assert!(!is_assigned(&id));
        run_blocks(15);
        assert_eq!(settlement(&id).outcome, Outcome::Expired);
        assert_eq!(job(&id).drawn.len(), 0);
        assert_eq!(wealth(CLIENT), before);
        assert!(OPERATORS.iter().all(|operator| reserved(*operator, &id) == 0));
    });
}

#[test]
fn job_that_need_not_be_checked_does_not_wait() {
    with_jobs(|| {
        FewestVerifiers::set(4);
        let id = order();
        skip_block();
        assert!(is_assigned(&id));
    });
}

#[test]
fn job_that_waits_is_assigned_once_enough_can_check_it() {
    with_jobs(|| {
        FewestVerifiers::set(4);
        let id = strict_order();
        run_blocks(5);
        assert!(!is_assigned(&id));
        serve::<Test>(NEWCOMER, model(1), PRICE, CONTEXT, STAKE);
        run_blocks(3);
        assert!(is_assigned(&id));
    });
}

#[test]
fn client_and_operators_without_room_are_no_verifiers() {
    with_jobs(|| {
        FewestVerifiers::set(3);
        assert_ok!(Operators::set_offers(signed(14), Default::default()));
        // The client is an operator, the fourth of the model, but it checks no job of its own.
        serve::<Test>(NEWCOMER, model(1), PRICE, CONTEXT, STAKE);
        let spec = JobSpec { verification: Verification::Required, ..spec() };
        let id = order_with(NEWCOMER, spec, PAYMENT);
        run_blocks(2);
        assert!(!is_assigned(&id));
    });
    with_jobs(|| {
        FewestVerifiers::set(3);
        offer(14, Offer::unlimited(model(1), PRICES, 29));
        let id = strict_order();
        run_blocks(2);
        assert!(!is_assigned(&id));
    });
}

#[test]
fn verifiers_hold_a_part_of_all_stake() {
    with_jobs(|| {
        FewestVerifiers::set(3);
        VerifiersStake::set(Permill::from_percent(60));
        let id = strict_order();
        skip_block();
        assert!(is_assigned(&id), "three of four hold 75 %");
        // An operator of another model, with as much stake as two of these.
        serve::<Test>(NEWCOMER, model(2), PRICE, CONTEXT, 2 * STAKE);
        let id = strict_order();
        run_blocks(2);
        assert!(!is_assigned(&id), "three hold 50 %");
        VerifiersStake::set(Permill::from_percent(50));
        run_blocks(3);
        assert!(is_assigned(&id));
    });
}

#[test]
fn named_operators_are_checked_by_all() {
    with_jobs(|| {
        FewestVerifiers::set(3);
        let allowed = BoundedVec::truncate_from(vec![11]);
        let spec = JobSpec { verification: Verification::Required, allowed, ..spec() };
        let id = order_with(CLIENT, spec, PAYMENT);
        skip_block();
        assert!(is_assigned(&id));
    });
}

#[test]
fn quote_says_how_many_could_check_with_how_much_stake() {
    with_jobs(|| {
        FewestVerifiers::set(3);
        VerifiersStake::set(Permill::from_percent(60));
        let verifiers = || Jobs::quote(&model(1), 10, 20).unwrap().verifiers;
        let all = Verifiers {
            operators: 3,
            stake: Permill::from_percent(75),
            fewest_operators: 3,
            least_stake: Permill::from_percent(60),
        };
        assert_eq!(verifiers(), all);
        assert!(verifiers().suffice());
        offer(14, Offer::unlimited(model(1), PRICES, 29));
        assert_eq!(
            verifiers(),
            Verifiers { operators: 2, stake: Permill::from_percent(50), ..all }
        );
        assert!(!verifiers().suffice());
    });
}
