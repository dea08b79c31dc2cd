// SPDX-License-Identifier: Apache-2.0
//! Tiles of tokens with AVX2: vector lanes run over tokens, so each output keeps N1's order.
//!
//! The compiler takes the pairs of the scalar loop apart instead of multiplying them at once, so
//! this one step is written with intrinsics; the bits are those of [`super::scalar::tile`].

use super::{scalar::Format, TileActivations, TileBlock, TILE};
use crate::quantise::BLOCK;
use std::arch::x86_64::{
    __m256, __m256i, _mm256_add_epi32, _mm256_add_ps, _mm256_cvtepi32_ps, _mm256_loadu_ps,
    _mm256_loadu_si256, _mm256_madd_epi16, _mm256_mul_ps, _mm256_set1_epi32, _mm256_set1_ps,
    _mm256_setzero_ps, _mm256_setzero_si256, _mm256_storeu_ps,
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
            let mut values = [0f32; TILE];
            for (values, part) in values.as_chunks_mut::<8>().0.iter_mut().zip(acc) {
                // SAFETY: `values` has room for eight f32.
                unsafe { _mm256_storeu_ps(values.as_mut_ptr(), *part) };
            }
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
    let mut sums = [[_mm256_setzero_si256(); PARTS]; ROWS];
    for (i, pairs) in x.iter().enumerate() {
        let eights = pairs.as_chunks::<8>().0;
        // SAFETY: each of the two chunks holds sixteen i16.
        let x: [__m256i; PARTS] =
            [0, 1].map(|p| unsafe { _mm256_loadu_si256(eights[p].as_ptr().cast()) });
        for (sums, w) in sums.iter_mut().zip(w) {
            let low = u32::from(w[2 * i] as u16);
            let pair = low | u32::from(w[2 * i + 1] as u16) << 16;
            let pair = _mm256_set1_epi32(pair as i32);
            for (sum, x) in sums.iter_mut().zip(&x) {
                *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(pair, *x));
            }
        }
    }
    sums
}

/// `acc = acc + sum * (d_w * d)` for each token.
#[target_feature(enable = "avx2")]
#[inline]
fn add_scaled(acc: &mut [__m256; PARTS], sums: &[__m256i; PARTS], d_w: f32, d: &[f32; TILE]) {
    let d_w = _mm256_set1_ps(d_w);
    for ((acc, sum), d) in acc.iter_mut().zip(sums).zip(d.as_chunks::<8>().0) {
        // SAFETY: `d` holds eight f32.
        let d = unsafe { _mm256_loadu_ps(d.as_ptr()) };
        *acc = _mm256_add_ps(*acc, _mm256_mul_ps(_mm256_cvtepi32_ps(*sum), _mm256_mul_ps(d_w, d)));
    }
}
