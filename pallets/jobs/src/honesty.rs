// SPDX-License-Identifier: Apache-2.0
//! The inequality by which a lie costs more than it earns.

use sp_runtime::Permill;

/// The number of blocks after the commitment whose randomness decides on an audit.
pub const DRAWS: u64 = 16;

/// The number of these blocks that a liar with a fifth of the slots can wait to author itself, so
/// that it knows what they decide.
pub const FORESEEN: u64 = 9;

/// The part of audits of a lie that detect it, in thousandths: a fifth of the stake colludes, one of
/// a committee of three is honest, and so is the majority of a jury of five.
pub const DETECTED: u64 = 935;

/// Returns whether honesty pays. With the reward `R`, the bond `S`, the rate `a` at which a liar must
/// expect audits and the part `d` of them that detect it, that is `S/R > 1/(a·d) - 1`.
///
/// A rate of `floor` leaves `1 - (1 - floor)^((DRAWS - FORESEEN)/DRAWS)` to a liar that waits for its
/// own blocks. That is at least `floor · (DRAWS - FORESEEN)/DRAWS`, by Bernoulli's inequality, which
/// needs no roots.
pub fn pays(bond_factor: u32, floor: Permill) -> bool {
    let expected = u128::from(floor.deconstruct())
        .saturating_mul(DRAWS.saturating_sub(FORESEEN).into())
        .saturating_mul(DETECTED.into());
    let certain = 1_000_000_u128.saturating_mul(DRAWS.into()).saturating_mul(1_000);
    // `a·d·(S/R + 1) > 1`, in parts of `certain`.
    expected.saturating_mul(u128::from(bond_factor).saturating_add(1)) > certain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn honesty_pays_with_twenty_rewards_and_thirteen_percent_of_audits() {
        assert!(pays(20, Permill::from_percent(13)));
    }

    #[test]
    fn honesty_does_not_pay_with_less_of_either() {
        assert!(!pays(16, Permill::from_percent(13)));
        assert!(!pays(20, Permill::from_percent(11)));
        assert!(!pays(u32::MAX, Permill::zero()));
    }

    #[test]
    fn bound_is_close_to_the_power_that_it_replaces() {
        let exact = 1.0 - 0.87_f64.powf((DRAWS - FORESEEN) as f64 / DRAWS as f64);
        let bound = 0.13 * (DRAWS - FORESEEN) as f64 / DRAWS as f64;
        assert!((0.058..0.060).contains(&exact) && bound < exact && bound > exact - 0.003);
        // The spec's numbers: 17.1 rewards with a jury of five.
        let needed = 1.0 / (exact * DETECTED as f64 / 1_000.0) - 1.0;
        assert!((needed - 17.1).abs() < 0.1, "{needed}");
    }
}
