// SPDX-License-Identifier: Apache-2.0
//! The advantage of a group that authors blocks in draws.

use crate::{
    assumptions::PATIENCE,
    probability::{at_least, binomial},
};
use assay_primitives::{ticket::MAX_BLOCKS, BlockNumber};
use assay_runtime::DAYS;

/// The most blocks at the end of a span that a group decides to publish or to withhold.
pub const MAX_TAIL: u32 = 4;

/// The advantage that a group's blocks give it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Authors {
    /// The blocks of the span of an audit that are the group's, whose outputs it knows when it commits.
    pub foreseen: u32,
    /// The blocks of the span of a second look, which begins at a reveal.
    pub foreseen_looks: u32,
    /// The probability that it can drop somebody else's block, because it authors the next two.
    pub drops: f64,
    /// The share of the last blocks of a span that it can withhold, to draw a panel anew.
    pub tail: f64,
}

impl Authors {
    /// Authors that do nothing of the kind.
    pub const NONE: Self = Self { foreseen: 0, foreseen_looks: 0, drops: 0.0, tail: 0.0 };

    /// Returns authors of that share of the slots that wait for a good moment to commit.
    pub fn grinding(share: f64) -> Self {
        Self {
            foreseen: foreseen(share, PATIENCE),
            foreseen_looks: foreseen(share, 60),
            ..Self::NONE
        }
    }

    /// Returns authors that wait for the best moment of a day, which a job with a deadline of a day allows.
    pub fn patient(share: f64) -> Self {
        Self { foreseen: foreseen(share, DAYS), ..Self::grinding(share) }
    }

    /// Returns authors that wait for a good moment and also withhold blocks, their own and those of
    /// others.
    pub fn withholding(share: f64) -> Self {
        Self { drops: share * share, tail: share, ..Self::grinding(share) }
    }

    /// Returns the probabilities of 0, 1, 2 and so on blocks in a row at the end of a span that the
    /// group can withhold.
    pub fn tails(&self) -> Vec<f64> {
        (0..=MAX_TAIL)
            .map(|length| {
                let stops = if length == MAX_TAIL { 1.0 } else { 1.0 - self.tail };
                self.tail.powi(length as i32) * stops
            })
            .collect()
    }
}

/// Returns the most blocks of a span that a group with that share of the slots authors in a moment that
/// comes once in `patience` blocks.
pub fn foreseen(share: f64, patience: BlockNumber) -> u32 {
    let often = |blocks: &u32| at_least(MAX_BLOCKS, *blocks, share) * f64::from(patience) >= 1.0;
    (0..=MAX_BLOCKS).rev().find(often).unwrap_or(0)
}

/// Returns the share of the slots of a group that has that share of the stake and splits it into as many
/// validators as it can: slots go by validator, and each needs half of the average stake.
pub fn small_seats(share: f64) -> f64 {
    (2.0 * share).min(1.0)
}

/// Returns how often in a day the group authors exactly the `blocks` blocks in a row that it needs, if it
/// has that share of the slots and a block takes three seconds.
pub fn runs_a_day(share: f64, blocks: u32) -> f64 {
    f64::from(DAYS) * (1.0 - share) * binomial(blocks, blocks, share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fifth_of_the_slots_foresees_nine_blocks() {
        // The number in the specification of the protocol.
        assert_eq!(foreseen(0.2, 1_000), 9);
        assert_eq!(foreseen(0.0, 1_000), 0);
        assert_eq!(foreseen(1.0, 1_000), 16);
    }

    #[test]
    fn small_seats_are_as_many_as_half_of_the_average_stake_permits() {
        // Eighty seats of 1 beside as many of the same size as a stake of 20 pays for.
        let seats = |size: f64| {
            let most = (20.0 / size).floor();
            let total = 80.0 + most * size;
            (2.0 * size * (80.0 + most) >= total).then_some(most / (80.0 + most))
        };
        let best = (1..=1_000).filter_map(|part| seats(f64::from(part) / 1_000.0));
        let best = best.fold(0.0, f64::max);
        assert!((best - small_seats(0.2)).abs() < 0.01, "{best}");
    }

    #[test]
    fn tails_sum_to_one() {
        for share in [0.0, 0.2, 0.5] {
            let sum: f64 = Authors::withholding(share).tails().iter().sum();
            assert!((sum - 1.0).abs() < 1e-12, "{share}");
        }
    }
}
