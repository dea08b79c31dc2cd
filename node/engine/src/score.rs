// SPDX-License-Identifier: Apache-2.0
//! Description length: the number of bits in which a model encodes a text.
//!
//! A row of logits assigns each token an integer frequency, and a token costs `log2(total /
//! frequency)`. [`crate::compress`] codes with the same frequencies, which shows that the sum is
//! the length of a real code.
//!
//! - The frequency of token k is `1 + floor(2^40 e^(-t))`, where t is the largest logit minus its
//!   own, computed by [`frequency`] in integers. The 1 allows every token to be encoded.
//! - The cost of a token is `log2(total) - log2(frequency)` in Q32, where `log2 x` is `ln_q32(x) *
//!   LOG2_E / 2^32`, rounded down, of [`crate::sampling::fixed`]. It is at least 0. The sum is
//!   rounded down to units of 2^-16 bit at the end.
//! - The opening, which is the token that begins a text if the file says so, is free. If there is
//!   none, no row precedes the first token, which then costs as much as any other: `log2` of the
//!   size of the vocabulary. The token that ends a text is not encoded.
//! - A vocabulary may put a space before a text. The tokens are encoded with it, and the decoder
//!   removes one space. To keep texts unchanged, no other space is inserted, whereas in a prompt
//!   each special token is followed by one.
//! - A text that is longer than a window of 2048 tokens, or of the model's context if that is less,
//!   including the opening, is encoded in several windows. Each window after the first begins in
//!   the middle of the one before: its first half is known already and its second half is encoded.
//! - A text that its tokens do not restore byte for byte costs 8 bits for each byte. An example is
//!   a text with characters that the vocabulary spells differently, such as `▁` for a space.

mod compress;
mod encoded_text;
mod frequency;

use crate::{EngineError, Limits, Model, Threads};
pub use compress::{compress, decompress};
use encoded_text::{for_each_part, EncodedText};
use frequency::cost;
pub use frequency::frequency;
use std::sync::atomic::AtomicBool;

/// The length of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Score {
    /// The length in units of 2^-16 bit.
    pub bits_q16: u64,
    /// Number of tokens that are encoded.
    pub tokens: usize,
}

/// Computes the description length of a text under a model.
///
/// # Errors
/// Returns [`EngineError::MemoryLimit`], [`EngineError::Deadline`] or [`EngineError::Cancelled`].
pub fn score(
    model: &Model,
    threads: &Threads,
    text: &[u8],
    limits: &Limits,
    cancel: &AtomicBool,
) -> Result<Score, EngineError> {
    let Some(encoded) = EncodedText::new(model, text) else {
        return Ok(Score { bits_q16: (8 * text.len() as u64) << 16, tokens: 0 });
    };
    let mut bits = 0u64;
    for_each_part((model, threads), &encoded, limits, cancel, &mut |part| bits += cost(part))?;
    Ok(Score { bits_q16: bits >> 16, tokens: encoded.tokens.len() })
}
