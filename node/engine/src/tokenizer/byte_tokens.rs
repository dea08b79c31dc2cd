// SPDX-License-Identifier: Apache-2.0
//! The tokens that stand for one byte each.

use crate::EngineError;

/// The token of each byte. A vocabulary may lack some: SmolLM2's has no token for 21 bytes that no text
/// of its training held. A text that needs one of these has no tokens.
#[derive(Debug)]
pub(super) struct ByteTokens(Vec<Option<u32>>);

impl ByteTokens {
    /// Lists the token of each byte from 0 to 255.
    pub(super) fn new(tokens: [Option<u32>; 256]) -> Self {
        Self(tokens.to_vec())
    }

    /// Returns the token of a byte.
    ///
    /// # Errors
    /// Returns [`EngineError::NoTokenForByte`] if the vocabulary lacks it.
    pub(super) fn get(&self, byte: u8) -> Result<u32, EngineError> {
        self.0[usize::from(byte)].ok_or(EngineError::NoTokenForByte { byte })
    }

    /// Appends the token of each byte.
    pub(super) fn extend(
        &self,
        bytes: impl IntoIterator<Item = u8>,
        out: &mut Vec<u32>,
    ) -> Result<(), EngineError> {
        for byte in bytes {
            out.push(self.get(byte)?);
        }
        Ok(())
    }

    /// Returns the first byte that lacks its token.
    pub(super) fn first_missing(&self) -> Option<u8> {
        (0..=255).find(|byte| self.get(*byte).is_err())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn byte_without_a_token_is_named() {
        let mut tokens = [Some(7); 256];
        assert_eq!(ByteTokens::new(tokens).first_missing(), None);
        tokens[4] = None;
        let tokens = ByteTokens::new(tokens);
        assert_eq!(tokens.first_missing(), Some(4));
        let mut out = Vec::new();
        let error = tokens.extend([3, 4, 5], &mut out).unwrap_err();
        assert!(matches!(error, EngineError::NoTokenForByte { byte: 4 }), "{error}");
    }
}
