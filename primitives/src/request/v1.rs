// SPDX-License-Identifier: Apache-2.0
//! The fields of a request of version 1, and their limits.

use super::{constraint::Constraint, error::RequestError, prompt::Prompt};
use alloc::vec::Vec;
use codec::{Decode, Encode};

/// The most stop strings of a request.
pub const MAX_STOPS: usize = 16;

/// The most log probabilities that a request can ask for with each token.
pub const MAX_LOGPROBS: u8 = 16;

/// A request of version 1. Fixed point has 16 fractional bits, as the logits have: 65,536 is 1.0.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct RequestV1 {
    /// The text that the model continues.
    pub prompt: Prompt,
    /// The strings at the first of which the output ends, at most [`MAX_STOPS`], none of them empty.
    pub stop: Vec<Vec<u8>>,
    /// The numbers that are added to the logits of some tokens, in ascending order of the tokens, each
    /// token once.
    pub logit_bias: Vec<LogitBias>,
    /// The number that is subtracted from the logit of each token that the output has; 0 is neutral.
    pub presence: i32,
    /// The number that is subtracted from the logit of a token as often as the output has it; 0 is
    /// neutral.
    pub frequency: i32,
    /// The factor by which the logits of the tokens of prompt and output are made less likely, above 0;
    /// [`RequestV1::ONE`] is neutral.
    pub repetition: u32,
    /// The least probability of a candidate, as a part of the likeliest one's, at most
    /// [`RequestV1::ONE`]; 0 is neutral.
    pub min_p: u32,
    /// Whether the output goes on after an end token.
    pub ignore_end: bool,
    /// The number of the likeliest tokens whose log probabilities are returned with each token, at most
    /// [`MAX_LOGPROBS`].
    pub logprobs: u8,
    /// The form that the output must have.
    pub constraint: Constraint,
    /// A secret that makes the hash of the request unguessable; `None` for public jobs.
    pub salt: Option<[u8; 32]>,
}

/// A number that is added to the logit of a token.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub struct LogitBias {
    /// The id of the token.
    pub token: u32,
    /// The number.
    pub bias: i32,
}

impl RequestV1 {
    /// The value 1.0 in the fixed point of the fields.
    pub const ONE: u32 = 1 << 16;

    /// Returns the request for the continuation of a prompt, in which every other field is neutral.
    pub fn new(prompt: Prompt) -> Self {
        Self {
            prompt,
            stop: Vec::new(),
            logit_bias: Vec::new(),
            presence: 0,
            frequency: 0,
            repetition: Self::ONE,
            min_p: 0,
            ignore_end: false,
            logprobs: 0,
            constraint: Constraint::None,
            salt: None,
        }
    }

    pub(super) fn validate(&self) -> Result<(), RequestError> {
        self.prompt.validate()?;
        let stops = self.stop.len();
        if stops > MAX_STOPS {
            return Err(RequestError::TooManyStops { stops, limit: MAX_STOPS });
        }
        if let Some(index) = self.stop.iter().position(Vec::is_empty) {
            return Err(RequestError::StopEmpty { index });
        }
        let pairs = self.logit_bias.iter().zip(self.logit_bias.iter().skip(1));
        if let Some((_, after)) = pairs.into_iter().find(|(one, next)| one.token >= next.token) {
            return Err(RequestError::LogitBiasNotAscending { token: after.token });
        }
        if self.repetition == 0 {
            return Err(RequestError::RepetitionZero);
        }
        if self.min_p > Self::ONE {
            return Err(RequestError::MinPTooHigh { min_p: self.min_p, limit: Self::ONE });
        }
        if self.logprobs > MAX_LOGPROBS {
            let (logprobs, limit) = (self.logprobs, MAX_LOGPROBS);
            return Err(RequestError::TooManyLogprobs { logprobs, limit });
        }
        Ok(())
    }

    pub(super) fn unsupported(&self) -> Option<&'static str> {
        [("constraint", self.constraint != Constraint::None), ("salt", self.salt.is_some())]
            .into_iter()
            .find_map(|(field, is_set)| is_set.then_some(field))
    }
}
