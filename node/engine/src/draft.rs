// SPDX-License-Identifier: Apache-2.0
//! Guessing tokens ahead of the model, which then decides several of them in one pass.
//!
//! A drafter changes how soon a result is available and never the result: each token is the one
//! that the model chooses after those before it, and each digest is that of the model's own row.

mod drafter;
mod model_drafter;
mod pace;
mod prompt_lookup;

pub use drafter::Drafter;
pub use model_drafter::ModelDrafter;
pub(crate) use pace::Pace;
pub use prompt_lookup::PromptLookup;
