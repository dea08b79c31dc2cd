// SPDX-License-Identifier: Apache-2.0
//! The tokens of a file: their texts, kinds and bytes.

use super::{byte_alphabet, byte_tokens::ByteTokens, control, special::Special};
use crate::{
    gguf::{invalid, Gguf},
    EngineError,
};

/// The key of the tokens' texts.
const TOKENS: &str = "tokenizer.ggml.tokens";
/// The key of the tokens' kinds.
const KINDS: &str = "tokenizer.ggml.token_type";

/// The purpose of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A piece of text.
    Normal,
    /// A token that begins, ends or structures text and is never made from text.
    Control,
    /// A piece of text that is found before text is cut.
    UserDefined,
    /// One byte, written `<0x41>`.
    Byte,
}

impl Kind {
    /// Returns the kind with this number in `tokenizer.ggml.token_type`.
    fn numbered(number: u64) -> Option<Self> {
        match number {
            1 | 5 => Some(Self::Normal),
            // 2 is the unknown token: a text that would need it has no tokens here.
            2 | 3 => Some(Self::Control),
            4 => Some(Self::UserDefined),
            6 => Some(Self::Byte),
            _ => None,
        }
    }
}

/// The way in which the texts of tokens spell bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spelling {
    /// As in SentencePiece, `▁` is a space.
    Spaces,
    /// As in GPT-2, each character is a byte.
    ByteLevel,
}

/// The tokens of a file.
#[derive(Debug)]
pub(super) struct Vocabulary {
    texts: Vec<String>,
    kinds: Vec<Kind>,
    /// The bytes of all tokens, one after the other.
    bytes: Vec<u8>,
    /// The end of each token's bytes.
    ends: Vec<usize>,
}

impl Vocabulary {
    /// Returns the vocabulary of 256 bytes and three control tokens.
    pub(super) fn bytes() -> Self {
        let mut vocabulary = Self { texts: vec![], kinds: vec![], bytes: vec![], ends: vec![] };
        for byte in 0..=255u8 {
            vocabulary.push(spelled(byte), Kind::Byte, &[byte]);
        }
        for text in ["<s>", "</s>", "<pad>"] {
            vocabulary.push(text.into(), Kind::Control, &[]);
        }
        vocabulary
    }

    /// Reads the vocabulary of a file whose embedding has `rows` rows.
    pub(super) fn read(gguf: &Gguf, rows: usize, spelling: Spelling) -> Result<Self, EngineError> {
        let missing = || EngineError::MissingKey { key: TOKENS.into() };
        let texts = gguf.texts(TOKENS)?.ok_or_else(missing)?;
        if texts.len() != rows || u32::try_from(rows).is_err() {
            let problem = format!("{} tokens, but the embedding has {rows} rows", texts.len());
            return Err(invalid(TOKENS, problem));
        }
        let kinds = gguf.numbers(KINDS)?.unwrap_or_else(|| vec![1; rows]);
        if kinds.len() != rows {
            return Err(invalid(KINDS, format!("{} kinds for {rows} tokens", kinds.len())));
        }
        let mut vocabulary = Self { texts: vec![], kinds: vec![], bytes: vec![], ends: vec![] };
        for (id, (text, number)) in texts.into_iter().zip(kinds).enumerate() {
            let kind = Kind::numbered(number)
                .ok_or_else(|| invalid(KINDS, format!("token {id} is of unknown kind {number}")))?;
            let bytes = match (kind, spelling) {
                (Kind::Control, _) => Vec::new(),
                (Kind::Byte, _) => vec![byte_of(text).ok_or_else(|| {
                    invalid(
                        TOKENS,
                        format!("the text {text:?} of token {id} does not spell a byte"),
                    )
                })?],
                (_, Spelling::Spaces) => text.replace('▁', " ").into_bytes(),
                (Kind::UserDefined, Spelling::ByteLevel) => text.as_bytes().to_vec(),
                (Kind::Normal, Spelling::ByteLevel) => byte_alphabet::bytes_of(text),
            };
            vocabulary.push(text.into(), kind, &bytes);
        }
        Ok(vocabulary)
    }

    fn push(&mut self, text: String, kind: Kind, bytes: &[u8]) {
        self.texts.push(text);
        self.kinds.push(kind);
        self.bytes.extend_from_slice(bytes);
        self.ends.push(self.bytes.len());
    }

