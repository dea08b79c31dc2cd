// SPDX-License-Identifier: Apache-2.0
//! GPT-2's byte-level byte-pair encoding: text is cut into words, the bytes of each word become
//! characters, and neighbours are merged by the ranks in the file.

use super::{
    byte_alphabet::character, byte_tokens::ByteTokens, control, pre_tokenizer::PreTokenizer,
    vocabulary::Vocabulary,
};
use crate::{
    gguf::{invalid, Gguf},
    EngineError,
};
use std::collections::HashSet;
use tokenizers::{
    models::bpe::{Vocab, BPE},
    Model as _, Token,
};

/// The encoder of a byte-level vocabulary.
#[derive(Debug)]
pub(super) struct ByteLevel {
    pre: PreTokenizer,
    merges: BPE,
    bytes: ByteTokens,
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
        let mut merges = merges
            .into_iter()
            .map(|merge| {
                let pair = merge.split_once(' ').map(|(l, r)| (l.to_string(), r.to_string()));
                pair.ok_or_else(|| invalid(key, format!("{merge:?} is not a pair of tokens")))
            })
            .collect::<Result<Vec<_>, _>>()?;
        // The crate builds the union of each merge in a buffer as long as the longest token.
        let words: HashSet<&str> = vocabulary.pieces().map(|(_, text)| text).collect();
        // No text may become what is a control token by its text, so no merge makes or takes one.
        let is_taken = |text: &str| !words.contains(text) && control::is_control(text);
        merges.retain(|(l, r)| ![l, r, &format!("{l}{r}")].into_iter().any(|text| is_taken(text)));
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
        let bytes = vocabulary.byte_tokens(|byte| character(byte).to_string());
        Ok(Self { pre, merges, bytes })
    }

    /// Returns the tokens of single bytes.
    pub(super) fn bytes(&self) -> &ByteTokens {
        &self.bytes
    }

    /// Appends the tokens of a text without special tokens.
    pub(super) fn encode(&self, text: &str, out: &mut Vec<u32>) -> Result<(), EngineError> {
        for word in self.pre.words(text) {
            let spelled: String = word.bytes().map(character).collect();
            // The crate leaves out a character that has no token.
            let whole = |tokens: &Vec<Token>| {
                tokens.iter().map(|token| token.value.len()).sum::<usize>() == spelled.len()
            };
            match self.merges.tokenize(&spelled).ok().filter(whole) {
                Some(tokens) => out.extend(tokens.into_iter().map(|token| token.id)),
                None => self.bytes.extend(word.bytes(), out)?,
            }
        }
        Ok(())
    }
}
