// SPDX-License-Identifier: Apache-2.0
//! Log probabilities of tokens, in integers.
//!
//! They are those of the model itself: a row of logits `l_j` in Q15.16 is taken as the model computes it, before
//! the adjustments, the temperature and the cuts of a request.
//!
//! - The gap of token j is `t_j = max(l) - l_j`, in Q16. Its weight is `w_j = frequency(t_j) - 1`, which is
//!   `floor(2^40 e^(-t_j))` by the rule of [`crate::score::frequency`]: 2^40 for the likeliest token, and 0 from a
//!   gap of 28 on.
//! - The log probability of token k is `floor((40 LN2 - ln_q32(sum of all w_j) - t_k * 2^16 + 2^15) / 2^16)`, with
//!   `LN2` and `ln_q32` of [`crate::sampling::fixed`]: the natural logarithm in Q15.16, rounded to the nearest
//!   integer, and a half up. It is never above 0, at least -32768, and within 2^-16 of the softmax's.
//! - The likeliest tokens of a row are those with the largest logits; of equal ones those with the lowest ids. They
//!   are in this order, and a vocabulary with fewer tokens has all of them.
//!
//! `tests/golden/sampling.py` reproduces this without any code of this crate.

use crate::{digest::largest, sampling::fixed, score::frequency};

/// The log probabilities of an output's tokens. Both lists are empty if none were asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Logprobs {
    /// Log probability of each output token, in Q15.16.
    pub chosen: Vec<i32>,
    /// The likeliest tokens at each position with their log probabilities in Q15.16, as many at each, by
    /// descending logit and then ascending id.
    pub top: Vec<(u32, i32)>,
}

/// The log probabilities of one position, all in Q15.16.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenLogprobs {
    /// Log probability of the token that was chosen.
    pub chosen: i32,
    /// The likeliest tokens with their log probabilities, by descending logit and then ascending id.
    pub top: Vec<(u32, i32)>,
}

/// Computes the log probabilities of the token that a row of logits (Q15.16) chose, and of the `count` likeliest.
pub fn of_row(row: &[i32], chosen: u32, count: usize) -> TokenLogprobs {
    let most = i64::from(row.iter().copied().max().unwrap_or(0));
    // The sum is exact for a vocabulary of up to 2^23 tokens.
    let weight = |&logit: &i32| frequency(most - i64::from(logit)) - 1;
    let total = row.iter().map(weight).fold(0, u64::saturating_add);
    let normal = 40 * fixed::LN2 - fixed::ln_q32(total);
    let of = |logit: i32| {
        let exact = normal - ((most - i64::from(logit)) << 16);
        ((exact + (1 << 15)) >> 16).clamp(i32::MIN.into(), 0) as i32
    };
    // Only a row of another vocabulary lacks the token.
    let own = row.get(chosen as usize).copied().unwrap_or(i32::MIN);
    let top = largest(row, count).into_iter().map(|(id, logit)| (id, of(logit))).collect();
    TokenLogprobs { chosen: of(own), top }
}

impl Logprobs {
    /// Adds those of the next position.
    pub(crate) fn push(&mut self, next: &TokenLogprobs) {
        self.chosen.push(next.chosen);
        self.top.extend_from_slice(&next.top);
    }

    /// Returns whether these are the log probabilities at a position.
    pub(crate) fn agree(&self, position: usize, expected: &TokenLogprobs) -> bool {
        let count = expected.top.len();
        self.chosen.get(position) == Some(&expected.chosen)
            && self.top.get(position * count..(position + 1) * count) == Some(&expected.top)
    }

    /// Returns the first position of an output of that many tokens at which one is missing or superfluous, where
    /// `count` likeliest tokens of each were asked for.
    pub(crate) fn misfit(&self, tokens: usize, count: usize) -> Option<usize> {
        let tokens = if count == 0 { 0 } else { tokens };
        let differ = |has: usize, wanted: usize| (has != wanted).then_some(has.min(wanted));
        let chosen = differ(self.chosen.len(), tokens);
        let top = differ(self.top.len(), tokens * count).map(|index| index / count.max(1));
        chosen.into_iter().chain(top).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{prop, prop_assert, prop_assert_eq, prop_oneof, proptest};

    /// Returns the log probability of each token in floating point, in units of 2^-16.
    fn softmax(row: &[i32]) -> Vec<f64> {
        let logit = |&l: &i32| f64::from(l) / 65_536.0;
        let most = row.iter().map(logit).fold(f64::MIN, f64::max);
        let total: f64 = row.iter().map(|l| (logit(l) - most).exp()).sum();
        row.iter().map(|l| (logit(l) - most - total.ln()) * 65_536.0).collect()
    }

    proptest! {
        #[test]
        fn log_probabilities_are_those_of_the_softmax(
            row in prop_oneof![
                prop::collection::vec(-1_000_000i32..1_000_000, 1..300),
                prop::collection::vec(-900_000_000i32..900_000_000, 1..300),
            ],
            count in 0usize..20,
        ) {
            let exact = softmax(&row);
            for (chosen, exact) in (0..).zip(&exact) {
                let own = of_row(&row, chosen, 0).chosen;
                prop_assert!((f64::from(own) - exact).abs() < 1.0, "{own} {exact}");
            }
            let top = of_row(&row, 0, count).top;
            let mut ids: Vec<u32> = (0..row.len() as u32).collect();
            ids.sort_by_key(|&id| (std::cmp::Reverse(row[id as usize]), id));
            ids.truncate(count);
            prop_assert_eq!(top.iter().map(|&(id, _)| id).collect::<Vec<_>>(), ids);
            for (id, value) in top {
                prop_assert_eq!(value, of_row(&row, id, 0).chosen);
            }
        }
    }

    #[test]
    fn certain_token_has_zero_and_an_impossible_one_the_least_number() {
        let row = [i32::MIN, i32::MAX];
        let TokenLogprobs { chosen, top } = of_row(&row, 0, 16);
        assert_eq!((chosen, top), (i32::MIN, vec![(1, 0), (0, i32::MIN)]));
        assert_eq!(of_row(&[7], 0, 1), TokenLogprobs { chosen: 0, top: vec![(0, 0)] });
        assert_eq!(of_row(&[], 0, 3).top, []);
    }

    #[test]
    fn missing_and_superfluous_ones_are_found_at_the_first_position() {
        let logprobs = |chosen, top| Logprobs { chosen: vec![0; chosen], top: vec![(0, 0); top] };
        assert_eq!(logprobs(0, 0).misfit(5, 0), None);
        assert_eq!(logprobs(5, 15).misfit(5, 3), None);
        for (chosen, top, count, at) in [
            (5, 0, 0, 0),
            (0, 1, 0, 0),
            (0, 0, 3, 0),
            (4, 15, 3, 4),
            (6, 15, 3, 5),
            (5, 14, 3, 4),
            (5, 6, 3, 2),
            (5, 16, 3, 5),
            (3, 6, 3, 2),
            (5, 10, 3, 3),
        ] {
            assert_eq!(logprobs(chosen, top).misfit(5, count), Some(at), "{chosen} {top} {count}");
        }
    }
}
