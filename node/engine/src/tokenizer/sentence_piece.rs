// SPDX-License-Identifier: Apache-2.0
//! SentencePiece's byte-pair encoding: the neighbours whose union has the highest score are united
//! first, and the leftmost of equals.
//!
//! The `tokenizers` crate has merges with distinct ranks instead. So it cannot express "the
//! leftmost of equals" where one token is the union of several pairs.

use super::{
    byte_tokens::ByteTokens,
    vocabulary::{self, Vocabulary},
};
use crate::{
    gguf::{invalid, Gguf},
    EngineError,
};
use std::{
    cmp::{Ordering, Reverse},
    collections::{BinaryHeap, HashMap},
};

/// The character that stands for a space.
const SPACE: &str = "▁";
/// The index that stands for no neighbour.
const NONE: usize = usize::MAX;

/// The encoder of a SentencePiece vocabulary.
#[derive(Debug)]
pub(super) struct SentencePiece {
    /// The id and the score of each piece.
    pieces: HashMap<String, (u32, f32)>,
    bytes: ByteTokens,
    /// Whether a space is put before a text.
    space_prefix: bool,
}

/// A run of the text that is one piece so far. It is empty once it has been united with its
/// neighbour.
struct Symbol {
    start: usize,
    end: usize,
    before: usize,
    after: usize,
}

/// Two neighbours that could become one piece; the greatest is united first.
#[derive(PartialEq)]
struct Union {
    score: f32,
    left: Reverse<usize>,
    right: usize,
    /// The length in bytes of both when the union was found. If it has changed since, the union is
    /// out of date.
    length: usize,
}

impl Eq for Union {}

impl Ord for Union {
    fn cmp(&self, other: &Self) -> Ordering {
        self.score.total_cmp(&other.score).then(self.left.cmp(&other.left))
    }
}

impl PartialOrd for Union {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl SentencePiece {
    /// Reads the scores of a file with this vocabulary.
    pub(super) fn read(gguf: &Gguf, vocabulary: &Vocabulary) -> Result<Self, EngineError> {
        let key = "tokenizer.ggml.scores";
        let scores =
            gguf.floats(key)?.ok_or_else(|| EngineError::MissingKey { key: key.into() })?;
        if scores.len() != vocabulary.len() {
            let problem = format!("{} scores for {} tokens", scores.len(), vocabulary.len());
            return Err(invalid(key, problem));
        }
        // Adding 0 turns -0 into +0, so that both zeros are equal.
        let score = |id: u32| scores[id as usize] + 0.0;
        let pieces = vocabulary.pieces();
        let pieces = pieces.map(|(id, text)| (text.to_string(), (id, score(id)))).collect();
        let bytes = vocabulary.byte_tokens(vocabulary::spelled);
        let space_prefix = gguf.flag("tokenizer.ggml.add_space_prefix")?.unwrap_or(true);
        Ok(Self { pieces, bytes, space_prefix })
    }

    /// Returns the tokens of single bytes.
    pub(super) fn bytes(&self) -> &ByteTokens {
        &self.bytes
    }

    /// Returns whether a space is put before a text.
    pub(super) fn prefixes_space(&self) -> bool {
        self.space_prefix
    }

    /// Appends the tokens of a text. `first` says whether it is the first, or the first after a
    /// special token.
    pub(super) fn encode(
        &self,
        text: &str,
        first: bool,
        out: &mut Vec<u32>,
    ) -> Result<(), EngineError> {
        let prefix = if first && self.space_prefix { SPACE } else { "" };
        let text = format!("{prefix}{}", text.replace(' ', SPACE));
        for piece in self.unite(&text) {
            match self.pieces.get(piece) {
                Some(&(id, _)) => out.push(id),
                None => self.bytes.extend(piece.bytes(), out)?,
            }
        }
        Ok(())
    }

    /// Returns the pieces of a text, which are in the vocabulary or are single characters.
    fn unite<'t>(&self, text: &'t str) -> Vec<&'t str> {
        let mut symbols: Vec<Symbol> = text
            .char_indices()
            .enumerate()
            .map(|(i, (start, c))| Symbol {
                start,
                end: start + c.len_utf8(),
                before: i.wrapping_sub(1),
                after: i + 1,
            })
            .collect();
        if let Some(last) = symbols.last_mut() {
            last.after = NONE;
        }
        let mut unions = BinaryHeap::new();
        for right in 1..symbols.len() {
            unions.extend(self.union(text, &symbols, right - 1, right));
        }
        while let Some(union) = unions.pop() {
            let (Reverse(left), right) = (union.left, union.right);
            let [from, to] = [left, right].map(|i| symbols[i].end - symbols[i].start);
            if from == 0 || to == 0 || from + to != union.length {
                continue;
            }
            let after = symbols[right].after;
            symbols[left].end = symbols[right].end;
            symbols[left].after = after;
            symbols[right].start = symbols[right].end;
            if after != NONE {
                symbols[after].before = left;
                unions.extend(self.union(text, &symbols, left, after));
            }
            let before = symbols[left].before;
            if before != NONE {
                unions.extend(self.union(text, &symbols, before, left));
            }
        }
        let whole = symbols.iter().filter(|symbol| symbol.start < symbol.end);
        whole.map(|symbol| &text[symbol.start..symbol.end]).collect()
    }

    /// Returns the union of two neighbours, if it is a piece.
    fn union(&self, text: &str, symbols: &[Symbol], left: usize, right: usize) -> Option<Union> {
        let piece = &text[symbols[left].start..symbols[right].end];
        let &(_, score) = self.pieces.get(piece)?;
        Some(Union { score, left: Reverse(left), right, length: piece.len() })
    }
}
