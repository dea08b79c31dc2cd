// SPDX-License-Identifier: Apache-2.0
//! Activations as the kernels read them.

use super::{block::TokenBlock, wide, Kernel};
use crate::quantise::BLOCK;

/// The activations of some tokens, block by block, the tokens of a block side by side.
#[derive(Debug, Default)]
pub(crate) struct Activations {
    tokens: usize,
    blocks: Vec<TokenBlock>,
}

/// Activations from one token on.
#[derive(Clone, Copy)]
pub(crate) struct Tokens<'a> {
    tokens: usize,
    blocks: &'a [TokenBlock],
}

impl Activations {
    /// Quantises `tokens` rows of `columns` values.
    pub(crate) fn fill(&mut self, kernel: Kernel, x: &[f32], tokens: usize, columns: usize) {
        self.tokens = tokens;
        self.blocks.resize(tokens * columns / BLOCK, TokenBlock::default());
        wide::quantise(kernel, &x[..tokens * columns], tokens, &mut self.blocks);
    }

    pub(crate) fn tokens(&self) -> usize {
        self.tokens
    }

    /// The activations from `first`, one of the tokens, on.
    pub(super) fn from(&self, first: usize) -> Tokens<'_> {
        Tokens { tokens: self.tokens, blocks: &self.blocks[first.min(self.blocks.len())..] }
    }
}

impl<'a> Tokens<'a> {
    /// The first `T` tokens, of which there are as many, block by block.
    #[inline(always)]
    pub(super) fn blocks<const T: usize>(self) -> impl Iterator<Item = &'a [TokenBlock; T]> {
        // The last chunk is short by the tokens before the first.
        self.blocks.chunks(self.tokens).filter_map(|block| block.first_chunk())
    }
}
