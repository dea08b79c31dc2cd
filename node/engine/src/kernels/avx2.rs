// SPDX-License-Identifier: Apache-2.0
//! The AVX2 kernel: eight rows in the lanes of one register, a panel in two halves.
//!
//! `vpmaddubsw` multiplies unsigned by signed bytes and adds two products with saturation. For Q8_0
//! its operands are the weights' magnitudes and the activations with the weights' signs applied: a
//! pair is at most 2 * 128 * 127 = 32,512 < 2^15. (No activation is -128, so each one can be
//! negated.) For Q4_0 its operands are nibbles: a pair is at most 2 * 15 * 127 = 3,810, and eight
//! of those, 30,480, fit as well.

use super::{microkernel::Micro, OverLanes, Tokens};
use crate::{
    matrix::{Line, Panel, Scales, PANEL, Q8_LINES},
    n1::{Lanes, LANES},
};
use std::{
    arch::x86_64::{
        __m128i, __m256, __m256i, _mm256_abs_epi8, _mm256_add_epi16, _mm256_add_epi32,
        _mm256_add_ps, _mm256_and_si256, _mm256_cvtepi32_ps, _mm256_cvtph_ps, _mm256_madd_epi16,
        _mm256_maddubs_epi16, _mm256_mul_ps, _mm256_set1_epi16, _mm256_set1_epi32,
        _mm256_set1_epi8, _mm256_set1_ps, _mm256_setzero_ps, _mm256_setzero_si256,
        _mm256_sign_epi8, _mm256_srli_epi16, _mm256_xor_si256,
    },
    mem::transmute,
};

/// The kernel for machines with AVX2 and F16C.
pub(super) struct Avx2;

/// Halves of a panel.
const HALVES: usize = 2;
/// Rows of a half.
const HALF: usize = PANEL / HALVES;

impl Micro for Avx2 {
    const WIDEST: usize = 4;

    unsafe fn panel<const LINES: usize, const T: usize>(
        rows: Panel<'_, LINES>,
        x: Tokens<'_>,
    ) -> [[f32; PANEL]; T] {
        // SAFETY: the caller guarantees the instructions.
        unsafe { panel(rows, x) }
    }
}

#[target_feature(enable = "avx2,f16c")]
fn panel<const LINES: usize, const T: usize>(
    panel: Panel<'_, LINES>,
    x: Tokens<'_>,
) -> [[f32; PANEL]; T] {
    let mut out = [[0f32; PANEL]; T];
    for half in 0..HALVES {
        let mut acc = [_mm256_setzero_ps(); T];
        for ((lines, scales), x) in panel.lines.iter().zip(panel.scales).zip(x.blocks::<T>()) {
            let words = x.each_ref().map(|x| x.words());
            let sums = match LINES {
                Q8_LINES => sums_q8(lines, half, &words),
                _ => sums_q4(lines, half, &words, &x.each_ref().map(|x| x.offset::<LINES>())),
            };
            let d_w = widen(scales, half);
            for ((acc, sum), x) in acc.iter_mut().zip(sums).zip(x) {
                let scale = _mm256_mul_ps(d_w, _mm256_set1_ps(x.d));
                *acc = _mm256_add_ps(*acc, _mm256_mul_ps(_mm256_cvtepi32_ps(sum), scale));
            }
        }
        for (out, acc) in out.iter_mut().zip(acc) {
            // SAFETY: a vector and eight f32 are 32 bytes of plain numbers.
            let values = unsafe { transmute::<__m256, [f32; HALF]>(acc) };
            out.as_chunks_mut::<HALF>().0[half] = values;
        }
    }
    out
}

/// Loads half of a line.
#[target_feature(enable = "avx2")]
#[inline]
fn load(line: &Line, half: usize) -> __m256i {
    // SAFETY: 32 bytes and a vector are the same plain integers. (A load intrinsic would check its
    // pointer on every call in builds with debug assertions.)
    unsafe { transmute::<[u8; 32], __m256i>(line.0.as_chunks::<32>().0[half]) }
}

