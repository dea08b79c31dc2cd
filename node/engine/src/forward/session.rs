// SPDX-License-Identifier: Apache-2.0
//! A sequence that has the model to itself.

use super::{
    rows::{Row, Span},
    workspace::{Workspace, CHUNK},
};
use crate::{
    environment,
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
    /// Creates a sequence of at most `capacity` tokens.
    ///
    /// # Errors
    /// Returns [`EngineError::MemoryLimit`] if the cache and scratch space exceed the limit, and
    /// [`EngineError::FloatEnvironment`] if this thread does not compute as profile N1 needs.
    pub(crate) fn new(
        (model, threads): (&Model, &Threads),
        capacity: usize,
        limits: &Limits,
    ) -> Result<Self, EngineError> {
        environment::ensure()?;
        let shape = model.shape();
        let (tokens, bytes) = (capacity.min(CHUNK), KvCache::bytes(shape, capacity));
        let needed = Workspace::bytes(shape, threads, tokens, capacity).saturating_add(bytes);
        if needed > limits.memory_bytes {
            return Err(EngineError::MemoryLimit { needed, limit: limits.memory_bytes });
        }
        // The table is computed once for all positions that may follow.
        model.ropes(capacity);
        let promise = Pool::new(shape, bytes).promise(KvCache::pages(capacity))?;
        Ok(Self {
            cache: KvCache::new(shape, Prefix::default(), promise),
            workspace: Workspace::new(shape, threads, tokens, capacity),
        })
    }

    /// Returns the number of tokens that have gone through the model.
    pub(crate) fn len(&self) -> usize {
        self.cache.len()
    }

    /// Forgets all tokens except the first `length`.
    pub(crate) fn truncate(&mut self, length: usize) {
        self.cache.truncate(length);
    }

    /// Sends `tokens` through the model. They must be in the vocabulary and there must be room for
    /// them. `check` is called before each layer with the number of tokens that preceded them.
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

/// A sequence on its way through a model: its cache and scratch space.
#[derive(Debug)]
pub struct Session<'m> {
    model: &'m Model,
    threads: &'m Threads,
    sequence: Sequence,
    capacity: usize,
}

impl<'m> Session<'m> {
    /// Creates a session for at most `capacity` tokens.
    ///
    /// # Errors
    /// Returns [`EngineError::MemoryLimit`] if the cache and scratch space exceed the limit, and
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

    /// Returns the number of tokens that have gone through the model.
    pub fn len(&self) -> usize {
        self.sequence.len()
    }

    /// Returns whether no token has gone through the model.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets all tokens except the first `length`.
    pub fn truncate(&mut self, length: usize) {
        self.sequence.truncate(length);
    }

    /// Sends `tokens` through the model, after the earlier ones, and calls `judge` with the row
    /// after each token whose index (from the start of the session) is `wanted`. Rows are judged on
    /// the pool's threads, and the results are in order.
    ///
    /// # Errors
    /// Returns [`EngineError::TokenOutOfVocab`] for an unknown token,
    /// [`EngineError::PromptTooLong`] beyond the capacity, [`EngineError::Cancelled`] and
    /// [`EngineError::Deadline`]. After the last two, the session holds some of the tokens;
    /// [`Session::len`] returns how many.
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
