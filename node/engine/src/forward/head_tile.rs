// SPDX-License-Identifier: Apache-2.0
//! Up to 16 rows on their way from the last layer to logits.

use super::step::Step;
use crate::{
    kernels::{wide, Activations, Kernel},
    model::Shape,
};

/// Number of rows that become logits together. It is smaller than a tile, since a row of logits is
/// long.
pub(super) const ROWS: usize = 16;

/// Up to [`ROWS`] rows on their way to logits.
#[derive(Debug)]
pub(super) struct HeadTile {
    /// The last layer's output.
    pub x: Vec<f32>,
    inner: Vec<f32>,
    logits: Vec<f32>,
    fixed: Vec<i32>,
    activations: Activations,
}

impl HeadTile {
    /// Returns a head tile for a model of this shape.
    pub(super) fn new(shape: &Shape) -> Self {
        Self {
            x: vec![0f32; shape.dim * ROWS],
            inner: vec![0f32; shape.dim * ROWS],
            logits: vec![0f32; shape.vocab * ROWS],
            fixed: vec![0i32; shape.vocab],
            activations: Activations::default(),
        }
    }

    /// Returns the bytes of a head tile, including its activations.
    pub(super) fn bytes(shape: &Shape) -> u64 {
        (size_of::<f32>() * (ROWS * (3 * shape.dim + shape.vocab) + shape.vocab)) as u64
    }

    /// Computes the logits of the first `n` rows.
    pub(super) fn logits(&mut self, step: &Step<'_>, n: usize) {
        let (shape, weights) = (step.model.shape(), step.model.weights());
        let (dim, kernel) = (shape.dim, step.model.kernel());
        for (x, out) in self.x.chunks_exact(dim).zip(self.inner.chunks_exact_mut(dim)).take(n) {
            wide::rms_norm(kernel, x, &weights.output_norm, shape.epsilon, out);
        }
        self.activations.fill(kernel, &self.inner, n, dim);
        step.multiply(&self.activations, [(&weights.output, &mut self.logits)]);
    }

    /// Returns row `t` in Q15.16.
    pub(super) fn fixed(&mut self, kernel: Kernel, t: usize) -> &[i32] {
        let vocab = self.fixed.len();
        wide::to_fixed(kernel, &self.logits[t * vocab..][..vocab], &mut self.fixed);
        &self.fixed
    }
}
