// SPDX-License-Identifier: Apache-2.0
//! The vocabulary of a model in the form that the compiler of constraints takes.

use super::limits::factory;
use crate::{tokenizer::Tokenizer, EngineError};
use llguidance::ParserFactory;
use std::sync::Arc;
use toktrie::{TokRxInfo, TokTrie, TokenId, TokenizerEnv};

/// The first byte by which the compiler tells its own special tokens. No text in UTF-8 has it.
const MARK: u8 = TokTrie::SPECIAL_TOKEN_MARKER;

/// The tokens of a model, with what of the compiler does not depend on a constraint. It is built once for a model.
pub(crate) struct Vocabulary {
    pub(super) factory: ParserFactory,
    pub(super) size: usize,
    /// The tokens that end an output.
    pub(super) ends: Vec<TokenId>,
    /// The tokens without a text that end no output.
    pub(super) silent: Vec<TokenId>,
}

impl std::fmt::Debug for Vocabulary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vocabulary").field("size", &self.size).finish_non_exhaustive()
    }
}

impl Vocabulary {
    /// Builds the vocabulary of a tokenizer with so many tokens.
    pub(crate) fn new(tokenizer: &Tokenizer, size: u32) -> Result<Self, EngineError> {
        let spoken = |bytes: &[u8]| bytes.first().is_some_and(|&first| first != MARK);
        let bytes = |token| Some(tokenizer.bytes_of(token)).filter(|bytes| spoken(bytes));
        let words: Vec<Vec<u8>> =
            (0..size).map(|token| bytes(token).unwrap_or_default().to_vec()).collect();
        let (ends, silent) = (0..size)
            .filter(|&token| words[token as usize].is_empty() || tokenizer.is_end(token))
            .partition(|&token| tokenizer.is_end(token));
        let trie = TokTrie::from(&TokRxInfo::new(size, tokenizer.end()), &words);
        let factory = factory(Arc::new(Bytes(trie)))?;
        Ok(Self { factory, size: size as usize, ends, silent })
    }
}

/// Tokens by their bytes alone.
struct Bytes(TokTrie);

impl TokenizerEnv for Bytes {
    fn tok_trie(&self) -> &TokTrie {
        &self.0
    }

    fn tokenize_bytes(&self, bytes: &[u8]) -> Vec<TokenId> {
        self.0.greedy_tokenize(bytes)
    }

    /// Returns `false`, so that each token is allowed whose bytes are, and none is forced.
    fn tokenize_is_canonical(&self) -> bool {
        false
    }
}
