// SPDX-License-Identifier: Apache-2.0
//! Activations in the form in which the kernels read them.

use super::{block::TokenBlock, wide, Kernel};
use crate::quantise::BLOCK;

/// The activations of some tokens, block by block; the tokens of a block are adjacent.
#[derive(Debug, Default)]
pub(crate) struct Activations {
    tokens: usize,
    blocks: Vec<TokenBlock>,
}

/// The activations of the tokens from one of them on.
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

    /// Returns the number of tokens.
    pub(crate) fn tokens(&self) -> usize {
        self.tokens
    }

    /// Returns the activations of the tokens from `first` on. `first` must be less than the number
    /// of tokens.
    pub(super) fn from(&self, first: usize) -> Tokens<'_> {
        Tokens { tokens: self.tokens, blocks: &self.blocks[first.min(self.blocks.len())..] }
    }
}

impl<'a> Tokens<'a> {
    /// Returns the first `T` tokens block by block. There must be at least `T` tokens left.
    #[inline(always)]
    pub(super) fn blocks<const T: usize>(self) -> impl Iterator<Item = &'a [TokenBlock; T]> {
        // The last chunk lacks the tokens before the first one.
        self.blocks.chunks(self.tokens).filter_map(|block| block.first_chunk())
    }
}
