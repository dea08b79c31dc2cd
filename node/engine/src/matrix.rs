// SPDX-License-Identifier: Apache-2.0
//! A quantised matrix in panels of 16 rows, packed so that vector lanes run over rows.
//!
//! A panel holds its blocks of 32 columns one after the other. In a block, four columns of each of
//! the 16 rows are adjacent in a line of 64 bytes. A block has eight lines in Q8_0 and four in
//! Q4_0, whose low nibbles are columns 0 to 15 and whose high nibbles are columns 16 to 31. Weights
//! are unsigned, `q + 128` and `q + 8`, as the byte instructions require; one integer per block,
//! which depends on the activations alone, corrects the sum. A packed matrix takes as many bytes as
//! in the file.

use crate::quantise::{Quantisation, BLOCK};

/// Number of rows in a panel.
pub(crate) const PANEL: usize = 16;
/// Number of adjacent columns of a row.
pub(crate) const QUAD: usize = 4;
/// Number of lines in a Q8_0 block.
pub(crate) const Q8_LINES: usize = 8;
/// Number of lines in a Q4_0 block.
pub(crate) const Q4_LINES: usize = 4;

/// Four columns of each row of a panel.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub(crate) struct Line(pub [u8; PANEL * QUAD]);

/// The scale of each row of a block, as the bits of an f16.
pub(crate) type Scales = [u16; PANEL];

/// Converts f16 to f32 exactly. Scales are finite, which is checked when a model is opened.
#[inline(always)]
pub(crate) fn scale(half: u16) -> f32 {
    /// 2^112, the difference between the exponents' biases.
    const REBIAS: f32 = f32::from_bits((127 + 112) << 23);
    let half = u32::from(half);
    let magnitude = f32::from_bits((half & 0x7fff) << 13) * REBIAS;
    f32::from_bits(magnitude.to_bits() | (half & 0x8000) << 16)
}

/// Returns weights `4 * quad` to `4 * quad + 3` of row `r` in a block.
#[inline(always)]
pub(crate) fn quad<const LINES: usize>(
    lines: &[Line; LINES],
    quad: usize,
    r: usize,
) -> [i32; QUAD] {
    let bytes = lines[quad % LINES].0.as_chunks::<QUAD>().0[r];
    bytes.map(|byte| {
        let (q, bias) = match (LINES, quad < LINES) {
            (Q8_LINES, _) => (byte, 128),
            (_, true) => (byte & 15, 8),
            (_, false) => (byte >> 4, 8),
        };
        i32::from(q).wrapping_sub(bias)
    })
}

/// A matrix of `rows` rows of whole blocks. The rows that fill up the last panel have scales of
/// zero.
#[derive(Debug)]
pub(crate) struct Matrix {
    pub kind: Quantisation,
    pub rows: usize,
    pub columns: usize,
    lines: Vec<Line>,
    scales: Vec<Scales>,
}

/// One panel: `LINES` lines and one scale per row for each block.
#[derive(Clone, Copy)]
pub(crate) struct Panel<'m, const LINES: usize> {
    pub lines: &'m [[Line; LINES]],
    pub scales: &'m [Scales],
}

impl Matrix {
    /// Packs `data`, which holds rows as they are stored in a file.
    pub(crate) fn pack(kind: Quantisation, rows: usize, columns: usize, data: &[u8]) -> Self {
        let (blocks, panels) = (columns / BLOCK, rows.div_ceil(PANEL));
        let (count, bias) = match kind {
            Quantisation::Q8_0 => (Q8_LINES, 0x80),
            // Nibbles are biased in the file already.
            Quantisation::Q4_0 => (Q4_LINES, 0),
        };
        let mut lines = vec![Line([0; PANEL * QUAD]); panels * blocks * count];
        let mut scales = vec![[0; PANEL]; panels * blocks];
        for (row, data) in data.chunks_exact(blocks * kind.block_bytes()).enumerate() {
            let (panel, r) = (row / PANEL * blocks, row % PANEL);
            let lines = lines[panel * count..].chunks_exact_mut(count);
            let blocks = data.chunks_exact(kind.block_bytes()).zip(&mut scales[panel..]);
            for ((block, scales), lines) in blocks.zip(lines) {
                scales[r] = u16::from_le_bytes([block[0], block[1]]);
                for (line, quad) in lines.iter_mut().zip(block[2..].as_chunks::<QUAD>().0) {
                    line.0.as_chunks_mut::<QUAD>().0[r] = quad.map(|q| q ^ bias);
                }
            }
        }
        Self { kind, rows, columns, lines, scales }
    }

