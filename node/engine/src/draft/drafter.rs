// SPDX-License-Identifier: Apache-2.0
//! The interface of a drafter.

use crate::SampleSpec;

/// Guesses what follows.
pub trait Drafter: Send {
    /// Up to `count` tokens that may follow `tokens`, the input and the output so far. None is a
    /// good guess where nothing is known. The tokens will be chosen by `sample`.
    fn draft(&mut self, sample: &SampleSpec, tokens: &[u32], count: usize) -> Vec<u32>;
}
