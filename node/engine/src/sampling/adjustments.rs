// SPDX-License-Identifier: Apache-2.0
//! Changes of the logits that a request asks for, in integers.
//!
//! They precede all other rules of the choice, and nothing but the choice sees them: digests are of the
//! logits as the model computes them. A logit `l` in Q15.16 is changed in this order:
//!
//! 1. The bias of the token is added.
//! 2. If input or output has the token, `l` becomes `floor(l * 2^16 / r)` where it is above 0, and
//!    `floor(l * r / 2^16)` elsewhere, with the repetition penalty `r` in Q16.16.
//! 3. If the output has the token `n > 0` times, `n` times the frequency penalty and once the presence penalty
//!    are subtracted, both in Q15.16.
//!
//! The result is limited to the numbers of 32 bits. All of it is a function of the tokens before, so a verifier
//! computes it for every position at once.

use super::context::Context;
use crate::EngineError;
use std::{borrow::Cow, sync::Arc};

/// The repetition penalty that changes nothing: 1.0 in Q16.16.
const NEUTRAL: u32 = 1 << 16;

/// Changes of the logits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adjustments {
    /// Numbers in Q15.16 that are added to the logits of tokens; `None` for none.
    pub bias: Option<Arc<[(u32, i32)]>>,
    /// Penalty for a token that the output has, in Q15.16; 0 is neutral.
    pub presence: i32,
    /// Penalty for each time that the output has a token, in Q15.16; 0 is neutral.
    pub frequency: i32,
    /// Factor for a token that input or output has, in Q16.16; 65536 is neutral, and 0 counts as 1.
    pub repetition: u32,
}

impl Adjustments {
    /// No change.
    pub const NONE: Self = Self { bias: None, presence: 0, frequency: 0, repetition: NEUTRAL };

    /// Returns the changes with these numbers, in Q15.16, added to the logits of tokens. A token that the
    /// vocabulary lacks is passed over.
    #[must_use]
    pub fn with_bias(self, bias: impl IntoIterator<Item = (u32, i32)>) -> Self {
        let bias: Arc<[(u32, i32)]> = bias.into_iter().collect();
        Self { bias: (!bias.is_empty()).then_some(bias), ..self }
    }

    /// Ensures that each token with a bias is in a vocabulary of that size.
    ///
    /// # Errors
    /// Returns [`EngineError::BiasOutOfVocab`] for the first that is not.
    pub fn ensure_known(&self, vocab_size: u32) -> Result<(), EngineError> {
        let mut biased = self.bias.iter().flat_map(|bias| bias.iter().map(|&(token, _)| token));
        match biased.find(|&token| token >= vocab_size) {
            Some(token) => Err(EngineError::BiasOutOfVocab { token, vocab_size }),
            None => Ok(()),
        }
    }

    /// Returns a row of logits with the changes.
    pub(super) fn applied<'r>(&self, row: &'r [i32], before: Context<'_>) -> Cow<'r, [i32]> {
        let penalises = (self.presence, self.frequency, self.repetition) != (0, 0, NEUTRAL);
        if self.bias.is_none() && !penalises {
            return Cow::Borrowed(row);
        }
        let mut row = row.to_vec();
        for &(token, bias) in self.bias.iter().flat_map(|bias| bias.iter()) {
            if let Some(logit) = row.get_mut(token as usize) {
                *logit = logit.saturating_add(bias);
            }
        }
        if penalises {
            let times = times(before, row.len());
            for (logit, &times) in row.iter_mut().zip(&times) {
                if let Some(times) = times {
                    *logit = self.penalised(*logit, times);
                }
            }
        }
        Cow::Owned(row)
    }

    /// Returns the logit of a token that input or output has, and the output so many times.
    fn penalised(&self, logit: i32, times: u32) -> i32 {
        let (logit, factor) = (i128::from(logit), i128::from(self.repetition.max(1)));
        let repeated = match logit > 0 {
            true => (logit << 16) / factor,
            false => (logit * factor) >> 16,
        };
        let presence = if times > 0 { i128::from(self.presence) } else { 0 };
        let changed = repeated - i128::from(self.frequency) * i128::from(times) - presence;
        changed.clamp(i32::MIN.into(), i32::MAX.into()) as i32
    }
}

/// Returns for each token of the vocabulary how often the output has it; `None` if neither input nor output has.
fn times(before: Context<'_>, vocabulary: usize) -> Vec<Option<u32>> {
    let mut times = vec![None; vocabulary];
    for (at, &token) in before.tokens.iter().enumerate() {
        if let Some(times) = times.get_mut(token as usize) {
            *times = Some(times.unwrap_or(0u32) + u32::from(at >= before.input));
        }
    }
    times
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: i32 = 1 << 16;

    fn applied(adjustments: &Adjustments, row: &[i32], input: &[u32], output: &[u32]) -> Vec<i32> {
        let tokens = [input, output].concat();
        let before = Context { tokens: &tokens, input: input.len() };
        adjustments.applied(row, before).into_owned()
    }

    #[test]
    fn nothing_is_changed_where_nothing_is_asked_for() {
        let row = [3, -4];
        let before = Context { tokens: &[0, 1], input: 1 };
        assert!(matches!(Adjustments::NONE.applied(&row, before), Cow::Borrowed(_)));
        let neutral = Adjustments::NONE.with_bias([]);
        assert_eq!(neutral, Adjustments::NONE);
    }

    #[test]
    fn bias_is_added_to_its_token_alone() {
        let biased = Adjustments::NONE.with_bias([(1, 5), (2, i32::MIN), (9, 7)]);
        assert!(biased.ensure_known(10).is_ok());
        let error = biased.ensure_known(9).unwrap_err();
        assert!(
            matches!(error, EngineError::BiasOutOfVocab { token: 9, vocab_size: 9 }),
            "{error}"
        );
        assert_eq!(applied(&biased, &[1, 1, -1], &[0], &[]), [1, 6, i32::MIN]);
    }

    #[test]
    fn penalties_count_the_tokens_before() {
        let row = [4 * ONE; 4];
        let presence = Adjustments { presence: ONE, ..Adjustments::NONE };
        assert_eq!(applied(&presence, &row, &[0], &[1, 1, 2]), [4, 3, 3, 4].map(|n| n * ONE));
        let frequency = Adjustments { frequency: ONE, ..Adjustments::NONE };
        assert_eq!(applied(&frequency, &row, &[0], &[1, 1, 2]), [4, 2, 3, 4].map(|n| n * ONE));
        let repetition = Adjustments { repetition: 2 << 16, ..Adjustments::NONE };
        assert_eq!(applied(&repetition, &row, &[0], &[1, 1, 2]), [2, 2, 2, 4].map(|n| n * ONE));
        let below = [-4 * ONE; 2];
        assert_eq!(applied(&repetition, &below, &[0], &[]), [-8 * ONE, -4 * ONE]);
        // Products are rounded down, and the result has 32 bits.
        let third = Adjustments { repetition: 3 << 16, ..Adjustments::NONE };
        assert_eq!(applied(&third, &[2, -1, i32::MIN], &[0, 1, 2], &[]), [0, -3, i32::MIN]);
        let zero = Adjustments { repetition: 0, ..Adjustments::NONE };
        assert_eq!(applied(&zero, &[1, -1], &[0, 1], &[]), [ONE, -1]);
    }
}
