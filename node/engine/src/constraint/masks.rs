// SPDX-License-Identifier: Apache-2.0
//! The masks of one output.

use super::{form::Constraint, mask::Mask, parser::Parser};
use crate::{EngineError, Model};

/// The masks of an output that is generated or verified. Those of the next rows are [ready](Ready).
pub(crate) struct Masks {
    /// The state before the first token.
    start: Parser,
    /// The state after the first `taken` tokens of the output.
    now: Parser,
    taken: usize,
    ready: Ready,
}

/// The masks at some positions of an output, in their order.
#[derive(Debug, Default)]
pub(crate) struct Ready(Vec<(usize, Mask)>);

impl Ready {
    /// Returns the mask at a position, if it is ready.
    pub(crate) fn at(&self, position: usize) -> Option<&Mask> {
        let found = self.0.binary_search_by_key(&position, |(position, _)| *position);
        found.ok().map(|index| &self.0[index].1)
    }
}

impl Masks {
    /// Compiles a constraint over the vocabulary of a model.
    ///
    /// # Errors
    /// Returns [`EngineError::Constraint`], [`EngineError::ConstraintTooLong`],
    /// [`EngineError::ConstraintResource`] or [`EngineError::Io`].
    pub(crate) fn new(constraint: &Constraint, model: &Model) -> Result<Self, EngineError> {
        let start = Parser::new(constraint, model.constraint_vocabulary()?)?;
        Ok(Self { now: start.clone(), start, taken: 0, ready: Ready::default() })
    }

    /// Returns the masks that are ready.
    pub(crate) fn ready(&self) -> &Ready {
        &self.ready
    }

    /// Makes the masks at these positions ready, in ascending order, in place of earlier ones. The first `decided`
    /// tokens of the output stay, and those after them may be replaced later.
    ///
    /// Returns the first token that does not continue the text, if it precedes one of the positions. No mask after
    /// it is ready.
    ///
    /// # Errors
    /// Returns [`EngineError::ConstraintResource`].
    pub(crate) fn prepare(
        &mut self,
        output: &[u32],
        decided: usize,
        positions: impl Iterator<Item = usize>,
    ) -> Result<Option<usize>, EngineError> {
        self.ready.0.clear();
        let mut draft: Option<(Parser, usize)> = None;
        for position in positions {
            if position < self.taken {
                (self.now, self.taken) = (self.start.clone(), 0);
            }
            while self.taken < position.min(decided) {
                if !self.now.push(output[self.taken])? {
                    return Ok(Some(self.taken));
                }
                self.taken += 1;
            }
            if position == self.taken {
                self.ready.0.push((position, self.now.mask()?));
                continue;
            }
            let (parser, taken) = draft.get_or_insert_with(|| (self.now.clone(), self.taken));
            while *taken < position {
                if !parser.push(output[*taken])? {
                    return Ok(Some(*taken));
                }
                *taken += 1;
            }
            let mask = parser.mask()?;
            self.ready.0.push((position, mask));
        }
        Ok(None)
    }
}

impl Constraint {
    /// Ensures that the constraint compiles, and that the first token of an output can be chosen by it.
    ///
    /// # Errors
    /// Returns [`EngineError::Constraint`] with the compiler's message if it does not,
    /// [`EngineError::ConstraintTooLong`], [`EngineError::ConstraintResource`] if the compiler gives up, and
    /// [`EngineError::Io`] if the system provides no thread.
    pub fn ensure_compiles(&self, model: &Model) -> Result<(), EngineError> {
        let mut masks = Masks::new(self, model)?;
        masks.prepare(&[], 0, std::iter::once(0)).map(drop)
    }
}
