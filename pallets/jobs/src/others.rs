// SPDX-License-Identifier: Apache-2.0
//! The operators beside that of a job, as a sample of them shows.

use crate::{types::Job, Config, Pallet};
use assay_primitives::{
    draw::{self, Purpose},
    job::JobId,
    traits::Routing,
};
use sp_core::H256;

/// The fewest other operators that must have been able to run a routed job.
const FEWEST: u32 = 2;

impl<T: Config> Pallet<T> {
    /// Returns whether the job is routed to that operator: at least [`FEWEST`] others, with at least half
    /// of the others' stake in the model, could have taken it. Otherwise its client may have chosen the
    /// operator, by what only that one does, and be one with it. Free slots do not matter.
    pub(crate) fn is_routed(
        id: &JobId,
        job: &Job<T::AccountId>,
        operator: &T::AccountId,
        randomness: &H256,
    ) -> bool {
        if !job.is_open_to_all() {
            return false;
        }
        let seed = draw::seed(randomness, id, Purpose::Sample(job.attempts()));
        let sample = T::Routing::sample(&job.spec.model, seed, operator);
        let able = sample.part(|other| Self::able(job, other).is_some());
        able.operators >= FEWEST && able.stake >= sample.stake.saturating_sub(able.stake)
    }
}
