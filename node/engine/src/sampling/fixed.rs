// SPDX-License-Identifier: Apache-2.0
//! Logarithm and exponential in integers.
//!
//! All shifts of negative numbers round down, and all divisions are of non-negative numbers.
//! Results are exact functions: the constants and the order of operations are part of the protocol.

/// ln 2 in Q32: `floor(ln 2 * 2^32)`.
pub const LN2: i64 = 2_977_044_471;
/// log2 e in Q32: `floor(log2(e) * 2^32)`.
pub const LOG2_E: i64 = 6_196_328_018;

/// `ln(1 + i / 256)` in Q32.
///
/// With `z = floor(i * 2^62 / (512 + i))` and `zz = floor(z * z / 2^62)`, it is the sum over odd n
/// = 1, 3, ..., 41 of `floor(p_n / n)`, where `p_1 = z` and `p_(n+2) = floor(p_n * zz / 2^62)`,
/// times two, shifted down from Q62.
static LN_TABLE: [i64; 256] = ln_table();

const fn ln_table() -> [i64; 256] {
    let mut table = [0i64; 256];
    let mut i = 0;
    while i < 256 {
        let z = ((i as u128) << 62) / (512 + i as u128);
        let zz = (z * z) >> 62;
        let (mut sum, mut power, mut n) = (0u128, z, 1u128);
        while n <= 41 {
            sum += power / n;
            power = (power * zz) >> 62;
            n += 2;
        }
        table[i] = ((2 * sum) >> 30) as i64;
        i += 1;
    }
    table
}

/// Computes `ln x` in Q32, within 2^-30. Returns 0 for 0.
///
/// Let k be the index of the highest set bit, `m` be x shifted so that its highest bit is bit 31
/// (down if k > 31), `i` its eight bits below that, `c` the number of its first nine bits, and `r =
/// floor((m - c) * 2^32 / c)`. The result is `k LN2 + table[i] + (r - ((r * r >> 32) >> 1) + ((r *
/// r >> 32) * r >> 32) / 3)`.
pub fn ln_q32(x: u64) -> i64 {
    let Some(k) = x.checked_ilog2() else { return 0 };
    let m = if k > 31 { x >> (k - 31) } else { x << (31 - k) };
    let i = (m >> 23) & 0xff;
    let c = m & !0x7f_ffff;
    // m - c < 2^23 and c >= 2^31, so r < 2^24.
    let r = ((m - c) << 32) / c;
    let squared = (r * r) >> 32;
    let cubed = (squared * r) >> 32;
    let tail = r - (squared >> 1) + cubed / 3;
    i64::from(k) * LN2 + LN_TABLE[i as usize] + tail as i64
}

/// Computes `-ln(-ln u)` in Q24 for `u = (2 x + 1) / 2^33`. The result is between -3.2 and 22.2.
pub fn gumbel_q24(x: u32) -> i64 {
    let negative_ln = (33 * LN2 - ln_q32(2 * u64::from(x) + 1)).max(1);
    (32 * LN2 - ln_q32(negative_ln as u64)) >> 8
}

/// Computes `e^-t` in Q32, within 1e-7, for a non-negative `t` in Q24. Returns 0 from t = 23 on.
///
/// `y = t * LOG2_E >> 32` is in Q24; `n = y >> 24` and `f = y mod 2^24`; `z = f * LN2 >> 24` is in
/// Q32. Starting with `p = 2^32`, it sets `p = 2^32 - floor((z * p >> 32) / k)` for each k from 12
/// down to 1, and returns `p >> n`.
pub fn exp_q32(t: i64) -> u64 {
    if t >= 23 << 24 {
        return 0;
    }
    let y = (t * LOG2_E) >> 32;
    let (n, f) = (y >> 24, y & 0xff_ffff);
    // t is not negative, so neither are these.
    let z = ((f * LN2) >> 24) as u64;
    let mut p = 1u64 << 32;
    for k in (1..=12).rev() {
        // z < LN2 < 2^31.5 and p <= 2^32: the product is below 2^64.
        p = (1 << 32) - ((z * p) >> 32) / k;
    }
    p >> n
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: f64 = (1u64 << 32) as f64;

    #[test]
    fn constants_match_their_definitions() {
        assert_eq!(LN2, (std::f64::consts::LN_2 * ONE).floor() as i64);
        assert_eq!(LOG2_E, (std::f64::consts::LOG2_E * ONE).floor() as i64);
    }

    #[test]
    fn ln_q32_is_within_its_bound() {
        for k in 0..63u32 {
            for j in 0..2000u64 {
                let x = (1u64 << k) + (j.wrapping_mul(0x9e37_79b9_7f4a_7c15) & ((1u64 << k) - 1));
                // A number above 2^32 loses its lowest bits first.
                let error = ln_q32(x) as f64 / ONE - (x as f64).ln();
                assert!(
                    error.abs() < 2f64.powi(-30) + f64::from(k) * 2f64.powi(-32),
                    "{x} {error:e}"
                );
            }
        }
        assert_eq!(ln_q32(0), 0);
        assert_eq!(ln_q32(1), 0);
    }

    #[test]
    fn gumbel_q24_matches_f64() {
        for x in (0..u32::MAX - 4096).step_by(999_983) {
            let u = (2.0 * f64::from(x) + 1.0) / 2f64.powi(33);
            let exact = -(-u.ln()).ln();
            assert!((gumbel_q24(x) as f64 / 2f64.powi(24) - exact).abs() < 1e-5, "{x}");
        }
        assert!(gumbel_q24(0) > -54_000_000);
        assert!(gumbel_q24(u32::MAX) <= 373_000_000);
    }

    #[test]
    fn exp_q32_matches_f64() {
        for t in (0..23i64 << 24).step_by(7919) {
            let exact = (-(t as f64) / 2f64.powi(24)).exp();
            assert!((exp_q32(t) as f64 / ONE - exact).abs() < 1e-7, "{t}");
        }
        assert_eq!(exp_q32(0), 1 << 32);
        assert_eq!(exp_q32(23 << 24), 0);
        assert_eq!(exp_q32(i64::MAX), 0);
    }
}
