// SPDX-License-Identifier: Apache-2.0
//! A model's weights: where they stand in the file.

use crate::quantise::{BLOCK, Q4_0_BYTES, Q8_0_BYTES};

/// How a matrix is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quantisation {
    Q8_0,
    Q4_0,
}

impl Quantisation {
    pub(crate) fn block_bytes(self) -> usize {
        match self {
            Self::Q8_0 => Q8_0_BYTES,
            Self::Q4_0 => Q4_0_BYTES,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Q8_0 => "Q8_0",
            Self::Q4_0 => "Q4_0",
        }
    }
}

/// A matrix in the file: `rows` of `columns / 32` blocks each.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Matrix {
    pub kind: Quantisation,
    pub rows: usize,
    pub columns: usize,
    /// First byte in the file; the whole lies inside it, checked when the model was opened.
    pub at: usize,
}

impl Matrix {
    pub(crate) fn row_bytes(&self) -> usize {
        self.columns / BLOCK * self.kind.block_bytes()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.rows * self.row_bytes()
    }

    pub(crate) fn data<'f>(&self, file: &'f [u8]) -> &'f [u8] {
        &file[self.at..self.at + self.bytes()]
    }
}

/// One transformer block.
#[derive(Debug)]
pub(crate) struct Layer {
    pub attn_norm: Vec<f32>,
    pub q: Matrix,
    pub k: Matrix,
    pub v: Matrix,
    pub o: Matrix,
    pub ffn_norm: Vec<f32>,
    pub gate: Matrix,
    pub up: Matrix,
    pub down: Matrix,
}

/// The shape of a model.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub vocab: usize,
    pub context: usize,
    pub dim: usize,
    pub hidden: usize,
    pub layers: usize,
    pub heads: usize,
    pub kv_heads: usize,
    pub head_dim: usize,
    pub rope_dims: usize,
    pub rope_base: f32,
    pub epsilon: f32,
}

impl Shape {
    pub(crate) fn kv_dim(&self) -> usize {
        self.kv_heads * self.head_dim
    }
}

/// All weights.
#[derive(Debug)]
pub(crate) struct Weights {
    pub embedding: Matrix,
    pub layers: Vec<Layer>,
    pub output_norm: Vec<f32>,
    /// The embedding again where the file ties them.
    pub output: Matrix,
}
