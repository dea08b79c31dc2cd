// SPDX-License-Identifier: Apache-2.0
//! The operators beside that of a job, as a sample of them shows: those that could have had the job, and
//! those that can check it.

use crate::{types::Job, Config, Pallet};
use assay_primitives::{
    api::Verifiers,
    draw::{self, Purpose},
    job::{JobId, ModelId, Verification},
    sample::Sample,
    traits::{Auditor, Routing},
    Balance, Prices,
};
use frame_support::{traits::Get, weights::Weight};
use sp_core::H256;
use sp_runtime::Permill;

/// The fewest other operators that must have been able to run a routed job.
const FEWEST: u32 = 2;

/// The operators beside that of a job.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Others {
    /// Whether enough of them could have had the job.
    pub routed: bool,
    /// Whether enough of them can check it, if the client requires that.
    pub suffice: bool,
}

impl<T: Config> Pallet<T> {
    /// Returns what the operators beside that one could do for the job, which would be run at these prices.
    pub(crate) fn others(
        id: &JobId,
        job: &Job<T::AccountId>,
        operator: &T::AccountId,
        prices: Prices,
        randomness: &H256,
    ) -> Others {
        let required = job.spec.verification == Verification::Required;
        let open = job.is_open_to_all();
        if !open && !required {
            return Others { routed: false, suffice: true };
        }
        let seed = draw::seed(randomness, id, Purpose::Sample(job.attempts()));
        let sample = T::Routing::sample(&job.spec.model, seed, operator);
        Others {
            // Its client may have kept the prompt from the one that it did not want.
            routed: open && job.unserved == 0 && Self::is_routed(job, &sample),
            suffice: !required || Self::is_checkable(job, operator, prices, &sample),
        }
    }

    /// Returns whether the job is routed: its deadline is long enough, and at least [`FEWEST`] others, with at
    /// least half of the others' stake in the model, could have taken it. Otherwise the client may have chosen
    /// the operator by terms that only that one offers, and the two may be one person. Free slots do not matter.
    fn is_routed(job: &Job<T::AccountId>, others: &Sample<T::AccountId>) -> bool {
        let spec = &job.spec;
        if spec.deadline < Self::routed_deadline(&spec.model, spec.input_tokens, spec.max_tokens) {
            return false;
        }
        let able = others.part(|other| Self::able(job, other).is_some());
        able.operators >= FEWEST && able.stake >= others.stake.saturating_sub(able.stake)
    }

    /// Returns whether a committee and a jury could be drawn to check the job, from others that hold a large
    /// enough part of all stake.
    fn is_checkable(
        job: &Job<T::AccountId>,
        operator: &T::AccountId,
        prices: Prices,
        others: &Sample<T::AccountId>,
    ) -> bool {
        let (model, tokens) = (&job.spec.model, job.spec.length());
        let reward = Self::reward_at(job, prices);
        let able = others.part(|other| {
            !T::Auditor::is_involved(other, &job.client, operator)
                && T::Auditor::can_check(other, model, tokens, reward)
        });
        let least = T::VerifiersStake::get().mul_ceil(T::Routing::total_stake());
        able.operators >= T::Auditor::fewest_verifiers() && able.stake >= least
    }

    /// Returns the operators that could check a job that pays `reward`. Looks at all operators.
    pub(crate) fn verifiers(model: &ModelId, tokens: u32, reward: Balance) -> Verifiers {
        let able = T::Routing::everyone(model)
            .drawn
            .into_iter()
            .filter(|(other, _)| T::Auditor::can_check(other, model, tokens, reward))
            .map(|(_, stake)| stake);
        let (count, stake, most) = able.fold((0u32, 0u64, 0u64), |(count, sum, most), stake| {
            (count.saturating_add(1), sum.saturating_add(stake), most.max(stake))
        });
        Verifiers {
            operators: count.saturating_sub(1),
            stake: Permill::from_rational(
                stake.saturating_sub(most),
                T::Routing::total_stake().max(1),
            ),
            fewest_operators: T::Auditor::fewest_verifiers(),
            least_stake: T::VerifiersStake::get(),
        }
    }

    /// Returns the largest weight of looking at the operators beside that of a job.
    pub(crate) fn others_weight() -> Weight {
        // For each other, whether it could have had the job and whether it has delegated. Then the stake of all,
        // and the measured and the least speed of the model.
        let each = T::DbWeight::get().reads(3);
        T::Routing::sample_weight(each).saturating_add(T::DbWeight::get().reads(4))
    }
}
