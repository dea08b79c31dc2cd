// SPDX-License-Identifier: Apache-2.0
//! Draws in proportion to weights. Anyone can recompute a draw from the seed and the candidates.

use crate::{job::JobId, Balance, BlockNumber};
use alloc::vec::Vec;
use codec::Encode;
use sp_core::H256;

/// The purpose of a draw. It is part of the seed, so that draws for one job are independent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode)]
pub enum Purpose {
    /// The operator of a job, at the n-th attempt.
    #[codec(index = 0)]
    Assignment(u8),
    /// The decision whether the job is audited.
    #[codec(index = 1)]
    Audit,
    /// The panel of the n-th draw.
    #[codec(index = 2)]
    Committee(u8),
    /// The decision whether an accepted audit is looked at a second time.
    #[codec(index = 3)]
    SecondLook,
    /// The sample of a model's operators, at the n-th attempt to assign a job.
    #[codec(index = 4)]
    Sample(u8),
}

/// Returns `blake2_256("assay/draw/1", block randomness, job, purpose)`.
pub fn seed(randomness: &H256, job: &JobId, purpose: Purpose) -> H256 {
    (b"assay/draw/1", randomness, job, purpose).using_encoded(sp_crypto_hashing::blake2_256).into()
}

/// Returns `blake2_256("assay/span/1", first, outputs)`, in which a block without an output counts as
/// zero; `None` if none of the blocks has one. `outputs` are those of blocks in a row from `first` on.
pub fn of_span(first: BlockNumber, outputs: &[Option<H256>]) -> Option<H256> {
    if outputs.iter().all(Option::is_none) {
        return None;
    }
    let outputs: Vec<H256> = outputs.iter().map(|output| output.unwrap_or_default()).collect();
    Some((b"assay/span/1", first, outputs).using_encoded(sp_crypto_hashing::blake2_256).into())
}

/// Returns the `n`-th number of the seed below `bound`, or 0 if `bound` is 0.
///
/// The number is `bits * bound / 2^256`, where `bits` are 256 random bits. The bias is below
/// 2^-128. A party that can move the bound by a little moves the number by no more, and cannot
/// redraw it.
pub fn number_below(seed: &H256, n: u32, bound: u128) -> u128 {
    if bound == 0 {
        return 0;
    }
    let bits = (seed, n).using_encoded(sp_crypto_hashing::blake2_256);
    let number = sp_core::U256::from_little_endian(&bits);
    let scaled = number.full_mul(sp_core::U256::from(bound)) >> 256;
    scaled.low_u128()
}

/// A candidate of a draw.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Weighted<T> {
    /// The candidate itself.
    pub item: T,
    /// The candidate's weight in the draw.
    pub weight: Balance,
}

/// Draws up to `count` distinct candidates, each time in proportion to the weights of the remaining
/// ones. The same seed and candidates in the same order yield the same result. Candidates without
/// weight are never drawn.
pub fn without_replacement<T: Clone>(
    seed: &H256,
    candidates: &[Weighted<T>],
    count: u32,
) -> Vec<Weighted<T>> {
    let mut left: Vec<&Weighted<T>> =
        candidates.iter().filter(|candidate| candidate.weight > 0).collect();
    let mut drawn = Vec::new();
    for n in 0..count {
        let total = left.iter().fold(0 as Balance, |sum, next| sum.saturating_add(next.weight));
        if total == 0 {
            break;
        }
        let ticket = number_below(seed, n, total);
        let mut passed: Balance = 0;
        let winner = left.iter().position(|candidate| {
            passed = passed.saturating_add(candidate.weight);
            ticket < passed
        });
        match winner {
            Some(index) => drawn.push(left.remove(index).clone()),
            None => break,
        }
    }
    drawn
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn candidates(weights: &[Balance]) -> Vec<Weighted<u32>> {
        (0..).zip(weights).map(|(item, weight)| Weighted { item, weight: *weight }).collect()
    }

    #[test]
    fn draw_follows_the_weights() {
        let candidates = candidates(&[1_000, 3_000, 6_000]);
        let mut wins = [0u32; 3];
        for n in 0..10_000u64 {
            let seed = H256::from_low_u64_be(n);
            wins[without_replacement(&seed, &candidates, 1)[0].item as usize] += 1;
        }
        // Chi-square with two degrees of freedom: 13.8 has a probability of 0.1 %.
        let chi: f64 = [1_000.0, 3_000.0, 6_000.0]
            .iter()
            .zip(wins)
            .map(|(expected, won)| (f64::from(won) - expected).powi(2) / expected)
            .sum();
        assert!(chi < 13.8, "chi-square {chi} of {wins:?}");
    }

    #[test]
    fn draw_of_nobody_is_empty() {
        assert!(without_replacement(&H256::zero(), &candidates(&[]), 3).is_empty());
        assert!(without_replacement(&H256::zero(), &candidates(&[0, 0]), 3).is_empty());
    }

    #[test]
    fn number_below_zero_is_zero() {
        assert_eq!(number_below(&H256::zero(), 0, 0), 0);
    }

    #[test]
    fn number_below_moves_with_its_bound_and_no_further() {
        // A party that can change the bound by dust must not be able to redraw by doing so.
        for n in 0..100u64 {
            let seed = H256::from_low_u64_be(n);
            let whole = 1_000_000_007u128;
            let number = number_below(&seed, 0, whole);
            for more in 1..20 {
                let moved = number_below(&seed, 0, whole + more);
                assert!(moved >= number && moved - number <= more, "{number} became {moved}");
            }
        }
    }

    proptest! {
        #[test]
        fn draw_is_distinct_and_weighted(
            weights in proptest::collection::vec(0u128..1_000_000, 0..40),
            count in 0u32..50,
            seed in any::<[u8; 32]>(),
        ) {
            let all = candidates(&weights);
            let drawn = without_replacement(&H256(seed), &all, count);
            let eligible = weights.iter().filter(|weight| **weight > 0).count();
            prop_assert_eq!(drawn.len(), eligible.min(count as usize));
            let mut accounts: Vec<u32> = drawn.iter().map(|candidate| candidate.item).collect();
            accounts.sort_unstable();
            accounts.dedup();
            prop_assert_eq!(accounts.len(), drawn.len());
            prop_assert!(drawn.iter().all(|candidate| candidate.weight > 0));
        }

        #[test]
        fn number_below_is_below(seed in any::<[u8; 32]>(), n in any::<u32>(), bound in 1u128..) {
            prop_assert!(number_below(&H256(seed), n, bound) < bound);
        }
    }
}
