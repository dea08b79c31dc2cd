// SPDX-License-Identifier: Apache-2.0
//! Conversion of text to tokens and back, by the vocabulary in a model's file.
//!
//! Tokens are those of llama.cpp for the same file, with two differences, both for safety. The
//! texts of control tokens never become those tokens, which appear only where a chat template puts
//! them. Bytes that are not UTF-8 become byte tokens. Every byte of a text is in its tokens, and
//! these bind an operator's answer to the prompt.

mod byte_alphabet;
mod byte_level;
mod byte_tokens;
mod control;
mod pre_tokenizer;
mod rule;
mod sentence_piece;
mod special;
mod vocabulary;

use crate::{
    gguf::{invalid, Gguf},
    EngineError,
};
use byte_level::ByteLevel;
use pre_tokenizer::PreTokenizer;
use rule::Rule;
use sentence_piece::SentencePiece;
use special::Part;
pub(crate) use special::Special;
use std::borrow::Cow;
use vocabulary::Vocabulary;

/// `tokenizer.ggml.model` of a vocabulary of plain bytes.
const BYTES_NAME: &str = "assay-bytes";
/// Number of byte tokens in that vocabulary; the tokens that begin, end and pad a text follow.
const BYTES: u32 = 256;
/// The names in the metadata, besides `eos`, of tokens that end an output.
const ENDS: [&str; 5] = ["eot", "eom", "fim_pad", "fim_rep", "fim_sep"];

/// The tokenizer of a model.
#[derive(Debug)]
pub struct Tokenizer {
    vocabulary: Vocabulary,
    special: Special,
    algorithm: Algorithm,
    bos: Option<u32>,
    eos: u32,
    ends: Vec<u32>,
    add_bos: bool,
    add_eos: bool,
    warning: Option<String>,
}

/// The algorithm that cuts text without special tokens.
#[derive(Debug)]
enum Algorithm {
    /// Ids 0 to 255 are bytes.
    Bytes,
    SentencePiece(SentencePiece),
    ByteLevel(Box<ByteLevel>),
}

/// The tokens that begin and end texts.
struct Ends {
    bos: Option<u32>,
    eos: u32,
    ends: Vec<u32>,
    add_bos: bool,
    add_eos: bool,
}

/// The defaults of a vocabulary for keys that its file lacks.
struct Defaults {
    bos: Option<u32>,
    eos: Option<u32>,
    add_bos: bool,
}

impl Ends {
    /// Reads the tokens that the file names, adds those that end an output by their texts, and makes control
    /// tokens of all, whatever kind the file says.
    fn read(
        gguf: &Gguf,
        vocabulary: &mut Vocabulary,
        defaults: &Defaults,
    ) -> Result<Self, EngineError> {
        let special = |name: &str, other: Option<u32>| {
            let key = format!("tokenizer.ggml.{name}_token_id");
            match gguf.number(&key)? {
                // An id is below the length of the vocabulary, which fits in a u32.
                Some(id) if id < vocabulary.len() as u64 => Ok(Some(id as u32)),
                Some(id) => Err(invalid(&key, format!("{id} is outside the vocabulary"))),
                None => Ok(other.filter(|id| (*id as usize) < vocabulary.len())),
            }
        };
        let bos = special("bos", defaults.bos)?;
        let eos = special("eos", defaults.eos)?;
        let key = "tokenizer.ggml.eos_token_id";
        let eos = eos.ok_or_else(|| EngineError::MissingKey { key: key.into() })?;
        let mut ends = vec![eos];
        for name in ENDS {
            // Older files name such tokens outside the vocabulary, which no output can end with.
            let id = gguf.number(&format!("tokenizer.ggml.{name}_token_id"))?;
            ends.extend(id.filter(|&id| id < vocabulary.len() as u64).map(|id| id as u32));
        }
        let flag = |name: &str, other: bool| {
            Ok::<_, EngineError>(gguf.flag(&format!("tokenizer.ggml.{name}"))?.unwrap_or(other))
        };
        let add_bos = flag("add_bos_token", defaults.add_bos)?;
        let add_eos = flag("add_eos_token", false)?;
        if add_bos && bos.is_none() {
            return Err(EngineError::MissingKey { key: "tokenizer.ggml.bos_token_id".into() });
        }
        vocabulary.make_control(bos.into_iter().chain(ends.iter().copied()));
        ends.extend(vocabulary.ends_by_text());
        Ok(Self { bos, eos, ends, add_bos, add_eos })
    }
}

