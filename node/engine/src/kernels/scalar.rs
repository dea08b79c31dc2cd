// SPDX-License-Identifier: Apache-2.0
//! The reference: plain loops that a compiler can vectorise, in N1's order.
//!
//! Per block of 32 the exact integer sum of products, then `acc = acc + (sum as f32) * (d_w * d_x)`,
//! blocks in order, from +0. The sum is at most 32 * 128 * 127 = 520,192 < 2^24 in magnitude, so it
//! is exact in `i32` and in `f32`, and the wrapping operations below never wrap.

use super::{RowActivations, TileActivations, TILE};
use crate::quantise::{BLOCK, Q4_0_BYTES, Q8_0_BYTES};

/// A block format: what the loops need of it.
pub(crate) trait Format {
    /// One block as it stands in the file.
    type Block: Copy;
    /// The blocks of a byte string; a rest is ignored.
    fn blocks(data: &[u8]) -> &[Self::Block];
    /// The integer weights of a block and its scale.
    fn unpack(block: &Self::Block) -> ([i16; BLOCK], f32);
}

/// Q8_0.
pub(crate) struct Q8;
/// Q4_0.
pub(crate) struct Q4;

/// f16 to f32, exact. The caller's scales are finite, checked when the model was opened.
#[inline(always)]
fn scale(low: u8, high: u8) -> f32 {
    /// 2^112: the difference of the exponents' biases.
    const REBIAS: f32 = f32::from_bits((127 + 112) << 23);
    let half = u32::from(u16::from_le_bytes([low, high]));
    let magnitude = f32::from_bits((half & 0x7fff) << 13) * REBIAS;
    f32::from_bits(magnitude.to_bits() | (half & 0x8000) << 16)
}

impl Format for Q8 {
    type Block = [u8; Q8_0_BYTES];

    #[inline(always)]
    fn blocks(data: &[u8]) -> &[Self::Block] {
        data.as_chunks().0
    }

    #[inline(always)]
    fn unpack(block: &Self::Block) -> ([i16; BLOCK], f32) {
        let mut q = [0i16; BLOCK];
        for (q, &b) in q.iter_mut().zip(&block[2..]) {
            *q = i16::from(b as i8);
        }
        (q, scale(block[0], block[1]))
    }
}

impl Format for Q4 {
    type Block = [u8; Q4_0_BYTES];

    #[inline(always)]
    fn blocks(data: &[u8]) -> &[Self::Block] {
        data.as_chunks().0
    }

    #[inline(always)]
    fn unpack(block: &Self::Block) -> ([i16; BLOCK], f32) {
        let mut q = [0i16; BLOCK];
        let (low, high) = q.split_at_mut(BLOCK / 2);
        for ((l, h), &b) in low.iter_mut().zip(high).zip(&block[2..]) {
            *l = i16::from(b & 15).wrapping_sub(8);
            *h = i16::from(b >> 4).wrapping_sub(8);
        }
        (q, scale(block[0], block[1]))
    }
}

/// The exact sum of products of a block.
#[inline(always)]
fn block_sum(w: &[i16; BLOCK], x: &[i16; BLOCK]) -> i32 {
    let mut sum = 0i32;
    for (w, x) in w.iter().zip(x) {
        sum = sum.wrapping_add(i32::from(*w).wrapping_mul(i32::from(*x)));
    }
    sum
}

/// One token: `out[r]` for each row in `data`.
pub(crate) fn row<F: Format>(data: &[u8], x: &RowActivations, out: &mut [f32]) {
    let blocks = F::blocks(data);
    for (row, out) in blocks.chunks_exact(x.q.len()).zip(out) {
        let mut acc = 0f32;
        for ((block, q), d) in row.iter().zip(&x.q).zip(&x.d) {
            let (w, d_w) = F::unpack(block);
            acc += block_sum(&w, q) as f32 * (d_w * d);
        }
        *out = acc;
    }
}

/// Several tokens: `out[t * stride + r]` for each row in `data`. A block of weights is unpacked
/// once for all tokens.
pub(crate) fn tile<F: Format>(
    data: &[u8],
    x: &TileActivations,
    tokens: usize,
    stride: usize,
    out: &mut [f32],
) {
    for (r, row) in F::blocks(data).chunks_exact(x.q.len()).enumerate() {
        let mut acc = [0f32; TILE];
        for ((block, q), d) in row.iter().zip(&x.q).zip(&x.d) {
            let (w, d_w) = F::unpack(block);
            let mut sums = [0i32; TILE];
            for (pairs, w) in q.iter().zip(w.as_chunks::<2>().0) {
                for (sum, x) in sums.iter_mut().zip(pairs) {
                    let first = i32::from(x[0]).wrapping_mul(i32::from(w[0]));
                    let second = i32::from(x[1]).wrapping_mul(i32::from(w[1]));
                    *sum = sum.wrapping_add(first).wrapping_add(second);
                }
            }
            for ((acc, sum), d) in acc.iter_mut().zip(&sums).zip(d) {
                *acc += *sum as f32 * (d_w * d);
            }
        }
        for (out, acc) in out.chunks_mut(stride).take(tokens).zip(&acc) {
            out[r] = *acc;
        }
    }
}

/// `out_i = d * q_i`.
pub(crate) fn dequantise<F: Format>(data: &[u8], out: &mut [f32]) {
    for (block, out) in F::blocks(data).iter().zip(out.as_chunks_mut::<BLOCK>().0) {
        let (q, d) = F::unpack(block);
        for (out, q) in out.iter_mut().zip(&q) {
            *out = f32::from(*q) * d;
        }
    }
}

#[cfg(test)]
mod tests;
