// SPDX-License-Identifier: Apache-2.0
//! The NEON kernels: four rows in the lanes of one register, a panel in four quarters. Where the
//! machine has them, the dot products of ARMv8.2 are used.

use super::{microkernel::Micro, OverLanes, Tokens};
use crate::{
    matrix::{scale, Line, Panel, PANEL, Q8_LINES},
    n1::LANES,
};
use std::{
    arch::{
        aarch64::{
            float32x4_t, int32x4_t, int8x16_t, vaddq_f32, vaddq_s32, vandq_s8, vcvtq_f32_s32,
            vdupq_n_f32, vdupq_n_s32, vdupq_n_s8, veorq_s8, vget_low_s8, vmull_high_s8, vmull_s8,
            vmulq_f32, vmulq_n_f32, vpaddlq_s16, vpaddq_s32, vreinterpretq_s8_s32,
            vreinterpretq_s8_u8, vreinterpretq_u8_s8, vshrq_n_u8,
        },
        asm,
    },
    mem::transmute,
};

/// Quarters of a panel.
const QUARTERS: usize = 4;
/// Rows of a quarter.
const QUARTER: usize = PANEL / QUARTERS;

/// The kernel with NEON alone.
pub(super) struct Neon;
/// The kernel with NEON and `sdot`.
pub(super) struct NeonDot;

impl Micro for Neon {
    const WIDEST: usize = 4;

    unsafe fn panel<const LINES: usize, const T: usize>(
        rows: Panel<'_, LINES>,
        x: Tokens<'_>,
    ) -> [[f32; PANEL]; T] {
        // SAFETY: the caller guarantees the instructions.
        unsafe { panel(rows, x) }
    }
}

impl Micro for NeonDot {
    const WIDEST: usize = 4;

    unsafe fn panel<const LINES: usize, const T: usize>(
        rows: Panel<'_, LINES>,
        x: Tokens<'_>,
    ) -> [[f32; PANEL]; T] {
        // SAFETY: the caller guarantees the instructions.
        unsafe { panel_dot(rows, x) }
    }
}

/// Defines the loop, once for each way to multiply bytes.
macro_rules! panel {
    ($name:ident, $features:literal, $dot:ident) => {
        #[target_feature(enable = $features)]
        fn $name<const LINES: usize, const T: usize>(
            panel: Panel<'_, LINES>,
            x: Tokens<'_>,
        ) -> [[f32; PANEL]; T] {
            let mut out = [[0f32; PANEL]; T];
            for quarter in 0..QUARTERS {
                let mut acc = [vdupq_n_f32(0.0); T];
                let blocks = panel.lines.iter().zip(panel.scales);
                for ((lines, scales), x) in blocks.zip(x.blocks::<T>()) {
                    let scales: &[u16; QUARTER] = &scales.as_chunks().0[quarter];
                    let d_w = vector(scales.map(scale));
                    let w = weights(lines, quarter);
                    for (acc, x) in acc.iter_mut().zip(x) {
                        let offset = if LINES == Q8_LINES { 0 } else { x.offset::<LINES>() };
                        let mut sum = vdupq_n_s32(offset);
                        for (w, x) in w.iter().zip(&x.words()) {
                            sum = $dot(sum, *w, vreinterpretq_s8_s32(vdupq_n_s32(*x)));
                        }
                        let scaled = vmulq_f32(vcvtq_f32_s32(sum), vmulq_n_f32(d_w, x.d));
                        *acc = vaddq_f32(*acc, scaled);
                    }
                }
                for (out, acc) in out.iter_mut().zip(acc) {
                    // SAFETY: a vector and four f32 are 16 bytes of plain numbers.
                    let values = unsafe { transmute::<float32x4_t, [f32; QUARTER]>(acc) };
                    out.as_chunks_mut::<QUARTER>().0[quarter] = values;
                }
            }
            out
        }
    };
}
panel!(panel, "neon", dot);
panel!(panel_dot, "neon,dotprod", sdot);

/// Adds to each lane of `sum` its four products. A product of bytes is at most 128 * 127 in
/// magnitude.
#[target_feature(enable = "neon")]
#[inline]
fn dot(sum: int32x4_t, w: int8x16_t, x: int8x16_t) -> int32x4_t {
    let low = vpaddlq_s16(vmull_s8(vget_low_s8(w), vget_low_s8(x)));
    let high = vpaddlq_s16(vmull_high_s8(w, x));
    vaddq_s32(sum, vpaddq_s32(low, high))
}

/// Computes [`dot`] in one instruction. The oldest supported Rust has no intrinsic for it.
#[target_feature(enable = "neon,dotprod")]
#[inline]
fn sdot(mut sum: int32x4_t, w: int8x16_t, x: int8x16_t) -> int32x4_t {
    // SAFETY: the instruction reads and writes the named registers only, and the machine has it.
    unsafe {
        asm!(
            "sdot {sum:v}.4s, {w:v}.16b, {x:v}.16b",
            sum = inout(vreg) sum,
            w = in(vreg) w,
            x = in(vreg) x,
            options(pure, nomem, nostack, preserves_flags)
        );
    }
    sum
}

/// Loads the weights of a block for a quarter's rows, a quad of columns in each register: signed in
/// Q8_0, nibbles in Q4_0.
#[target_feature(enable = "neon")]
#[inline]
fn weights<const LINES: usize>(lines: &[Line; LINES], quarter: usize) -> [int8x16_t; Q8_LINES] {
    let mut w = [vdupq_n_s8(0); Q8_LINES];
    for (k, w) in w.iter_mut().enumerate() {
        let bytes = lines[k % LINES].0.as_chunks::<16>().0[quarter];
        // SAFETY: sixteen bytes and a vector are the same plain integers.
        let line = unsafe { transmute::<[u8; 16], int8x16_t>(bytes) };
        *w = match (LINES, k < LINES) {
            (Q8_LINES, _) => veorq_s8(line, vdupq_n_s8(-128)),
            (_, true) => vandq_s8(line, vdupq_n_s8(15)),
            (_, false) => vreinterpretq_s8_u8(vshrq_n_u8::<4>(vreinterpretq_u8_s8(line))),
        };
    }
    w
}

#[target_feature(enable = "neon")]
#[inline]
fn vector(values: [f32; QUARTER]) -> float32x4_t {
    // SAFETY: a vector and four f32 are 16 bytes of plain numbers.
    unsafe { transmute::<[f32; QUARTER], float32x4_t>(values) }
}

/// Does `work` on plain arrays: NEON is part of every AArch64, so the compiler vectorises them.
pub(super) fn over_lanes<W: OverLanes>(work: W) {
    // SAFETY: arrays need no special instructions.
    unsafe { work.run::<[f32; LANES]>() }
}
