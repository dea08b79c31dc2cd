// SPDX-License-Identifier: Apache-2.0
//! The layout of a page of keys and values.

use crate::{model::Shape, n1::KEYS};

/// Number of positions in a page: one block of keys, so that no block spans two pages.
pub(crate) const PAGE: usize = KEYS;

/// The layout of a page: for each layer its keys, `[head][dimension][position]`, then its values,
/// `[head][position][dimension]`. So what one head of queries reads is in one piece.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    pub kv_dim: usize,
    pub head_dim: usize,
    layers: usize,
}

impl Layout {
    pub(super) fn new(shape: &Shape) -> Self {
        Self { kv_dim: shape.kv_dim(), head_dim: shape.head_dim, layers: shape.layers }
    }

    /// Returns the count of numbers in the keys of a layer, which equals that in its values.
    pub(super) fn half(self) -> usize {
        self.kv_dim * PAGE
    }

    /// Returns the count of numbers in a page.
    pub(super) fn page(self) -> usize {
        2 * self.half() * self.layers
    }
}
