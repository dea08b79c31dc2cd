// SPDX-License-Identifier: Apache-2.0
//! The speed of models, and the shortest deadlines that it allows.

use crate::{Config, Pallet};
use assay_primitives::{job::ModelId, traits::Routing, BlockNumber};
use frame_support::traits::Get;

impl<T: Config> Pallet<T> {
    /// Returns the tokens that the model is taken to write in a block: as many as half of its operators, by
    /// their work, were measured to write, and at least [`Config::GenerationSpeed`]. Blocks are too coarse
    /// to measure short outputs, so a measured speed alone could refuse what operators can do.
    pub(crate) fn tokens_per_block(model: &ModelId) -> u32 {
        let measured = T::Routing::tokens_per_block(model).unwrap_or(0);
        measured.max(T::GenerationSpeed::get()).max(1)
    }

    /// Returns the shortest deadline of a job of the model with so many tokens of output, whose client
    /// names no operators.
    pub(crate) fn shortest_deadline(model: &ModelId, max_tokens: u32) -> BlockNumber {
        max_tokens.div_ceil(Self::tokens_per_block(model)).max(T::MinDeadline::get())
    }
}
