// SPDX-License-Identifier: Apache-2.0
//! The AVX-512 kernel with VNNI: sixteen rows in the lanes of one register.

use super::{microkernel::Micro, OverLanes, Tokens};
use crate::{
    matrix::{Line, Panel, Scales, PANEL, Q8_LINES},
    n1::{Lanes, LANES},
};
use std::{
    arch::x86_64::{
        __m256i, __m512, __m512i, _mm512_add_ps, _mm512_and_si512, _mm512_cvtepi32_ps,
        _mm512_cvtph_ps, _mm512_dpbusd_epi32, _mm512_mul_ps, _mm512_set1_epi32, _mm512_set1_epi8,
        _mm512_set1_ps, _mm512_setzero_ps, _mm512_setzero_si512, _mm512_srli_epi16, _mm_prefetch,
        _MM_HINT_T0,
    },
    mem::transmute,
};

/// The kernel for machines with AVX-512 F, BW and VNNI.
pub(super) struct Avx512;

impl Micro for Avx512 {
    const WIDEST: usize = 8;

    unsafe fn panel<const LINES: usize, const T: usize>(
        rows: Panel<'_, LINES>,
        x: Tokens<'_>,
    ) -> [[f32; PANEL]; T] {
        // SAFETY: the caller guarantees the instructions.
        unsafe { panel(rows, x) }
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn panel<const LINES: usize, const T: usize>(
    panel: Panel<'_, LINES>,
    x: Tokens<'_>,
) -> [[f32; PANEL]; T] {
    let mut acc = [_mm512_setzero_ps(); T];
    for ((lines, scales), x) in panel.lines.iter().zip(panel.scales).zip(x.blocks::<T>()) {
        prefetch(lines);
        let (w, d_w) = (weights(lines), widen(scales));
        for (acc, x) in acc.iter_mut().zip(x) {
            // The weights are biased, so the sum starts at the negated contribution of the bias.
            let mut sum = _mm512_set1_epi32(x.offset::<LINES>());
            for (w, x) in w.iter().zip(&x.words()) {
                // The weights are at most 255 and the activations at most 127 in magnitude, so four
                // products and the sum fit in an i32.
                sum = _mm512_dpbusd_epi32(sum, *w, _mm512_set1_epi32(*x));
            }
            let scale = _mm512_mul_ps(d_w, _mm512_set1_ps(x.d));
            *acc = _mm512_add_ps(*acc, _mm512_mul_ps(_mm512_cvtepi32_ps(sum), scale));
        }
    }
    // SAFETY: T vectors and T times sixteen f32 are the same plain numbers.
    acc.map(|acc| unsafe { transmute::<__m512, [f32; PANEL]>(acc) })
}

/// Distance in blocks between the current block and the one that is prefetched.
const AHEAD: usize = 16;

/// Prefetches the weights of a later block. They are read in order, but the hardware prefetcher
/// stops at each page boundary.
#[inline(always)]
fn prefetch<const LINES: usize>(lines: &[Line; LINES]) {
    for k in 0..LINES {
        let later = lines.as_ptr().wrapping_add(AHEAD * LINES + k);
        // SAFETY: a prefetch reads nothing and may name any address.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(later.cast()) };
    }
}

/// Loads the weights of a block, a quad of columns in each register.
#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn weights<const LINES: usize>(lines: &[Line; LINES]) -> [__m512i; Q8_LINES] {
    let mut w = [_mm512_setzero_si512(); Q8_LINES];
    let nibble = _mm512_set1_epi8(15);
    for (k, w) in w.iter_mut().enumerate() {
        // SAFETY: a line and a vector are 64 bytes of plain integers. (A load intrinsic would check
        // its pointer on every call in builds with debug assertions.)
        let line = unsafe { transmute::<Line, __m512i>(lines[k % LINES]) };
        *w = match (LINES, k < LINES) {
            (Q8_LINES, _) => line,
            (_, true) => _mm512_and_si512(line, nibble),
            (_, false) => _mm512_and_si512(_mm512_srli_epi16::<4>(line), nibble),
        };
    }
    w
}

/// Converts the scales to f32; the conversion is exact.
#[target_feature(enable = "avx512f")]
#[inline]
fn widen(scales: &Scales) -> __m512 {
    // SAFETY: sixteen u16 and a vector are 32 bytes of plain integers.
    _mm512_cvtph_ps(unsafe { transmute::<Scales, __m256i>(*scales) })
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
pub(super) fn over_lanes<W: OverLanes>(work: W) {
    // SAFETY: this function is compiled with these instructions.
    unsafe { work.run::<__m512>() }
}

impl Lanes for __m512 {
    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        // SAFETY: the caller guarantees the instructions.
        unsafe { _mm512_set1_ps(x) }
    }

    #[inline(always)]
    unsafe fn load(x: &[f32; LANES]) -> Self {
        // SAFETY: sixteen f32 and a vector are 64 bytes of plain numbers.
        unsafe { transmute::<[f32; LANES], __m512>(*x) }
    }

    #[inline(always)]
    unsafe fn store(self) -> [f32; LANES] {
        // SAFETY: sixteen f32 and a vector are 64 bytes of plain numbers.
        unsafe { transmute::<__m512, [f32; LANES]>(self) }
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        // SAFETY: the caller guarantees the instructions.
        unsafe { _mm512_add_ps(self, other) }
    }

    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        // SAFETY: the caller guarantees the instructions.
        unsafe { _mm512_mul_ps(self, other) }
    }
}
