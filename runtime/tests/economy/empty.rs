// SPDX-License-Identifier: Apache-2.0
//! A client orders jobs whose prompts do not exist: they take up the slots of all operators, one
//! after the other.

use crate::scene::*;
use assay_primitives::{job::JobState, settlement::Outcome, DeclineReason, Report};
use assay_runtime::{parameters::Deposit, Balance};
use frame_support::traits::Get;

#[test]
fn job_whose_prompt_does_not_exist_costs_its_client_the_deposit() {
    on_chain(|| {
        let spec = spec(17, 8);
        let before = wealth(&[client()]);
        let job = create(spec.clone(), quoted(&spec));
        while !matches!(state(&job), JobState::Settled(_)) {
            let operator = assigned(&job);
            let reason = DeclineReason::PayloadUnavailable;
            report(&operator, Report::Decline { job, reason });
        }
        assert_eq!(settlement(&job).outcome, Outcome::Expired);
        let deposit: Balance = Deposit::get();
        assert!(deposit > 0);
        assert_eq!(before - wealth(&[client()]), deposit);
    });
}
