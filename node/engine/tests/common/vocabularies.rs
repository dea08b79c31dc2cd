// SPDX-License-Identifier: Apache-2.0
//! The two vocabularies of `tests/vocabularies`, and changed copies of them.

use assay_engine::{gguf, synthetic::write, tokenizer::Tokenizer, EngineError};
use candle_core::quantized::gguf_file::{Content, Value};
use std::{collections::BTreeMap, io::Cursor};

/// SentencePiece.
pub fn pieces() -> Vec<u8> {
    include_bytes!("../vocabularies/pieces.gguf").to_vec()
}

/// Byte-level.
pub fn words() -> Vec<u8> {
    include_bytes!("../vocabularies/words.gguf").to_vec()
}

/// The file with these keys in place of its own.
pub fn changed(file: &[u8], changes: &[(&str, Value)]) -> Vec<u8> {
    // In order, so that the same changes give the same file.
    let metadata = Content::read(&mut Cursor::new(file)).expect("a fixture").metadata;
    let mut metadata: BTreeMap<String, Value> = metadata.into_iter().collect();
    for (key, value) in changes {
        metadata.insert(key.to_string(), value.clone());
    }
    write(&metadata.into_iter().collect::<Vec<_>>(), &[]).expect("a file")
}

/// The tokenizer of a file with these keys in place of its own.
pub fn read(file: &[u8], changes: &[(&str, Value)]) -> Result<Tokenizer, EngineError> {
    let content = Content::read(&mut Cursor::new(file)).expect("a fixture");
    let rows = content.metadata["tokenizer.ggml.tokens"].to_vec().expect("an array").len();
    Tokenizer::read(&gguf::read(&changed(file, changes))?, rows)
}
