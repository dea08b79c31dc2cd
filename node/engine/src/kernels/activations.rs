// SPDX-License-Identifier: Apache-2.0
//! Activations as the kernels read them.

use super::Kernel;
use crate::{
    matrix::{Q8_LINES, QUAD},
    n1,
    quantise::BLOCK,
};

/// A block of 32 activations of one token.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub(crate) struct TokenBlock {
    q: [i8; BLOCK],
    pub d: f32,
    /// What the bias of the weights adds to a sum, negated: for Q8_0 and for Q4_0.
    offsets: [i32; 2],
}

impl TokenBlock {
    #[inline(always)]
    fn new(x: &[f32; BLOCK]) -> Self {
        let mut q = [0; BLOCK];
        let d = n1::quantise(x, &mut q);
        let sum = q.iter().fold(0i32, |sum, q| sum.wrapping_add(i32::from(*q)));
        Self { q, d, offsets: [sum.wrapping_mul(-128), sum.wrapping_mul(-8)] }
    }

    /// Four activations at a time, as they lie in memory.
    #[inline(always)]
    pub(super) fn quads(&self) -> &[[i8; QUAD]] {
        self.q.as_chunks().0
    }

    /// [`TokenBlock::quads`] as words for the lanes of a register.
    #[inline(always)]
    pub(super) fn words(&self) -> [i32; Q8_LINES] {
        let mut words = [0; Q8_LINES];
        for (word, quad) in words.iter_mut().zip(self.quads()) {
            *word = i32::from_ne_bytes(quad.map(|q| q as u8));
        }
        words
    }

    #[inline(always)]
    pub(super) fn offset<const LINES: usize>(&self) -> i32 {
        self.offsets[usize::from(LINES != Q8_LINES)]
    }
}

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
        super::wide::quantise(kernel, &x[..tokens * columns], tokens, &mut self.blocks);
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

/// `blocks[block * tokens + token]` of the rows `x`, one for each token.
#[inline(always)]
pub(super) fn quantise(x: &[f32], tokens: usize, blocks: &mut [TokenBlock]) {
    for (token, row) in x.chunks_exact(x.len() / tokens).enumerate() {
        let blocks = blocks[token..].iter_mut().step_by(tokens);
        for (x, block) in row.as_chunks().0.iter().zip(blocks) {
            *block = TokenBlock::new(x);
        }
    }
}
