// SPDX-License-Identifier: Apache-2.0
//! A client orders jobs that no operator can do, to have honest operators excluded from draws, and an
//! operator picks the jobs that it likes.

use crate::scene::*;
use assay_primitives::{job::JobState, DeclineReason, JobId, Report};
use assay_runtime::{AccountId, Runtime};
use pallet_routing::MemberOf;

fn member(operator: &AccountId) -> MemberOf<Runtime> {
    pallet_routing::Members::<Runtime>::get(operator).unwrap()
}

fn new_job() -> JobId {
    let spec = spec(17, 8);
    create(spec.clone(), quoted(&spec))
}

#[test]
fn impossible_jobs_do_not_silence_the_operators_that_decline_them() {
    on_chain(|| {
        for _ in 0..8 {
            let job = new_job();
            while !matches!(state(&job), JobState::Settled(_)) {
                let operator = assigned(&job);
                report(&operator, Report::Decline { job, reason: DeclineReason::Resource });
            }
        }
        for operator in operators() {
            let member = member(&operator);
            assert!(!member.silent, "{operator} is silent");
            assert_eq!(member.conduct.missed, 0, "of {operator}");
        }
    });
}

#[test]
fn operator_that_picks_jobs_pays_with_its_score_whatever_reason_it_names() {
    on_chain(|| {
        let job = new_job();
        let picks = assigned(&job);
        report(&picks, Report::Decline { job, reason: DeclineReason::PayloadUnavailable });
        let other = assigned(&job);
        report(&other, Report::Accept { job });
        assert_eq!((member(&picks).conduct.missed, member(&picks).silent), (1, false));
        assert_eq!(member(&other).conduct.missed, 0);
    });
}
