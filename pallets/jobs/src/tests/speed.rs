// SPDX-License-Identifier: Apache-2.0
//! Deadlines that are shorter than a model takes.

use crate::{mock::*, Error};
use assay_primitives::{
    job::{JobSpec, Payment},
    traits::Performance,
};
use frame_support::{assert_noop, assert_ok, BoundedVec};

/// Orders 100 tokens with that deadline, from these operators or from any.
fn create(deadline: u32, allowed: &[AccountId]) -> frame_support::dispatch::DispatchResult {
    let allowed = BoundedVec::truncate_from(allowed.to_vec());
    let spec = JobSpec { max_tokens: 100, deadline, allowed, ..spec() };
    Jobs::create(signed(CLIENT), spec, Payment { cost: 500, ..PAYMENT })
}

#[test]
fn deadline_that_the_model_cannot_meet_is_refused() {
    with_jobs(|| {
        GenerationSpeed::set(7);
        let quote = Jobs::quote(&model(1), 10, 100).unwrap();
        assert_eq!((quote.tokens_per_block, quote.shortest_deadline), (7, 15));
        assert_noop!(create(14, &[]), Error::<Test>::DeadlineTooShort);
        assert_ok!(create(15, &[]));
    });
}

#[test]
fn named_operators_can_have_any_deadline() {
    with_jobs(|| {
        GenerationSpeed::set(7);
        assert_ok!(create(5, &[OPERATORS[0]]));
    });
}

#[test]
fn shortest_deadline_is_that_of_any_job_at_least() {
    with_jobs(|| assert_eq!(Jobs::quote(&model(1), 10, 1).unwrap().shortest_deadline, 5));
}

#[test]
fn measured_speed_of_a_model_allows_shorter_deadlines_and_never_longer_ones() {
    let measured = |tokens: u32| {
        with_jobs(|| {
            GenerationSpeed::set(10);
            // Twice, since a median is exact only around the one before.
            for _ in 0..4 {
                for operator in OPERATORS {
                    <Routing as Performance<_>>::delivered(&operator, &model(1), tokens, 10, 1);
                }
                end_epoch();
            }
            Jobs::quote(&model(1), 10, 100).unwrap().tokens_per_block
        })
    };
    let fast = measured(200);
    assert!((19..=20).contains(&fast), "{fast}");
    assert_eq!(measured(40), 10);
}

/// Begins blocks until the next epoch of routing has begun.
pub(super) fn end_epoch() {
    use frame_support::traits::Hooks;
    let before = pallet_routing::CurrentEpoch::<Test>::get().index;
    for _ in 0..1_000 {
        skip_block();
        Routing::on_initialize(now().into());
        if pallet_routing::CurrentEpoch::<Test>::get().index > before {
            return;
        }
        for operator in OPERATORS {
            <Routing as Performance<_>>::answered(&operator);
        }
    }
    panic!("epoch {before} does not end");
}
