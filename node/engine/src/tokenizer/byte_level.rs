// SPDX-License-Identifier: Apache-2.0
//! GPT-2's byte-level byte-pair encoding: text is cut into words, the bytes of each word become
//! characters, and neighbours are merged by the ranks in the file.

use super::{byte_alphabet::character, pre_tokenizer::PreTokenizer, vocabulary::Vocabulary};
use crate::{
    gguf::{invalid, Gguf},
    EngineError,
};
use std::collections::HashSet;
use tokenizers::{
    models::bpe::{Vocab, BPE},
    Model as _,
};

/// The encoder of a byte-level vocabulary.
#[derive(Debug)]
pub(super) struct ByteLevel {
    pre: PreTokenizer,
    merges: BPE,
    bytes: Vec<u32>,
}

impl ByteLevel {
    /// Reads the merges of a file with this vocabulary.
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
                pair.ok_or_else(|| invalid(key, format!("{merge:?} is not a pair of tokens")))
            })
            .collect::<Result<Vec<_>, _>>()?;
        // The crate builds the union of each merge in a buffer as long as the longest token.
        let words: HashSet<&str> = vocabulary.pieces().map(|(_, text)| text).collect();
        let lacks_token = |(l, r): &&(String, String)| !words.contains(format!("{l}{r}").as_str());
        if let Some((l, r)) = merges.iter().find(lacks_token) {
            return Err(invalid(key, format!("the merge of {l:?} and {r:?} is not a token")));
        }
        let ids: Vocab = vocabulary.pieces().map(|(id, text)| (text.to_string(), id)).collect();
        let merges = BPE::builder()
            .vocab_and_merges(ids, merges)
            .ignore_merges(pre.prefers_whole_words())
            // The crate keeps one cache for each thread and model, and never frees it.
            .cache_capacity(0)
            .build()
            .map_err(|e| invalid(key, e.to_string()))?;
        let bytes = vocabulary.byte_tokens(|byte| character(byte).to_string())?;
        Ok(Self { pre, merges, bytes })
    }

    /// Returns the token of a byte.
    pub(super) fn byte(&self, byte: u8) -> u32 {
        self.bytes[usize::from(byte)]
    }

    /// Appends the tokens of a text without special tokens.
    pub(super) fn encode(&self, text: &str, out: &mut Vec<u32>) {
        for word in self.pre.words(text) {
            let spelled: String = word.bytes().map(character).collect();
            match self.merges.tokenize(&spelled) {
                Ok(tokens) => out.extend(tokens.into_iter().map(|token| token.id)),
                // There is a token for each byte, so every word has tokens.
                Err(_) => out.extend(word.bytes().map(|byte| self.byte(byte))),
            }
        }
    }
}
