// SPDX-License-Identifier: Apache-2.0
//! The cosines and sines of a model: of its layers that see all positions, and of those that see a window.

use super::shape::Shape;
use crate::n1::RopeTable;

/// The tables of a model for the same number of positions.
#[derive(Debug)]
pub(crate) struct Ropes {
    global: RopeTable,
    local: Option<RopeTable>,
}

impl Ropes {
    /// Computes the tables for positions 0 to `positions - 1`.
    pub(super) fn new(shape: &Shape, factors: Option<&[f32]>, positions: usize) -> Self {
        let local = shape.window.as_ref();
        Self {
            global: RopeTable::new(&shape.rope, factors, positions),
            local: local.map(|window| RopeTable::new(&window.rope, None, positions)),
        }
    }

    /// Returns the number of positions.
    pub(super) fn positions(&self) -> usize {
        self.global.positions()
    }

    /// Returns the table of a layer.
    pub(crate) fn of(&self, shape: &Shape, layer: usize) -> &RopeTable {
        self.local.as_ref().filter(|_| shape.window_of(layer).is_some()).unwrap_or(&self.global)
    }
}
