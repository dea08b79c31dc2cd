// SPDX-License-Identifier: Apache-2.0
//! Tickets: a job is drawn for an audit if its ticket of one of several blocks wins.
//!
//! One draw over `k` blocks at the rate `a` is made as `k` independent draws, one for each block's
//! VRF output, each at the rate `1 - (1 - a)^(1/k)`. An author that knows the outputs of its own
//! slots in advance can avoid a draw in those blocks alone, and not in the others.

use crate::{
    draw::{self, Purpose},
    job::JobId,
};
use sp_core::{H256, U512};
use sp_runtime::Permill;

/// The number of different tickets: thresholds are in billionths.
pub const TICKETS: u32 = 1_000_000_000;

/// The most blocks over which a draw is spread.
pub const MAX_BLOCKS: u32 = 16;

/// Returns the number of winning tickets of each block, of [`TICKETS`]: `1 - (1 - rate)^(1/blocks)`,
/// rounded up. `blocks` is taken as at least 1 and at most [`MAX_BLOCKS`].
///
/// The result is exact. It is computed in integers: the largest root `r` is sought for which
/// `r^blocks * 10^6 <= (1 - rate) * TICKETS^blocks`, and both sides are below 2^512.
pub fn threshold(rate: Permill, blocks: u32) -> u32 {
    let blocks = blocks.clamp(1, MAX_BLOCKS);
    let rest = Permill::one().deconstruct().saturating_sub(rate.deconstruct());
    let limit = power(TICKETS, blocks).saturating_mul(rest.into());
    let fits = |root: u32| {
        power(root, blocks).saturating_mul(Permill::one().deconstruct().into()) <= limit
    };
    let (mut low, mut high) = (0u32, TICKETS);
    while low < high {
        // Rounded up, so that the middle is above `low`.
        let middle = high.saturating_sub(high.saturating_sub(low) / 2);
        if fits(middle) {
            low = middle;
        } else {
            high = middle.saturating_sub(1);
        }
    }
    TICKETS.saturating_sub(low)
}

fn power(base: u32, exponent: u32) -> U512 {
    (0..exponent).fold(U512::one(), |power, _| power.saturating_mul(base.into()))
}

/// Returns whether the job's ticket of the block with that VRF output is among the winning ones.
pub fn wins(output: &H256, job: &JobId, purpose: Purpose, threshold: u32) -> bool {
    let seed = draw::seed(output, job, purpose);
    draw::number_below(&seed, 0, TICKETS.into()) < threshold.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn threshold_is_the_exact_root() {
        // Computed with decimals of 60 digits: ceil((1 - (1 - a)^(1/k)) * 10^9).
        for (millionths, blocks, expected) in [
            (130_000, 16, 8_666_111),
            (100_000, 16, 6_563_399),
            (130_000, 2, 67_262_095),
            (500_000, 16, 42_396_720),
            (10_000, 16, 627_949),
            (1, 16, 63),
            (999_999, 16, 578_303_497),
            (130_000, 1, 130_000_000),
            (500_000, 5, 129_449_437),
            (1_000_000, 16, TICKETS),
            (0, 16, 0),
        ] {
            let rate = Permill::from_parts(millionths);
            assert_eq!(threshold(rate, blocks), expected, "{millionths} over {blocks}");
        }
    }

    #[test]
    fn threshold_keeps_to_the_range_of_blocks() {
        let rate = Permill::from_percent(13);
        assert_eq!(threshold(rate, 0), threshold(rate, 1));
        assert_eq!(threshold(rate, 99), threshold(rate, MAX_BLOCKS));
    }

    #[test]
    fn tickets_of_a_job_win_at_the_rate() {
        let job = JobId::repeat_byte(1);
        let winning = threshold(Permill::from_percent(50), 16);
        let drawn = (0..2_000u64).filter(|n| {
            (0..16).any(|block| {
                let output = H256::from_low_u64_be(n * 16 + block);
                wins(&output, &job, Purpose::Audit, winning)
            })
        });
        // 1,000 are expected with a deviation of 22; 75 more or less have a probability of 0.1 %.
        let drawn = drawn.count();
        assert!((925..=1_075).contains(&drawn), "{drawn} of 2,000 were drawn");
    }

    proptest! {
        #[test]
        fn threshold_is_within_one_of_the_real_root(millionths in 0..1_000_000u32, blocks in 1..=16u32) {
            let rate = f64::from(millionths) / 1e6;
            let real = (1.0 - (1.0 - rate).powf(1.0 / f64::from(blocks))) * f64::from(TICKETS);
            let exact = f64::from(threshold(Permill::from_parts(millionths), blocks));
            prop_assert!((exact - real).abs() <= 1.001, "{exact} and {real}");
            prop_assert!(exact >= real - 0.001, "it is rounded up");
        }
    }
}
