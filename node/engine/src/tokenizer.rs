// SPDX-License-Identifier: Apache-2.0
//! Text to tokens and back.

/// Number of byte tokens; the special tokens follow.
const BYTES: u32 = 256;
/// Opens a text.
pub(crate) const BOS: u32 = 256;
/// Ends an output.
pub(crate) const EOS: u32 = 257;
/// Fills; never produced by [`Tokenizer::encode`].
pub(crate) const PAD: u32 = 258;
/// Size of the byte vocabulary with its three special tokens.
pub(crate) const BYTE_VOCAB: u32 = 259;
/// `tokenizer.ggml.model` of [`Tokenizer::Bytes`].
pub(crate) const BYTES_NAME: &str = "assay-bytes";

/// The tokenizer that a model's file names.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Tokenizer {
    /// Ids 0 to 255 are bytes.
    Bytes {
        /// Whether a text is opened by [`BOS`].
        add_bos: bool,
    },
}

impl Tokenizer {
    pub(crate) fn encode(self, text: &[u8]) -> Vec<u32> {
        let Self::Bytes { add_bos } = self;
        add_bos.then_some(BOS).into_iter().chain(text.iter().map(|&b| u32::from(b))).collect()
    }

    /// Special tokens, and ids outside the vocabulary, give nothing.
    pub(crate) fn decode(self, tokens: &[u32]) -> Vec<u8> {
        let Self::Bytes { .. } = self;
        tokens.iter().filter(|&&t| t < BYTES).map(|&t| t as u8).collect()
    }

    /// The most bytes that a token stands for.
    pub(crate) fn longest(self) -> usize {
        let Self::Bytes { .. } = self;
        1
    }

    pub(crate) fn end(self) -> u32 {
        let Self::Bytes { .. } = self;
        EOS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_round_trip_and_specials_give_nothing() {
        let all: Vec<u8> = (0..=255).collect();
        let tokens = Tokenizer::Bytes { add_bos: true }.encode(&all);
        assert_eq!(tokens[0], BOS);
        assert_eq!(Tokenizer::Bytes { add_bos: true }.decode(&tokens), all);
        assert_eq!(Tokenizer::Bytes { add_bos: false }.encode(b"a"), [97]);
        assert!(Tokenizer::Bytes { add_bos: true }.decode(&[BOS, EOS, PAD, u32::MAX]).is_empty());
    }
}
