// SPDX-License-Identifier: Apache-2.0
//! One step of a pass: products and other parallel work, on one thread or on all.

use super::product::{self, Part};
use crate::{gate::Gate, kernels::Activations, matrix::Matrix, model::Layer, Model, Threads};
use std::sync::{Mutex, PoisonError};

/// The least number of multiplications that is worth sharing with other threads.
const SPLIT_FROM: usize = 1 << 17;

/// The context of a step, in addition to the tile.
pub(super) struct Step<'s> {
    pub model: &'s Model,
    pub layer: usize,
    /// The gate to pass before each part of the work.
    pub gate: &'s Gate,
    /// The pool, if this is the only tile and its work may be shared between threads.
    pub split: Option<&'s Threads>,
}

impl Step<'_> {
    /// Returns the weights of the layer.
    pub(super) fn weights(&self) -> &Layer {
        &self.model.weights().layers[self.layer]
    }

    /// Computes `out = matrix . x` for each pair of a matrix and its `out`.
    pub(super) fn multiply<const N: usize>(
        &self,
        x: &Activations,
        products: [(&Matrix, &mut [f32]); N],
    ) {
        let work: usize = products.iter().map(|(m, _)| m.rows * m.columns * x.tokens()).sum();
        let share = product::share(work, self.split.map_or(1, Threads::count));
        let mut parts = Vec::new();
        for (matrix, out) in products {
            product::cut(matrix, out, x.tokens(), share, &mut parts);
        }
        let kernel = self.model.kernel();
        self.run(work, &parts, &|part: &mut Part<'_>| part.compute(kernel, x));
    }

    /// Computes each part, on all threads if the work is large enough.
    pub(super) fn run<P: Send>(
        &self,
        work: usize,
        parts: &[Mutex<P>],
        compute: &(dyn Fn(&mut P) + Sync),
    ) {
        let compute = |i: usize| {
            // A part is computed once, so no panic elsewhere has left it torn.
            compute(&mut parts[i].lock().unwrap_or_else(PoisonError::into_inner));
        };
        match self.split {
            Some(threads) if work >= SPLIT_FROM => threads.run(parts.len(), &compute),
            _ => {
                for i in 0..parts.len() {
                    self.gate.pass();
                    compute(i);
                }
            }
        }
    }
}
