// SPDX-License-Identifier: Apache-2.0
//! The loop around the microkernels: panels of rows times groups of tokens.

use super::{Activations, Tokens};
use crate::matrix::{Matrix, Panel, PANEL};

/// A microkernel: one panel of rows times `T` tokens, in the instructions of one kind of machine.
pub(super) trait Micro {
    /// The most tokens that its registers hold: a power of two up to 8.
    const WIDEST: usize;

    /// Computes `result[t][r] = row r of the panel . token t`.
    ///
    /// # Safety
    /// The machine must have the instructions that the implementation is compiled for.
    unsafe fn panel<const LINES: usize, const T: usize>(
        panel: Panel<'_, LINES>,
        x: Tokens<'_>,
    ) -> [[f32; PANEL]; T];
}

/// Computes `outs[t][r] = row r . token t`; rows are counted from panel `first`.
///
/// # Safety
/// The contract of [`Micro::panel`] must hold.
pub(super) unsafe fn multiply<M: Micro, const LINES: usize>(
    matrix: &Matrix,
    first: usize,
    x: &Activations,
    outs: &mut [&mut [f32]],
) {
    let rows = outs.first().map_or(0, |out| out.len());
    let panels = matrix.panels::<LINES>(first).zip((0..rows).step_by(PANEL));
    for (panel, row) in panels {
        let mut token = 0;
        while token < outs.len() {
            let (x, outs) = (x.from(token), &mut outs[token..]);
            let fits = |t| M::WIDEST >= t && outs.len() >= t;
            // SAFETY: the caller guarantees the instructions.
            token += unsafe {
                if fits(8) {
                    store(&M::panel::<LINES, 8>(panel, x), row, outs)
                } else if fits(4) {
                    store(&M::panel::<LINES, 4>(panel, x), row, outs)
                } else if fits(2) {
                    store(&M::panel::<LINES, 2>(panel, x), row, outs)
                } else {
                    store(&M::panel::<LINES, 1>(panel, x), row, outs)
                }
            };
        }
    }
}

/// Stores a panel's results and returns the number of tokens stored.
fn store<const T: usize>(
    results: &[[f32; PANEL]; T],
    row: usize,
    outs: &mut [&mut [f32]],
) -> usize {
    for (result, out) in results.iter().zip(outs) {
        for (out, result) in out[row..].iter_mut().zip(result) {
            *out = *result;
        }
    }
    T
}
