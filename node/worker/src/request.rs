// SPDX-License-Identifier: Apache-2.0
//! The requests that the engine honours.

use assay_engine::{Chat, Message, Prompt, StopStrings};
use assay_primitives::{
    request::{self, Prompt as Asked, RequestV1},
    Request, RequestError,
};

/// A request that the engine honours, with its encoding.
#[derive(Debug)]
pub struct SupportedRequest<'a> {
    encoding: &'a [u8],
    prompt: Prompt,
    stops: StopStrings,
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
        let Request::V1(RequestV1 { prompt, stop, .. }) = request;
        let prompt = match prompt {
            Asked::Text(text) => Prompt::Text(text),
            Asked::Tokens(tokens) => Prompt::Tokens(tokens),
            Asked::Chat(asked) => Prompt::Chat(chat(asked)),
        };
        Ok(Self { encoding, prompt, stops: StopStrings::new(stop) })
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

    /// Returns the prompt and the stop strings.
    pub fn into_parts(self) -> (Prompt, StopStrings) {
        (self.prompt, self.stops)
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

    #[test]
    fn prompts_of_all_kinds_are_read() {
        let text = Request::text(*b"In").encode();
        let request = SupportedRequest::read(&text).unwrap();
        assert_eq!((request.encoding(), request.prompt()), (&text[..], &Prompt::text(b"In")));
        let tokens = Request::tokens([73, 110]).encode();
        let (prompt, stops) = SupportedRequest::read(&tokens).unwrap().into_parts();
        assert_eq!((prompt, stops), (Prompt::Tokens(vec![73, 110]), StopStrings::NONE));
        let message = request::Message { role: "user".into(), content: "Hi".into() };
        let argument = request::Argument { name: "date".into(), value: "1".into() };
        let asked = request::Chat {
            messages: vec![message],
            tools: vec!["{}".into()],
            arguments: vec![argument],
        };
        let stop = vec![b"END".to_vec()];
        let request = RequestV1 { stop, ..RequestV1::new(Asked::Chat(asked)) };
        let request = Request::V1(request).encode();
        let (prompt, stops) = SupportedRequest::read(&request).unwrap().into_parts();
        let chat = Chat {
            messages: vec![Message::new("user", "Hi")],
            tools: vec!["{}".into()],
            arguments: vec![("date".into(), "1".into())],
        };
        assert_eq!((prompt, stops), (Prompt::Chat(chat), StopStrings::new(["END"])));
    }

    #[test]
    fn prompt_without_a_text_a_token_or_a_message_is_empty() {
        for (request, prompt) in [
            (Request::text(*b""), Err(RequestError::PromptEmpty)),
            (Request::tokens([]), Err(RequestError::PromptEmpty)),
            (
                Request::V1(RequestV1::new(Asked::Chat(request::Chat::default()))),
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
        let of = |prompt| Request::V1(RequestV1 { logprobs: 1, ..RequestV1::new(prompt) }).encode();
        let unsupported = |field| RequestError::Unsupported { field };
        assert_eq!(refused(&of(Asked::Text(vec![]))), unsupported("logprobs"));
    }
}
