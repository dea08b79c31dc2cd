// SPDX-License-Identifier: Apache-2.0
//! GPT-2's byte-level byte-pair encoding: text is cut into words, the bytes of each word become
//! characters, and neighbours are merged by the ranks in the file.

use super::{split::PreTokenizer, vocabulary::Vocabulary};
use crate::{
    gguf::{invalid, Gguf},
    EngineError,
};
use std::{collections::HashSet, sync::LazyLock};
use tokenizers::{
    models::bpe::{Vocab, BPE},
    Model as _,
};

#[derive(Debug)]
pub(super) struct ByteLevel {
    pre: PreTokenizer,
    merges: BPE,
    bytes: Vec<u32>,
}

impl ByteLevel {
    pub(super) fn read(
        gguf: &Gguf,
        vocabulary: &Vocabulary,
        pre: PreTokenizer,
    ) -> Result<Self, EngineError> {
        let key = "tokenizer.ggml.merges";
        let merges = gguf.texts(key)?.ok_or_else(|| EngineError::MissingKey { key: key.into() })?;
        let merges = merges
            .into_iter()
            .map(|merge| {
                let pair = merge.split_once(' ').map(|(l, r)| (l.to_string(), r.to_string()));
                pair.ok_or_else(|| invalid(key, format!("{merge:?} is not two tokens")))
            })
            .collect::<Result<Vec<_>, _>>()?;
        // The crate makes the union of each merge in a buffer as long as the longest token.
        let words: HashSet<&str> = vocabulary.pieces().map(|(_, text)| text).collect();
        let makes_none = |(l, r): &&(String, String)| !words.contains(format!("{l}{r}").as_str());
        if let Some((l, r)) = merges.iter().find(makes_none) {
            return Err(invalid(key, format!("{l:?} and {r:?} make no token")));
        }
        let ids: Vocab = vocabulary.pieces().map(|(id, text)| (text.to_string(), id)).collect();
        let merges = BPE::builder()
            .vocab_and_merges(ids, merges)
            .ignore_merges(pre.prefers_whole_words())
            // Its cache is one per thread and model, and is never freed.
            .cache_capacity(0)
            .build()
            .map_err(|e| invalid(key, e.to_string()))?;
        let bytes = vocabulary.byte_tokens(|byte| character(byte).to_string())?;
        Ok(Self { pre, merges, bytes })
    }

    pub(super) fn byte(&self, byte: u8) -> u32 {
        self.bytes[usize::from(byte)]
    }

    pub(super) fn encode(&self, text: &str, out: &mut Vec<u32>) {
        for word in self.pre.words(text) {
            let spelled: String = word.bytes().map(character).collect();
            match self.merges.tokenize(&spelled) {
                Ok(tokens) => out.extend(tokens.into_iter().map(|token| token.id)),
                // There is a token for each byte, so no word is without tokens.
                Err(_) => out.extend(word.bytes().map(|byte| self.byte(byte))),
            }
        }
    }
}

/// The character of each byte: its own where it can be seen, otherwise the next from 256 on.
static ALPHABET: LazyLock<[char; 256]> = LazyLock::new(|| {
    let mut hidden = 256u32;
    std::array::from_fn(|byte| {
        // An index of this array is a byte.
        let byte = byte as u8;
        if matches!(byte, b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff) {
            return char::from(byte);
        }
        hidden += 1;
        char::from_u32(hidden - 1).unwrap_or(char::REPLACEMENT_CHARACTER)
    })
});

/// The byte of each character of the alphabet, by the character's number.
static BYTES: LazyLock<Vec<Option<u8>>> = LazyLock::new(|| {
    let mut bytes = vec![None; 512];
    for (byte, &c) in (0..=255u8).zip(ALPHABET.iter()) {
        bytes[c as usize] = Some(byte);
    }
    bytes
});

fn character(byte: u8) -> char {
    ALPHABET[usize::from(byte)]
}

/// The bytes that a token's text spells; characters that spell none stand for themselves.
pub(super) fn bytes_of(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    for c in text.chars() {
        match BYTES.get(c as usize) {
            Some(&Some(byte)) => bytes.push(byte),
            _ => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_spell_every_byte_once() {
        let text: String = (0..=255).map(character).collect();
        assert_eq!(bytes_of(&text), (0..=255).collect::<Vec<u8>>());
        assert_eq!((character(b' '), character(b'\n'), character(b'a')), ('Ġ', 'Ċ', 'a'));
        assert_eq!(bytes_of("Ġ語"), " 語".as_bytes());
    }
}
