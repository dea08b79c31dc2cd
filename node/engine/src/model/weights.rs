// SPDX-License-Identifier: Apache-2.0
//! A model's weights.

use crate::{
    matrix::Matrix,
    quantise::{Quantisation, BLOCK},
};

/// A matrix as it is in a file: rows of `columns / 32` blocks each.
#[derive(Debug)]
pub(crate) struct Table {
    pub kind: Quantisation,
    pub columns: usize,
    pub data: Vec<u8>,
}

impl Table {
    fn row_bytes(&self) -> usize {
        self.columns / BLOCK * self.kind.block_bytes()
    }

    /// Computes `out = d * q` for one row.
    fn dequantise_row(&self, row: usize, out: &mut [f32]) {
        let data = &self.data[row * self.row_bytes()..][..self.row_bytes()];
        // The row becomes a matrix of its own.
        Matrix::pack(self.kind, 1, self.columns, data).dequantise_row(0, out);
    }
}

/// The biases that are added to queries, keys and values.
#[derive(Debug)]
pub(crate) struct Biases {
    pub q: Vec<f32>,
    pub k: Vec<f32>,
    pub v: Vec<f32>,
}

/// The weights by which each head of queries and of keys is normalised.
#[derive(Debug)]
pub(crate) struct HeadNorms {
    pub q: Vec<f32>,
    pub k: Vec<f32>,
}

/// The weights by which the results of attention and of the feed-forward network are normalised.
#[derive(Debug)]
pub(crate) struct PostNorms {
    pub attention: Vec<f32>,
    pub feed_forward: Vec<f32>,
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
    pub post_norms: Option<PostNorms>,
    pub o: Matrix,
    pub ffn_norm: Vec<f32>,
    pub gate: Matrix,
    pub up: Matrix,
    pub down: Matrix,
}

/// All weights.
#[derive(Debug)]
pub(crate) struct Weights {
    /// The embedding, which is only looked up and so is not packed; `None` where it is the
    /// output matrix.
    pub embedding: Option<Table>,
    pub layers: Vec<Layer>,
    pub output_norm: Vec<f32>,
    /// The divisor of each frequency, if the file has them.
    pub rope_factors: Option<Vec<f32>>,
    pub output: Matrix,
    /// The factor of each number of an embedding, where there is one: in Gemma the square root of the width.
    pub embedding_scale: Option<f32>,
}

impl Weights {
    /// Writes the embedding of a token to `out`.
    pub(crate) fn embed(&self, token: u32, out: &mut [f32]) {
        match &self.embedding {
            Some(table) => table.dequantise_row(token as usize, out),
            None => self.output.dequantise_row(token as usize, out),
        }
        if let Some(scale) = self.embedding_scale {
            out.iter_mut().for_each(|x| *x *= scale);
        }
    }
}
