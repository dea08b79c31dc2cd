// SPDX-License-Identifier: Apache-2.0
//! The errors of the engine. Each names the part of the input that is wrong and the remedy.

use std::path::PathBuf;

/// The reasons why opening a model, generating or verifying fails.
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
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The file does not begin like GGUF version 2 or 3.
    #[error("not a GGUF file of version 2 or 3: {found}; use a model in GGUF format")]
    NotGguf {
        /// The actual beginning of the file.
        found: String,
    },
    /// A field of the header is cut short, states a wrong length or exceeds its limit.
    #[error("GGUF header, {field}: {problem}; the file is damaged, so fetch it again")]
    Header {
        /// The field, by its name in the file if it has one.
        field: String,
        /// The problem with it.
        problem: String,
    },
    /// The file ends before the data of a tensor does.
    #[error("tensor {tensor} needs bytes {from} to {to}, but the file has {file}; fetch it again")]
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
    /// The model has an architecture that the engine does not support.
    #[error("architecture {name:?} is not supported; use a model of one of {supported:?}")]
    UnknownArchitecture {
        /// `general.architecture` of the file.
        name: String,
        /// The architectures that the engine supports.
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
    /// The file is one of several that together are a model.
    #[error(
        "the file is part {part} of {parts} of a model; put all parts into one folder and convert the first, whose \
         name ends in -00001-of-{parts:05}.gguf, with `assay model import`"
    )]
    SplitFile {
        /// The number of the part, from 1 on.
        part: u64,
        /// The number of parts.
        parts: u64,
    },
    /// A required metadata key is missing.
    #[error("metadata key {key} is missing; use a file that is a complete model")]
    MissingKey {
        /// The key.
        key: String,
    },
    /// A metadata key has a type or value that no model of this kind has.
    #[error("metadata key {key}: {problem}; use a file that a converter wrote for this model")]
    InvalidKey {
        /// The key.
        key: String,
        /// The problem with its value.
        problem: String,
    },
    /// A required tensor is missing.
    #[error("tensor {tensor} is missing; use a file that is a complete model")]
    MissingTensor {
        /// The tensor.
        tensor: String,
    },
    /// The file has a tensor that the architecture lacks; ignoring it would compute another model.
    #[error("tensor {tensor} is not part of the architecture; use an unmodified conversion")]
    UnexpectedTensor {
        /// The tensor.
        tensor: String,
    },
    /// A tensor is stored in a type that profile N1 does not support.
    #[error("tensor {tensor} has type {found}, expected {expected}; convert the file with `assay model import`")]
    UnsupportedType {
        /// The tensor.
        tensor: String,
        /// The name of its type.
        found: String,
        /// The types that are supported.
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
    #[error("tensor {tensor} has shape {found:?}, but the metadata implies {expected:?}; the file is damaged, so fetch it again")]
    TensorShape {
        /// The tensor.
        tensor: String,
        /// Its shape, rows first.
        found: Vec<usize>,
        /// The shape that the metadata implies.
        expected: Vec<usize>,
    },
    /// A tensor holds a number that is not finite.
    #[error("block {block} of tensor {tensor} holds a number that is not finite; the file is damaged, so fetch it again")]
    NotFinite {
        /// The tensor.
        tensor: String,
        /// The block of 32 (or the element, in an F32 tensor).
        block: usize,
    },
    /// The file is not what it was when it was hashed.
    #[error("{part} has changed while the file was read; leave the file of a model alone and open it again")]
    FileChanged {
        /// The part of the file.
        part: String,
    },
    /// A tensor cannot be converted.
    #[error("cannot import tensor {tensor}: {problem}; use another conversion of the model")]
    Import {
        /// The tensor.
        tensor: String,
        /// The reason.
        problem: String,
    },
    /// Requantising was requested for a model that is not Q8_0, or the result is not a model.
    #[error("cannot requantise this model: {problem}; use a model with matrices in Q8_0")]
    Requantise {
        /// The reason.
        problem: String,
    },
    /// The requested kernel does not exist, or is not available on this machine.
    #[error(
        "kernel {name:?} is not available; unset ASSAY_KERNEL, or set it to one of {available:?}"
    )]
    KernelUnavailable {
        /// The requested name.
        name: String,
        /// The kernels of this machine.
        available: Vec<&'static str>,
    },
    /// The model's file has no chat template.
    #[error("the model has no chat template; use a plain prompt, or an instruction-tuned model")]
    NoChatTemplate,
    /// The chat template fails, or refuses the messages.
    #[error("chat template: {problem}; check the roles and the order of the messages")]
    ChatTemplate {
        /// The template's message.
        problem: String,
    },
    /// A tool or an argument of a chat is not JSON.
    #[error("{part} of the chat is not JSON: {problem}; write one value, each key once")]
    ChatJson {
        /// The tool or the argument.
        part: String,
        /// The problem with it.
        problem: String,
    },
    /// An argument of a chat has a name that a template cannot use, or that is not an argument's.
    #[error(
        "a chat template has no argument {name:?}; name it with letters, digits and underscores, and \
         not messages, tools, bos_token or eos_token"
    )]
    ChatArgument {
        /// The name.
        name: String,
    },
    /// The rendered chat is too long for the context of the model, whatever its tokens are.
    #[error(
        "the chat becomes {characters} characters, which exceed the context of {context} tokens; shorten it"
    )]
    ChatTooLong {
        /// The characters of the text.
        characters: usize,
        /// The context of the model.
        context: u32,
    },
    /// The input has no token.
    #[error("the input is empty; provide at least one token")]
    EmptyInput,
    /// No token may be generated.
    #[error("max_tokens is 0; request at least one token")]
    MaxTokensZero,
    /// Input and output together exceed the context of the model.
    #[error(
        "{tokens} input tokens and {max_tokens} to generate exceed the context of {context} tokens; \
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
    #[error(
        "input token {token} at index {index} is outside the vocabulary of {vocab_size} tokens; \
         use the tokens of this model"
    )]
    TokenOutOfVocab {
        /// Its index in the input.
        index: usize,
        /// The token.
        token: u32,
        /// The size of the vocabulary.
        vocab_size: u32,
    },
    /// A bias names a token that the model does not have.
    #[error(
        "a bias names token {token}, which is outside the vocabulary of {vocab_size} tokens; use the tokens \
         of this model"
    )]
    BiasOutOfVocab {
        /// The token.
        token: u32,
        /// The size of the vocabulary.
        vocab_size: u32,
    },
    /// A constraint does not compile.
    #[error("the constraint does not compile: {problem}; correct its source")]
    Constraint {
        /// The message of the compiler.
        problem: String,
    },
    /// The source of a constraint is too long.
    #[error("the constraint's source has {bytes} bytes and may have {limit}; shorten it")]
    ConstraintTooLong {
        /// The bytes of the source.
        bytes: usize,
        /// The most bytes.
        limit: usize,
    },
    /// The compiler of a constraint has exceeded its limits or failed, which says nothing of an output.
    #[error("the compiler of constraints gives up: {problem}; simplify the constraint")]
    ConstraintResource {
        /// The message of the compiler.
        problem: String,
    },
    /// A constraint names another compiler than the engine's.
    #[error("the constraint names the compiler {name:?}, but the engine has {compiler:?}; name that one")]
    ConstraintCompiler {
        /// The name in the constraint.
        name: String,
        /// The engine's compiler.
        compiler: &'static str,
    },
    /// A constraint names another version of the compiler than the engine's.
    #[error(
        "the constraint names {compiler} {version}, but the engine has {compiler} {expected}; name that version, or \
         use nodes that have the other"
    )]
    ConstraintVersion {
        /// The compiler.
        compiler: &'static str,
        /// The version in the constraint.
        version: String,
        /// The engine's version.
        expected: &'static str,
    },
    /// The output of a constraint is to go on after an end token.
    #[error("ignore_end and a constraint exclude each other, because nothing follows the form; leave one out")]
    ConstraintIgnoresEnd,
    /// A position to check lies outside the output.
    #[error(
        "position {position} is outside the output of {tokens} tokens; use a smaller position"
    )]
    PositionOutOfRange {
        /// The position, counted from the first output token.
        position: u32,
        /// The tokens of the output.
        tokens: usize,
    },
    /// A thread does not compute as profile N1 needs.
    #[error(
        "this thread {problem}, so its outputs would be rejected; find what in this process changes the \
         floating-point environment"
    )]
    FloatEnvironment {
        /// The difference, which follows the words "this thread".
        problem: &'static str,
    },
    /// The built-in model's output is not the known one.
    #[error(
        "this build does not compute the known output of the built-in model on this machine, so all its outputs \
         would be rejected; build it with the compiler and the options of the repository, or test the machine"
    )]
    KnownAnswer,
    /// A text needs a token that the vocabulary lacks.
    #[error(
        "the model's vocabulary has no token for the byte {byte:#04x}; remove it from the text"
    )]
    NoTokenForByte {
        /// The byte.
        byte: u8,
    },
    /// The session would need more memory than its limit.
    #[error("the job needs {needed} bytes, but the limit is {limit}; shorten the job or raise the limit")]
    MemoryLimit {
        /// Bytes of the cache and the scratch space.
        needed: u64,
        /// The limit.
        limit: u64,
    },
    /// The pages of the key-value cache are all in use.
    #[error("the job needs {needed} pages of the cache, but {free} are free; wait for other jobs to end")]
    OutOfPages {
        /// Pages that the sequence needs.
        needed: usize,
        /// Pages that are free.
        free: usize,
    },
    /// The queue is full.
    #[error("{waiting} jobs are waiting already; submit again when one has ended")]
    QueueFull {
        /// Number of waiting jobs.
        waiting: usize,
    },
    /// The server of the job has ended.
    #[error("the server has ended; start another and submit the job to it")]
    ServerClosed,
    /// The job panicked while it had the model to itself, so the fault is the job's or the engine's.
    #[error("the job panicked: {message}; report it with the backtrace that the log has of it")]
    Panicked {
        /// The message of the panic.
        message: String,
    },
    /// The draft model has another vocabulary, so that its tokens have other meanings.
    #[error(
        "the drafter has {drafter} tokens, but the model has {model}; draft with a model of its family"
    )]
    DraftVocabulary {
        /// Tokens of the drafter.
        drafter: u32,
        /// Tokens of the model.
        model: u32,
    },
    /// The bytes were not made by `compress` with this model.
    #[error("compressed text, {field}: {problem}; use the file and the model that made it")]
    Compressed {
        /// The part of the format.
        field: &'static str,
        /// The problem with it.
        problem: String,
    },
    /// The deadline passed.
    #[error("the deadline passed after {tokens} tokens; allow the job more time")]
    Deadline {
        /// Tokens that had gone through the model.
        tokens: usize,
    },
    /// The caller cancelled the job.
    #[error("the job was cancelled after {tokens} tokens")]
    Cancelled {
        /// Tokens that had gone through the model.
        tokens: usize,
    },
}
