// SPDX-License-Identifier: Apache-2.0
//! The two vocabularies of `tests/vocabularies`, and changed copies of them.

use assay_engine::{
    gguf,
    synthetic::{write, Synthetic},
    tokenizer::Tokenizer,
    EngineError, Model,
};
use candle_core::{
    quantized::{
        gguf_file::{Content, Value},
        GgmlDType, QTensor,
    },
    Device, Tensor,
};
use std::{collections::BTreeMap, io::Cursor};

/// Returns the SentencePiece vocabulary.
pub fn pieces() -> Vec<u8> {
    include_bytes!("../vocabularies/pieces.gguf").to_vec()
}

/// Returns the byte-level vocabulary.
pub fn words() -> Vec<u8> {
    include_bytes!("../vocabularies/words.gguf").to_vec()
}

/// Returns the file with these keys in place of its own.
pub fn changed(file: &[u8], changes: &[(&str, Value)]) -> Vec<u8> {
    // They are sorted, so that the same changes yield the same file.
    let metadata = Content::read(&mut Cursor::new(file)).expect("a fixture").metadata;
    let mut metadata: BTreeMap<String, Value> = metadata.into_iter().collect();
    for (key, value) in changes {
        metadata.insert(key.to_string(), value.clone());
    }
    write(&metadata.into_iter().collect::<Vec<_>>(), &[]).expect("a file")
}

/// Returns the file without a key.
pub fn without(file: &[u8], key: &str) -> Vec<u8> {
    let metadata = Content::read(&mut Cursor::new(file)).expect("a fixture").metadata;
    let metadata: BTreeMap<String, Value> =
        metadata.into_iter().filter(|(name, _)| name != key).collect();
    write(&metadata.into_iter().collect::<Vec<_>>(), &[]).expect("a file")
}

/// Returns the tokenizer of a file with these keys in place of its own.
pub fn read(file: &[u8], changes: &[(&str, Value)]) -> Result<Tokenizer, EngineError> {
    let content = Content::read(&mut Cursor::new(file)).expect("a fixture");
    let rows = content.metadata["tokenizer.ggml.tokens"].to_vec().expect("an array").len();
    Tokenizer::read(&gguf::read(&changed(file, changes))?, rows)
}

/// Returns a small model with the vocabulary of a file and these keys in place of its own.
pub fn model(file: &[u8], changes: &[(&str, Value)]) -> Model {
    shaped(Synthetic::default(), file, changes)
}

/// Returns a model of that shape with the vocabulary of a file and these keys in place of its own.
pub fn shaped(shape: Synthetic, file: &[u8], changes: &[(&str, Value)]) -> Model {
    let own = Content::read(&mut Cursor::new(changed(file, changes))).expect("a fixture").metadata;
    let rows = own["tokenizer.ggml.tokens"].to_vec().expect("an array").len();
    let mut metadata = shape.metadata();
    metadata.retain(|(key, _)| !key.starts_with("tokenizer."));
    metadata.extend(own.into_iter().filter(|(key, _)| key.starts_with("tokenizer.")));
    let mut tensors = shape.tensors().expect("whole blocks");
    // The numbers are so small that all tokens are nearly equally likely.
    let number = |i: usize| ((i * i % 97) as f32 - 48.0) / 5000.0;
    let numbers: Vec<f32> = (0..rows * shape.dim).map(number).collect();
    let embedding = Tensor::from_vec(numbers, (rows, shape.dim), &Device::Cpu).expect("a matrix");
    tensors[0].1 = QTensor::quantize(&embedding, GgmlDType::Q8_0).expect("whole blocks");
    Model::from_bytes(write(&metadata, &tensors).expect("a file")).expect("a valid model")
}
