// SPDX-License-Identifier: Apache-2.0
//! The test of a prompt's length, which precedes every tokenisation.
//!
//! It depends on nothing but the job, its prompt and its model, so all nodes find the same.

use crate::store::payloads::MAX_PROMPT_BYTES;
use assay_engine::Model;

/// The most bytes of a prompt that become one byte of a token. SentencePiece replaces its mark of a
/// space, which has three bytes, by one.
const BYTES_PER_TOKEN_BYTE: usize = 3;

/// Returns whether a prompt of that many bytes can have that many tokens of the model, and is within
/// [`MAX_PROMPT_BYTES`]. Another prompt must not be tokenised, because that takes long and much memory.
pub fn can_be(model: &Model, tokens: u32, bytes: usize) -> bool {
    let most = (tokens as usize).saturating_mul(model.longest_token());
    bytes <= most.saturating_mul(BYTES_PER_TOKEN_BYTE).min(MAX_PROMPT_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompt_that_is_longer_than_its_tokens_cannot_be() {
        let model = Model::tiny().unwrap();
        let most = 4 * model.longest_token() * BYTES_PER_TOKEN_BYTE;
        assert!(can_be(&model, 4, most) && !can_be(&model, 4, most + 1));
        assert!(can_be(&model, 0, 0) && !can_be(&model, 0, 1));
    }

    #[test]
    fn prompt_over_the_limit_cannot_be() {
        let model = Model::tiny().unwrap();
        assert!(can_be(&model, u32::MAX, MAX_PROMPT_BYTES));
        assert!(!can_be(&model, u32::MAX, MAX_PROMPT_BYTES + 1));
    }
}
