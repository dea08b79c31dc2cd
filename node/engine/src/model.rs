// SPDX-License-Identifier: Apache-2.0
//! A model: its file, checked once, and what the file says of itself.

mod architecture;
mod import;
mod load;
mod shape;

use crate::{
    kernels::Kernel,
    n1::RopeTable,
    tokenizer::Tokenizer,
    weights::{Shape, Weights},
    EngineError,
};
pub use import::{import, ImportProgress, Imported, MatrixType};

use std::{
    fs::File,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

/// The tiny model that the repository ships; `examples/train_tiny` makes it.
static TINY: &[u8] = include_bytes!("../models/tiny.gguf");

/// What a model's file says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelInfo {
    /// `general.name`, or "unnamed".
    pub name: String,
    /// `general.architecture`.
    pub architecture: String,
    /// The type of the matrices: "Q8_0", "Q4_0", or both joined by "+".
    pub quantisation: String,
    /// Number of weights.
    pub parameters: u64,
    /// The most tokens of input and output together.
    pub context_length: u32,
    /// Number of tokens that the tokenizer knows; a token id is below it.
    pub vocab_size: u32,
    /// Length of the file.
    pub file_bytes: u64,
}

/// A model, ready to run. Share it between jobs and threads in an `Arc`.
#[derive(Debug)]
pub struct Model {
    source: Source,
    root: [u8; 32],
    info: ModelInfo,
    shape: Shape,
    weights: Weights,
    tokenizer: Tokenizer,
    kernel: Kernel,
    chat_template: Option<String>,
    rope: Mutex<Arc<RopeTable>>,
}

/// Where the bytes of the file are.
#[derive(Debug)]
enum Source {
    Mapped(memmap2::Mmap),
    Static(&'static [u8]),
    Owned(Vec<u8>),
}

impl Source {
    fn map(path: &Path) -> Result<Self, EngineError> {
        let io = |source| EngineError::Io { path: path.to_path_buf(), source };
        let file = File::open(path).map_err(io)?;
        if file.metadata().map_err(io)?.len() == 0 {
            return Err(EngineError::NotGguf { found: "it is empty".into() });
        }
        // SAFETY: the map is read only and lives as long as its source; that the file does not change
        // meanwhile is the documented contract of opening a model.
        let map = unsafe { memmap2::Mmap::map(&file) }.map_err(io)?;
        Ok(Self::Mapped(map))
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Self::Mapped(map) => map,
            Self::Static(bytes) => bytes,
            Self::Owned(bytes) => bytes,
        }
    }

    /// Gives back the memory that a part of a mapped file takes, once its contents stand elsewhere.
    fn release(&self, at: usize, bytes: usize) {
        #[cfg(unix)]
        if let Self::Mapped(map) = self {
            // SAFETY: a shared map of a file that is not written: its pages are read again from the
            // file if they are looked at.
            let released = unsafe {
                map.unchecked_advise_range(memmap2::UncheckedAdvice::DontNeed, at, bytes)
            };
            // Advice that is not taken costs memory and nothing else.
            let _ = released;
        }
    }
}

impl Model {
    /// Opens a GGUF file, maps it into memory and packs its matrices for the kernels.
    ///
    /// The file must not change while it is open: like every mapped file, one that another process
    /// cuts short ends this process.
    ///
    /// # Errors
    /// [`EngineError::Io`], and every error that says what in the file is wrong or unsupported.
    pub fn open(path: &Path) -> Result<Self, EngineError> {
        Self::load(Source::map(path)?)
    }

    /// A model whose file is part of the program.
    ///
    /// # Errors
    /// Every error that says what in the file is wrong or unsupported.
    pub fn from_static(bytes: &'static [u8]) -> Result<Self, EngineError> {
        Self::load(Source::Static(bytes))
    }

    /// A model whose file is in memory.
    ///
    /// # Errors
    /// Every error that says what in the file is wrong or unsupported.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, EngineError> {
        Self::load(Source::Owned(bytes))
    }

    /// The tiny model: byte-level, trained on the King James Bible, a part of this crate.
    ///
    /// # Errors
    /// None with the file that the repository ships; those of [`Model::from_static`] otherwise.
    pub fn tiny() -> Result<Self, EngineError> {
        Self::from_static(TINY)
    }

    /// The model's identity: BLAKE3 of its file.
    pub fn root(&self) -> [u8; 32] {
        self.root
    }

    /// What the file says of itself.
    pub fn info(&self) -> &ModelInfo {
        &self.info
    }

    /// The bytes of the file.
    pub fn file(&self) -> &[u8] {
        self.source.bytes()
    }

    /// The tokens of a text, opened by the begin token if the file says so.
    pub fn tokenize(&self, text: &[u8]) -> Vec<u32> {
        self.tokenizer.encode(text)
    }

    /// The text of tokens; special tokens, and ids outside the vocabulary, give nothing.
    pub fn detokenize(&self, tokens: &[u32]) -> Vec<u8> {
        self.tokenizer.decode(tokens)
    }

    /// The most bytes that a token stands for.
    pub fn longest_token(&self) -> usize {
        self.tokenizer.longest()
    }

    /// Whether a token ends an output, or a turn in a chat.
    pub fn is_end_token(&self, token: u32) -> bool {
        self.tokenizer.is_end(token)
    }

    pub(crate) fn end_tokens(&self) -> Vec<u32> {
        self.tokenizer.ends()
    }

    /// The token that ends an output.
    pub fn end_token(&self) -> u32 {
        self.tokenizer.end()
    }

    /// The same model, computed by `kernel`; the results do not depend on it.
    ///
    /// # Errors
    /// [`EngineError::KernelUnavailable`] if this machine does not have its instructions.
    pub fn with_kernel(mut self, kernel: Kernel) -> Result<Self, EngineError> {
        self.kernel = Kernel::named(kernel.name())?;
        Ok(self)
    }

    /// What computes it.
    pub fn kernel(&self) -> Kernel {
        self.kernel
    }

    /// The template of chats, if the file has one.
    pub fn chat_template(&self) -> Option<&str> {
        self.chat_template.as_deref()
    }

    pub(crate) fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    pub(crate) fn shape(&self) -> &Shape {
        &self.shape
    }

    pub(crate) fn weights(&self) -> &Weights {
        &self.weights
    }

    /// Cosines and sines for at least `positions` positions, computed once and shared.
    pub(crate) fn rope(&self, positions: usize) -> Arc<RopeTable> {
        // The table is replaced whole: a panic elsewhere cannot leave it torn.
        let mut table = self.rope.lock().unwrap_or_else(PoisonError::into_inner);
        if table.positions() < positions {
            let (rope, context) = (&self.shape.rope, self.shape.context);
            let positions = positions.next_power_of_two().max(512).min(context.max(positions));
            let factors = self.weights.rope_factors.as_deref();
            *table = Arc::new(RopeTable::new(rope, factors, positions));
        }
        table.clone()
    }
}
