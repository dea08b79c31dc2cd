// SPDX-License-Identifier: Apache-2.0
//! The parameters of a generation, which its verification has as well.

use crate::{digest::DigestKey, Adjustments, Constraint, EngineError, SampleSpec, StopStrings};

/// The parameters of a generation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GenerateSpec {
    /// The rule by which tokens are chosen.
    pub sample: SampleSpec,
    /// The changes of the logits before that.
    pub adjustments: Adjustments,
    /// The most tokens to generate, including the end token.
    pub max_tokens: u32,
    /// The strings at the first of which the output ends.
    pub stops: StopStrings,
    /// Whether the output goes on after an end token, up to a stop string or `max_tokens`.
    pub ignore_end: bool,
    /// The form that the output must have, if any.
    pub constraint: Option<Constraint>,
    /// The number of the likeliest tokens whose log probabilities are computed at each position; 0
    /// computes none.
    pub logprobs: u8,
    /// The key of the digests, which belongs to one job of one operator.
    pub digest_key: DigestKey,
}

impl GenerateSpec {
    /// Returns the parameters of a generation that ends at the end token or after so many tokens.
    pub fn new(sample: SampleSpec, max_tokens: u32, digest_key: DigestKey) -> Self {
        Self {
            sample,
            adjustments: Adjustments::NONE,
            max_tokens,
            stops: StopStrings::NONE,
            ignore_end: false,
            constraint: None,
            logprobs: 0,
            digest_key,
        }
    }

    /// Returns the constraint.
    ///
    /// # Errors
    /// Returns [`EngineError::ConstraintIgnoresEnd`] if the output is to go on after an end token as well.
    pub(crate) fn constraint(&self) -> Result<Option<&Constraint>, EngineError> {
        match &self.constraint {
            Some(_) if self.ignore_end => Err(EngineError::ConstraintIgnoresEnd),
            constraint => Ok(constraint.as_ref()),
        }
    }
}
