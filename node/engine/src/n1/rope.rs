// SPDX-License-Identifier: Apache-2.0
//! Rotary position embedding, in GGUF's two conventions for pairs of dimensions.

/// The dimensions of a head that form pair j, out of n pairs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pairs {
    /// 2j and 2j + 1, as in llama, whose converter permutes the rows of queries and keys
    /// accordingly.
    Neighbours,
    /// j and n + j, as in GPT-NeoX and qwen.
    Halves,
}

/// The rotation of a model's queries and keys.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rope {
    /// The dimensions that form a pair.
    pub pairs: Pairs,
    /// Number of dimensions that are rotated, from the first.
    pub dimensions: usize,
    /// The base of the frequencies.
    pub base: f32,
    /// The divisor of every frequency: linear scaling of positions.
    pub scale: f32,
}

/// Cosines and sines by position and pair.
#[derive(Debug)]
pub struct RopeTable {
    pairs: usize,
    /// `(cos, sin)` at index `position * pairs + j`.
    values: Vec<(f32, f32)>,
}

impl RopeTable {
    /// Computes the table for positions 0 to `positions - 1`.
    ///
    /// The angle of pair j is `position * (base^(-2j / dimensions) / factor_j / scale)`, with
    /// `libm`'s pow, cos and sin in f64; only the cosine and the sine are rounded to f32. The
    /// factors of a model without them are 1; dividing by 1 is exact.
    pub fn new(rope: &Rope, factors: Option<&[f32]>, positions: usize) -> Self {
        let (dimensions, pairs) = (rope.dimensions, rope.dimensions / 2);
        let speeds: Vec<f64> = (0..pairs)
            .map(|j| {
                let speed = libm::pow(f64::from(rope.base), -((2 * j) as f64) / dimensions as f64);
                let factor = factors.and_then(|factors| factors.get(j)).copied().unwrap_or(1.0);
                speed / f64::from(factor) / f64::from(rope.scale)
            })
            .collect();
        let values = (0..positions)
            .flat_map(|p| speeds.iter().map(move |speed| p as f64 * speed))
            .map(|angle| (libm::cos(angle) as f32, libm::sin(angle) as f32))
            .collect();
        Self { pairs, values }
    }

    /// Returns the number of positions.
    pub fn positions(&self) -> usize {
        self.values.len() / self.pairs.max(1)
    }

    /// Returns the pairs of one position.
    pub fn at(&self, position: usize) -> &[(f32, f32)] {
        &self.values[position * self.pairs..][..self.pairs]
    }
}

/// Rotates the leading pairs of one head. Dimensions beyond the table's stay as they are.
#[inline(always)]
pub fn rotate(pairs: Pairs, head: &mut [f32], table: &[(f32, f32)]) {
    match pairs {
        Pairs::Neighbours => {
            for (pair, &(cos, sin)) in head.chunks_exact_mut(2).zip(table) {
                let (x, y) = (pair[0], pair[1]);
                pair[0] = x * cos - y * sin;
                pair[1] = x * sin + y * cos;
            }
        }
        Pairs::Halves => {
            let (low, high) = head.split_at_mut(table.len());
            for ((low, high), &(cos, sin)) in low.iter_mut().zip(high).zip(table) {
                let (x, y) = (*low, *high);
                *low = x * cos - y * sin;
                *high = x * sin + y * cos;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rope(pairs: Pairs) -> Rope {
        Rope { pairs, dimensions: 32, base: 10_000.0, scale: 1.0 }
    }

    fn head() -> Vec<f32> {
        (0..32).map(|i| i as f32 - 9.0).collect()
    }

    #[test]
    fn rotate_keeps_length_and_position_zero() {
        let table = RopeTable::new(&rope(Pairs::Neighbours), None, 50);
        assert_eq!(table.positions(), 50);
        for pairs in [Pairs::Neighbours, Pairs::Halves] {
            let mut turned = head();
            rotate(pairs, &mut turned, table.at(0));
            assert_eq!(turned, head());
            rotate(pairs, &mut turned, table.at(49));
            let power = |x: &[f32]| x.iter().map(|x| x * x).sum::<f32>();
            assert!((power(&turned) / power(&head()) - 1.0).abs() < 1e-5);
            assert_ne!(turned, head());
        }
    }

    #[test]
    fn rotate_halves_is_rotate_neighbours_on_permuted_dimensions() {
        let table = RopeTable::new(&rope(Pairs::Halves), None, 8);
        let mut halves = head();
        rotate(Pairs::Halves, &mut halves, table.at(7));
        let mut neighbours: Vec<f32> = (0..32).map(|i| head()[i / 2 + i % 2 * 16]).collect();
        rotate(Pairs::Neighbours, &mut neighbours, table.at(7));
        let back: Vec<f32> = (0..32).map(|i| neighbours[i % 16 * 2 + i / 16]).collect();
        assert_eq!(back, halves);
    }

    #[test]
    fn rope_table_divides_speeds_by_factor_and_scale() {
        let plain = RopeTable::new(&rope(Pairs::Halves), None, 33);
        let linear = Rope { scale: 4.0, ..rope(Pairs::Halves) };
        assert_eq!(RopeTable::new(&linear, None, 33).at(32), plain.at(8));
        let mut factors = [1f32; 16];
        factors[3] = 8.0;
        let scaled = RopeTable::new(&rope(Pairs::Halves), Some(&factors), 33);
        assert_eq!(scaled.at(32)[3], plain.at(4)[3]);
        assert_eq!(scaled.at(32)[2], plain.at(32)[2]);
    }
}