impl Tokenizer {
    /// Reads the tokenizer of a file whose embedding has `rows` rows.
    ///
    /// # Errors
    /// Returns [`EngineError::UnknownTokenizer`], [`EngineError::UnknownPreTokenizer`],
    /// [`EngineError::MissingKey`] or [`EngineError::InvalidKey`].
    pub fn read(gguf: &Gguf, rows: usize) -> Result<Self, EngineError> {
        let defaults = |bos, eos, add_bos| Defaults { bos, eos, add_bos };
        let mut warning = None;
        // The ends are read before the algorithm, because text is never cut into them.
        let (vocabulary, algorithm, ends) = match gguf.required_text("tokenizer.ggml.model")? {
            BYTES_NAME => {
                check_bytes(gguf, rows)?;
                let mut vocabulary = Vocabulary::bytes();
                let defaults = defaults(Some(BYTES), Some(BYTES + 1), true);
                let ends = Ends::read(gguf, &mut vocabulary, &defaults)?;
                let bytes = vocabulary.byte_tokens(vocabulary::spelled);
                if let Some(byte) = bytes.first_missing() {
                    let problem = format!("the token of the byte {byte:#04x} begins or ends texts");
                    return Err(invalid("tokenizer.ggml.model", problem));
                }
                (vocabulary, Algorithm::Bytes, ends)
            }
            "llama" => {
                let mut vocabulary = Vocabulary::read(gguf, rows, vocabulary::Spelling::Spaces)?;
                let defaults = defaults(Some(1), Some(2), true);
                let ends = Ends::read(gguf, &mut vocabulary, &defaults)?;
                let pieces = SentencePiece::read(gguf, &vocabulary)?;
                (vocabulary, Algorithm::SentencePiece(pieces), ends)
            }
            "gpt2" => {
                let mut vocabulary = Vocabulary::read(gguf, rows, vocabulary::Spelling::ByteLevel)?;
                let rule = Rule::of(gguf.text("tokenizer.ggml.pre")?, &vocabulary);
                let pre = PreTokenizer::named(rule.name)?;
                warning = rule.warning;
                let defaults = defaults(None, None, pre.adds_bos());
                let ends = Ends::read(gguf, &mut vocabulary, &defaults)?;
                let words = ByteLevel::read(gguf, &vocabulary, pre)?;
                (vocabulary, Algorithm::ByteLevel(Box::new(words)), ends)
            }
            name => return Err(EngineError::UnknownTokenizer { name: name.into() }),
        };
        let Ends { bos, eos, ends, add_bos, add_eos } = ends;
        let special = vocabulary.special()?;
        Ok(Self { vocabulary, special, algorithm, bos, eos, ends, add_bos, add_eos, warning })
    }

    /// Returns the tokens of a text, between the tokens that begin and end one if the file says so.
    ///
    /// # Errors
    /// Returns [`EngineError::NoTokenForByte`] if the vocabulary lacks a token that the text needs.
    pub fn encode(&self, text: &[u8]) -> Result<Vec<u32>, EngineError> {
        let mut out = self.opening();
        self.encode_into(text, &mut out)?;
        out.extend(self.add_eos.then_some(self.eos));
        Ok(out)
    }

    /// Returns the token that begins a text, if the file says that one does.
    pub(crate) fn opening(&self) -> Vec<u32> {
        self.bos.filter(|_| self.add_bos).into_iter().collect()
    }

    /// Returns the tokens of a text alone, without those that begin and end one, from which
    /// [`Tokenizer::decode_bare`] restores it. No space is inserted except before the whole text.
    pub(crate) fn encode_bare(&self, text: &[u8]) -> Result<Vec<u32>, EngineError> {
        let (mut first, mut out) = (true, Vec::new());
        for chunk in text.utf8_chunks() {
            for part in self.special.cut(chunk.valid(), false) {
                match part {
                    Part::Token(token) => out.push(token),
                    Part::Text(text) => self.encode_text(text, first, &mut out)?,
                }
                first = false;
            }
            for &byte in chunk.invalid() {
                out.push(self.byte(byte)?);
                first = false;
            }
        }
        Ok(out)
    }

    /// Returns the bytes of the tokens of a text, without the space that the vocabulary puts before
    /// a text.
    pub(crate) fn decode_bare(&self, tokens: &[u32]) -> Vec<u8> {
        let mut bytes = self.decode(tokens);
        let prefixed = match &self.algorithm {
            Algorithm::SentencePiece(pieces) => pieces.prefixes_space(),
            Algorithm::Bytes | Algorithm::ByteLevel(_) => false,
        };
        if prefixed && bytes.first() == Some(&b' ') {
            bytes.remove(0);
        }
        bytes
    }

