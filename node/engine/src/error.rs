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
    #[error("architecture {name:?} is not supported; use a model of one of {supported:?}")]
    UnknownArchitecture {
        /// `general.architecture` of the file.
        name: String,
        /// The architectures that the engine computes.
        supported: Vec<&'static str>,
    },
    /// The file names a tokenizer that the engine does not have.
    #[error("tokenizer {name:?} is not supported; use a model with \"llama\" or \"gpt2\"")]
    UnknownTokenizer {
        /// `tokenizer.ggml.model` of the file.
        name: String,
    },
    /// The file names a rule for cutting text into words that the engine does not have.
    #[error("pre-tokenizer {name:?} is not supported; use another conversion of the model")]
    UnknownPreTokenizer {
        /// `tokenizer.ggml.pre` of the file.
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
    #[error("tensor {tensor} has type {found}, expected {expected}; convert the file: assay model import")]
    UnsupportedType {
        /// The tensor.
        tensor: String,
        /// The name of its type.
        found: String,
        /// The types that would do.
        expected: &'static str,
    },
    /// A tensor is stored in a type that not even an import can read.
    #[error(
        "tensor {tensor} has type {found}, which no import converts; use another quantisation"
    )]
    UnknownType {
        /// The tensor.
        tensor: String,
        /// The name of its type.
        found: String,
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
    /// A tensor cannot be converted.
    #[error("cannot import tensor {tensor}: {problem}; use another conversion of the model")]
    Import {
        /// The tensor.
        tensor: String,
        /// Why not.
        problem: String,
    },
    /// Re-quantising was asked of a model that is not Q8_0, or the result is not a model.
    #[error("cannot re-quantise this model: {problem}")]
    Requantise {
        /// Why not.
        problem: String,
    },
    /// The kernel that was asked for does not exist, or not on this machine.
    #[error(
        "kernel {name:?} is not available; unset ASSAY_KERNEL, or set it to one of {available:?}"
    )]
    KernelUnavailable {
        /// The name that was given.
        name: String,
        /// The kernels of this machine.
        available: Vec<&'static str>,
    },
    /// The model's file has no chat template.
    #[error("the model has no chat template; give it a plain prompt, or use an instruction model")]
    NoChatTemplate,
    /// The chat template fails, or refuses the messages.
    #[error("chat template: {problem}; check the roles and the order of the messages")]
    ChatTemplate {
        /// What it says.
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
    /// The pages of the key-value cache are all in use.
    #[error("needs {needed} pages of the cache, {free} are free; wait for other jobs to end")]
    OutOfPages {
        /// Pages that the sequence needs.
        needed: usize,
        /// Pages that are free.
        free: usize,
    },
    /// As many jobs wait as may.
    #[error("{waiting} jobs wait already; submit again when one has ended")]
    QueueFull {
        /// The jobs that wait.
        waiting: usize,
    },
    /// The server of the job has ended.
    #[error("the server has ended; start another and submit the job to it")]
    ServerClosed,
    /// The draft model has another vocabulary, so that its tokens mean something else.
    #[error(
        "the drafter has {drafter} tokens, the model {model}; draft with a model of its family"
    )]
    DraftVocabulary {
        /// Tokens of the drafter.
        drafter: u32,
        /// Tokens of the model.
        model: u32,
    },
    /// The bytes are not what `compress` made with this model.
    #[error("compressed text, {field}: {problem}; use the file and the model that made it")]
    Compressed {
        /// The part of the format.
        field: &'static str,
        /// What is wrong with it.
        problem: String,
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
