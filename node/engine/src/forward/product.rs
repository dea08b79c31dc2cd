// SPDX-License-Identifier: Apache-2.0
//! Products of a matrix with some tokens, cut by rows into parts that any thread may compute.

use crate::{
    kernels::{self, Activations, Kernel, TILE},
    matrix::{Matrix, PANEL},
};
use std::sync::Mutex;

/// Number of parts for each thread: if one is held up, the others take its parts.
const PARTS: usize = 4;
/// The fewest multiplications in a part, which take some microseconds.
const SMALLEST: usize = 1 << 16;
/// The most multiplications in a part. They take less than a millisecond, so that nothing waits
/// long for a thread to reach the gate.
const LARGEST: usize = 1 << 22;

/// Returns the number of multiplications for a part of `work` on `threads` threads.
pub(super) fn share(work: usize, threads: usize) -> usize {
    (work / (PARTS * threads)).clamp(SMALLEST, LARGEST)
}

/// Some rows of a product, for all tokens.
pub(super) struct Part<'p> {
    matrix: &'p Matrix,
    /// The panel of its first row.
    panel: usize,
    /// The destination of its rows, for each token.
    outs: [&'p mut [f32]; TILE],
}

impl Part<'_> {
    /// Computes the part.
    pub(super) fn compute(&mut self, kernel: Kernel, x: &Activations) {
        let outs = &mut self.outs[..x.tokens()];
        kernels::multiply(kernel, self.matrix, self.panel, x, outs);
    }
}

/// Cuts the product of `matrix` with `tokens` tokens into parts of about `share` multiplications.
/// `out` holds the tokens one after the other.
pub(super) fn cut<'p>(
    matrix: &'p Matrix,
    out: &'p mut [f32],
    tokens: usize,
    share: usize,
    parts: &mut Vec<Mutex<Part<'p>>>,
) {
    let panels = (share / (PANEL * matrix.columns * tokens)).max(1);
    let mut rests: [&mut [f32]; TILE] = Default::default();
    for (rest, row) in rests.iter_mut().zip(out.chunks_exact_mut(matrix.rows).take(tokens)) {
        *rest = row;
    }
    for panel in (0..matrix.rows.div_ceil(PANEL)).step_by(panels) {
        let rows = (matrix.rows - panel * PANEL).min(panels * PANEL);
        let outs = rests.each_mut().map(|rest| rest.split_off_mut(..rows).unwrap_or_default());
        parts.push(Mutex::new(Part { matrix, panel, outs }));
    }
}
