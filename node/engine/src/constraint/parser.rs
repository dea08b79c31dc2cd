// SPDX-License-Identifier: Apache-2.0
//! The state of a constraint after some tokens of an output.

use super::{
    form::Constraint, grammar::compile, limits::gave_up, mask::Mask, vocabulary::Vocabulary,
};
use crate::EngineError;
use llguidance::{api::StopReason, panic_utils::catch_unwind, TokenParser};
use std::{panic::AssertUnwindSafe, sync::Arc};

/// The state of a constraint after some tokens of an output. A copy goes on by itself.
#[derive(Clone)]
pub(super) struct Parser {
    vocabulary: Arc<Vocabulary>,
    state: Box<TokenParser>,
}

impl Parser {
    /// Compiles a constraint. Its state is the one before the first token.
    pub(super) fn new(
        constraint: &Constraint,
        vocabulary: Arc<Vocabulary>,
    ) -> Result<Self, EngineError> {
        let state = Box::new(compile(constraint, &vocabulary)?);
        Ok(Self { vocabulary, state })
    }

    /// Returns the tokens that may come next.
    ///
    /// # Errors
    /// Returns [`EngineError::ConstraintResource`].
    pub(super) fn mask(&mut self) -> Result<Mask, EngineError> {
        let Vocabulary { size, ends, silent, .. } = &*self.vocabulary;
        // A mask that is empty puts an end to the parser.
        let state = &mut self.state.clone();
        let computed = catch_unwind(AssertUnwindSafe(|| {
            let found = state.compute_mask();
            match found {
                Ok(bits) => Ok((Mask::of(bits.as_slice(), *size), state.is_accepting())),
                Err(_) if state.stop_reason() == StopReason::NoExtensionBias => {
                    Ok((Mask::empty(*size), false))
                }
                Err(error) => Err(error),
            }
        }));
        let (mut mask, may_end) = computed.map_err(|error| gave_up(&error))?;
        silent.iter().for_each(|&token| mask.set(token, false));
        ends.iter().for_each(|&token| mask.set(token, may_end));
        if mask.is_empty() {
            ends.iter().for_each(|&token| mask.set(token, true));
        }
        Ok(mask)
    }

    /// Takes the next token, and returns whether it continues the text. An end token does not.
    ///
    /// # Errors
    /// Returns [`EngineError::ConstraintResource`].
    pub(super) fn push(&mut self, token: u32) -> Result<bool, EngineError> {
        let Vocabulary { ends, silent, .. } = &*self.vocabulary;
        if ends.contains(&token) || silent.binary_search(&token).is_ok() {
            return Ok(false);
        }
        let state = &mut self.state;
        let pushed = catch_unwind(AssertUnwindSafe(|| {
            let valid = state.validate_token(token)?;
            if valid {
                let taken_back = state.consume_token(token)?;
                anyhow::ensure!(taken_back == 0, "the parser takes tokens back");
            }
            Ok(valid)
        }));
        if pushed.map_err(|error| gave_up(&error))? {
            return Ok(true);
        }
        // An output is judged by its masks alone, so both must agree.
        if self.mask()?.allows(token) {
            let problem = format!("token {token} is allowed, and the parser does not take it");
            return Err(EngineError::ConstraintResource { problem });
        }
        Ok(false)
    }
}
