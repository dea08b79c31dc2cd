// SPDX-License-Identifier: Apache-2.0
//! The inequalities by which a lie costs more than it earns, where a fifth of the stake colludes.
//! Probabilities are in billionths, and rounded against honesty.

use crate::{
    ticket::{self, TICKETS},
    BlockNumber,
};
use sp_runtime::Permill;

/// A certain event, in billionths.
pub const CERTAIN: u64 = 1_000_000_000;

/// Of this many verifiers or slots one colludes.
const COLLUDING: u128 = 5;

/// The number of blocks of a draw over 1 to 16 blocks that a liar with a fifth of the slots can wait
/// to author itself: it has more of them less often than it has more than 9 of 16, which is once in
/// 4,000 blocks.
const FORESEEN: [BlockNumber; 16] = [1, 2, 3, 4, 5, 5, 6, 6, 7, 7, 7, 8, 8, 9, 9, 9];

/// The sizes of panels.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Panels {
    /// The members of a committee.
    pub committee: u32,
    /// The fewest members of a jury.
    pub jury: u32,
}

impl Panels {
    /// Returns the part of audited lies that are found: one member of the committee is honest, and
    /// so is the majority of the jury.
    pub fn detected(self) -> u64 {
        parts(product(one_is_honest(self.committee), majority_is_honest(self.jury)))
    }

    /// Returns the fewest members of a committee that can accept.
    fn captors(self) -> u32 {
        (self.committee / 2).saturating_add(1)
    }
}

/// Returns the rate at which a liar must expect audits that waits for its own blocks: of `blocks` it
/// avoids the draws of those that it can foresee, and each of the others wins at
/// `1 - (1 - floor)^(1/blocks)`. Nobody avoids a draw that always wins.
pub fn expected_rate(floor: Permill, blocks: BlockNumber) -> u64 {
    let threshold = ticket::threshold(floor, blocks);
    if threshold >= TICKETS {
        return CERTAIN;
    }
    let index = usize::try_from(blocks.saturating_sub(1)).unwrap_or(usize::MAX);
    let foreseen = FORESEEN.get(index).copied().unwrap_or(blocks);
    let missed = u128::from(TICKETS.saturating_sub(threshold));
    let avoided = (foreseen..blocks)
        .fold(u128::from(CERTAIN), |rest, _| rest.saturating_mul(missed).div_ceil(TICKETS.into()));
    parts(u128::from(CERTAIN).saturating_sub(avoided))
}

/// Returns the fewest rewards that a bond must be for a lie to lose money: the smallest whole `S/R`
/// with `S/R > 1/(a·d) - 1`, where `a` is the expected rate of audits and `d` the part of them that
/// detect a lie.
pub fn least_bond(expected: u64, detected: u64) -> u32 {
    let caught = u128::from(expected).saturating_mul(detected.into());
    let certain = u128::from(CERTAIN).saturating_mul(CERTAIN.into());
    let least = certain.checked_div(caught).unwrap_or(u128::MAX);
    u32::try_from(least).unwrap_or(u32::MAX)
}

/// Returns the lowest rate of second looks at which capturing a committee loses money: the smallest
/// `q` with `q > 1/(d·(1 + S/R + b·m))`, where `d` is the chance of an honest jury, `S/R` the
/// operator's bond and `b` a verifier's, in rewards, and `m` the number of verifiers that accept. It is
/// in millionths, and more than a million where no rate is high enough.
pub fn least_second_looks(panels: Panels, bond: u32, verifier_bond: u32) -> u32 {
    let lost = verifier_bond.saturating_mul(panels.captors()).saturating_add(bond);
    let lost = u128::from(lost).saturating_add(1);
    let fined = majority_is_honest(panels.jury).saturating_mul(lost);
    let certain = u128::from(CERTAIN).saturating_mul(Permill::one().deconstruct().into());
    let least = certain.checked_div(fined).unwrap_or(u128::MAX).saturating_add(1);
    u32::try_from(least).unwrap_or(u32::MAX)
}

/// Returns the chance that not all of so many verifiers collude.
fn one_is_honest(members: u32) -> u128 {
    let all = COLLUDING.saturating_pow(members);
    u128::from(CERTAIN).saturating_sub(u128::from(CERTAIN).div_ceil(all))
}

