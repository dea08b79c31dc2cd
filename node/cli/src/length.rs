// SPDX-License-Identifier: Apache-2.0
//! The length of a prompt in tokens, which only who has the model can count.

use crate::view::count;
use std::fmt;

/// A number of tokens.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Length {
    /// The number itself.
    Exactly(u32),
    /// The fewest that it can be, because nobody has counted yet.
    AtLeast(u32),
}

impl Length {
    /// Returns the number, or the fewest that it can be.
    pub fn tokens(self) -> u32 {
        match self {
            Self::Exactly(tokens) | Self::AtLeast(tokens) => tokens,
        }
    }

    /// Returns the length with that many tokens more.
    pub fn and(self, more: u32) -> Self {
        match self {
            Self::Exactly(tokens) => Self::Exactly(tokens.saturating_add(more)),
            Self::AtLeast(tokens) => Self::AtLeast(tokens.saturating_add(more)),
        }
    }
}

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(tokens) => f.write_str(&count(*tokens, "token")),
            Self::AtLeast(tokens) => write!(f, "at least {}", count(*tokens, "token")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_that_nobody_has_counted_is_called_a_minimum() {
        assert_eq!(Length::Exactly(1).to_string(), "1 token");
        assert_eq!(Length::AtLeast(1).to_string(), "at least 1 token");
        assert_eq!(Length::AtLeast(1).and(64).to_string(), "at least 65 tokens");
        assert_eq!(Length::Exactly(13).and(u32::MAX).tokens(), u32::MAX);
    }
}
