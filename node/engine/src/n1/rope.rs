// SPDX-License-Identifier: Apache-2.0
//! Rotary positions, in GGUF's convention for llama: dimensions 2j and 2j + 1 are one pair.

/// Cosines and sines by position and pair.
#[derive(Debug)]
pub struct RopeTable {
    pairs: usize,
    /// `(cos, sin)` at `position * pairs + j`.
    values: Vec<(f32, f32)>,
}

impl RopeTable {
    /// The table for positions 0 to `positions - 1`.
    ///
    /// The angle of pair j is `position * base^(-2j / dimensions)`, with `libm`'s pow, cos and sin
    /// in f64; only the cosine and the sine are rounded to f32.
    pub fn new(base: f32, dimensions: usize, positions: usize) -> Self {
        let pairs = dimensions / 2;
        let speeds: Vec<f64> = (0..pairs)
            .map(|j| libm::pow(f64::from(base), -((2 * j) as f64) / dimensions as f64))
            .collect();
        let values = (0..positions)
            .flat_map(|p| speeds.iter().map(move |speed| p as f64 * speed))
            .map(|angle| (libm::cos(angle) as f32, libm::sin(angle) as f32))
            .collect();
        Self { pairs, values }
    }

    /// Number of positions.
    pub fn positions(&self) -> usize {
        self.values.len() / self.pairs.max(1)
    }

    /// The pairs of one position.
    pub fn at(&self, position: usize) -> &[(f32, f32)] {
        &self.values[position * self.pairs..][..self.pairs]
    }
}

/// Rotates the leading pairs of one head; dimensions beyond the table's stay as they are.
#[inline(always)]
pub fn rotate(head: &mut [f32], table: &[(f32, f32)]) {
    for (pair, &(cos, sin)) in head.chunks_exact_mut(2).zip(table) {
        let (x, y) = (pair[0], pair[1]);
        pair[0] = x * cos - y * sin;
        pair[1] = x * sin + y * cos;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rotate_keeps_length_and_position_zero() {
        let table = RopeTable::new(10_000.0, 32, 50);
        assert_eq!(table.positions(), 50);
        let head: Vec<f32> = (0..32).map(|i| i as f32 - 9.0).collect();
        let mut turned = head.clone();
        rotate(&mut turned, table.at(0));
        assert_eq!(turned, head);
        rotate(&mut turned, table.at(49));
        let power = |x: &[f32]| x.iter().map(|x| x * x).sum::<f32>();
        assert!((power(&turned) / power(&head) - 1.0).abs() < 1e-5);
        assert_ne!(turned, head);
    }
}
