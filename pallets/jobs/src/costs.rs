// SPDX-License-Identifier: Apache-2.0
//! The costs of jobs before an operator is drawn.

use crate::{Config, Pallet};
use assay_primitives::{job::ModelId, traits::Routing, Balance};

impl<T: Config> Pallet<T> {
    /// Returns the lowest cost of a job of this size that [`Pallet::create`] takes: no operator of
    /// the model asks less. Returns `None` where no operator serves the model.
    pub(crate) fn least_cost(
        model: &ModelId,
        input_tokens: u32,
        max_tokens: u32,
    ) -> Option<Balance> {
        Some(T::Routing::lowest_prices(model)?.of(input_tokens, max_tokens))
    }
}
