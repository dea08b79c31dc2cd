// SPDX-License-Identifier: Apache-2.0
//! A chat, as a request has it.

/// A message of a chat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The speaker: "system", "user" or "assistant" in most templates.
    pub role: String,
    /// The text of the message.
    pub content: String,
}

impl Message {
    /// Returns a message.
    pub fn new(role: impl Into<String>, content: impl Into<String>) -> Self {
        Self { role: role.into(), content: content.into() }
    }
}

/// A chat, and everything else that its template is given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chat {
    /// The messages, the oldest first.
    pub messages: Vec<Message>,
    /// The tools that the model may call, each in JSON. The template's `tools` is none if there are
    /// none.
    pub tools: Vec<String>,
    /// The names and the values of further arguments of the template, each value in JSON.
    pub arguments: Vec<(String, String)>,
}

impl Chat {
    /// Returns a chat of messages alone.
    pub fn new(messages: Vec<Message>) -> Self {
        Self { messages, ..Self::default() }
    }
}
