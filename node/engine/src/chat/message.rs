// SPDX-License-Identifier: Apache-2.0
//! The messages of a chat.

use serde::Serialize;

/// A message of a chat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
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
