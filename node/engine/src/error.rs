// SPDX-License-Identifier: Apache-2.0
//! What can go wrong, which part of the input it was, and what to do about it.

use std::path::PathBuf;

/// Every way in which opening a model, generating or verifying fails.
///
/// A wrong output is not an error: it is [`crate::Verification::Reject`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The file cannot be read.
    #[error("{path}: {source}; check the path and its permissions")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// The file does not begin as GGUF version 2 or 3.
    #[error("not a GGUF file of version 2 or 3: {found}; name a model in GGUF format")]
    NotGguf {
        /// What stands there instead.
        found: String,
    },
    /// A field of the header is cut short, lies about a length or is outside its limit.
    #[error("GGUF header, {field}: {problem}; the file is damaged, fetch it again")]
    Header {
        /// The field, by its name in the file where it has one.
        field: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The file ends before the data of a tensor does.
    #[error("tensor {tensor} needs bytes {from} to {to}, the file has {file}; fetch it again")]
    Truncated {
        /// The tensor.
        tensor: String,
        /// Its first byte in the file.
        from: u64,
        /// The byte after its last.
        to: u64,
        /// The length of the file.
        file: u64,
    },
    /// The model is of an architecture that the engine does not compute.
    #[error("architecture {name:?} is not supported; use a model of architecture \"llama\"")]
    UnknownArchitecture {
        /// `general.architecture` of the file.
        name: String,
    },
    /// The file names a tokenizer that the engine does not have.
    #[error("tokenizer {name:?} is not supported; use a model with \"assay-bytes\"")]
    UnknownTokenizer {
        /// `tokenizer.ggml.model` of the file.
        name: String,
    },
    /// A required metadata key is missing.
    #[error("metadata key {key} is missing; the file is not a complete model")]
    MissingKey {
        /// The key.
        key: String,
    },
    /// A metadata key has a type or value that no model of this kind has.
    #[error("metadata key {key}: {problem}; use a file that a converter wrote for this model")]
    InvalidKey {
        /// The key.
        key: String,
        /// What is wrong with its value.
        problem: String,
    },
    /// A required tensor is missing.
    #[error("tensor {tensor} is missing; the file is not a complete model")]
    MissingTensor {
        /// The tensor.
        tensor: String,
    },
    /// A tensor that the architecture does not have: ignoring it would compute another model.
    #[error("tensor {tensor} is not part of the architecture; use an unmodified conversion")]
    UnexpectedTensor {
        /// The tensor.
        tensor: String,
    },
    /// A tensor is stored in a type that profile N1 does not compute.
    #[error("tensor {tensor} has type {found}, expected {expected}; convert the file to Q8_0")]
    UnsupportedType {
        /// The tensor.
        tensor: String,
        /// The name of its type.
        found: String,
        /// The types that would do.
        expected: &'static str,
    },
    /// The shape of a tensor contradicts the metadata.
    #[error("tensor {tensor} has shape {found:?}, the metadata says {expected:?}")]
    TensorShape {
        /// The tensor.
        tensor: String,
        /// Its shape, rows first.
        found: Vec<usize>,
        /// The shape that the metadata implies.
        expected: Vec<usize>,
    },
    /// A tensor holds a number that is not finite.
    #[error("tensor {tensor}, block {block}: not a finite number; the file is damaged")]
    NotFinite {
        /// The tensor.
        tensor: String,
        /// The block of 32 (or the element, in an F32 tensor).
        block: usize,
    },
    /// Re-quantising was asked of a model that is not Q8_0, or the result is not a model.
    #[error("cannot re-quantise this model: {problem}")]
    Requantise {
        /// Why not.
        problem: String,
    },
    /// The input has no token.
    #[error("the input is empty; give at least one token")]
    EmptyInput,
    /// No token may be generated.
    #[error("max_tokens is 0; ask for at least one token")]
    MaxTokensZero,
    /// Input and output together exceed the context of the model.
    #[error(
        "{tokens} input tokens and {max_tokens} to generate exceed the context of {context}; \
         shorten the prompt or lower max_tokens"
    )]
    PromptTooLong {
        /// Tokens of the input.
        tokens: usize,
        /// Tokens to generate.
        max_tokens: u32,
        /// The context of the model.
        context: u32,
    },
    /// A token of the input is not in the vocabulary.
    #[error("input token {token} at {index} is outside the vocabulary of {vocab_size}")]
    TokenOutOfVocab {
        /// Its index in the input.
        index: usize,
        /// The token.
        token: u32,
        /// The size of the vocabulary.
        vocab_size: u32,
    },
    /// A position to check lies outside the output.
    #[error("position {position} is outside the output of {tokens} tokens")]
    PositionOutOfRange {
        /// The position, counted from the first output token.
        position: u32,
        /// The tokens of the output.
        tokens: usize,
    },
    /// The session would need more memory than its limit.
    #[error("needs {needed} bytes, the limit is {limit}; shorten the job or raise the limit")]
    MemoryLimit {
        /// Bytes of the cache and the scratch space.
        needed: u64,
        /// The limit.
        limit: u64,
    },
    /// The deadline passed.
    #[error("the deadline passed after {tokens} tokens")]
    Deadline {
        /// Tokens that had gone through the model.
        tokens: usize,
    },
    /// The caller cancelled.
    #[error("cancelled after {tokens} tokens")]
    Cancelled {
        /// Tokens that had gone through the model.
        tokens: usize,
    },
}