    /// Returns the tokens of a chat template's output. The texts of control tokens become those
    /// tokens, and the other parts are restored after these have been found.
    pub(crate) fn encode_template(
        &self,
        text: &str,
        restore: &dyn for<'t> Fn(&'t str) -> Cow<'t, str>,
    ) -> Result<Vec<u32>, EngineError> {
        let (mut first, mut out) = (true, Vec::new());
        for part in self.special.cut(text, true) {
            match part {
                Part::Token(token) => {
                    out.push(token);
                    first = true;
                }
                Part::Text(text) => self.encode_parts(&restore(text), &mut first, &mut out)?,
            }
        }
        Ok(match self.bos.filter(|bos| self.add_bos && out.first() != Some(bos)) {
            Some(bos) => std::iter::once(bos).chain(out).collect(),
            None => out,
        })
    }

    /// Appends the tokens of a text, in which no control tokens are found.
    fn encode_into(&self, text: &[u8], out: &mut Vec<u32>) -> Result<(), EngineError> {
        let mut first = true;
        for chunk in text.utf8_chunks() {
            self.encode_parts(chunk.valid(), &mut first, out)?;
            for &byte in chunk.invalid() {
                out.push(self.byte(byte)?);
                first = false;
            }
        }
        Ok(())
    }

    /// Appends the tokens of the parts of a text. `first` says whether the text is the first, or
    /// the first after a special token.
    fn encode_parts(
        &self,
        text: &str,
        first: &mut bool,
        out: &mut Vec<u32>,
    ) -> Result<(), EngineError> {
        for part in self.special.cut(text, false) {
            match part {
                Part::Token(token) => {
                    out.push(token);
                    *first = true;
                }
                Part::Text(text) => {
                    self.encode_text(text, *first, out)?;
                    *first = false;
                }
            }
        }
        Ok(())
    }

    /// Appends the tokens of a text without special tokens.
    fn encode_text(&self, text: &str, first: bool, out: &mut Vec<u32>) -> Result<(), EngineError> {
        match &self.algorithm {
            Algorithm::Bytes => {
                out.extend(text.bytes().map(u32::from));
                Ok(())
            }
            Algorithm::SentencePiece(pieces) => pieces.encode(text, first, out),
            Algorithm::ByteLevel(words) => words.encode(text, out),
        }
    }

    /// Returns the token of a byte.
    fn byte(&self, byte: u8) -> Result<u32, EngineError> {
        match &self.algorithm {
            Algorithm::Bytes => Ok(u32::from(byte)),
            Algorithm::SentencePiece(pieces) => pieces.bytes().get(byte),
            Algorithm::ByteLevel(words) => words.bytes().get(byte),
        }
    }

    /// Returns the concatenated bytes of the tokens. Control tokens, and ids outside the
    /// vocabulary, have none.
    pub fn decode(&self, tokens: &[u32]) -> Vec<u8> {
        tokens.iter().flat_map(|&token| self.vocabulary.bytes_of(token)).copied().collect()
    }

    /// Returns the bytes of a token. A control token, and an id outside the vocabulary, has none.
    pub(crate) fn bytes_of(&self, token: u32) -> &[u8] {
        self.vocabulary.bytes_of(token)
    }

    /// Returns the most bytes that a token stands for.
    pub fn longest(&self) -> usize {
        self.vocabulary.longest()
    }

    /// Returns the token that ends a text, the first of those that end an output.
    pub fn end(&self) -> u32 {
        self.eos
    }

    /// Returns whether a token ends an output, or a turn in a chat.
    pub fn is_end(&self, token: u32) -> bool {
        self.ends.contains(&token)
    }

    /// Returns the texts of the tokens that begin and end a text, for templates.
    pub(crate) fn texts_of_ends(&self) -> (&str, &str) {
        let text = |token| self.vocabulary.text(token);
        (self.bos.map_or("", text), text(self.eos))
    }

    /// Returns a warning if the tokens may not be those that the model has learnt.
    pub(crate) fn warning(&self) -> Option<&str> {
        self.warning.as_deref()
    }

    /// Returns the control and user-defined tokens.
    pub(crate) fn special(&self) -> &Special {
        &self.special
    }
}

/// Checks that a file agrees with the vocabulary of plain bytes.
fn check_bytes(gguf: &Gguf, rows: usize) -> Result<(), EngineError> {
    let size = BYTES as usize + 3;
    if rows != size {
        let problem = format!("a vocabulary of bytes has {size} tokens, the model has {rows}");
        return Err(invalid("tokenizer.ggml.model", problem));
    }
    for (name, id) in [("bos", BYTES), ("eos", BYTES + 1), ("padding", BYTES + 2)] {
        let key = format!("tokenizer.ggml.{name}_token_id");
        match gguf.number(&key)? {
            Some(found) if found != u64::from(id) => {
                return Err(invalid(
                    &key,
                    format!("{found}, expected {id} for a vocabulary of bytes"),
                ));
            }
            _ => (),
        }
    }
    Ok(())
}
