// SPDX-License-Identifier: Apache-2.0
//! A client orders work that its payment does not pay for: a long prompt for a token of output, and
//! jobs that no operator's prices meet, which only take up the chain's draws.

use crate::scene::*;
use assay_primitives::{
    job::{JobSpec, Payment},
    settlement::Outcome,
};
use assay_runtime::{presets::TINY_PRICES, Jobs, Runtime, RuntimeOrigin};
use frame_support::assert_noop;

#[test]
fn long_prompt_is_paid_for_though_the_output_is_short() {
    on_chain(|| {
        let spec = spec(2_000, 1);
        let before = wealth(&[client()]);
        let job = create(spec.clone(), quoted(&spec));
        deliver(&job, 1);
        judge(&job, |_, _, _| accepts());
        assert_eq!(settlement(&job).outcome, Outcome::Paid);
        let paid = before - wealth(&[client()]);
        assert_eq!(paid, 2_000 * TINY_PRICES.input + TINY_PRICES.output);
    });
}

#[test]
fn deadline_that_the_model_does_not_allow_is_refused_at_once() {
    on_chain(|| {
        let spec = JobSpec { deadline: 33, ..spec(17, 2_000) };
        let quote = Jobs::quote(&spec.model, 17, 2_000).unwrap();
        assert_eq!((quote.tokens_per_block, quote.shortest_deadline), (60, 34));
        assert_noop!(
            Jobs::create(RuntimeOrigin::signed(client()), spec.clone(), quote.payment),
            pallet_jobs::Error::<Runtime>::DeadlineTooShort
        );
        create(JobSpec { deadline: 34, ..spec }, quote.payment);
    });
}

#[test]
fn job_that_no_operator_would_run_is_refused_at_once() {
    on_chain(|| {
        let spec = spec(17, 2_000);
        let least = Jobs::quote(&spec.model, 17, 2_000).unwrap().least_cost;
        let payment = Payment { cost: least - 1, ..quoted(&spec) };
        assert_noop!(
            Jobs::create(RuntimeOrigin::signed(client()), spec.clone(), payment),
            pallet_jobs::Error::<Runtime>::CostBelowOffers
        );
        let job = create(spec, Payment { cost: least, ..payment });
        assigned(&job);
    });
}
