// SPDX-License-Identifier: Apache-2.0
//! The reference: plain loops in N1's order.
//!
//! Per block of 32 the exact integer sum of products, then `acc = acc + (sum as f32) * (d_w * d_x)`,
//! blocks in order, from +0. The sum is at most 32 * 128 * 127 = 520,192 < 2^24 in magnitude, so it
//! is exact in `i32` and in `f32`, and the wrapping operations below never wrap.

use super::{micro::Micro, Tokens};
use crate::matrix::{Line, Panel, PANEL, Q8_LINES, QUAD};

/// f16 to f32, exact. The caller's scales are finite, checked when the model was opened.
#[inline(always)]
pub(crate) fn scale(half: u16) -> f32 {
    /// 2^112: the difference of the exponents' biases.
    const REBIAS: f32 = f32::from_bits((127 + 112) << 23);
    let half = u32::from(half);
    let magnitude = f32::from_bits((half & 0x7fff) << 13) * REBIAS;
    f32::from_bits(magnitude.to_bits() | (half & 0x8000) << 16)
}

/// Weights `4 * quad` and the three after it of row `r` in a block.
#[inline(always)]
pub(crate) fn quad<const LINES: usize>(
    lines: &[Line; LINES],
    quad: usize,
    r: usize,
) -> [i32; QUAD] {
    let bytes = lines[quad % LINES].0.as_chunks::<QUAD>().0[r];
    bytes.map(|byte| {
        let (q, bias) = match (LINES, quad < LINES) {
            (Q8_LINES, _) => (byte, 128),
            (_, true) => (byte & 15, 8),
            (_, false) => (byte >> 4, 8),
        };
        i32::from(q).wrapping_sub(bias)
    })
}

/// The reference as a kernel.
pub(super) struct Scalar;

impl Micro for Scalar {
    const WIDEST: usize = 4;

    unsafe fn panel<const LINES: usize, const T: usize>(
        panel: Panel<'_, LINES>,
        x: Tokens<'_>,
    ) -> [[f32; PANEL]; T] {
        let mut acc = [[0f32; PANEL]; T];
        for ((lines, scales), x) in panel.lines.iter().zip(panel.scales).zip(x.blocks::<T>()) {
            for (r, half) in scales.iter().enumerate() {
                let d_w = scale(*half);
                let mut sums = [0i32; T];
                for k in 0..Q8_LINES {
                    let w = quad(lines, k, r);
                    for (sum, x) in sums.iter_mut().zip(x) {
                        for (w, x) in w.iter().zip(&x.quads()[k]) {
                            *sum = sum.wrapping_add(w.wrapping_mul(i32::from(*x)));
                        }
                    }
                }
                for ((acc, sum), x) in acc.iter_mut().zip(&sums).zip(x) {
                    acc[r] += *sum as f32 * (d_w * x.d);
                }
            }
        }
        acc
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use half::f16;

    #[test]
    fn scale_equals_half_for_every_finite_f16() {
        for bits in 0..=u16::MAX {
            let half = f16::from_bits(bits);
            if half.is_finite() {
                assert_eq!(scale(bits).to_bits(), half.to_f32().to_bits(), "{bits:#x}");
            }
        }
    }
}
