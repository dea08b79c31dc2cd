// SPDX-License-Identifier: Apache-2.0
//! GELU by its approximation with a hyperbolic tangent (Hendrycks and Gimpel 2016, section 2), which is
//! Gemma's activation.

use super::exp::exp;

/// sqrt(2 / pi), as ggml has it; the digits denote this f32.
const SQRT_2_OVER_PI: f32 = 0.797_884_6;
/// The coefficient of the cubic term.
const CUBIC: f32 = 0.044_715;

/// Computes tanh(x) as 1 - 2 / (e^(2 x) + 1), with N1's [`exp`].
///
/// The absolute error is below 2e-7. Large arguments return 1 and -1 exactly, because [`exp`] is finite above
/// its range and +0 below it.
#[inline(always)]
pub fn tanh(x: f32) -> f32 {
    1.0 - 2.0 / (exp(2.0 * x) + 1.0)
}

/// Computes (0.5 x) (1 + tanh((sqrt(2 / pi) x) (1 + (0.044715 x) x))), each operation in the order of the
/// brackets.
#[inline(always)]
pub fn gelu(x: f32) -> f32 {
    let inner = (SQRT_2_OVER_PI * x) * (1.0 + (CUBIC * x) * x);
    (0.5 * x) * (1.0 + tanh(inner))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bits of arguments, of their tanh and of their gelu, which no machine and no version may change.
    const GOLDEN: [(u32, u32, u32); 17] = [
        (0x0000_0000, 0x0000_0000, 0x0000_0000),
        (0x8000_0000, 0x0000_0000, 0x8000_0000),
        (0x0da2_4260, 0x0000_0000, 0x0d22_4260),
        (0x38d1_b717, 0x38d1_c000, 0x3851_bb61),
        (0xbc8b_4396, 0xbc8b_4000, 0xbc09_6008),
        (0x3e00_0000, 0x3dfe_acc8, 0x3d8c_bb9a),
        (0x3f00_0000, 0x3eec_9a9e, 0x3eb1_016e),
        (0xbf40_0000, 0xbf22_991e, 0xbe2e_1ed2),
        (0x3f80_0000, 0x3f42_f7d6, 0x3f57_585c),
        (0xbf80_0000, 0xbf42_f7d4, 0xbe22_9e90),
        (0x3fd9_999a, 0x3f6f_76f8, 0x3fcf_e2b4),
        (0xc013_3333, 0xbf7a_e798, 0xbcc7_49bd),
        (0x4040_0000, 0x3f7e_bbe9, 0x403f_c468),
        (0xc090_0000, 0xbf7f_efd4, 0xb6b4_0000),
        (0x40c8_0000, 0x3f7f_ff83, 0x40c8_0000),
        (0xc120_0000, 0xbf80_0000, 0x8000_0000),
        (0x60ad_78ec, 0x3f80_0000, 0x60ad_78ec),
    ];

    #[test]
    fn tanh_and_gelu_have_their_published_bits() {
        for (x, tanh_bits, gelu_bits) in GOLDEN {
            let x = f32::from_bits(x);
            assert_eq!((tanh(x).to_bits(), gelu(x).to_bits()), (tanh_bits, gelu_bits), "{x}");
        }
    }

    #[test]
    fn tanh_and_gelu_match_f64() {
        for i in -12_000..=12_000 {
            let x = i as f32 * 1e-3;
            let exact = f64::from(x);
            assert!((f64::from(tanh(x)) - libm::tanh(exact)).abs() < 2e-7, "tanh {x}");
            let inner = (2.0 / std::f64::consts::PI).sqrt() * (exact + 0.044_715 * exact.powi(3));
            let exact = 0.5 * exact * (1.0 + libm::tanh(inner));
            assert!((f64::from(gelu(x)) - exact).abs() < 3e-7 * (1.0 + exact.abs()), "gelu {x}");
        }
    }

    #[test]
    fn gelu_of_large_arguments_is_the_argument_or_zero() {
        for x in [12f32, 1e3, 1e20, f32::MAX] {
            assert_eq!((gelu(x), gelu(-x)), (x, 0.0), "{x}");
            assert_eq!((tanh(x), tanh(-x)), (1.0, -1.0), "{x}");
        }
    }
}