    /// Makes control tokens of those that the metadata names as such, whatever their kind.
    pub(super) fn make_control(&mut self, tokens: impl Iterator<Item = u32>) {
        for token in tokens {
            self.kinds[token as usize] = Kind::Control;
        }
    }

    /// Makes control tokens of those that are by their texts, and returns those that end an output.
    pub(super) fn ends_by_text(&mut self) -> Vec<u32> {
        for (kind, text) in self.kinds.iter_mut().zip(&self.texts) {
            if control::is_control(text) {
                *kind = Kind::Control;
            }
        }
        let all = (0..).zip(self.texts.iter().zip(&self.kinds));
        let controls = all.filter(|(_, (_, kind))| **kind == Kind::Control);
        control::ends(controls.map(|(id, (text, _))| (id, text.as_str())))
    }

    /// Returns the special tokens.
    ///
    /// # Errors
    /// Returns [`EngineError::InvalidKey`] if their texts are too long.
    pub(super) fn special(&self) -> Result<Special, EngineError> {
        let all = self.texts.iter().zip(&self.kinds).enumerate();
        let special =
            all.filter(|(_, (_, kind))| matches!(kind, Kind::Control | Kind::UserDefined));
        // There are at most u32::MAX tokens.
        let special =
            special.map(|(id, (text, kind))| (id as u32, &**text, *kind == Kind::Control));
        Special::new(special).map_err(|problem| invalid(TOKENS, problem))
    }

    pub(super) fn len(&self) -> usize {
        self.texts.len()
    }

    pub(super) fn text(&self, token: u32) -> &str {
        &self.texts[token as usize]
    }

    /// Returns each token that text may be cut into, with its text.
    pub(super) fn pieces(&self) -> impl Iterator<Item = (u32, &str)> {
        let all = self.texts.iter().zip(&self.kinds).enumerate();
        all.filter(|(_, (_, kind))| matches!(kind, Kind::Normal | Kind::UserDefined))
            .map(|(id, (text, _))| (id as u32, text.as_str()))
    }

    /// Returns the token of each byte, which is the one whose text is what `spell` returns.
    pub(super) fn byte_tokens(&self, spell: impl Fn(u8) -> String) -> ByteTokens {
        let mut tokens = [None; 256];
        for (id, (text, kind)) in self.texts.iter().zip(&self.kinds).enumerate() {
            let bytes = &self.bytes[self.start(id)..self.ends[id]];
            if let ([byte], Kind::Byte | Kind::Normal) = (bytes, kind) {
                if *text == spell(*byte) {
                    tokens[usize::from(*byte)] = Some(id as u32);
                }
            }
        }
        ByteTokens::new(tokens)
    }

    fn start(&self, id: usize) -> usize {
        id.checked_sub(1).map_or(0, |before| self.ends[before])
    }

    pub(super) fn bytes_of(&self, token: u32) -> &[u8] {
        let id = token as usize;
        match (self.ends.get(id), self.kinds.get(id)) {
            (Some(&end), Some(kind)) if *kind != Kind::Control => &self.bytes[self.start(id)..end],
            _ => &[],
        }
    }

    pub(super) fn longest(&self) -> usize {
        (0..self.len() as u32).map(|token| self.bytes_of(token).len()).max().unwrap_or(0)
    }
}

/// Returns the text of the token of a byte: `<0x41>`.
pub(super) fn spelled(byte: u8) -> String {
    format!("<0x{byte:02X}>")
}

/// Returns the byte of a text such as `<0x41>`.
fn byte_of(text: &str) -> Option<u8> {
    let digits = text.strip_prefix("<0x")?.strip_suffix('>')?;
    // Rust would accept a sign, which the text of a byte never has.
    let spells = digits.len() == 2 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    spells.then(|| u8::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn byte_of_reads_two_digits_only() {
        assert_eq!((byte_of("<0x4A>"), byte_of("<0x4a>")), (Some(0x4a), Some(0x4a)));
        for text in ["<0x4>", "<0x+4>", "<0x-0>", "0x4A", "<0x4A", "<0xGG>", "<0x04A>", "<0xé>"] {
            assert_eq!(byte_of(text), None, "{text}");
        }
    }
}