/// Returns the chance that most of so many verifiers do not collude.
fn majority_is_honest(members: u32) -> u128 {
    let honest = COLLUDING.saturating_sub(1);
    // The coefficients of `(honest + 1)^members`, the number of honest members rising.
    let mut ways: u128 = 1;
    let mut favourable: u128 = 0;
    for count in 0..=members {
        if count > members / 2 {
            favourable = favourable.saturating_add(ways);
        }
        // Exact: the next binomial coefficient, times another factor.
        ways = ways
            .saturating_mul(members.saturating_sub(count).into())
            .saturating_mul(honest)
            .checked_div(u128::from(count).saturating_add(1))
            .unwrap_or(0);
    }
    let all = COLLUDING.saturating_pow(members);
    u128::from(CERTAIN).saturating_mul(favourable).checked_div(all).unwrap_or(0)
}

fn product(left: u128, right: u128) -> u128 {
    left.saturating_mul(right).checked_div(CERTAIN.into()).unwrap_or(0)
}

/// Returns billionths, at most [`CERTAIN`].
fn parts(number: u128) -> u64 {
    u64::try_from(number).unwrap_or(CERTAIN).min(CERTAIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: Panels = Panels { committee: 3, jury: 5 };
    const LARGE: Panels = Panels { committee: 3, jury: 9 };

    #[test]
    fn detection_is_that_of_a_committee_and_a_jury_with_a_colluding_fifth() {
        // 0.992 times 0.94208 and 0.980419...
        assert_eq!(SMALL.detected(), 934_543_360);
        assert_eq!(LARGE.detected(), 972_575_211);
    }

    #[test]
    fn expected_rate_is_the_power_over_blocks_that_nobody_foresees() {
        let exact = 1.0 - 0.87_f64.powf(7.0 / 16.0);
        let rate = expected_rate(Permill::from_percent(13), 16) as f64 / 1e9;
        assert!((rate - exact).abs() < 1e-7, "{rate} and {exact}");
        assert!((0.059..0.060).contains(&rate), "{rate}");
    }

    #[test]
    fn expected_rate_of_a_short_draw_is_nothing_unless_everything_is_audited() {
        assert_eq!(expected_rate(Permill::from_percent(99), 2), 0);
        assert_eq!(expected_rate(Permill::one(), 2), CERTAIN);
        assert_eq!(expected_rate(Permill::zero(), 16), 0);
    }

    #[test]
    fn foreseen_blocks_are_as_rare_as_nine_of_sixteen() {
        let more = |blocks: u32, than: u32| -> f64 {
            let ways =
                |n: u32, k: u32| (0..k).fold(1.0, |w, i| w * f64::from(n - i) / f64::from(i + 1));
            (than + 1..=blocks)
                .map(|own| {
                    ways(blocks, own)
                        * 0.2_f64.powi(own as i32)
                        * 0.8_f64.powi((blocks - own) as i32)
                })
                .sum()
        };
        let rare = more(16, 9) + 1e-12;
        for (foreseen, blocks) in FORESEEN.into_iter().zip(1..) {
            assert!(more(blocks, foreseen) <= rare, "more than {foreseen} of {blocks}");
            assert!(more(blocks, foreseen - 1) > rare, "{foreseen} of {blocks} are too many");
        }
    }

    #[test]
    fn least_bond_is_that_of_the_protocol() {
        // 17.1 rewards with a jury of five, 16.4 with one of nine.
        let expected = expected_rate(Permill::from_percent(13), 16);
        assert_eq!(least_bond(expected, SMALL.detected()), 18);
        assert_eq!(least_bond(expected, LARGE.detected()), 17);
        assert_eq!(least_bond(CERTAIN, SMALL.detected()), 1);
        assert_eq!(least_bond(0, SMALL.detected()), u32::MAX);
    }

    #[test]
    fn least_rate_of_second_looks_is_that_of_the_protocol() {
        // 1/(0.94208 · 25) = 4.2459 %.
        let least = least_second_looks(SMALL, 20, 2);
        assert_eq!(least, 42_460);
        assert!(least_second_looks(SMALL, 10, 2) > least);
        assert!(least_second_looks(SMALL, 0, 0) > 1_000_000, "no rate is enough");
    }
}
