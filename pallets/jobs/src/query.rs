// SPDX-License-Identifier: Apache-2.0
//! The queries of nodes, clients and dApps.

use crate::{Config, JobNonce, Jobs, JobsOf, Pallet};
use alloc::vec::Vec;
use assay_primitives::{
    api::{page, JobView, Quote, QuoteError},
    job::{JobId, JobSpec, JobState, ModelId, Payment},
    traits::{Operators, Routing},
};
use frame_support::traits::Get;
use sp_core::H256;

impl<T: Config> Pallet<T> {
    /// Returns the cost of a job of this size with this model, and the amount that creating it holds.
    pub fn quote(model: &ModelId, input_tokens: u32, max_tokens: u32) -> Result<Quote, QuoteError> {
        if max_tokens == 0 {
            return Err(QuoteError::MaxTokensZero);
        }
        if input_tokens == 0 {
            return Err(QuoteError::InputEmpty);
        }
        let context = T::Routing::context(model).ok_or(QuoteError::ModelNotServed)?;
        if input_tokens.checked_add(max_tokens).is_none_or(|length| length > context) {
            return Err(QuoteError::ContextExceeded { context });
        }
        let least_cost =
            Self::least_cost(model, input_tokens, max_tokens).ok_or(QuoteError::ModelNotServed)?;
        let prices = T::Operators::prices(model, input_tokens, max_tokens)
            .ok_or(QuoteError::ModelNotServed)?;
        let cost = Self::cost_at(prices, input_tokens, max_tokens);
        let payment = Payment { down: 0, cost, tip: 0 };
        let (bounty, deposit) = (T::Bounty::get(), T::Deposit::get());
        let total = cost.saturating_add(bounty).saturating_add(deposit);
        let verifiers = Self::verifiers(model, input_tokens.saturating_add(max_tokens), cost);
        Ok(Quote {
            prices,
            payment,
            least_cost,
            bounty,
            deposit,
            total,
            audit: Self::audit_at(input_tokens, max_tokens, cost),
            verifiers,
            tokens_per_block: Self::tokens_per_block(model),
            shortest_deadline: Self::shortest_deadline(model, max_tokens),
            routed_deadline: Self::routed_deadline(model, input_tokens, max_tokens),
        })
    }

    /// The identifier that the client's next job would have.
    pub fn next_job_id(client: &T::AccountId, spec: &JobSpec<T::AccountId>) -> JobId {
        Self::id_of(client, JobNonce::<T>::get(client), spec)
    }

    /// A job, without its committee and the bond of a challenge, which this pallet does not know.
    pub fn view(id: &JobId) -> Option<JobView<T::AccountId>> {
        let job = Jobs::<T>::get(id)?;
        Some(JobView {
            attempts: job.attempts(),
            client: job.client,
            spec: job.spec,
            payment: job.payment,
            created: job.created,
            state: job.state,
            committee: Vec::new(),
            challenge_bond: None,
        })
    }

    /// Returns a page of at most `limit` jobs of a client that are not yet pruned, in the order of the
    /// storage. It begins after that job, or with the first.
    pub fn jobs_of(client: &T::AccountId, start_after: Option<&JobId>, limit: u32) -> Vec<JobId> {
        let all = match start_after {
            Some(id) => {
                JobsOf::<T>::iter_key_prefix_from(client, JobsOf::<T>::hashed_key_for(client, id))
            }
            None => JobsOf::<T>::iter_key_prefix(client),
        };
        all.take(page(limit)).collect()
    }

    /// Returns those of `ids` that the chain has, each with the hash of its request.
    pub fn requests(ids: impl IntoIterator<Item = JobId>) -> Vec<(JobId, H256)> {
        let request = |id| Jobs::<T>::get(id).map(|job| (id, job.spec.request_hash));
        ids.into_iter().filter_map(request).collect()
    }

    /// Those of `ids` that are neither settled nor unknown.
    pub fn live(ids: Vec<JobId>) -> Vec<JobId> {
        let lives = |id: &JobId| {
            Jobs::<T>::get(id).is_some_and(|job| !matches!(job.state, JobState::Settled(_)))
        };
        ids.into_iter().filter(lives).collect()
    }
}
