// SPDX-License-Identifier: Apache-2.0
//! Attention of one query over its causal prefix: `out_d = sum16_i(e_i * v_id) / sum16_i(e_i)` with
//! `e_i = exp(s_i - max)` and the scores `s_i = q . k_i * scale`.

use super::{exp::exp, lanes::Lanes, reduce::sum16, LANES};

/// Number of keys that are stored together, so that vector lanes run over keys.
pub const KEYS: usize = LANES;

/// Half of the lanes of a sum: as many as fit in the registers of every machine at a time.
const HALF: usize = LANES / 2;

/// The values of one head of [`KEYS`] keys, one row after the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Values<'v> {
    pub rows: &'v [f32],
    pub head_dim: usize,
}

impl<'v> Values<'v> {
    /// Returns sixteen dimensions from `16 * part` on, of the rows from `first` on.
    #[inline(always)]
    fn part(&self, first: usize, part: usize) -> impl Iterator<Item = &'v [f32; LANES]> {
        let rows = &self.rows[first * self.head_dim + part * LANES..];
        rows.chunks(self.head_dim).filter_map(|row| row.first_chunk())
    }
}

/// Computes the second half of N1's tree over vectors; lanes i and i + 8 have been added already.
#[inline(always)]
unsafe fn fold8<L: Lanes>(mut lanes: [L; HALF]) -> L {
    // SAFETY: the caller guarantees the instructions of `L`.
    unsafe {
        for width in [4, 2, 1] {
            for l in 0..width {
                lanes[l] = lanes[l].add(lanes[l + width]);
            }
        }
    }
    lanes[0]
}

/// Computes `fold16` over two halves of the lanes, each lane a vector.
#[inline(always)]
unsafe fn fold<L: Lanes>(mut low: [L; HALF], high: [L; HALF]) -> L {
    // SAFETY: the caller guarantees the instructions of `L`.
    unsafe {
        for (low, high) in low.iter_mut().zip(high) {
            *low = low.add(high);
        }
        fold8(low)
    }
}

/// Computes `q . k * scale` for [`KEYS`] keys. Each product is a [`sum16`] over the dimensions of
/// the head, whose number is a multiple of 16.
///
/// `keys` holds one row per dimension, with that dimension of each key.
///
/// # Safety
/// The machine must have the instructions of `L`.
#[inline(always)]
pub(crate) unsafe fn scores16<L: Lanes>(
    query: &[f32],
    keys: &[[f32; KEYS]],
    scale: f32,
) -> [f32; KEYS] {
    // SAFETY: the caller guarantees the instructions of `L`.
    unsafe {
        let (low, high) = (products::<L>(query, keys, 0), products::<L>(query, keys, HALF));
        fold(low, high).mul(L::splat(scale)).store()
    }
}

/// Computes the lanes from `first` on of those sums: lane l adds dimensions l, l + 16, ... in
/// order.
#[inline(always)]
unsafe fn products<L: Lanes>(query: &[f32], keys: &[[f32; KEYS]], first: usize) -> [L; HALF] {
    // SAFETY: the caller guarantees the instructions of `L`.
    unsafe {
        let mut lanes = [L::splat(0.0); HALF];
        for (query, keys) in query.as_chunks::<LANES>().0.iter().zip(keys.as_chunks::<LANES>().0) {
            for (l, lane) in lanes.iter_mut().enumerate() {
                let product = L::splat(query[first + l]).mul(L::load(&keys[first + l]));
                *lane = lane.add(product);
            }
        }
        lanes
    }
}

/// Replaces the scores of a query by the weights `e_i = exp(s_i - max)` of the values, and returns
/// their sum, `sum16_i(e_i)`. The length of `scores` is the true causal length.
///
/// In a layer that sees a window of positions, the keys begin at the last multiple of 16 at or before the first
/// position of the window, so that key p stays in lane p mod 16. The scores of keys before the window are minus
/// infinity, hence their weights are +0. Their values are added with these weights, so an infinite one makes NaN;
/// those of earlier keys are not.
#[inline(always)]
pub(crate) fn weigh(scores: &mut [f32]) -> f32 {
    // A maximum does not depend on the order.
    let mut largest = [f32::NEG_INFINITY; LANES];
    for chunk in scores.chunks(LANES) {
        for (max, &s) in largest.iter_mut().zip(chunk) {
            *max = if s > *max { s } else { *max };
        }
    }
    let max = largest.iter().fold(f32::NEG_INFINITY, |m, &s| if s > m { s } else { m });
    for s in scores.iter_mut() {
        *s = exp(*s - max);
    }
    sum16(scores)
}

/// The sums of sixteen dimensions of the values that a query mixes, a vector for each lane of
/// [`sum16`]: lane l holds the weighted values of keys l, l + 16, ... so far, added in order.
#[derive(Clone, Copy)]
pub(crate) struct Mixed<L>([L; LANES]);

