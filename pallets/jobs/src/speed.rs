// SPDX-License-Identifier: Apache-2.0
//! The speed of models, and the shortest deadlines that it allows.

use crate::{Config, Pallet};
use assay_primitives::{
    job::{JobSpec, ModelId, TIME_MARGIN, TIME_OVERHEAD},
    traits::Routing,
    BlockNumber,
};
use frame_support::traits::Get;

/// The number of tokens of a prompt that an engine reads, at least, in the time of a token of output.
const READ_PER_TOKEN: u32 = 4;

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
    /// Returns whether the job's deadline leaves the workers of others time for it, if they are as fast as the
    /// model is taken to be: they decline a job that may be late.
    pub(crate) fn leaves_time(spec: &JobSpec<T::AccountId>) -> bool {
        // A measured speed counts here even if it is below the least, since slow workers decline earlier.
        let measured = T::Routing::tokens_per_block(&spec.model);
        let speed = measured.unwrap_or_else(T::GenerationSpeed::get).max(1);
        let tokens = spec.max_tokens.saturating_add(spec.input_tokens.div_ceil(READ_PER_TOKEN));
        let wanted = tokens.div_ceil(speed).saturating_mul(TIME_MARGIN);
        spec.deadline >= wanted.saturating_add(TIME_OVERHEAD)
    }
}