    /// Returns the panels from `first` on. `LINES` must match the matrix's kind.
    pub(crate) fn panels<const LINES: usize>(
        &self,
        first: usize,
    ) -> impl Iterator<Item = Panel<'_, LINES>> {
        let blocks = self.columns / BLOCK;
        let lines = self.lines.as_chunks::<LINES>().0.chunks_exact(blocks);
        let panels = lines.zip(self.scales.chunks_exact(blocks)).skip(first);
        panels.map(|(lines, scales)| Panel { lines, scales })
    }

    /// Computes `out = d * q` for one row, such as an embedding.
    pub(crate) fn dequantise_row(&self, row: usize, out: &mut [f32]) {
        match self.kind {
            Quantisation::Q8_0 => self.dequantise::<Q8_LINES>(row, out),
            Quantisation::Q4_0 => self.dequantise::<Q4_LINES>(row, out),
        }
    }

    fn dequantise<const LINES: usize>(&self, row: usize, out: &mut [f32]) {
        let (panel, r) = (row / PANEL, row % PANEL);
        for panel in self.panels::<LINES>(panel).take(1) {
            let blocks = panel.lines.iter().zip(panel.scales);
            for ((lines, scales), out) in blocks.zip(out.as_chunks_mut::<BLOCK>().0) {
                let d = scale(scales[r]);
                for (quad, out) in out.as_chunks_mut::<QUAD>().0.iter_mut().enumerate() {
                    let q = self::quad(lines, quad, r);
                    for (out, q) in out.iter_mut().zip(q) {
                        *out = q as f32 * d;
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quantise;
    use half::f16;

    #[test]
    fn scale_equals_half_for_every_finite_f16() {
        for bits in 0..=u16::MAX {
            let half = f16::from_bits(bits);
            if half.is_finite() {
                assert_eq!(scale(bits).to_bits(), half.to_f32().to_bits(), "{bits:#x}");
            }
        }
    }

    #[test]
    fn rows_come_out_as_they_went_in() {
        let (rows, columns) = (19, 96);
        let weights: Vec<f32> = (0..rows * columns).map(|i| ((i * 37) as f32).sin()).collect();
        for kind in [Quantisation::Q8_0, Quantisation::Q4_0] {
            let (data, values): (Vec<u8>, Vec<f32>) = match kind {
                Quantisation::Q8_0 => {
                    let data = quantise::q8_0(&weights).unwrap();
                    let blocks = data.as_chunks().0.iter().map(quantise::unpack_q8_0);
                    let values =
                        blocks.flat_map(|(q, d)| q.map(|q| f32::from(q) * f32::from(d))).collect();
                    (data, values)
                }
                Quantisation::Q4_0 => {
                    let data = quantise::q4_0(&weights).unwrap();
                    let blocks = data.as_chunks().0.iter().map(quantise::unpack_q4_0);
                    let values =
                        blocks.flat_map(|(q, d)| q.map(|q| f32::from(q) * f32::from(d))).collect();
                    (data, values)
                }
            };
            let matrix = Matrix::pack(kind, rows, columns, &data);
            let mut out = vec![0f32; columns];
            for (row, expected) in values.chunks(columns).enumerate() {
                matrix.dequantise_row(row, &mut out);
                assert_eq!(out, expected, "row {row}, {kind:?}");
            }
        }
    }
}