/// Computes the exact sums of a Q8_0 block with each token.
#[target_feature(enable = "avx2")]
#[inline]
fn sums_q8<const LINES: usize, const T: usize>(
    lines: &[Line; LINES],
    half: usize,
    words: &[[i32; Q8_LINES]; T],
) -> [__m256i; T] {
    let (bias, ones) = (_mm256_set1_epi8(-128), _mm256_set1_epi16(1));
    let mut sums = [_mm256_setzero_si256(); T];
    for (k, line) in lines.iter().enumerate() {
        let w = _mm256_xor_si256(load(line, half), bias);
        let magnitude = _mm256_abs_epi8(w);
        for (sum, words) in sums.iter_mut().zip(words) {
            let x = _mm256_sign_epi8(_mm256_set1_epi32(words[k]), w);
            let pairs = _mm256_maddubs_epi16(magnitude, x);
            *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(pairs, ones));
        }
    }
    sums
}

/// Computes the exact sums of a Q4_0 block with each token.
#[target_feature(enable = "avx2")]
#[inline]
fn sums_q4<const LINES: usize, const T: usize>(
    lines: &[Line; LINES],
    half: usize,
    words: &[[i32; Q8_LINES]; T],
    offsets: &[i32; T],
) -> [__m256i; T] {
    let (nibble, ones) = (_mm256_set1_epi8(15), _mm256_set1_epi16(1));
    let mut sums = [_mm256_setzero_si256(); T];
    for (k, line) in lines.iter().enumerate() {
        let line = load(line, half);
        let low = _mm256_and_si256(line, nibble);
        let high = _mm256_and_si256(_mm256_srli_epi16::<4>(line), nibble);
        for (sum, words) in sums.iter_mut().zip(words) {
            let low = _mm256_maddubs_epi16(low, _mm256_set1_epi32(words[k]));
            let high = _mm256_maddubs_epi16(high, _mm256_set1_epi32(words[k + LINES]));
            *sum = _mm256_add_epi16(*sum, _mm256_add_epi16(low, high));
        }
    }
    for (sum, offset) in sums.iter_mut().zip(offsets) {
        *sum = _mm256_add_epi32(_mm256_madd_epi16(*sum, ones), _mm256_set1_epi32(*offset));
    }
    sums
}

/// Converts the scales of half of a panel to f32; the conversion is exact.
#[target_feature(enable = "avx2,f16c")]
#[inline]
fn widen(scales: &Scales, half: usize) -> __m256 {
    // SAFETY: eight u16 and a vector are 16 bytes of plain integers.
    _mm256_cvtph_ps(unsafe {
        transmute::<[u16; HALF], __m128i>(scales.as_chunks::<HALF>().0[half])
    })
}

#[target_feature(enable = "avx2,f16c")]
pub(super) fn over_lanes<W: OverLanes>(work: W) {
    // SAFETY: this function is compiled with these instructions.
    unsafe { work.run::<[__m256; HALVES]>() }
}

impl Lanes for [__m256; HALVES] {
    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        // SAFETY: the caller guarantees the instructions.
        unsafe { [_mm256_set1_ps(x); HALVES] }
    }

    #[inline(always)]
    unsafe fn load(x: &[f32; LANES]) -> Self {
        // SAFETY: sixteen f32 and two vectors are 64 bytes of plain numbers.
        unsafe { transmute::<[f32; LANES], [__m256; HALVES]>(*x) }
    }

    #[inline(always)]
    unsafe fn store(self) -> [f32; LANES] {
        // SAFETY: sixteen f32 and two vectors are 64 bytes of plain numbers.
        unsafe { transmute::<[__m256; HALVES], [f32; LANES]>(self) }
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        // SAFETY: the caller guarantees the instructions.
        unsafe { [_mm256_add_ps(self[0], other[0]), _mm256_add_ps(self[1], other[1])] }
    }

    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        // SAFETY: the caller guarantees the instructions.
        unsafe { [_mm256_mul_ps(self[0], other[0]), _mm256_mul_ps(self[1], other[1])] }
    }
}
