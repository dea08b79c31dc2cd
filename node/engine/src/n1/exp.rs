// SPDX-License-Identifier: Apache-2.0
//! The profile's only exponential, and the functions that use it.
#![allow(
    clippy::approx_constant,
    clippy::excessive_precision,
    reason = "the digits are published: they denote these f32 and must not follow a library"
)]

/// The argument below which `exp` is +0; e^-87 is near the smallest normal `f32`.
const LOW: f32 = -87.0;
/// The largest argument; larger ones are treated as this. 2^127 is the largest power that the
/// scaling can produce.
const HIGH: f32 = 88.0;
/// log2(e).
const LOG2_E: f32 = 1.442_695_04;
/// The leading bits of ln 2; its product with an integer up to 127 is exact.
const LN2_HIGH: f32 = 0.693_359_375;
/// ln 2 minus [`LN2_HIGH`].
const LN2_LOW: f32 = -2.121_944_4e-4;
/// 1.5 * 2^23. Adding it rounds to an integer, half to even, which then occupies the low bits.
const ROUND: f32 = 12_582_912.0;
/// The polynomial for (e^r - 1 - r) / r^2 on |r| <= ln(2)/2, highest power first.
const P: [f32; 6] =
    [1.987_569_15e-4, 1.398_199_95e-3, 8.333_451_91e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5];

/// Computes e^x as ((P(r) r) r + r) + 1, times 2^n, with n = round(x log2 e) and r = (x - n
/// LN2_HIGH) - n LN2_LOW.
///
/// The relative error is below 2e-7 on [-87, 88]. An argument below -87 returns +0, one above 88
/// returns e^88, and a NaN returns +0.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    let low_enough = if x < HIGH { x } else { HIGH };
    let clamped = if low_enough > LOW { low_enough } else { LOW };
    let shifted = clamped * LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = (clamped - n * LN2_HIGH) - n * LN2_LOW;
    let mut p = P[0];
    p = p * r + P[1];
    p = p * r + P[2];
    p = p * r + P[3];
    p = p * r + P[4];
    p = p * r + P[5];
    let y = ((p * r) * r + r) + 1.0;
    // n is between -126 and 127, so n + 127 is the exponent of a normal number.
    let power = shifted.to_bits().wrapping_sub(ROUND.to_bits()).wrapping_add(127) << 23;
    let scaled = y * f32::from_bits(power);
    if x >= LOW {
        scaled
    } else {
        0.0
    }
}

/// Computes x / (1 + e^-x).
#[inline(always)]
pub fn silu(x: f32) -> f32 {
    x / (1.0 + exp(-x))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_stays_within_its_error_bound() {
        let mut worst = 0f64;
        for i in -870_000..=880_000i32 {
            let x = i as f32 * 1e-4;
            if !(LOW..=HIGH).contains(&x) {
                continue;
            }
            let exact = libm::exp(f64::from(x));
            worst = worst.max(((f64::from(exp(x)) - exact) / exact).abs());
        }
        assert!(worst < 2e-7, "worst relative error {worst:e}");
    }

    #[test]
    fn exp_has_the_published_ends() {
        assert_eq!(exp(0.0), 1.0);
        assert_eq!(exp(-0.0), 1.0);
        assert_eq!(exp(-87.000_01).to_bits(), 0);
        assert_eq!(exp(f32::NEG_INFINITY).to_bits(), 0);
        assert_eq!(exp(f32::NAN).to_bits(), 0);
        assert_eq!(exp(f32::INFINITY), exp(88.0));
        assert!(exp(88.0).is_finite());
    }

    #[test]
    fn silu_matches_f64() {
        for i in -2000..2000 {
            let x = i as f32 * 0.02;
            let exact = f64::from(x) / (1.0 + libm::exp(-f64::from(x)));
            assert!((f64::from(silu(x)) - exact).abs() <= 4e-7 * exact.abs() + 1e-37, "{x}");
        }
    }
}
