// SPDX-License-Identifier: Apache-2.0
//! One sequence that has the model for itself.

use super::{
    rows::{Row, Span},
    workspace::{Workspace, CHUNK},
};
use crate::{
    kv::{KvCache, Pool, Prefix},
    EngineError, Limits, Model, Threads,
};
use std::sync::atomic::AtomicBool;

/// The cache and scratch space of one sequence.
#[derive(Debug)]
pub(crate) struct Sequence {
    cache: KvCache,
    workspace: Workspace,
}

impl Sequence {
    /// A sequence of at most `capacity` tokens.
    ///
    /// # Errors
    /// [`EngineError::MemoryLimit`] if its cache and scratch space exceed the limit.
    pub(crate) fn new(
        (model, threads): (&Model, &Threads),
        capacity: usize,
        limits: &Limits,
    ) -> Result<Self, EngineError> {
        let shape = model.shape();
        let (tokens, bytes) = (capacity.min(CHUNK), KvCache::bytes(shape, capacity));
        let needed = Workspace::bytes(shape, threads, tokens, capacity).saturating_add(bytes);
        if needed > limits.memory_bytes {
            return Err(EngineError::MemoryLimit { needed, limit: limits.memory_bytes });
        }
        // Computed once for all positions that may come.
        model.rope(capacity);
        let promise = Pool::new(shape, bytes).promise(KvCache::pages(capacity))?;
        Ok(Self {
            cache: KvCache::new(shape, Prefix::default(), promise),
            workspace: Workspace::new(shape, threads, tokens, capacity),
        })
    }

    /// Tokens that have gone through the model.
    pub(crate) fn len(&self) -> usize {
        self.cache.len()
    }

    /// Forgets all tokens but the first `length`.
    pub(crate) fn truncate(&mut self, length: usize) {
        self.cache.truncate(length);
    }

    /// Sends tokens of the vocabulary, for which there is room, through the model; `check` is asked
    /// before each layer, with the tokens before.
    pub(crate) fn forward<R: Send>(
        &mut self,
        model: (&Model, &Threads),
        tokens: &[u32],
        check: &dyn Fn(usize) -> Result<(), EngineError>,
        wanted: &dyn Fn(usize) -> bool,
        judge: &(dyn Fn(Row<'_>) -> R + Sync),
    ) -> Result<Vec<R>, EngineError> {
        let mut results = Vec::new();
        for tokens in tokens.chunks(self.workspace.tokens()) {
            let length = self.len();
            self.cache.reserve(tokens.len())?;
            let span = Span { cache: &mut self.cache, tokens, wanted };
            let rows =
                self.workspace.pass(model, &mut [span], &|| check(length), &|_, row| judge(row))?;
            results.extend(rows.into_iter().map(|(_, result)| result));
        }
        Ok(results)
    }
}

/// One sequence going through a model: its cache and scratch space.
#[derive(Debug)]
pub struct Session<'m> {
    model: &'m Model,
    threads: &'m Threads,
    sequence: Sequence,
    capacity: usize,
}

impl<'m> Session<'m> {
    /// A session for at most `capacity` tokens.
    ///
    /// # Errors
    /// [`EngineError::MemoryLimit`] if its cache and scratch space exceed the limit;
    /// [`EngineError::PromptTooLong`] if the capacity exceeds the model's context.
    pub fn new(
        model: &'m Model,
        threads: &'m Threads,
        capacity: usize,
        limits: &Limits,
    ) -> Result<Self, EngineError> {
        if capacity > model.shape().context {
            let context = model.info().context_length;
            return Err(EngineError::PromptTooLong { tokens: capacity, max_tokens: 0, context });
        }
        Ok(Self {
            sequence: Sequence::new((model, threads), capacity, limits)?,
            model,
            threads,
            capacity,
        })
    }

    /// Tokens that have gone through the model.
    pub fn len(&self) -> usize {
        self.sequence.len()
    }

    /// Whether no token has gone through the model.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets all tokens but the first `length`.
    pub fn truncate(&mut self, length: usize) {
        self.sequence.truncate(length);
    }

    /// Sends `tokens` through the model, after those before, and calls `judge` with the row after
    /// each token whose index (from the start of the session) is `wanted`; rows are judged on the
    /// pool's threads and the results come in order.
    ///
    /// # Errors
    /// [`EngineError::TokenOutOfVocab`], [`EngineError::PromptTooLong`] beyond the capacity,
    /// [`EngineError::Cancelled`] and [`EngineError::Deadline`]; after one of the last two the
    /// session holds a part of the tokens, as many as it says.
    pub fn forward<R: Send>(
        &mut self,
        tokens: &[u32],
        limits: &Limits,
        cancel: &AtomicBool,
        wanted: &dyn Fn(usize) -> bool,
        judge: &(dyn Fn(Row<'_>) -> R + Sync),
    ) -> Result<Vec<R>, EngineError> {
        let vocab_size = self.model.info().vocab_size;
        if let Some(index) = tokens.iter().position(|&t| t >= vocab_size) {
            return Err(EngineError::TokenOutOfVocab { index, token: tokens[index], vocab_size });
        }
        if tokens.len() > self.capacity - self.len() {
            let (context, tokens) = (self.capacity as u32, self.len() + tokens.len());
            return Err(EngineError::PromptTooLong { tokens, max_tokens: 0, context });
        }
        let check = |length: usize| limits.check(cancel, length);
        self.sequence.forward((self.model, self.threads), tokens, &check, wanted, judge)
    }
}
