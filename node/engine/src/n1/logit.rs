// SPDX-License-Identifier: Apache-2.0
//! Logits as integers.

/// Converts a logit to Q15.16: `round_half_even(x * 65536)`, saturated to `i32`. A NaN becomes 0.
///
/// The product is exact, since it changes the exponent only.
#[inline(always)]
pub fn to_fixed(x: f32) -> i32 {
    (x * 65536.0).round_ties_even() as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn to_fixed_rounds_half_to_even_and_saturates() {
        let half = 0.5 / 65536.0;
        assert_eq!([to_fixed(half), to_fixed(3.0 * half), to_fixed(-half)], [0, 2, 0]);
        assert_eq!([to_fixed(1.0), to_fixed(-1.5)], [65536, -98304]);
        assert_eq!([to_fixed(1e9), to_fixed(-1e9)], [i32::MAX, i32::MIN]);
        assert_eq!([to_fixed(f32::INFINITY), to_fixed(f32::NAN)], [i32::MAX, 0]);
    }
}
