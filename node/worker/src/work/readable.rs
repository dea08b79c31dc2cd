// SPDX-License-Identifier: Apache-2.0
//! The test of a request, which precedes every tokenisation.
//!
//! It depends on nothing but the job, its request and its model, so all nodes find the same.

use crate::request::{Asked, SupportedRequest};
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
    /// A token of the prompt or of a bias is not the model's, or the model's template does not render the chat.
    #[error(transparent)]
    Prompt(EngineError),
    /// This node cannot render the chat now, which says nothing of the job.
    #[error(transparent)]
    Now(EngineError),
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
            Self::Request(_) | Self::Prompt(_) => DeclineReason::Request,
            Self::Now(_) => DeclineReason::Resource,
            Self::Length { .. } => DeclineReason::InputLength,
        }
    }

    /// Returns the reason with which a verifier rejects an output of the job, which no honest operator
    /// accepts; `None` if it is this node that cannot run the job.
    pub fn reject(&self) -> Option<RejectReason> {
        match self {
            Self::Request(_) | Self::Prompt(_) => Some(RejectReason::Request),
            Self::Length { .. } => Some(RejectReason::Binding),
            Self::Now(_) => None,
        }
    }
}

/// A request that can be run.
pub struct Readable {
    /// The prompt. A chat is in tokens, so that all paths of the engine take it alike.
    pub prompt: Prompt,
    /// All that the request asks for beside it.
    pub asked: Asked,
}

/// Returns the prompt and the wishes of a job that names that many tokens. A text is not tokenised,
/// and may still have another length; but one that cannot have that many tokens is refused here, because
/// tokenising it would take long and much memory.
///
/// # Errors
///
/// No node can run the job, or this one cannot do so now.
pub fn read(model: &Model, tokens: u32, request: &[u8]) -> Result<Readable, Unreadable> {
    let (mut prompt, asked) = SupportedRequest::read(request)?.into_parts();
    asked.ensure_known(model).map_err(Unreadable::Prompt)?;
    if let Prompt::Chat(_) = prompt {
        let input = prompt.input_of_at_most(model, tokens).map_err(|error| match error {
            EngineError::Io { .. } => Unreadable::Now(error),
            EngineError::ChatTooLong { .. } => Unreadable::Length { tokens },
            error => Unreadable::Prompt(error),
        })?;
        prompt = Prompt::Tokens(input);
    }
    let can_be = match &prompt {
        Prompt::Text(text) => {
            let most = (tokens as usize).saturating_mul(model.longest_token());
            text.len() <= most.saturating_mul(BYTES_PER_TOKEN_BYTE)
        }
        Prompt::Tokens(_) => {
            prompt.input(model).map_err(Unreadable::Prompt)?.len() == tokens as usize
        }
        Prompt::Chat(_) => false,
    };
    if can_be {
        Ok(Readable { prompt, asked })
    } else {
        Err(Unreadable::Length { tokens })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_engine::synthetic::Synthetic;
    use assay_primitives::{
        request::{self, RequestV1},
        Request,
    };
    use codec::Encode;

    fn model() -> Model {
        Model::tiny().unwrap()
    }

    fn reasons(tokens: u32, request: &[u8]) -> Option<(DeclineReason, RejectReason)> {
        let unreadable = read(&model(), tokens, request).err();
        unreadable.map(|reason| (reason.decline(), reason.reject().expect("no node can run it")))
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

    /// Returns a small model of bytes with a template that writes the messages alone.
    fn chats() -> Model {
        let template = "{% for m in messages %}{% if not m.role %}{{ raise_exception('no role') }}\
                        {% endif %}{{ m.role[0] }}{{ m.content }}{% endfor %}";
        Model::from_bytes(Synthetic::default().file_with_template(template).unwrap()).unwrap()
    }

    fn chat(messages: &[(&str, &str)]) -> Vec<u8> {
        let message = |(role, content): &(&str, &str)| request::Message {
            role: (*role).into(),
            content: (*content).into(),
        };
        let messages = messages.iter().map(message).collect();
        let chat = request::Chat { messages, ..request::Chat::default() };
        Request::V1(RequestV1::new(request::Prompt::Chat(chat))).encode()
    }

    #[test]
    fn chat_is_rendered_and_has_as_many_tokens_as_the_job_says() {
        let request = chat(&[("system", "Be"), ("user", "Hi")]);
        let read = |tokens| read(&chats(), tokens, &request);
        let tokens = [vec![256], b"sBeuHi".map(u32::from).to_vec()].concat();
        assert_eq!(read(7).unwrap().prompt, Prompt::Tokens(tokens));
        for wrong in [6, 8] {
            assert!(matches!(read(wrong), Err(Unreadable::Length { tokens }) if tokens == wrong));
        }
    }

    #[test]
    fn chat_that_the_model_cannot_render_is_refused() {
        // The tiny model has no template, and the other one's refuses a message without a role.
        assert_eq!(reasons(3, &chat(&[("user", "Hi")])), REQUEST);
        let refused = read(&chats(), 3, &chat(&[("", "Hi")])).err().unwrap();
        assert_eq!(refused.reject(), Some(RejectReason::Request));
        let source = std::io::Error::other("no thread");
        let now = Unreadable::Now(EngineError::Io { path: "thread".into(), source });
        assert_eq!((now.decline(), now.reject()), (DeclineReason::Resource, None));
    }

    #[test]
    fn bias_for_a_token_that_the_model_lacks_is_refused() {
        let size = model().info().vocab_size;
        let biased = |token| {
            let logit_bias = vec![request::LogitBias { token, bias: 1 }];
            let prompt = request::Prompt::Tokens(vec![0]);
            Request::V1(RequestV1 { logit_bias, ..RequestV1::new(prompt) }).encode()
        };
        assert_eq!(reasons(1, &biased(size - 1)), None);
        assert_eq!(reasons(1, &biased(size)), REQUEST);
        let error = read(&model(), 1, &biased(size)).err().unwrap().to_string();
        assert!(
            error.contains(&format!("token {size}, which is outside the vocabulary of {size}")),
            "{error}"
        );
    }

    #[test]
    fn bytes_that_are_no_request_are_refused_whatever_the_length() {
        assert_eq!(reasons(3, b"In"), REQUEST);
        assert_eq!(reasons(u32::MAX, &vec![1; (1 << 20) + 1]), REQUEST);
    }
}
