// SPDX-License-Identifier: Apache-2.0
//! The probabilities of draws.

/// Returns the number of ways to choose `k` of `n`.
pub fn choose(n: u32, k: u32) -> f64 {
    if k > n {
        return 0.0;
    }
    (0..k.min(n - k)).fold(1.0, |ways, i| ways * f64::from(n - i) / f64::from(i + 1))
}

/// Returns the probability that exactly `k` of `n` independent trials succeed.
pub fn binomial(n: u32, k: u32, success: f64) -> f64 {
    if k > n {
        return 0.0;
    }
    choose(n, k) * success.powi(k as i32) * (1.0 - success).powi((n - k) as i32)
}

/// Returns the probability that at least `k` of `n` independent trials succeed.
pub fn at_least(n: u32, k: u32, success: f64) -> f64 {
    (k..=n).map(|k| binomial(n, k, success)).sum()
}

/// Returns the probability that a draw of `n` without replacement, out of `pool` of which `marked` are
/// marked, has exactly `k` that are.
pub fn hypergeometric(pool: u32, marked: u32, n: u32, k: u32) -> f64 {
    if k > n || k > marked || n - k > pool - marked {
        return 0.0;
    }
    choose(marked, k) * choose(pool - marked, n - k) / choose(pool, n)
}

/// Returns the distribution of the largest of `2^doublings` independent draws from a distribution over
/// 0, 1, 2 and so on.
pub fn largest_of(distribution: &[f64], doublings: u32) -> Vec<f64> {
    let mut below = 0.0;
    let mut sum = 0.0;
    let draws = 2f64.powi(doublings as i32);
    distribution
        .iter()
        .map(|probability| {
            sum += probability;
            let up_to = sum.min(1.0).powf(draws);
            let exactly = up_to - below;
            below = up_to;
            exactly
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(one: f64, other: f64) -> bool {
        (one - other).abs() < 1e-9
    }

    #[test]
    fn binomial_has_known_values() {
        assert!(close(binomial(3, 3, 0.2), 0.008));
        assert!(close(binomial(4, 2, 0.5), 0.375));
        assert!(close(binomial(0, 0, 0.3), 1.0));
        assert!(close(binomial(2, 3, 0.3), 0.0));
        // The majority of a jury of seven and of nine at a fifth.
        assert!(close(at_least(7, 4, 0.2), 0.033344));
        assert!(close(at_least(9, 5, 0.2), 0.019581440));
    }

    #[test]
    fn binomial_sums_to_one() {
        for n in [1, 3, 9, 16, 100] {
            assert!(close(at_least(n, 0, 0.2), 1.0), "{n}");
        }
    }

    #[test]
    fn hypergeometric_has_known_values() {
        assert!(close(hypergeometric(5, 2, 2, 2), 0.1));
        assert!(close(hypergeometric(10, 0, 3, 0), 1.0));
        assert!(close(hypergeometric(10, 10, 3, 3), 1.0));
        assert!(close(hypergeometric(100, 20, 3, 3), 1_140.0 / 161_700.0));
    }

    #[test]
    fn hypergeometric_sums_to_one_and_approaches_the_binomial() {
        for (pool, marked, n) in [(100, 20, 9), (97, 18, 9), (12, 11, 5), (9, 0, 9)] {
            let sum: f64 = (0..=n).map(|k| hypergeometric(pool, marked, n, k)).sum();
            assert!(close(sum, 1.0), "{pool} {marked} {n}");
        }
        let far = hypergeometric(1_000_000, 200_000, 9, 5);
        assert!((far - binomial(9, 5, 0.2)).abs() < 1e-6);
    }

    #[test]
    fn largest_of_more_draws_is_larger_and_sums_to_one() {
        let one = [0.5, 0.3, 0.2];
        assert!(largest_of(&one, 0).iter().zip(one).all(|(largest, one)| close(*largest, one)));
        let two = largest_of(&one, 1);
        assert!(close(two[0], 0.25) && close(two[1], 0.39) && close(two[2], 0.36));
        assert!(close(largest_of(&one, 5).iter().sum(), 1.0));
    }
}
