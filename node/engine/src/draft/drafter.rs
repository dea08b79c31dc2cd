// SPDX-License-Identifier: Apache-2.0
//! The interface of a drafter.

use crate::SampleSpec;

/// A source of guesses at the next tokens.
pub trait Drafter: Send {
    /// Returns up to `count` tokens that may follow `tokens`, which are the input and the output so
    /// far. With nothing to go by, an empty guess is a good one. The tokens will be chosen by
    /// `sample`.
    fn draft(&mut self, sample: &SampleSpec, tokens: &[u32], count: usize) -> Vec<u32>;
}
