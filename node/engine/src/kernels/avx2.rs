// SPDX-License-Identifier: Apache-2.0
//! Tiles of tokens with AVX2: vector lanes run over tokens, so each output keeps N1's order.
//!
//! The compiler takes the pairs of the scalar loop apart instead of multiplying them at once, so
//! this one step is written with intrinsics; the bits are those of [`super::scalar::tile`].

use super::{scalar::Format, TileActivations, TileBlock, TILE};
use crate::quantise::BLOCK;
use std::{
    arch::x86_64::{
        __m256, __m256i, _mm256_add_epi32, _mm256_add_ps, _mm256_cvtepi32_ps, _mm256_madd_epi16,
        _mm256_mul_ps, _mm256_set1_epi32, _mm256_set1_ps, _mm256_setzero_ps, _mm256_setzero_si256,
    },
    mem::transmute,
};

/// Rows that share each load of the activations.
const ROWS: usize = 2;
/// Vectors of eight tokens in a tile.
const PARTS: usize = TILE / 8;

/// [`super::scalar::tile`].
#[target_feature(enable = "avx2")]
pub(super) fn tile<F: Format>(
    data: &[u8],
    x: &TileActivations,
    tokens: usize,
    stride: usize,
    out: &mut [f32],
) {
    let per_row = x.q.len();
    for (group, rows) in F::blocks(data).chunks(ROWS * per_row).enumerate() {
        let (row, next) = rows.split_at(per_row);
        // The last of an odd number of rows is computed twice, and stored once.
        let count = 1 + usize::from(!next.is_empty());
        let mut acc = [[_mm256_setzero_ps(); PARTS]; ROWS];
        let blocks = row.iter().zip(if count == ROWS { next } else { row });
        for (((a, b), x), d) in blocks.zip(&x.q).zip(&x.d) {
            let ((a, d_a), (b, d_b)) = (F::unpack(a), F::unpack(b));
            let sums = block_sums([&a, &b], x);
            for ((acc, sums), d_w) in acc.iter_mut().zip(&sums).zip([d_a, d_b]) {
                add_scaled(acc, sums, d_w, d);
            }
        }
        for (r, acc) in acc[..count].iter().enumerate() {
            // SAFETY: two vectors and sixteen f32 are 64 bytes of plain numbers each.
            let values: [f32; TILE] = unsafe { transmute::<[__m256; PARTS], _>(*acc) };
            for (out, value) in out.chunks_mut(stride).take(tokens).zip(&values) {
                out[ROWS * group + r] = *value;
            }
        }
    }
}

/// The exact integer sums of a block of two rows with all tokens.
#[target_feature(enable = "avx2")]
#[inline]
fn block_sums(w: [&[i16; BLOCK]; ROWS], x: &TileBlock) -> [[__m256i; PARTS]; ROWS] {
    let zero = _mm256_setzero_si256();
    let (mut a_low, mut a_high, mut b_low, mut b_high) = (zero, zero, zero, zero);
    let weights = w[0].as_chunks::<2>().0.iter().zip(w[1].as_chunks::<2>().0);
    for (pairs, (a, b)) in x.iter().zip(weights) {
        // SAFETY: sixteen pairs of i16 and two vectors are 64 bytes of plain integers each. (A load
        // intrinsic would check its pointers at every step where debug assertions are on.)
        let [low, high]: [__m256i; PARTS] = unsafe { transmute::<[[i16; 2]; TILE], _>(*pairs) };
        let (a, b) = (_mm256_set1_epi32(pair(a)), _mm256_set1_epi32(pair(b)));
        a_low = _mm256_add_epi32(a_low, _mm256_madd_epi16(a, low));
        a_high = _mm256_add_epi32(a_high, _mm256_madd_epi16(a, high));
        b_low = _mm256_add_epi32(b_low, _mm256_madd_epi16(b, low));
        b_high = _mm256_add_epi32(b_high, _mm256_madd_epi16(b, high));
    }
    [[a_low, a_high], [b_low, b_high]]
}

/// Two weights in one lane, the first in the low half.
#[inline(always)]
fn pair(w: &[i16; 2]) -> i32 {
    (u32::from(w[0] as u16) | u32::from(w[1] as u16) << 16) as i32
}

/// `acc = acc + sum * (d_w * d)` for each token.
#[target_feature(enable = "avx2")]
#[inline]
fn add_scaled(acc: &mut [__m256; PARTS], sums: &[__m256i; PARTS], d_w: f32, d: &[f32; TILE]) {
    let d_w = _mm256_set1_ps(d_w);
    // SAFETY: sixteen f32 and two vectors are 64 bytes of plain numbers each.
    let d: [__m256; PARTS] = unsafe { transmute::<[f32; TILE], _>(*d) };
    for ((acc, sum), d) in acc.iter_mut().zip(sums).zip(d) {
        *acc = _mm256_add_ps(*acc, _mm256_mul_ps(_mm256_cvtepi32_ps(*sum), _mm256_mul_ps(d_w, d)));
    }
}
