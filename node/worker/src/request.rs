// SPDX-License-Identifier: Apache-2.0
//! The requests that the engine honours.

use assay_engine::Prompt;
use assay_primitives::{
    request::{Prompt as Asked, RequestV1},
    Request, RequestError,
};

/// A request that the engine honours, with its encoding.
#[derive(Debug)]
pub struct SupportedRequest<'a> {
    encoding: &'a [u8],
    prompt: Prompt,
}

impl<'a> SupportedRequest<'a> {
    /// Reads the canonical encoding of a request.
    ///
    /// # Errors
    ///
    /// The bytes are not the canonical encoding of a request, or the engine does not honour one of its
    /// fields.
    pub fn read(encoding: &'a [u8]) -> Result<Self, RequestError> {
        let request = Request::decode_canonical(encoding)?;
        request.ensure_supported()?;
        let Request::V1(RequestV1 { prompt, .. }) = request;
        let prompt = match prompt {
            Asked::Text(text) => Prompt::Text(text),
            Asked::Tokens(tokens) => Prompt::Tokens(tokens),
            Asked::Chat(_) => return Err(RequestError::Unsupported { field: "prompt.Chat" }),
        };
        Ok(Self { encoding, prompt })
    }

    /// Ensures that the prompt is not empty. Nobody can order a job without a token of input.
    ///
    /// # Errors
    ///
    /// It has neither a text nor a token.
    pub fn ensure_prompt(&self) -> Result<(), RequestError> {
        let is_empty = match &self.prompt {
            Prompt::Text(text) => text.is_empty(),
            Prompt::Tokens(tokens) => tokens.is_empty(),
        };
        if is_empty {
            return Err(RequestError::PromptEmpty);
        }
        Ok(())
    }

    /// Returns the encoding.
    pub fn encoding(&self) -> &'a [u8] {
        self.encoding
    }

    /// Returns the prompt.
    pub fn prompt(&self) -> &Prompt {
        &self.prompt
    }

    /// Returns the prompt, without the rest of the request.
    pub fn into_prompt(self) -> Prompt {
        self.prompt
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_primitives::request::Chat;
    use codec::Encode;

    #[test]
    fn prompts_of_both_kinds_are_read() {
        let text = Request::text(*b"In").encode();
        let request = SupportedRequest::read(&text).unwrap();
        assert_eq!((request.encoding(), request.prompt()), (&text[..], &Prompt::text(b"In")));
        let tokens = Request::tokens([73, 110]).encode();
        let prompt = SupportedRequest::read(&tokens).unwrap().into_prompt();
        assert_eq!(prompt, Prompt::Tokens(vec![73, 110]));
    }

    #[test]
    fn prompt_without_a_text_and_without_a_token_is_empty() {
        for (request, prompt) in [
            (Request::text(*b""), Err(RequestError::PromptEmpty)),
            (Request::tokens([]), Err(RequestError::PromptEmpty)),
            (Request::text(*b" "), Ok(())),
            (Request::tokens([0]), Ok(())),
        ] {
            let encoding = request.encode();
            assert_eq!(SupportedRequest::read(&encoding).unwrap().ensure_prompt(), prompt);
        }
    }

    #[test]
    fn bytes_that_are_no_request_and_fields_that_the_engine_does_not_honour_are_refused() {
        let refused = |bytes: &[u8]| SupportedRequest::read(bytes).unwrap_err();
        assert_eq!(refused(b"In"), RequestError::UnknownVersion { version: b'I' });
        let of = |prompt| Request::V1(RequestV1 { logprobs: 1, ..RequestV1::new(prompt) }).encode();
        let unsupported = |field| RequestError::Unsupported { field };
        assert_eq!(refused(&of(Asked::Text(vec![]))), unsupported("logprobs"));
        assert_eq!(refused(&of(Asked::Chat(Chat::default()))), unsupported("prompt.Chat"));
    }
}
