// SPDX-License-Identifier: Apache-2.0
//! Blocks of quantised activations.

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
    /// The negated contribution of the weights' bias to a sum: for Q8_0 and for Q4_0.
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

    /// Returns the activations in groups of four, in memory order.
    #[inline(always)]
    pub(super) fn quads(&self) -> &[[i8; QUAD]] {
        self.q.as_chunks().0
    }

    /// Returns [`TokenBlock::quads`] as words for the lanes of a register.
    #[inline(always)]
    pub(super) fn words(&self) -> [i32; Q8_LINES] {
        let mut words = [0; Q8_LINES];
        for (word, quad) in words.iter_mut().zip(self.quads()) {
            *word = i32::from_ne_bytes(quad.map(|q| q as u8));
        }
        words
    }

    /// Returns the negated contribution of the weights' bias for blocks of `LINES` lines.
    #[inline(always)]
    pub(super) fn offset<const LINES: usize>(&self) -> i32 {
        self.offsets[usize::from(LINES != Q8_LINES)]
    }
}

/// Quantises the rows of `x`, one for each token, to `blocks[block * tokens + token]`.
#[inline(always)]
pub(super) fn quantise(x: &[f32], tokens: usize, blocks: &mut [TokenBlock]) {
    for (token, row) in x.chunks_exact(x.len() / tokens).enumerate() {
        let blocks = blocks[token..].iter_mut().step_by(tokens);
        for (x, block) in row.as_chunks().0.iter().zip(blocks) {
            *block = TokenBlock::new(x);
        }
    }
}
