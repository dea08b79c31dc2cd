// SPDX-License-Identifier: Apache-2.0
//! The tokens of a file: their texts, kinds and bytes.

use super::{byte_alphabet, byte_tokens::ByteTokens};
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

/// A piece of text, or a special token in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part<'t> {
    Text(&'t str),
    Token(u32),
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
    /// Control and user-defined tokens, longest text first.
    special: Vec<u32>,
}

impl Vocabulary {
    /// Returns the vocabulary of 256 bytes and three control tokens.
    pub(super) fn bytes() -> Self {
        let mut vocabulary =
            Self { texts: vec![], kinds: vec![], bytes: vec![], ends: vec![], special: vec![] };
        for byte in 0..=255u8 {
            vocabulary.push(spelled(byte), Kind::Byte, &[byte]);
        }
        for text in ["<s>", "</s>", "<pad>"] {
            vocabulary.push(text.into(), Kind::Control, &[]);
        }
        vocabulary.find_special();
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
        let mut vocabulary =
            Self { texts: vec![], kinds: vec![], bytes: vec![], ends: vec![], special: vec![] };
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
        vocabulary.find_special();
        Ok(vocabulary)
    }

    fn push(&mut self, text: String, kind: Kind, bytes: &[u8]) {
        self.texts.push(text);
        self.kinds.push(kind);
        self.bytes.extend_from_slice(bytes);
        self.ends.push(self.bytes.len());
    }

    /// Lists the special tokens. An empty text would be found everywhere, so tokens without text
    /// are left out.
    fn find_special(&mut self) {
        // There are at most u32::MAX tokens.
        self.special = (0..self.len() as u32)
            .filter(|&id| matches!(self.kind(id), Kind::Control | Kind::UserDefined))
            .filter(|&id| !self.text(id).is_empty())
            .collect();
        let texts = &self.texts;
        self.special.sort_by_key(|&id| std::cmp::Reverse(texts[id as usize].len()));
    }

    /// Makes control tokens of those that the metadata names as such, whatever their kind.
    pub(super) fn make_control(&mut self, tokens: impl Iterator<Item = u32>) {
        for token in tokens {
            self.kinds[token as usize] = Kind::Control;
        }
        self.find_special();
    }

    pub(super) fn len(&self) -> usize {
        self.texts.len()
    }

    pub(super) fn kind(&self, token: u32) -> Kind {
        self.kinds[token as usize]
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

    pub(super) fn control_texts(&self) -> impl Iterator<Item = &str> {
        let control = self.special.iter().filter(|&&id| self.kind(id) == Kind::Control);
        control.map(|&id| self.text(id))
    }

    /// Cuts a text at its special tokens, as llama.cpp does: first at all occurrences of the
    /// longest, then the remaining pieces at those of the next. Control tokens are found only if
    /// `control` is set.
    pub(super) fn parts<'t>(&self, text: &'t str, control: bool) -> Vec<Part<'t>> {
        let mut parts = match text {
            "" => vec![],
            _ => vec![Part::Text(text)],
        };
        for &token in &self.special {
            let special = self.text(token);
            let skipped = self.kind(token) == Kind::Control && !control;
            if !skipped && text.contains(special) {
                parts = parts.into_iter().flat_map(|part| cut(part, special, token)).collect();
            }
        }
        parts
    }
}

/// Cuts a part at each occurrence of a token's text.
fn cut<'t>(part: Part<'t>, special: &str, token: u32) -> Vec<Part<'t>> {
    let Part::Text(text) = part else { return vec![part] };
    let mut parts = Vec::new();
    for (i, piece) in text.split(special).enumerate() {
        if i > 0 {
            parts.push(Part::Token(token));
        }
        if !piece.is_empty() {
            parts.push(Part::Text(piece));
        }
    }
    parts
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

    fn vocabulary(special: &[(&str, Kind)]) -> Vocabulary {
        let mut vocabulary = Vocabulary::bytes();
        for (text, kind) in special {
            vocabulary.push(text.to_string(), *kind, text.as_bytes());
        }
        vocabulary.find_special();
        vocabulary
    }

    #[test]
    fn parts_cut_at_the_longest_special_token_first() {
        let vocabulary = vocabulary(&[("ab", Kind::UserDefined), ("bcd", Kind::UserDefined)]);
        let parts = vocabulary.parts("abcdab", false);
        assert_eq!(parts, [Part::Text("a"), Part::Token(260), Part::Token(259)]);
        assert!(vocabulary.parts("", true).is_empty());
    }

    #[test]
    fn parts_find_control_tokens_only_where_asked() {
        let vocabulary = vocabulary(&[("<|end|>", Kind::Control)]);
        assert_eq!(vocabulary.parts("a<|end|>", false), [Part::Text("a<|end|>")]);
        assert_eq!(vocabulary.parts("a<|end|>", true), [Part::Text("a"), Part::Token(259)]);
    }

    #[test]
    fn byte_of_reads_two_digits_only() {
        assert_eq!((byte_of("<0x4A>"), byte_of("<0x4a>")), (Some(0x4a), Some(0x4a)));
        for text in ["<0x4>", "<0x+4>", "<0x-0>", "0x4A", "<0x4A", "<0xGG>", "<0x04A>", "<0xé>"] {
            assert_eq!(byte_of(text), None, "{text}");
        }
    }
}
