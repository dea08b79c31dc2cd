// SPDX-License-Identifier: Apache-2.0
//! Products of a quantised matrix with quantised activations, and the other functions that gain
//! from vector instructions.
//!
//! [`scalar`] is the specification; every other kernel must return the same bits.

mod activations;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod block;
mod kernel;
mod lanes;
mod microkernel;
#[cfg(target_arch = "aarch64")]
mod neon;
mod scalar;
#[cfg(test)]
mod tests;
pub(crate) mod wide;

pub(crate) use activations::{Activations, Tokens};
pub use kernel::Kernel;
pub(crate) use lanes::OverLanes;

use crate::{
    matrix::{Matrix, Q4_LINES, Q8_LINES},
    n1::LANES,
    quantise::Quantisation,
};

/// Number of tokens that one pass over the weights serves.
pub(crate) const TILE: usize = 32;

/// Computes `outs[t][r] = row r of the matrix . token t` for every token in `x`. Rows are counted
/// from the first row of panel `first`; the length of `outs[t]` is their number.
pub(crate) fn multiply(
    kernel: Kernel,
    matrix: &Matrix,
    first: usize,
    x: &Activations,
    outs: &mut [&mut [f32]],
) {
    match matrix.kind {
        Quantisation::Q8_0 => by_kernel::<Q8_LINES>(kernel, matrix, first, x, outs),
        Quantisation::Q4_0 => by_kernel::<Q4_LINES>(kernel, matrix, first, x, outs),
    }
}

fn by_kernel<const LINES: usize>(
    kernel: Kernel,
    matrix: &Matrix,
    first: usize,
    x: &Activations,
    outs: &mut [&mut [f32]],
) {
    // SAFETY: a kernel is selected only where the machine has its instructions.
    unsafe {
        match kernel {
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx512 => {
                microkernel::multiply::<avx512::Avx512, LINES>(matrix, first, x, outs)
            }
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx2 => microkernel::multiply::<avx2::Avx2, LINES>(matrix, first, x, outs),
            #[cfg(target_arch = "aarch64")]
            Kernel::Neon if std::arch::is_aarch64_feature_detected!("dotprod") => {
                microkernel::multiply::<neon::NeonDot, LINES>(matrix, first, x, outs);
            }
            #[cfg(target_arch = "aarch64")]
            Kernel::Neon => microkernel::multiply::<neon::Neon, LINES>(matrix, first, x, outs),
            _ => microkernel::multiply::<scalar::Scalar, LINES>(matrix, first, x, outs),
        }
    }
}

/// Does `work` in the vectors of `kernel`.
pub(crate) fn over_lanes<W: OverLanes>(kernel: Kernel, work: W) {
    // SAFETY: a kernel is selected only where the machine has its instructions.
    unsafe {
        match kernel {
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx512 => avx512::over_lanes(work),
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx2 => avx2::over_lanes(work),
            #[cfg(target_arch = "aarch64")]
            Kernel::Neon => neon::over_lanes(work),
            _ => work.run::<[f32; LANES]>(),
        }
    }
}
