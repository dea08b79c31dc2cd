// SPDX-License-Identifier: Apache-2.0
//! A model's weights.

use crate::{
    matrix::Matrix,
    quantise::{Quantisation, BLOCK},
};

/// A matrix in the file: `rows` of `columns / 32` blocks each.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Table {
    pub kind: Quantisation,
    pub rows: usize,
    pub columns: usize,
    /// First byte in the file; the whole lies inside it, checked when the model was opened.
    pub at: usize,
}

impl Table {
    fn row_bytes(&self) -> usize {
        self.columns / BLOCK * self.kind.block_bytes()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.rows * self.row_bytes()
    }

    pub(crate) fn data<'f>(&self, file: &'f [u8]) -> &'f [u8] {
        &file[self.at..self.at + self.bytes()]
    }

    /// `out = d * q` for one row.
    fn dequantise_row(&self, file: &[u8], row: usize, out: &mut [f32]) {
        let data = &self.data(file)[row * self.row_bytes()..][..self.row_bytes()];
        // The one row of a matrix.
        Matrix::pack(self.kind, 1, self.columns, data).dequantise_row(0, out);
    }
}

/// What is added to queries, keys and values.
#[derive(Debug)]
pub(crate) struct Biases {
    pub q: Vec<f32>,
    pub k: Vec<f32>,
    pub v: Vec<f32>,
}

/// The weights that each head of queries and of keys is normalised with.
#[derive(Debug)]
pub(crate) struct HeadNorms {
    pub q: Vec<f32>,
    pub k: Vec<f32>,
}

/// One transformer block.
#[derive(Debug)]
pub(crate) struct Layer {
    pub attn_norm: Vec<f32>,
    pub q: Matrix,
    pub k: Matrix,
    pub v: Matrix,
    pub biases: Option<Biases>,
    pub head_norms: Option<HeadNorms>,
    pub o: Matrix,
    pub ffn_norm: Vec<f32>,
    pub gate: Matrix,
    pub up: Matrix,
    pub down: Matrix,
}

/// All weights.
#[derive(Debug)]
pub(crate) struct Weights {
    /// Only looked up, so it stays in the file; `None` where it is the output matrix.
    pub embedding: Option<Table>,
    pub layers: Vec<Layer>,
    pub output_norm: Vec<f32>,
    /// What divides the speed of each pair of dimensions, where the file says so.
    pub rope_factors: Option<Vec<f32>>,
    pub output: Matrix,
}

impl Weights {
    /// The embedding of a token.
    pub(crate) fn embed(&self, file: &[u8], token: u32, out: &mut [f32]) {
        match &self.embedding {
            Some(table) => table.dequantise_row(file, token as usize, out),
            None => self.output.dequantise_row(token as usize, out),
        }
    }
}
