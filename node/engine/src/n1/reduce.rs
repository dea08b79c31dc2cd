// SPDX-License-Identifier: Apache-2.0
//! `sum16`: the order in which N1 adds.

/// Number of lanes in a sum.
pub const LANES: usize = 16;

/// Adds the lanes in a fixed tree: lanes i and i + 8, then i and i + 4, i + 2, i + 1.
#[inline(always)]
pub fn fold16(mut lanes: [f32; LANES]) -> f32 {
    for width in [8, 4, 2, 1] {
        let (low, high) = lanes.split_at_mut(width);
        for (l, h) in low.iter_mut().zip(high) {
            *l += *h;
        }
    }
    lanes[0]
}

/// Returns the sum of `terms`: each lane starts at +0, term i is added to lane i mod 16 in order of
/// i, and [`fold16`] adds the lanes.
#[inline(always)]
pub fn sum16(terms: &[f32]) -> f32 {
    let mut lanes = [0f32; LANES];
    let (whole, rest) = terms.as_chunks::<LANES>();
    for chunk in whole {
        for (lane, x) in lanes.iter_mut().zip(chunk) {
            *lane += x;
        }
    }
    for (lane, x) in lanes.iter_mut().zip(rest) {
        *lane += x;
    }
    fold16(lanes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sum16_keeps_its_published_order() {
        let terms: Vec<f32> = (0..37).map(|i| (i as f32 * 0.37).sin() * 1e3).collect();
        let mut lanes = [0f32; 16];
        for (i, x) in terms.iter().enumerate() {
            lanes[i % 16] += x;
        }
        let pairs: Vec<f32> = (0..8).map(|i| lanes[i] + lanes[i + 8]).collect();
        let fours: Vec<f32> = (0..4).map(|i| pairs[i] + pairs[i + 4]).collect();
        let expected = (fours[0] + fours[2]) + (fours[1] + fours[3]);
        assert_eq!(sum16(&terms).to_bits(), expected.to_bits());
        assert_eq!(sum16(&[]).to_bits(), 0f32.to_bits());
        assert_eq!(sum16(&[-0.0]).to_bits(), 0f32.to_bits());
    }
}
