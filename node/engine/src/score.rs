// SPDX-License-Identifier: Apache-2.0
//! Description length: how many bits a model needs to tell a text.
//!
//! A row of logits gives each token an integer frequency; a token costs `log2(total / frequency)`.
//! [`crate::compress`] codes with the same frequencies, which shows that the sum is a real length.
//!
//! - The frequency of token k is `1 + floor(2^40 e^(-t))`, with t the largest logit minus its own,
//!   computed by [`frequency`] in integers. The 1 lets every token be told.
//! - The cost of a token is `log2(total) - log2(frequency)` in Q32, where `log2 x` is
//!   `ln_q32(x) * LOG2_E / 2^32`, rounded down, of [`crate::sampling::fixed`]; at least 0. The sum
//!   is rounded down to units of 2^-16 bit at the end.
//! - The opening, the token that begins a text where the file says so, is free. If there is none,
//!   the first token has no row before it and costs as much as any other: `log2` of the size of the
//!   vocabulary. No token is told that ends a text.
//! - A vocabulary may put a space before a text; its tokens are told with it, and who reads them takes
//!   one space off. So that no text is changed by that, no other space is put into it, unlike in a
//!   prompt, where each special token is followed by one.
//! - A text longer than a window of 2048 tokens, or of the model's context if that is less, opening
//!   included, is told in several. Each window after the first begins in the middle of the one
//!   before: its first half is known already and its second half is told.
//! - A text that the tokens do not give back byte for byte costs 8 bits for each byte: one with
//!   characters that the vocabulary spells otherwise, such as `▁` for a space.

mod compress;
mod frequency;
mod telling;

use crate::{EngineError, Limits, Model, Threads};
pub use compress::{compress, decompress};
use frequency::cost;
pub use frequency::frequency;
use std::sync::atomic::AtomicBool;
use telling::{tell, Telling};

/// The length of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Score {
    /// Units of 2^-16 bit.
    pub bits_q16: u64,
    /// Tokens that are told.
    pub tokens: usize,
}

/// The description length of a text under a model.
///
/// # Errors
/// [`EngineError::MemoryLimit`], [`EngineError::Deadline`], [`EngineError::Cancelled`].
pub fn score(
    model: &Model,
    threads: &Threads,
    text: &[u8],
    limits: &Limits,
    cancel: &AtomicBool,
) -> Result<Score, EngineError> {
    let Some(telling) = Telling::new(model, text) else {
        return Ok(Score { bits_q16: (8 * text.len() as u64) << 16, tokens: 0 });
    };
    let mut bits = 0u64;
    tell((model, threads), &telling, limits, cancel, &mut |part| bits += cost(part))?;
    Ok(Score { bits_q16: bits >> 16, tokens: telling.tokens.len() })
}
