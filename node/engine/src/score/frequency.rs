// SPDX-License-Identifier: Apache-2.0
//! The integer frequency of each token of a row, and the cost of a token.

use crate::{range_coder::Part, sampling::fixed};

/// The least gap, in Q16, whose frequency is 1.
const FARTHEST: i64 = 28 << 16;

/// `2^-(i / 256)` in Q62. With `r_1 = floor(sqrt(2^61 * 2^62))` and `r_(k+1) = floor(sqrt(r_k *
/// 2^62))`, it is the product of the `r_k` for the bits of i, where `r_1` belongs to the highest
/// bit and each step is rounded down.
static POWERS: [u64; 256] = powers();

const fn powers() -> [u64; 256] {
    let mut table = [1u64 << 62; 256];
    let (mut root, mut bit) = (1u128 << 61, 7i32);
    while bit >= 0 {
        root = (root << 62).isqrt();
        let mut i = 0;
        while i < 256 {
            if i >> bit & 1 == 1 {
                table[i] = ((table[i] as u128 * root) >> 62) as u64;
            }
            i += 1;
        }
        bit -= 1;
    }
    table
}

/// Computes `1 + floor(2^40 e^-t)` for a non-negative gap `t` in Q16, with a relative error of at
/// most 10^-7 and an absolute one of 1.
///
/// From t = 28 on the result is 1. Otherwise `y = floor(t * LOG2_E / 2^24)` is in Q24; n is its
/// integer part, i the next eight bits and g the last sixteen. With `z = floor(g * LN2 / 2^16)` in
/// Q40, `zz = floor(z * z / 2^40)` and `zzz = floor(zz * z / 2^40)`, the result is `1 +
/// (floor(2^(-i/256) * (2^40 - z + floor(zz / 2) - floor(zzz / 6))) >> n)`.
pub fn frequency(t: i64) -> u64 {
    if t >= FARTHEST {
        return 1;
    }
    let y = (t * fixed::LOG2_E) >> 24;
    let (n, i, g) = (y >> 24, (y >> 16) as usize & 0xff, y & 0xffff);
    // The product is not negative, and below 2^32 after the shift.
    let z = ((g * fixed::LN2) >> 16) as u64;
    let squared = (z * z) >> 40;
    let cubed = (squared * z) >> 40;
    let tail = (1u64 << 40) - z + squared / 2 - cubed / 6;
    1 + ((u128::from(POWERS[i]) * u128::from(tail)) >> 62 >> n) as u64
}

/// Returns the largest logit.
fn largest(logits: &[i32]) -> i64 {
    i64::from(logits.iter().copied().max().unwrap_or(0))
}

/// Adds a size to a total. The sum is exact for a vocabulary of up to 2^23 tokens.
fn sum(total: u64, size: u64) -> u64 {
    total.saturating_add(size)
}

/// Returns the part of the interval that a row assigns to a token.
pub(super) fn part(logits: &[i32], token: u32) -> Part {
    let (top, token) = (largest(logits), token as usize);
    let (mut start, mut size, mut total) = (0, 1, 0);
    for (k, &logit) in logits.iter().enumerate() {
        let own = frequency(top - i64::from(logit));
        if k == token {
            (start, size) = (total, own);
        }
        total = sum(total, own);
    }
    Part { start, size, total }
}

/// Returns the sizes of all tokens' parts in order, and their sum.
pub(super) fn sizes(logits: &[i32]) -> (Vec<u64>, u64) {
    let top = largest(logits);
    let sizes: Vec<u64> = logits.iter().map(|&l| frequency(top - i64::from(l))).collect();
    let total = sizes.iter().copied().fold(0, sum);
    (sizes, total)
}

/// Returns the part of a first token without a row; all parts are equal.
pub(super) fn uniform(vocab: u32, token: u32) -> Part {
    Part { start: token.into(), size: 1, total: vocab.into() }
}

/// Returns the cost of a part in bits, Q32.
pub(super) fn cost(part: Part) -> u64 {
    let log2 = |x: u64| (i128::from(fixed::ln_q32(x)) * i128::from(fixed::LOG2_E)) >> 32;
    u64::try_from(log2(part.total) - log2(part.size)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{prop, prop_assert_eq, proptest};

    #[test]
    fn frequency_is_within_its_bound_and_falls() {
        let mut last = u64::MAX;
        for t in (0..FARTHEST + 10_000).step_by(37) {
            let exact = 1.0 + (40f64.exp2()) * (-(t as f64) / 65_536.0).exp();
            let got = frequency(t);
            assert!((got as f64 - exact).abs() <= exact * 1e-7 + 1.0, "{t}: {got} {exact}");
            assert!(got <= last);
            last = got;
        }
        assert_eq!(frequency(0), (1 << 40) + 1);
        assert_eq!(frequency(FARTHEST), 1);
        assert_eq!(frequency(i64::from(u32::MAX)), 1);
    }

    #[test]
    fn cost_is_the_logarithm_of_the_frequency() {
        let row = [0i32, 65_536, -70_000, i32::MIN, 131_072];
        let e: Vec<f64> = row.iter().map(|&l| (f64::from(l) / 65_536.0).exp()).collect();
        for token in [0u32, 1, 2, 4] {
            let exact = (e.iter().sum::<f64>() / e[token as usize]).log2();
            let got = cost(part(&row, token)) as f64 / 2f64.powi(32);
            assert!((got - exact).abs() < 1e-6, "{token}: {got} {exact}");
        }
        // The least likely token costs about 40 bits and never more than the total's logarithm.
        let worst = cost(part(&row, 3)) as f64 / 2f64.powi(32);
        assert!((40.0..42.0).contains(&worst), "{worst}");
    }

    proptest! {
        #[test]
        fn parts_of_all_tokens_fill_the_total(
            row in prop::collection::vec(-1_000_000i32..1_000_000, 1..50),
        ) {
            let (sizes, total) = sizes(&row);
            let mut start = 0;
            for (token, &size) in (0..).zip(&sizes) {
                prop_assert_eq!(part(&row, token), Part { start, size, total });
                start += size;
            }
            prop_assert_eq!(start, total);
        }
    }
}
