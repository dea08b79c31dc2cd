// SPDX-License-Identifier: Apache-2.0
//! A model: its file, checked once, and the file's description of itself.

mod architecture;
mod hashed;
mod import;
mod info;
mod load;
mod parts;
mod ropes;
mod shape;
mod source;
mod weights;
mod window;

use crate::{constraint::Vocabulary, kernels::Kernel, tokenizer::Tokenizer, EngineError};
pub(crate) use architecture::Gating;
pub use import::{import, plan_import, ImportPlan, ImportProgress, Imported, MatrixType};
pub use info::ModelInfo;
use load::Loaded;
pub(crate) use ropes::Ropes;
pub(crate) use shape::Shape;
use source::Source;
pub(crate) use weights::Layer;
use weights::Weights;

use std::{
    borrow::Cow,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

/// The tiny model that the repository ships; `examples/train_tiny` makes it.
static TINY: &[u8] = include_bytes!("../models/tiny.gguf");

/// A model that is ready to run. Share it between jobs and threads in an `Arc`.
#[derive(Debug)]
pub struct Model {
    source: Source,
    root: [u8; 32],
    info: ModelInfo,
    shape: Shape,
    weights: Weights,
    tokenizer: Arc<Tokenizer>,
    kernel: Kernel,
    chat_template: Option<String>,
    ropes: Mutex<Arc<Ropes>>,
    /// The vocabulary for constraints, once one was asked for.
    constraints: Mutex<Option<Arc<Vocabulary>>>,
}

impl Model {
    /// Opens a GGUF file, reads it into memory and packs its matrices for the kernels.
    ///
    /// The model is the one that was hashed, whatever happens to the file from then on. Its memory is that of the
    /// file, and for a moment that of the largest matrix in addition.
    ///
    /// # Errors
    /// Returns [`EngineError::Io`], [`EngineError::FileChanged`] if the file is written to meanwhile, or
    /// an error that says what in the file is wrong or unsupported.
    pub fn open(path: &Path) -> Result<Self, EngineError> {
        Self::load(Source::open(path)?)
    }

    /// Opens a model whose file is part of the program.
    ///
    /// # Errors
    /// Returns an error that says what in the file is wrong or unsupported.
    pub fn from_static(bytes: &'static [u8]) -> Result<Self, EngineError> {
        Self::load(Source::Static(bytes))
    }

    /// Opens a model whose file is in memory.
    ///
    /// # Errors
    /// Returns an error that says what in the file is wrong or unsupported.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, EngineError> {
        Self::load(Source::Owned(bytes))
    }

    fn load(source: Source) -> Result<Self, EngineError> {
        let kernel = Kernel::pick()?;
        let Loaded { root, info, shape, weights, tokenizer, chat_template } = load::load(&source)?;
        let tokenizer = Arc::new(tokenizer);
        let ropes = Mutex::new(Arc::new(Ropes::new(&shape, None, 0)));
        let constraints = Mutex::default();
        Ok(Self {
            source,
            root,
            info,
            shape,
            weights,
            tokenizer,
            kernel,
            chat_template,
            ropes,
            constraints,
        })
    }

    /// Opens the tiny model: byte-level, trained on the King James Bible, and part of this crate.
    ///
    /// # Errors
    /// Does not fail with the file that the repository ships; with another, it returns the errors
    /// of [`Model::from_static`].
    pub fn tiny() -> Result<Self, EngineError> {
        Self::from_static(TINY)
    }

    /// Returns the model with each Q8_0 matrix in Q4_0, as a new file in memory made by the rule of
    /// [`import`].
    ///
    /// # Errors
    /// Returns [`EngineError::Requantise`] if no matrix is Q8_0.
    pub fn requantised_q4_0(&self) -> Result<Self, EngineError> {
        Self::load(Source::Owned(import::requantise_q4_0(&self.file()?)?))
    }

    /// Returns the model's identity: BLAKE3 of its file.
    pub fn root(&self) -> [u8; 32] {
        self.root
    }

    /// Returns the file's description of itself.
    pub fn info(&self) -> &ModelInfo {
        &self.info
    }

    /// Returns the bytes of the file, which are read again if the model is not in memory as a file.
    ///
    /// # Errors
    /// Returns [`EngineError::Io`], or [`EngineError::FileChanged`] if they are another model now.
    pub fn file(&self) -> Result<Cow<'_, [u8]>, EngineError> {
        // The file has been read before, so its length fits.
        let bytes = self.source.read(0, self.info.file_bytes as usize)?;
        if self.source.is_shared() && *blake3::hash(&bytes).as_bytes() != self.root {
            return Err(EngineError::FileChanged { part: "the model".into() });
        }
        Ok(bytes)
    }

    /// Returns the tokens of a text, which begin with the begin token if the file says so.
    ///
    /// # Errors
    /// Returns [`EngineError::NoTokenForByte`] if the vocabulary lacks a token that the text needs.
    pub fn tokenize(&self, text: &[u8]) -> Result<Vec<u32>, EngineError> {
        self.tokenizer.encode(text)
    }

    /// Returns the text of tokens. Special tokens, and ids outside the vocabulary, have none.
    pub fn detokenize(&self, tokens: &[u32]) -> Vec<u8> {
        self.tokenizer.decode(tokens)
    }

    /// Returns the most bytes that a token stands for.
    pub fn longest_token(&self) -> usize {
        self.tokenizer.longest()
    }

    /// Returns whether a token ends an output, or a turn in a chat.
    pub fn is_end_token(&self, token: u32) -> bool {
        self.tokenizer.is_end(token)
    }

    /// Returns the token that ends an output.
    pub fn end_token(&self) -> u32 {
        self.tokenizer.end()
    }

    /// Returns the same model, computed by `kernel`. The results do not depend on it.
    ///
    /// # Errors
    /// Returns [`EngineError::KernelUnavailable`] if this machine does not have its instructions.
    pub fn with_kernel(mut self, kernel: Kernel) -> Result<Self, EngineError> {
        self.kernel = Kernel::named(kernel.name())?;
        Ok(self)
    }

    /// Returns the kernel that computes the model.
    pub fn kernel(&self) -> Kernel {
        self.kernel
    }

    /// Returns the chat template, if the file has one.
    pub fn chat_template(&self) -> Option<&str> {
        self.chat_template.as_deref()
    }

    /// Returns a warning if the file leaves open how text becomes tokens, so that the model may answer worse than
    /// it could.
    pub fn warning(&self) -> Option<&str> {
        self.tokenizer.warning()
    }

    pub(crate) fn tokenizer(&self) -> &Arc<Tokenizer> {
        &self.tokenizer
    }

    pub(crate) fn shape(&self) -> &Shape {
        &self.shape
    }

    pub(crate) fn weights(&self) -> &Weights {
        &self.weights
    }

    /// Returns the vocabulary for constraints, which is built once.
    pub(crate) fn constraint_vocabulary(&self) -> Result<Arc<Vocabulary>, EngineError> {
        // It is stored whole, so a panic elsewhere cannot leave it torn.
        let mut known = self.constraints.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = &*known {
            return Ok(known.clone());
        }
        let built = Arc::new(Vocabulary::new(&self.tokenizer, self.info.vocab_size)?);
        Ok(known.insert(built).clone())
    }

    /// Returns cosines and sines for at least `positions` positions, which are computed once and
    /// shared.
    pub(crate) fn ropes(&self, positions: usize) -> Arc<Ropes> {
        // The table is replaced as a whole, so a panic elsewhere cannot leave it torn.
        let mut table = self.ropes.lock().unwrap_or_else(PoisonError::into_inner);
        if table.positions() < positions {
            let context = self.shape.context;
            let positions = positions.next_power_of_two().max(512).min(context.max(positions));
            let factors = self.weights.rope_factors.as_deref();
            *table = Arc::new(Ropes::new(&self.shape, factors, positions));
        }
        table.clone()
    }
}
