// SPDX-License-Identifier: Apache-2.0
//! The prompt of a job, in one of the forms in which a client can give it.

use crate::{Chat, EngineError, Model};

/// The prompt of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Prompt {
    /// A text. The model's tokenizer adds the tokens that the model begins with.
    Text(Vec<u8>),
    /// Tokens of the model, to which nothing is added.
    Tokens(Vec<u32>),
    /// A chat, which the template in the model's file renders.
    Chat(Chat),
}

impl Prompt {
    /// Returns the prompt of a text.
    pub fn text(text: impl Into<Vec<u8>>) -> Self {
        Self::Text(text.into())
    }

    /// Returns the tokens that the model reads.
    ///
    /// # Errors
    /// Returns [`EngineError::NoTokenForByte`] for a text that the vocabulary lacks a token for, and
    /// [`EngineError::TokenOutOfVocab`] for tokens that are not the model's. For a chat, returns
    /// [`EngineError::NoChatTemplate`], [`EngineError::ChatTemplate`] if the template fails or refuses the
    /// messages, [`EngineError::ChatJson`], [`EngineError::ChatArgument`], [`EngineError::ChatTooLong`],
    /// and [`EngineError::Io`] if the system provides no thread, which says nothing of the chat.
    pub fn input(&self, model: &Model) -> Result<Vec<u32>, EngineError> {
        match self {
            Self::Text(text) => model.tokenize(text),
            Self::Tokens(tokens) => {
                ensure_known(model, tokens)?;
                Ok(tokens.clone())
            }
            Self::Chat(chat) => chat_of_at_most(chat, model, model.info().context_length),
        }
    }

    /// Does what [`Self::input`] does, and refuses a chat that cannot have as few tokens before it is cut
    /// into them.
    ///
    /// # Errors
    /// Those of [`Self::input`]; [`EngineError::ChatTooLong`] names `most`.
    pub fn input_of_at_most(&self, model: &Model, most: u32) -> Result<Vec<u32>, EngineError> {
        match self {
            Self::Chat(chat) => chat_of_at_most(chat, model, most.min(model.info().context_length)),
            Self::Text(_) | Self::Tokens(_) => self.input(model),
        }
    }
}

/// Returns the tokens of a chat, which can have at most `most`. Cutting a longer text into tokens could take a
/// long time and much memory.
fn chat_of_at_most(chat: &Chat, model: &Model, most: u32) -> Result<Vec<u32>, EngineError> {
    let rendered = model.render(chat)?;
    let characters = rendered.characters();
    if characters > model.longest_in_chat().saturating_mul(most as usize) {
        return Err(EngineError::ChatTooLong { characters, context: most });
    }
    rendered.tokens()
}

/// Ensures that all tokens are in the model's vocabulary.
pub(crate) fn ensure_known(model: &Model, tokens: &[u32]) -> Result<(), EngineError> {
    let vocab_size = model.info().vocab_size;
    match tokens.iter().position(|&token| token >= vocab_size) {
        Some(index) => {
            Err(EngineError::TokenOutOfVocab { index, token: tokens[index], vocab_size })
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{synthetic::Synthetic, Message};

    #[test]
    fn input_of_a_text_begins_as_the_model_says_and_that_of_tokens_is_as_given() {
        let model = Model::tiny().unwrap();
        let text = Prompt::text(b"In").input(&model).unwrap();
        assert_eq!(text, [256, 73, 110]);
        assert_eq!(Prompt::Tokens(vec![73, 110]).input(&model).unwrap(), [73, 110]);
    }

    #[test]
    fn chat_that_cannot_fit_the_context_is_refused_before_it_is_cut() {
        let template = "{{ messages[0].content }}";
        let file = Synthetic::default().file_with_template(template).unwrap();
        let model = Model::from_bytes(file).unwrap();
        let most = model.longest_in_chat() * model.info().context_length as usize;
        let chat = |characters| {
            let message = Message::new("user", "a".repeat(characters));
            Prompt::Chat(Chat::new(vec![message])).input(&model)
        };
        assert_eq!(chat(most).unwrap().len(), 1 + most);
        let error = chat(most + 1).unwrap_err();
        let EngineError::ChatTooLong { characters, context } = error else { panic!("{error}") };
        assert_eq!((characters, context), (most + 1, model.info().context_length));
    }

    #[test]
    fn token_outside_the_vocabulary_is_named() {
        let model = Model::tiny().unwrap();
        let size = model.info().vocab_size;
        let error = Prompt::Tokens(vec![0, size - 1, size]).input(&model).unwrap_err();
        let EngineError::TokenOutOfVocab { index, token, vocab_size } = error else {
            panic!("{error}")
        };
        assert_eq!((index, token, vocab_size), (2, size, size));
    }
}
