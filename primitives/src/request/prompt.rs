// SPDX-License-Identifier: Apache-2.0
//! The prompt of a request.

use super::error::RequestError;
use alloc::{string::String, vec::Vec};
use codec::{Decode, Encode};

/// The text that a model continues, in one of the forms in which a client can have it.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub enum Prompt {
    /// Bytes, which need not be UTF-8. The model's tokenizer adds the tokens that the model begins with.
    #[codec(index = 0)]
    Text(Vec<u8>),
    /// The ids of tokens of the model, to which nothing is added.
    #[codec(index = 1)]
    Tokens(Vec<u32>),
    /// A chat, which the template in the model's file renders.
    #[codec(index = 2)]
    Chat(Chat),
}

/// A chat. Its texts are UTF-8, because templates work on characters.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode)]
pub struct Chat {
    /// The messages, the oldest first.
    pub messages: Vec<Message>,
    /// The tools that the model may call, each described in JSON.
    pub tools: Vec<String>,
    /// The further arguments of the template, in ascending order of their names, each name once.
    pub arguments: Vec<Argument>,
}

/// A message of a chat.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode)]
pub struct Message {
    /// The speaker: "system", "user", "assistant" or "tool" in most templates.
    pub role: String,
    /// The text.
    pub content: String,
}

/// An argument of a chat template.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode)]
pub struct Argument {
    /// The name, by the bytes of which arguments are ordered.
    pub name: String,
    /// The value in JSON.
    pub value: String,
}

impl Prompt {
    pub(super) fn validate(&self) -> Result<(), RequestError> {
        let Self::Chat(chat) = self else { return Ok(()) };
        let names = chat.arguments.iter().zip(chat.arguments.iter().skip(1));
        match names.enumerate().find(|(_, (before, after))| before.name >= after.name) {
            Some((before, _)) => Err(RequestError::ArgumentsNotAscending { index: before + 1 }),
            None => Ok(()),
        }
    }
}
