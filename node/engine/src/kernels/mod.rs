// SPDX-License-Identifier: Apache-2.0
//! Products of a quantised matrix with quantised activations.
//!
//! [`scalar`] is the specification; every other kernel must give its bits.

#[cfg(target_arch = "x86_64")]
mod avx2;
pub(crate) mod scalar;

use crate::{
    n1,
    quantise::BLOCK,
    weights::{Matrix, Quantisation},
};

/// Tokens that one pass over the weights serves.
pub(crate) const TILE: usize = 16;

/// The activations of one token.
#[derive(Debug, Default)]
pub(crate) struct RowActivations {
    pub q: Vec<[i16; BLOCK]>,
    pub d: Vec<f32>,
}

/// The activations of up to [`TILE`] tokens: `q[block][pair of elements][token]`, `d[block][token]`.
#[derive(Debug, Default)]
pub(crate) struct TileActivations {
    pub q: Vec<TileBlock>,
    pub d: Vec<[f32; TILE]>,
}

/// A block of 32 elements of [`TILE`] tokens, two neighbouring elements side by side.
pub(crate) type TileBlock = [[[i16; 2]; TILE]; BLOCK / 2];

/// Activations, laid out for one token or for several.
#[derive(Debug)]
pub(crate) enum Activations {
    Row(RowActivations),
    Tile(TileActivations),
}

impl Default for Activations {
    fn default() -> Self {
        Self::Row(RowActivations::default())
    }
}

impl Activations {
    /// Quantises `tokens` rows of `columns` values.
    pub(crate) fn fill(&mut self, x: &[f32], tokens: usize, columns: usize) {
        let blocks = columns / BLOCK;
        if tokens == 1 {
            if !matches!(self, Self::Row(_)) {
                *self = Self::Row(RowActivations::default());
            }
        } else if !matches!(self, Self::Tile(_)) {
            *self = Self::Tile(TileActivations::default());
        }
        match self {
            Self::Row(row) => {
                row.q.resize(blocks, [0; BLOCK]);
                row.d.resize(blocks, 0.0);
                let x = x[..columns].as_chunks::<BLOCK>().0;
                for ((x, q), d) in x.iter().zip(&mut row.q).zip(&mut row.d) {
                    *d = n1::quantise(x, q);
                }
            }
            Self::Tile(tile) => {
                tile.q.resize(blocks, [[[0; 2]; TILE]; BLOCK / 2]);
                tile.d.resize(blocks, [0.0; TILE]);
                let mut q = [0i16; BLOCK];
                for (t, x) in x.chunks_exact(columns).take(tokens).enumerate() {
                    let x = x.as_chunks::<BLOCK>().0;
                    for ((x, block), d) in x.iter().zip(&mut tile.q).zip(&mut tile.d) {
                        d[t] = n1::quantise(x, &mut q);
                        for (pairs, pair) in block.iter_mut().zip(q.as_chunks::<2>().0) {
                            pairs[t] = *pair;
                        }
                    }
                }
            }
        }
    }
}

/// `out[t][r] = row r of the matrix . token t` for `tokens` tokens, rows `first..first + count`.
///
/// `data` are the bytes of the whole matrix; `out` has `stride` values per token.
pub(crate) fn multiply(
    matrix: &Matrix,
    data: &[u8],
    (first, count): (usize, usize),
    x: &Activations,
    (tokens, stride): (usize, usize),
    out: &mut [f32],
) {
    let row_bytes = matrix.row_bytes();
    let data = &data[first * row_bytes..(first + count) * row_bytes];
    match (matrix.kind, x) {
        (Quantisation::Q8_0, Activations::Row(x)) => scalar::row::<scalar::Q8>(data, x, out),
        (Quantisation::Q4_0, Activations::Row(x)) => scalar::row::<scalar::Q4>(data, x, out),
        (Quantisation::Q8_0, Activations::Tile(x)) => {
            tile::<scalar::Q8>(data, x, tokens, stride, out);
        }
        (Quantisation::Q4_0, Activations::Tile(x)) => {
            tile::<scalar::Q4>(data, x, tokens, stride, out);
        }
    }
}

/// [`scalar::tile`], by the fastest kernel of this machine.
fn tile<F: scalar::Format>(
    data: &[u8],
    x: &TileActivations,
    tokens: usize,
    stride: usize,
    out: &mut [f32],
) {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        // SAFETY: the machine has the feature that the function is compiled for.
        return unsafe { avx2::tile::<F>(data, x, tokens, stride, out) };
    }
    scalar::tile::<F>(data, x, tokens, stride, out);
}

/// `out = d * q` for one row of the matrix: an embedding.
pub(crate) fn dequantise_row(matrix: &Matrix, data: &[u8], row: usize, out: &mut [f32]) {
    let bytes = matrix.row_bytes();
    let data = &data[row * bytes..(row + 1) * bytes];
    match matrix.kind {
        Quantisation::Q8_0 => scalar::dequantise::<scalar::Q8>(data, out),
        Quantisation::Q4_0 => scalar::dequantise::<scalar::Q4>(data, out),
    }
}
