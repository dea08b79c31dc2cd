// SPDX-License-Identifier: Apache-2.0
//! Tokens that enter a pass, and rows of logits that leave it.

use crate::kv::KvCache;

/// The logits after one token.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// Index of the token that these logits follow; they choose the token at `position + 1`.
    pub position: usize,
    /// One logit in Q15.16 for each token of the vocabulary.
    pub logits: &'a [i32],
}

/// Tokens that one sequence sends through the model in a pass, after those in its cache.
pub(crate) struct Span<'s> {
    /// The sequence's cache, which has room for the tokens.
    pub cache: &'s mut KvCache,
    pub tokens: &'s [u32],
    /// Whether the row after the token at this index of the sequence is to be judged.
    pub wanted: &'s dyn Fn(usize) -> bool,
}

/// The place of a token: its span, and its position in that span's sequence.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub span: usize,
    pub position: usize,
}
