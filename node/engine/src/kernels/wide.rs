// SPDX-License-Identifier: Apache-2.0
//! The remaining functions of N1, compiled for the widest vectors of each kernel.
//!
//! Each kernel compiles the same source. The compiler neither reorders nor fuses floating-point
//! operations, so the bits do not depend on the instructions that it chooses.

use super::{block, block::TokenBlock, Kernel};
use crate::n1;

/// Defines functions that call another with the same arguments, compiled for each kernel.
macro_rules! wide {
    ($($(#[$doc:meta])* $name:ident($($arg:ident: $type:ty),*) = $source:path;)*) => {$(
        $(#[$doc])*
        pub(crate) fn $name(kernel: Kernel, $($arg: $type),*) {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2")]
                fn avx2($($arg: $type),*) {
                    $source($($arg),*);
                }
                #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
                fn avx512($($arg: $type),*) {
                    $source($($arg),*);
                }
                match kernel {
                    // SAFETY: a kernel is selected only where the machine has its instructions.
                    Kernel::Avx512 => return unsafe { avx512($($arg),*) },
                    // SAFETY: as above.
                    Kernel::Avx2 => return unsafe { avx2($($arg),*) },
                    _ => (),
                }
            }
            // Every machine of the other kinds has all instructions that those kernels use.
            let _ = kernel;
            $source($($arg),*);
        }
    )*};
}

wide! {
    /// Quantises rows of activations.
    quantise(x: &[f32], tokens: usize, blocks: &mut [TokenBlock]) = block::quantise;
    /// Computes [`n1::rms_norm`].
    rms_norm(x: &[f32], weight: &[f32], epsilon: f32, out: &mut [f32]) = n1::rms_norm;
    /// Computes `gate = silu(gate) * up`.
    silu_gate(gate: &mut [f32], up: &[f32]) = silu_times;
    /// Computes `gate = gelu(gate) * up`.
    gelu_gate(gate: &mut [f32], up: &[f32]) = gelu_times;
    /// Converts logits to Q15.16.
    to_fixed(x: &[f32], out: &mut [i32]) = fixed;
}

#[inline(always)]
fn silu_times(gate: &mut [f32], up: &[f32]) {
    for (gate, up) in gate.iter_mut().zip(up) {
        *gate = n1::silu(*gate) * up;
    }
}

#[inline(always)]
fn gelu_times(gate: &mut [f32], up: &[f32]) {
    for (gate, up) in gate.iter_mut().zip(up) {
        *gate = n1::gelu(*gate) * up;
    }
}

#[inline(always)]
fn fixed(x: &[f32], out: &mut [i32]) {
    for (out, x) in out.iter_mut().zip(x) {
        *out = n1::to_fixed(*x);
    }
}
