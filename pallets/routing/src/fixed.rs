// SPDX-License-Identifier: Apache-2.0
//! Fixed point of scale 10^9, and apportionment with exact sums.

use alloc::vec::Vec;
use sp_runtime::{helpers_128bit::multiply_by_rational_with_rounding, Rounding};

/// A fraction in units of 10^-9.
pub type Billionths = u64;

/// The value 1.0.
pub const ONE: Billionths = 1_000_000_000;

/// Returns `value * part / whole`, rounded down; 0 if `whole` is 0. Saturates at `u64::MAX`.
pub fn proportion(value: u64, part: u128, whole: u128) -> u64 {
    let whole = if whole == 0 { return 0 } else { whole };
    multiply_by_rational_with_rounding(value.into(), part, whole, Rounding::Down)
        .map_or(u64::MAX, saturated)
}

/// Returns `part / whole` in billionths, rounded down; 0 if `whole` is 0.
pub fn ratio(part: u128, whole: u128) -> Billionths {
    proportion(ONE, part, whole)
}

/// Returns `value * factor`, rounded down.
pub fn times(value: u64, factor: Billionths) -> u64 {
    let product = u128::from(value).saturating_mul(factor.into());
    saturated(product / u128::from(ONE))
}

/// Returns `amount * part`, rounded down, of a part of at most 1.0.
pub fn fraction(amount: u128, part: Billionths) -> u128 {
    let part = part.min(ONE).into();
    multiply_by_rational_with_rounding(amount, part, ONE.into(), Rounding::Down).unwrap_or(amount)
}

/// Returns the point between `from` and `to` at `step`, which is at most 1.0: one step of an
/// exponential moving average. The result lies between the two whatever the rounding.
pub fn approach(from: u64, to: u64, step: Billionths) -> u64 {
    let step = step.min(ONE);
    if to >= from {
        from.saturating_add(times(to.saturating_sub(from), step))
    } else {
        from.saturating_sub(times(from.saturating_sub(to), step))
    }
}

/// Divides `total` in proportion to `parts` by the method of the largest remainder. The shares sum
/// to `total` exactly, and each is within 1 of its proportion. Equal remainders are served in the
/// order of the parts. If all parts are 0, all shares are 0.
///
/// The parts are shifted until their sum fits 63 bits, which is visible only if `total` has more
/// than about 50 bits.
pub fn apportion(parts: &[u128], total: u64) -> Vec<u64> {
    let parts = narrowed(parts);
    let sum = parts.iter().fold(0u128, |sum, part| sum.saturating_add(*part));
    if sum == 0 {
        return parts.iter().map(|_| 0).collect();
    }
    let divided: Vec<(u128, u128)> = parts
        .iter()
        .map(|part| {
            let whole = part.saturating_mul(total.into());
            (whole.checked_div(sum).unwrap_or(0), whole.checked_rem(sum).unwrap_or(0))
        })
        .collect();
    let given = divided.iter().fold(0u128, |sum, (share, _)| sum.saturating_add(*share));
    let mut order: Vec<usize> = (0..divided.len()).collect();
    order.sort_by_key(|at| core::cmp::Reverse(divided.get(*at).map_or(0, |(_, rest)| *rest)));
    let mut shares: Vec<u64> = divided.iter().map(|(share, _)| saturated(*share)).collect();
    let missing = saturated(u128::from(total).saturating_sub(given));
    for at in order.into_iter().take(usize::try_from(missing).unwrap_or(usize::MAX)) {
        if let Some(share) = shares.get_mut(at) {
            *share = share.saturating_add(1);
        }
    }
    shares
}

/// Returns the same parts, shifted so that their sum times a `u64` fits.
fn narrowed(parts: &[u128]) -> Vec<u128> {
    let count = u128::try_from(parts.len()).unwrap_or(u128::MAX);
    let most = parts.iter().max().copied().unwrap_or(0);
    let bits = |number: u128| u128::BITS.saturating_sub(number.leading_zeros());
    let shift = bits(most).saturating_add(bits(count)).saturating_sub(63);
    parts.iter().map(|part| part.checked_shr(shift).unwrap_or(0)).collect()
}

fn saturated(number: u128) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn apportion_serves_the_largest_remainders() {
        assert_eq!(apportion(&[1, 1, 1], 10), vec![4, 3, 3]);
        assert_eq!(apportion(&[47, 16, 16, 12, 6, 3], 10), vec![5, 2, 2, 1, 0, 0]);
        assert_eq!(apportion(&[0, 0], 10), vec![0, 0]);
        assert!(apportion(&[], 10).is_empty());
    }

    #[test]
    fn ratio_of_nothing_is_zero() {
        assert_eq!(ratio(5, 0), 0);
        assert_eq!(ratio(1, 2), ONE / 2);
        assert_eq!(ratio(u128::MAX, 1), u64::MAX);
    }

    #[test]
    fn fraction_of_any_amount_is_exact() {
        assert_eq!(fraction(10, ONE / 2), 5);
        assert_eq!(fraction(u128::MAX, ONE), u128::MAX);
        assert_eq!(fraction(u128::MAX, ONE / 4), u128::MAX / 4);
        assert_eq!(fraction(7, 0), 0);
    }

    proptest! {
        #[test]
        fn apportion_sums_exactly_and_is_fair(
            parts in proptest::collection::vec(any::<u64>(), 1..50),
            total in 0..1u64 << 40,
        ) {
            let wide: Vec<u128> = parts.iter().map(|part| u128::from(*part)).collect();
            let sum: u128 = wide.iter().sum();
            prop_assume!(sum > 0);
            let shares = apportion(&wide, total);
            prop_assert_eq!(shares.iter().map(|share| u128::from(*share)).sum::<u128>(), total.into());
            for (share, part) in shares.iter().zip(&wide) {
                let exact = u128::from(proportion(total, *part, sum));
                prop_assert!(u128::from(*share).abs_diff(exact) <= 1);
            }
        }

        #[test]
        fn apportion_sums_exactly_at_extremes(
            parts in proptest::collection::vec(any::<u128>(), 1..200),
        ) {
            prop_assume!(parts.iter().any(|part| *part > 0));
            prop_assert_eq!(apportion(&parts, ONE).iter().sum::<u64>(), ONE);
        }

        #[test]
        fn approach_stays_between(from in any::<u64>(), to in any::<u64>(), step in 0..=ONE) {
            let at = approach(from, to, step);
            prop_assert!(at >= from.min(to) && at <= from.max(to));
        }
    }
}
