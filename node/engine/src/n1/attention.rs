// SPDX-License-Identifier: Apache-2.0
//! One query over its causal prefix.

use super::{
    exp::exp,
    reduce::{sum16, LANES},
};

/// Keys that are stored together, so that vector lanes run over keys.
pub const KEYS: usize = 16;

/// `q . k` for [`KEYS`] keys, each a [`sum16`](super::sum16) over the dimensions of the head.
///
/// `keys` holds one row per dimension with that dimension of each key.
#[inline(always)]
pub fn scores16(query: &[f32], keys: &[[f32; KEYS]], scale: f32, out: &mut [f32; KEYS]) {
    let mut lanes = [[0f32; KEYS]; LANES];
    for (l, lane) in lanes.iter_mut().enumerate() {
        let mut sums = [0f32; KEYS];
        let mut i = l;
        while i < query.len() {
            let (q, k) = (query[i], &keys[i]);
            for (sum, k) in sums.iter_mut().zip(k) {
                *sum += q * k;
            }
            i += LANES;
        }
        *lane = sums;
    }
    for width in [8, 4, 2, 1] {
        let (low, high) = lanes.split_at_mut(width);
        for (low, high) in low.iter_mut().zip(high) {
            for (l, h) in low.iter_mut().zip(high) {
                *l += *h;
            }
        }
    }
    for (out, sum) in out.iter_mut().zip(&lanes[0]) {
        *out = sum * scale;
    }
}

/// Mixes values by the softmax of `scores`, which it overwrites.
///
/// `e_i = exp(s_i - max)`; `out_d = sum16_i(e_i * v_id) / sum16_i(e_i)`. The length of `scores` is
/// the true causal length. `value(i)` is the row of key i, as long as `out`, a multiple of 16.
#[inline(always)]
pub fn attend<'v>(scores: &mut [f32], value: impl Fn(usize) -> &'v [f32], out: &mut [f32]) {
    // A maximum has no order.
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
    let total = sum16(scores);
    // The widest part that divides the head; which one changes no order.
    if out.len().is_multiple_of(32) {
        mix::<32>(scores, total, value, out);
    } else {
        mix::<LANES>(scores, total, value, out);
    }
}

/// `out_d = sum16_i(scores_i * v_id) / total`, `WIDTH` dimensions at a time.
#[inline(always)]
fn mix<'v, const WIDTH: usize>(
    scores: &[f32],
    total: f32,
    value: impl Fn(usize) -> &'v [f32],
    out: &mut [f32],
) {
    for (part, out) in out.as_chunks_mut::<WIDTH>().0.iter_mut().enumerate() {
        // lanes[l][d] adds the keys l, l + 16, ... in order.
        let mut lanes = [[0f32; WIDTH]; LANES];
        for (l, lane) in lanes.iter_mut().enumerate().take(scores.len()) {
            let mut sums = [0f32; WIDTH];
            let mut i = l;
            while i < scores.len() {
                let weight = scores[i];
                for (sum, v) in sums.iter_mut().zip(&value(i)[part * WIDTH..][..WIDTH]) {
                    *sum += weight * v;
                }
                i += LANES;
            }
            *lane = sums;
        }
        for width in [8, 4, 2, 1] {
            let (low, high) = lanes.split_at_mut(width);
            for (low, high) in low.iter_mut().zip(high) {
                for (l, h) in low.iter_mut().zip(high) {
                    *l += *h;
                }
            }
        }
        for (out, sum) in out.iter_mut().zip(&lanes[0]) {
            *out = sum / total;
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
        let mut out = [0f32; KEYS];
        scores16(&query, &keys, 0.25, &mut out);
        for (k, &score) in out.iter().enumerate() {
            let terms: Vec<f32> = query.iter().zip(&keys).map(|(q, key)| q * key[k]).collect();
            assert_eq!(score.to_bits(), (sum16(&terms) * 0.25).to_bits());
        }
    }

    #[test]
    fn attend_equals_sum16_of_each_dimension() {
        for length in [1, 2, 15, 16, 17, 40] {
            let values: Vec<Vec<f32>> = (0..length)
                .map(|i| (0..32).map(|d| ((i * 32 + d) as f32).sin()).collect())
                .collect();
            let scores: Vec<f32> = (0..length).map(|i| (i as f32 * 1.3).cos() * 4.0).collect();
            let mut out = vec![0f32; 32];
            attend(&mut scores.clone(), |i| &values[i], &mut out);
            let max = scores.iter().copied().fold(f32::MIN, f32::max);
            let e: Vec<f32> = scores.iter().map(|s| exp(s - max)).collect();
            for (d, &mixed) in out.iter().enumerate() {
                let terms: Vec<f32> = e.iter().zip(&values).map(|(e, v)| e * v[d]).collect();
                assert_eq!(mixed.to_bits(), (sum16(&terms) / sum16(&e)).to_bits());
            }
        }
    }
}
