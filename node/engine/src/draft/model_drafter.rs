// SPDX-License-Identifier: Apache-2.0
//! Drafts from a smaller model.

use super::Drafter;
use crate::{forward::Sequence, pick, EngineError, Limits, Model, SampleSpec, Threads};
use std::sync::Arc;

/// A drafter with a smaller model of the same vocabulary, which chooses by the same random numbers.
/// So at temperatures above 0, too, it guesses correctly wherever the two distributions are alike.
#[derive(Debug)]
pub struct ModelDrafter {
    model: Arc<Model>,
    threads: Arc<Threads>,
    sequence: Sequence,
    capacity: usize,
    /// The tokens that have gone through the model.
    seen: Vec<u32>,
}

/// Checks that the vocabularies have the same size. Tokens mean the same only in the same
/// vocabulary, and its size is all that every file reveals.
fn check_vocabulary(drafter: u32, model: u32) -> Result<(), EngineError> {
    if drafter != model {
        return Err(EngineError::DraftVocabulary { drafter, model });
    }
    Ok(())
}

impl ModelDrafter {
    /// Creates a drafter for one sequence of `target`, of up to `capacity` tokens.
    ///
    /// # Errors
    /// Returns [`EngineError::DraftVocabulary`] if the models do not have the same number of
    /// tokens, and [`EngineError::MemoryLimit`] if cache and scratch space exceed the limit.
    pub fn new(
        model: Arc<Model>,
        threads: Arc<Threads>,
        target: &Model,
        capacity: usize,
        limits: &Limits,
    ) -> Result<Self, EngineError> {
        check_vocabulary(model.info().vocab_size, target.info().vocab_size)?;
        // Beyond its own context the drafter drafts nothing.
        let capacity = capacity.min(model.shape().context);
        let sequence = Sequence::new((&*model, &*threads), capacity, limits)?;
        Ok(Self { model, threads, sequence, capacity, seen: Vec::new() })
    }

    /// Sends `tokens` through the model and returns the token that it chooses after the last.
    fn forward(&mut self, tokens: &[u32], sample: &SampleSpec) -> Result<Option<u32>, EngineError> {
        let end = self.sequence.len() + tokens.len();
        let chosen = self.sequence.forward(
            (&*self.model, &*self.threads),
            tokens,
            &|_| Ok(()),
            &|index| index + 1 == end,
            &|row| pick(row.logits, row.position as u32 + 1, sample),
        )?;
        self.seen.extend_from_slice(tokens);
        Ok(chosen.last().copied())
    }
}

impl Drafter for ModelDrafter {
    fn draft(&mut self, sample: &SampleSpec, tokens: &[u32], count: usize) -> Vec<u32> {
        let known = self.seen.iter().zip(tokens).take_while(|(a, b)| a == b).count();
        // The last token goes through again if necessary: its row is the first guess.
        let known = known.min(tokens.len().saturating_sub(1));
        self.seen.truncate(known);
        self.sequence.truncate(known);
        let (mut next, mut drafted) = (tokens[known..].to_vec(), Vec::new());
        while drafted.len() < count && self.seen.len() + next.len() <= self.capacity {
            // If the drafter cannot continue, the model continues without it.
            let Ok(Some(token)) = self.forward(&next, sample) else { break };
            drafted.push(token);
            next = vec![token];
        }
        drafted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vocabulary_of_another_size_is_refused() {
        assert!(check_vocabulary(259, 259).is_ok());
        let result = check_vocabulary(259, 32_000);
        let Err(EngineError::DraftVocabulary { drafter: 259, model: 32_000 }) = result else {
            panic!("{result:?}")
        };
    }
}
