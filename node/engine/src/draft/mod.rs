// SPDX-License-Identifier: Apache-2.0
//! Guessing tokens ahead of the model, which then decides many in one pass.
//!
//! A drafter changes how soon a result is there and never what it is: each token is the one that the
//! model chooses after those before it, and each digest the one of the model's own row.

mod lookup;
mod model;
mod pace;

use crate::SampleSpec;
pub use lookup::PromptLookup;
pub use model::ModelDrafter;
pub(crate) use pace::Pace;

/// Guesses what follows.
pub trait Drafter: Send {
    /// Up to `count` tokens that may follow `tokens`, the input and the output so far. None is a
    /// good guess where nothing is known. The tokens will be chosen by `sample`.
    fn draft(&mut self, sample: &SampleSpec, tokens: &[u32], count: usize) -> Vec<u32>;
}
