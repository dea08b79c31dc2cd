// SPDX-License-Identifier: Apache-2.0
//! The probability of a chi-square at least as large as one found.

/// Returns `P(X >= chi)` with that many degrees of freedom: the regularised upper incomplete gamma
/// function Q(degrees / 2, chi / 2), by its series or its continued fraction (Numerical Recipes,
/// section 6.2).
pub fn p_value(chi: f64, degrees: usize) -> f64 {
    let (a, x) = (degrees as f64 / 2.0, chi / 2.0);
    if x <= 0.0 {
        return 1.0;
    }
    let scale = (a * x.ln() - x - ln_gamma(a)).exp();
    if x < a + 1.0 {
        let (mut term, mut sum, mut n) = (1.0 / a, 1.0 / a, a);
        while term > sum * 1e-15 {
            n += 1.0;
            term *= x / n;
            sum += term;
        }
        1.0 - sum * scale
    } else {
        let mut b = x + 1.0 - a;
        let (mut c, mut d) = (1e300, 1.0 / b);
        let mut h = d;
        for i in 1..100_000 {
            let an = -(i as f64) * (i as f64 - a);
            b += 2.0;
            d = 1.0 / (an * d + b);
            c = b + an / c;
            let factor = d * c;
            h *= factor;
            if (factor - 1.0).abs() < 1e-15 {
                break;
            }
        }
        h * scale
    }
}

/// Returns the logarithm of the gamma function, by Stirling's series after shifting the argument
/// up.
fn ln_gamma(mut x: f64) -> f64 {
    let mut shift = 0.0;
    while x < 20.0 {
        shift += x.ln();
        x += 1.0;
    }
    let series = 1.0 / (12.0 * x) - 1.0 / (360.0 * x.powi(3)) + 1.0 / (1260.0 * x.powi(5));
    (x - 0.5) * x.ln() - x + 0.5 * (2.0 * std::f64::consts::PI).ln() + series - shift
}

/// Returns the chi-square of counts against their expected values.
pub fn chi_square(found: &[u64], expected: &[f64]) -> f64 {
    found.iter().zip(expected).map(|(n, mean)| (*n as f64 - mean).powi(2) / mean).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p_values_are_those_of_the_tables() {
        for (chi, degrees, p) in [
            (3.841, 1, 0.05),
            (9.488, 4, 0.05),
            (18.307, 10, 0.05),
            (29.588, 10, 0.001),
            (124.342, 100, 0.05),
        ] {
            let found = p_value(chi, degrees);
            assert!((found - p).abs() < p * 1e-3, "{found} instead of {p}");
        }
        assert!((p_value(9_998.3, 9_999) - 0.5).abs() < 0.01);
    }
}
