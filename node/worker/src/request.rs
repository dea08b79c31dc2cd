// SPDX-License-Identifier: Apache-2.0
//! The requests that the engine honours.

use assay_engine::{Adjustments, Chat, EngineError, Message, Model, Prompt, StopStrings};
use assay_primitives::{
    request::{self, RequestV1},
    Request, RequestError,
};

/// All that a request asks for beside the continuation of its prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The strings at the first of which the output ends.
    pub stops: StopStrings,
    /// The changes of the logits.
    pub adjustments: Adjustments,
    /// The least probability of a candidate, in Q0.16 of the likeliest one's.
    pub min_p: u32,
    /// Whether the output goes on after an end token.
    pub ignore_end: bool,
    /// The number of the likeliest tokens whose log probabilities are returned with each token.
    pub logprobs: u8,
}

impl Asked {
    /// Ensures that all tokens that are named are the model's.
    ///
    /// # Errors
    ///
    /// One of them is not.
    pub fn ensure_known(&self, model: &Model) -> Result<(), EngineError> {
        self.adjustments.ensure_known(model.info().vocab_size)
    }
}

/// A request that the engine honours, with its encoding.
#[derive(Debug)]
pub struct SupportedRequest<'a> {
    encoding: &'a [u8],
    prompt: Prompt,
    asked: Asked,
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
        let Request::V1(RequestV1 {
            prompt,
            stop,
            logit_bias,
            presence,
            frequency,
            repetition,
            min_p,
            ignore_end,
            logprobs,
            // These are neutral.
            constraint: _,
            salt: _,
        }) = request;
        let prompt = match prompt {
            request::Prompt::Text(text) => Prompt::Text(text),
            request::Prompt::Tokens(tokens) => Prompt::Tokens(tokens),
            request::Prompt::Chat(asked) => Prompt::Chat(chat(asked)),
        };
        let changes = Adjustments { presence, frequency, repetition, ..Adjustments::NONE };
        let bias = logit_bias.iter().map(|bias| (bias.token, bias.bias));
        let adjustments = changes.with_bias(bias);
        let asked =
            Asked { stops: StopStrings::new(stop), adjustments, min_p, ignore_end, logprobs };
        Ok(Self { encoding, prompt, asked })
    }

    /// Ensures that the prompt is not empty. Nobody can order a job without a token of input.
    ///
    /// # Errors
    ///
    /// It has neither a text nor a token nor a message.
    pub fn ensure_prompt(&self) -> Result<(), RequestError> {
        let is_empty = match &self.prompt {
            Prompt::Text(text) => text.is_empty(),
            Prompt::Tokens(tokens) => tokens.is_empty(),
            Prompt::Chat(chat) => chat.messages.is_empty(),
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

    /// Returns what the request asks for beside the continuation of its prompt.
    pub fn asked(&self) -> &Asked {
        &self.asked
    }

    /// Returns the prompt, and what the request asks for beside it.
    pub fn into_parts(self) -> (Prompt, Asked) {
        (self.prompt, self.asked)
    }
}

/// Returns the chat of a request as the engine's.
fn chat(asked: request::Chat) -> Chat {
    let request::Chat { messages, tools, arguments } = asked;
    let messages = messages.into_iter().map(|said| Message::new(said.role, said.content));
    let arguments = arguments.into_iter().map(|argument| (argument.name, argument.value));
    Chat { messages: messages.collect(), tools, arguments: arguments.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use codec::Encode;

    /// Returns the wishes of a request that has nothing but a prompt.
    fn nothing() -> Asked {
        let (stops, adjustments) = (StopStrings::NONE, Adjustments::NONE);
        Asked { stops, adjustments, min_p: 0, ignore_end: false, logprobs: 0 }
    }

    #[test]
    fn prompts_of_all_kinds_are_read() {
        let text = Request::text(*b"In").encode();
        let request = SupportedRequest::read(&text).unwrap();
        assert_eq!((request.encoding(), request.prompt()), (&text[..], &Prompt::text(b"In")));
        let tokens = Request::tokens([73, 110]).encode();
        let (prompt, asked) = SupportedRequest::read(&tokens).unwrap().into_parts();
        assert_eq!((prompt, asked), (Prompt::Tokens(vec![73, 110]), nothing()));
        let message = request::Message { role: "user".into(), content: "Hi".into() };
        let argument = request::Argument { name: "date".into(), value: "1".into() };
        let chat = request::Chat {
            messages: vec![message],
            tools: vec!["{}".into()],
            arguments: vec![argument],
        };
        let stop = vec![b"END".to_vec()];
        let request = RequestV1 { stop, ..RequestV1::new(request::Prompt::Chat(chat)) };
        let request = Request::V1(request).encode();
        let (prompt, asked) = SupportedRequest::read(&request).unwrap().into_parts();
        let chat = Chat {
            messages: vec![Message::new("user", "Hi")],
            tools: vec!["{}".into()],
            arguments: vec![("date".into(), "1".into())],
        };
        let expected = Asked { stops: StopStrings::new(["END"]), ..nothing() };
        assert_eq!((prompt, asked), (Prompt::Chat(chat), expected));
    }

    #[test]
    fn all_that_is_asked_for_beside_the_prompt_is_read() {
        let bias = request::LogitBias { token: 7, bias: -3 };
        let request = RequestV1 {
            logit_bias: vec![bias],
            presence: 1,
            frequency: -2,
            repetition: 5,
            min_p: 9,
            ignore_end: true,
            logprobs: 16,
            ..RequestV1::new(request::Prompt::Text(b"In".to_vec()))
        };
        let request = Request::V1(request).encode();
        let (_, asked) = SupportedRequest::read(&request).unwrap().into_parts();
        let changes =
            Adjustments { presence: 1, frequency: -2, repetition: 5, ..Adjustments::NONE };
        let adjustments = changes.with_bias([(7, -3)]);
        let expected = Asked { adjustments, min_p: 9, ignore_end: true, logprobs: 16, ..nothing() };
        assert_eq!(asked, expected);
    }

    #[test]
    fn prompt_without_a_text_a_token_or_a_message_is_empty() {
        for (request, prompt) in [
            (Request::text(*b""), Err(RequestError::PromptEmpty)),
            (Request::tokens([]), Err(RequestError::PromptEmpty)),
            (
                Request::V1(RequestV1::new(request::Prompt::Chat(request::Chat::default()))),
                Err(RequestError::PromptEmpty),
            ),
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
        let salt = Some([1; 32]);
        let of = |prompt| Request::V1(RequestV1 { salt, ..RequestV1::new(prompt) }).encode();
        let unsupported = |field| RequestError::Unsupported { field };
        assert_eq!(refused(&of(request::Prompt::Text(vec![]))), unsupported("salt"));
    }
}