impl<L: Lanes> Mixed<L> {
    /// Returns the sums over no keys.
    ///
    /// # Safety
    /// The machine must have the instructions of `L`.
    #[inline(always)]
    pub(crate) unsafe fn new() -> Self {
        // SAFETY: the caller guarantees the instructions of `L`.
        Self([unsafe { L::splat(0.0) }; LANES])
    }

    /// Adds the dimensions from `16 * part` on of the keys that follow, each times its weight.
    /// `values(b)` are the values of their block b.
    ///
    /// # Safety
    /// The machine must have the instructions of `L`.
    #[inline(always)]
    pub(crate) unsafe fn add<'v>(
        &mut self,
        weights: &[f32],
        values: impl Fn(usize) -> Values<'v>,
        part: usize,
    ) {
        let (blocks, rest) = weights.as_chunks::<KEYS>();
        for (half, sums) in self.0.as_chunks_mut::<HALF>().0.iter_mut().enumerate() {
            let (first, mut lanes) = (half * HALF, *sums);
            // SAFETY: the caller guarantees the instructions of `L`.
            unsafe {
                for (block, weights) in blocks.iter().enumerate() {
                    add::<L>(&mut lanes, &weights[first..], values(block).part(first, part));
                }
                if rest.len() > first {
                    let values = values(blocks.len()).part(first, part);
                    add::<L>(&mut lanes, &rest[first..], values);
                }
            }
            *sums = lanes;
        }
    }

    /// Returns the mixed values: each dimension's sum divided by the sum of the weights.
    ///
    /// # Safety
    /// The machine must have the instructions of `L`.
    #[inline(always)]
    pub(crate) unsafe fn divided(self, total: f32) -> [f32; LANES] {
        let [low, high] = [0, HALF].map(|first| std::array::from_fn(|l| self.0[first + l]));
        // SAFETY: the caller guarantees the instructions of `L`.
        let sums = unsafe { fold(low, high).store() };
        sums.map(|sum| sum / total)
    }
}

/// Adds to each lane a value times its score, for as many lanes as there are scores.
#[inline(always)]
unsafe fn add<'v, L: Lanes>(
    lanes: &mut [L; HALF],
    scores: &[f32],
    values: impl Iterator<Item = &'v [f32; LANES]>,
) {
    // SAFETY: the caller guarantees the instructions of `L`.
    unsafe {
        for ((lane, score), value) in lanes.iter_mut().zip(scores).zip(values) {
            *lane = lane.add(L::splat(*score).mul(L::load(value)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores16_equals_sum16_of_each_key() {
        let query: Vec<f32> = (0..48).map(|i| (i as f32 * 0.7).sin()).collect();
        let keys: Vec<[f32; KEYS]> =
            (0..48).map(|d| std::array::from_fn(|k| ((d * 16 + k) as f32 * 0.3).cos())).collect();
        // SAFETY: arrays need no special instructions.
        let out = unsafe { scores16::<[f32; LANES]>(&query, &keys, 0.25) };
        for (k, &score) in out.iter().enumerate() {
            let terms: Vec<f32> = query.iter().zip(&keys).map(|(q, key)| q * key[k]).collect();
            assert_eq!(score.to_bits(), (sum16(&terms) * 0.25).to_bits());
        }
    }

    #[test]
    fn mixed_equals_sum16_of_each_dimension() {
        let values: Vec<f32> = (0..48 * 32).map(|i| (i as f32).sin()).collect();
        let block = |b| Values { rows: &values[b * KEYS * 32..][..KEYS * 32], head_dim: 32 };
        for length in [1, 2, 15, 16, 17, 40] {
            let scores: Vec<f32> = (0..length).map(|i| (i as f32 * 1.3).cos() * 4.0).collect();
            let mut weights = scores.clone();
            let total = weigh(&mut weights);
            let max = scores.iter().copied().fold(f32::MIN, f32::max);
            let e: Vec<f32> = scores.iter().map(|s| exp(s - max)).collect();
            assert_eq!(weights, e);
            for (part, cut) in [(0, 0), (1, 0), (0, 16), (1, 32)] {
                let (early, late) = weights.split_at(length.min(cut));
                // SAFETY: arrays need no special instructions.
                let out = unsafe {
                    let mut mixed = Mixed::<[f32; LANES]>::new();
                    mixed.add(early, block, part);
                    mixed.add(late, |b| block(cut / KEYS + b), part);
                    mixed.divided(total)
                };
                for (d, &mixed) in out.iter().enumerate() {
                    let rows = values.chunks(32);
                    let terms: Vec<f32> =
                        e.iter().zip(rows).map(|(e, v)| e * v[part * LANES + d]).collect();
                    assert_eq!(mixed.to_bits(), (sum16(&terms) / sum16(&e)).to_bits());
                }
            }
        }
    }
}
