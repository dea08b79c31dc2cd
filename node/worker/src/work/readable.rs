// SPDX-License-Identifier: Apache-2.0
//! The test of a request, which precedes every tokenisation.
//!
//! It depends on nothing but the job, its request and its model, so all nodes find the same.

use crate::request::SupportedRequest;
use assay_engine::{EngineError, Model, Prompt};
use assay_primitives::{DeclineReason, RejectReason, RequestError};

/// The most bytes of a text that become one byte of a token. SentencePiece replaces its mark of a
/// space, which has three bytes, by one.
const BYTES_PER_TOKEN_BYTE: usize = 3;

/// The reason for which no node can run the job of a request.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// The bytes are not the canonical encoding of a request, or no engine honours it.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// A token of the prompt is not the model's.
    #[error(transparent)]
    Token(EngineError),
    /// The prompt is longer or shorter than the job says.
    #[error("its prompt does not have the {tokens} tokens that the job names")]
    Length {
        /// The tokens that the job names.
        tokens: u32,
    },
}

impl Unreadable {
    /// Returns the reason with which an operator declines the job.
    pub fn decline(&self) -> DeclineReason {
        match self {
            Self::Request(_) | Self::Token(_) => DeclineReason::Request,
            Self::Length { .. } => DeclineReason::InputLength,
        }
    }

    /// Returns the reason with which a verifier rejects an output of the job, which no honest operator
    /// accepts.
    pub fn reject(&self) -> RejectReason {
        match self {
            Self::Request(_) | Self::Token(_) => RejectReason::Request,
            Self::Length { .. } => RejectReason::Binding,
        }
    }
}

/// Returns the prompt of the request of a job that names that many tokens. A text is not tokenised, and
/// may still have another length; but one that cannot have that many tokens is refused here, because
/// tokenising it would take long and much memory.
///
/// # Errors
///
/// No node can run the job.
pub fn read(model: &Model, tokens: u32, request: &[u8]) -> Result<Prompt, Unreadable> {
    let prompt = SupportedRequest::read(request)?.into_prompt();
    let can_be = match &prompt {
        Prompt::Text(text) => {
            let most = (tokens as usize).saturating_mul(model.longest_token());
            text.len() <= most.saturating_mul(BYTES_PER_TOKEN_BYTE)
        }
        Prompt::Tokens(_) => {
            prompt.input(model).map_err(Unreadable::Token)?.len() == tokens as usize
        }
    };
    if can_be {
        Ok(prompt)
    } else {
        Err(Unreadable::Length { tokens })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_primitives::Request;
    use codec::Encode;

    fn model() -> Model {
        Model::tiny().unwrap()
    }

    fn reasons(tokens: u32, request: &[u8]) -> Option<(DeclineReason, RejectReason)> {
        let unreadable = read(&model(), tokens, request).err();
        unreadable.map(|reason| (reason.decline(), reason.reject()))
    }

    const REQUEST: Option<(DeclineReason, RejectReason)> =
        Some((DeclineReason::Request, RejectReason::Request));
    const LENGTH: Option<(DeclineReason, RejectReason)> =
        Some((DeclineReason::InputLength, RejectReason::Binding));

    #[test]
    fn text_that_is_longer_than_its_tokens_cannot_be() {
        let most = 4 * model().longest_token() * BYTES_PER_TOKEN_BYTE;
        let text = |bytes| Request::text(vec![b'a'; bytes]).encode();
        assert_eq!(reasons(4, &text(most)), None);
        assert_eq!(reasons(4, &text(most + 1)), LENGTH);
        assert_eq!(reasons(0, &text(0)), None);
        assert_eq!(reasons(0, &text(1)), LENGTH);
    }

    #[test]
    fn tokens_are_as_many_as_the_job_says_and_the_models() {
        let size = model().info().vocab_size;
        let tokens = Request::tokens([0, size - 1]).encode();
        assert_eq!(reasons(2, &tokens), None);
        assert_eq!(reasons(1, &tokens), LENGTH);
        assert_eq!(reasons(3, &tokens), LENGTH);
        assert_eq!(reasons(2, &Request::tokens([0, size]).encode()), REQUEST);
    }

    #[test]
    fn bytes_that_are_no_request_are_refused_whatever_the_length() {
        assert_eq!(reasons(3, b"In"), REQUEST);
        assert_eq!(reasons(u32::MAX, &vec![1; (1 << 20) + 1]), REQUEST);
    }
}
