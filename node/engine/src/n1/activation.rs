// SPDX-License-Identifier: Apache-2.0
//! Quantisation of activations, in blocks of 32.

use crate::quantise::BLOCK;

/// 1.5 * 2^23. Adding it rounds to an integer, half to even, which then occupies the low bits.
const ROUND: f32 = 12_582_912.0;

/// Quantises a block and returns `d`: `d = amax / 127` and `q_i = clamp(round_half_away(x_i * (1 /
/// d)), -127, 127)`; all quants and `d` are 0 if `amax` is 0.
///
/// If `1 / d` is not finite (`amax` is below about 4e-37, or is not finite itself), the quants are
/// zero as well, so no quant depends on how a machine converts an out-of-range number.
#[inline(always)]
pub fn quantise(x: &[f32; BLOCK], q: &mut [i8; BLOCK]) -> f32 {
    let mut largest = [0f32; 8];
    for eight in x.as_chunks::<8>().0 {
        for (largest, x) in largest.iter_mut().zip(eight) {
            let magnitude = x.abs();
            // A maximum does not depend on the order; a NaN is never chosen.
            *largest = if magnitude > *largest { magnitude } else { *largest };
        }
    }
    let amax = largest.iter().fold(0f32, |m, &x| if x > m { x } else { m });
    let d = amax / 127.0;
    let inverse = 1.0 / d;
    if !(inverse.is_finite() && d.is_finite()) {
        *q = [0; BLOCK];
        return d;
    }
    for (q, x) in q.iter_mut().zip(x) {
        let scaled = x * inverse;
        let magnitude = scaled.abs();
        // This rounds half to even. Where that rounded a half down, one is added. The difference is
        // exact.
        let even = (magnitude + ROUND) - ROUND;
        let whole = if magnitude - even == 0.5 { even + 1.0 } else { even };
        // The value is at most 127, so the integer occupies the low bits. A NaN becomes 0.
        let clamped = if whole < 127.0 { whole } else { 127.0 };
        let number = if magnitude >= 0.0 { clamped.copysign(scaled) } else { 0.0 };
        *q = (number + ROUND).to_bits() as i8;
    }
    d
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn naive(x: &[f32; BLOCK]) -> (Vec<i8>, f32) {
        let amax = x.iter().fold(0f32, |m, x| m.max(x.abs()));
        let d = amax / 127.0;
        if amax == 0.0 {
            return (vec![0; BLOCK], 0.0);
        }
        (x.iter().map(|x| (x * (1.0 / d)).round().clamp(-127.0, 127.0) as i8).collect(), d)
    }

    proptest! {
        #[test]
        fn quantise_equals_the_naive_rule(
            x in prop::array::uniform32(-1e4f32..1e4),
            scale in -30i32..20,
        ) {
            let x = x.map(|x| x * 2f32.powi(scale));
            let mut q = [0; BLOCK];
            let d = quantise(&x, &mut q);
            let (expected, expected_d) = naive(&x);
            prop_assert_eq!(q.as_slice(), expected.as_slice());
            prop_assert_eq!(d.to_bits(), expected_d.to_bits());
        }
    }

    #[test]
    fn quantise_rounds_half_away_from_zero() {
        let mut x = [0f32; BLOCK];
        (x[0], x[1], x[2], x[3], x[4]) = (127.0, 0.5, -0.5, 0.499_999_97, -126.5);
        let mut q = [0; BLOCK];
        assert_eq!(quantise(&x, &mut q), 1.0);
        assert_eq!(q[..5], [127, 1, -1, 0, -127]);
    }

    #[test]
    fn quantise_returns_zeros_where_the_scale_has_no_inverse() {
        for x in [0.0, -0.0, f32::MIN_POSITIVE, f32::INFINITY] {
            let mut q = [7; BLOCK];
            quantise(&[x; BLOCK], &mut q);
            assert_eq!(q, [0; BLOCK], "{x}");
        }
    }
}
