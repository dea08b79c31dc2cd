// SPDX-License-Identifier: Apache-2.0
//! Small models of which some tokens have other texts and kinds.

use assay_engine::{
    synthetic::{write, Synthetic, Vocabulary},
    Model,
};
use candle_core::quantized::gguf_file::Value;

/// The kinds of tokens in a file.
pub const NORMAL: i32 = 1;
pub const CONTROL: i32 = 3;
pub const USER_DEFINED: i32 = 4;

/// Returns a model of which each token in the list, by its id, has that text and kind. Those below 256 are bytes
/// in the unchanged model, which then lacks these; 256 begins a text, and 257 ends one.
pub fn named(tokens: &[(usize, &str, i32)], keys: &[(&str, Value)]) -> Model {
    let shape = Synthetic { vocabulary: Vocabulary::Pieces, ..Synthetic::default() };
    let mut metadata = shape.metadata();
    for (key, value) in &mut metadata {
        let Value::Array(list) = value else { continue };
        for (id, text, kind) in tokens {
            match key.as_str() {
                "tokenizer.ggml.tokens" => list[*id] = Value::String((*text).into()),
                "tokenizer.ggml.token_type" => list[*id] = Value::I32(*kind),
                _ => (),
            }
        }
    }
    metadata.extend(keys.iter().map(|(key, value)| (key.to_string(), value.clone())));
    let tensors = shape.tensors().expect("whole blocks");
    Model::from_bytes(write(&metadata, &tensors).expect("a file")).expect("a valid model")
}
