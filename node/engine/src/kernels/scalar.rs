// SPDX-License-Identifier: Apache-2.0
//! The reference: plain loops in N1's order.
//!
//! For each block of 32 it computes the exact integer sum of the products, then `acc = acc + (sum
//! as f32) * (d_w * d_x)`, with the blocks in order and `acc` starting from +0. The sum is at most
//! 32 * 128 * 127 = 520,192 < 2^24 in magnitude, so it is exact in `i32` and in `f32`, and the
//! wrapping operations below never wrap.

use super::{microkernel::Micro, Tokens};
use crate::matrix::{quad, scale, Panel, PANEL, Q8_LINES};

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
