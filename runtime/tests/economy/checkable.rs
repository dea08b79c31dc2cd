// SPDX-License-Identifier: Apache-2.0
//! A job that requires verification and that too few operators can check: it waits and costs nothing. One
//! whose verifiers leave after its assignment is never paid unchecked.

use crate::scene::*;
use assay_primitives::{
    job::{JobSpec, JobState},
    Outcome,
};
use assay_runtime::{AccountId, Jobs, Operators, Runtime, RuntimeOrigin};
use frame_support::assert_ok;

/// Lets operators drain until so many are left, of which the first is that one.
fn leave(count: usize, first: &AccountId) {
    let others = operators().into_iter().filter(|who| who != first);
    for operator in others.skip(count - 1) {
        assert_ok!(Operators::set_draining(RuntimeOrigin::signed(operator), true));
    }
}

/// Brings the job to its end, in which nobody does anything.
fn wait_for_the_end(job: &assay_primitives::JobId) {
    for _ in 0..500 {
        if matches!(state(job), JobState::Settled(_)) {
            return;
        }
        next_block();
    }
    panic!("the job does not end: {:?}", state(job));
}

#[test]
fn job_that_too_few_can_check_expires_and_costs_nothing() {
    on_chain(|| {
        leave(8, &operators()[0]);
        let spec = JobSpec { deadline: 20, ..spec(17, 8) };
        let verifiers = Jobs::quote(&spec.model, 17, 8).unwrap().verifiers;
        assert_eq!((verifiers.operators, verifiers.fewest_operators), (7, 8));
        assert!(!verifiers.suffice());
        let before = wealth([&client()]);
        let job = create(spec.clone(), quoted(&spec));
        wait_for_the_end(&job);
        assert_eq!(settlement(&job).outcome, Outcome::Expired);
        assert_eq!(wealth([&client()]), before);
    });
}

#[test]
fn job_is_assigned_where_enough_can_check_it() {
    on_chain(|| {
        leave(9, &operators()[0]);
        let spec = spec(17, 8);
        assert!(Jobs::quote(&spec.model, 17, 8).unwrap().verifiers.suffice());
        let job = create(spec.clone(), quoted(&spec));
        assigned(&job);
    });
}

#[test]
fn altered_output_is_never_paid_although_its_verifiers_drain() {
    for left in [1, 2, 4, 9] {
        on_chain(|| {
            let spec = spec(17, 8);
            let before = wealth([&client()]);
            let job = create(spec.clone(), quoted(&spec));
            let operator = deliver(&job, 8);
            leave(left, &operator);
            judge(&job, |_, _, _| rejects());
            let outcome = settlement(&job).outcome;
            assert!(matches!(outcome, Outcome::Unverified | Outcome::Slashed), "{outcome:?}");
            assert!(wealth([&client()]) >= before, "the client paid with {left} operators");
        });
    }
}

#[test]
fn constants_of_this_chain_ask_for_eight_verifiers() {
    use frame_support::traits::Get;
    let committee: u32 = <Runtime as pallet_verification::Config>::CommitteeSize::get();
    let jury: u32 = <Runtime as pallet_verification::Config>::MinJury::get();
    assert_eq!(committee + jury, 8);
}
