// SPDX-License-Identifier: Apache-2.0
//! A sample of the operators of a model, from which is said how many of them, with how much stake, can do
//! something. A block has no time to look at all of them.

use alloc::vec::Vec;

/// Of so many operators that were drawn, one is not counted where others were not drawn.
const CAUTION: usize = 16;

/// Operators of a model, drawn in proportion to stake, each at most once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sample<AccountId> {
    /// The operators that were drawn, each with its stake. They are all that have stake if there are no
    /// more than a draw looks at.
    pub drawn: Vec<(AccountId, u64)>,
    /// The stake of all operators of the model, in the unit of theirs.
    pub stake: u64,
}

/// The operators of a sample that can do something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Part {
    /// The number of operators that can, among those that were drawn.
    pub operators: u32,
    /// The stake of all operators of the model that can: exact where all were drawn, and otherwise
    /// estimated.
    pub stake: u64,
}

impl<AccountId> Sample<AccountId> {
    /// Returns the operators that can do something.
    ///
    /// The stake is that of the operators which were drawn, and of the stake of the others the part of
    /// the drawn operators that can. Of 16 drawn operators one is left out of that part, so that the
    /// stake is rather too low than too high: with 32 drawn of many, half of the stake needs 18 that
    /// can, which 7 in a million samples have if those that can hold a fifth of the stake.
    pub fn part(&self, can: impl Fn(&AccountId) -> bool) -> Part {
        let able = self.drawn.iter().filter(|(operator, _)| can(operator));
        let (count, known) = able.fold((0usize, 0u64), |(count, sum), (_, stake)| {
            (count.saturating_add(1), sum.saturating_add(*stake))
        });
        let seen = self.drawn.iter().fold(0u64, |sum, (_, stake)| sum.saturating_add(*stake));
        let unseen = self.stake.saturating_sub(seen);
        let counted = count.saturating_sub(self.drawn.len() / CAUTION);
        let guessed = part_of(unseen, counted, self.drawn.len());
        Part {
            operators: u32::try_from(count).unwrap_or(u32::MAX),
            stake: known.saturating_add(guessed),
        }
    }
}

/// Returns `value * part / whole`, rounded down; 0 if `whole` is 0. `part` is at most `whole`.
fn part_of(value: u64, part: usize, whole: usize) -> u64 {
    let wide = |number: usize| u128::try_from(number).unwrap_or(u128::MAX);
    let product = u128::from(value).saturating_mul(wide(part));
    product.checked_div(wide(whole)).and_then(|part| u64::try_from(part).ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sample(stakes: &[u64], others: u64) -> Sample<usize> {
        let drawn: Vec<_> = stakes.iter().copied().enumerate().collect();
        Sample { drawn, stake: stakes.iter().sum::<u64>() + others }
    }

    #[test]
    fn part_is_exact_where_all_were_drawn() {
        let part = sample(&[5, 7, 11], 0).part(|operator| *operator != 1);
        assert_eq!(part, Part { operators: 2, stake: 16 });
    }

    #[test]
    fn part_of_nobody_is_nothing() {
        assert_eq!(sample(&[], 0).part(|_| true), Part { operators: 0, stake: 0 });
        assert_eq!(sample(&[], 9).part(|_| true), Part { operators: 0, stake: 0 });
        assert_eq!(sample(&[3; 32], 1_000).part(|_| false), Part { operators: 0, stake: 0 });
    }

    #[test]
    fn half_of_many_needs_eighteen_of_thirty_two() {
        let all = 1_000_000;
        let of = |able: usize| sample(&[1; 32], all - 32).part(|operator| *operator < able).stake;
        assert!(of(17) < all / 2);
        assert!(of(18) >= all / 2);
    }

    proptest! {
        #[test]
        fn part_lies_between_what_is_known_and_what_is_possible(
            stakes in proptest::collection::vec((0..1u64 << 40, any::<bool>()), 0..40),
            others in 0..1u64 << 50,
        ) {
            let all: Vec<u64> = stakes.iter().map(|(stake, _)| *stake).collect();
            let known: u64 = stakes.iter().filter(|(_, can)| *can).map(|(stake, _)| stake).sum();
            let part = sample(&all, others).part(|operator| stakes[*operator].1);
            prop_assert!(part.stake >= known && part.stake <= known + others);
            let can = stakes.iter().filter(|(_, can)| *can).count();
            prop_assert_eq!(part.operators as usize, can);
        }
    }
}
