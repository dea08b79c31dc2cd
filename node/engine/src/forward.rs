// SPDX-License-Identifier: Apache-2.0
//! The forward pass: tokens in, rows of logits out.
//!
//! Prefill cuts the tokens into tiles of 16 and gives whole tiles to the threads, two regions per
//! layer. Decode is the same code with one tile of one token, whose large products are split by
//! output rows instead.

mod tile;

use crate::{
    kernels::TILE,
    kv::KvCache,
    n1::{RopeTable, KEYS},
    weights::Shape,
    EngineError, Limits, Model, Threads,
};
use std::sync::{atomic::AtomicBool, Arc, Mutex, PoisonError};
use tile::{HeadTile, Pass, Tile};

/// Tiles that go through a layer together.
const CHUNK_TILES: usize = 8;
/// Tokens that go through a layer together.
pub(crate) const CHUNK: usize = CHUNK_TILES * TILE;

/// The logits after one token.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// Index of the token that these logits follow; they choose the token at `position + 1`.
    pub position: usize,
    /// One logit per token of the vocabulary, Q15.16.
    pub logits: &'a [i32],
}

/// One sequence going through a model: its cache and scratch space.
#[derive(Debug)]
pub struct Session<'m> {
    model: &'m Model,
    threads: &'m Threads,
    rope: Arc<RopeTable>,
    cache: KvCache,
    tiles: Vec<Mutex<Tile>>,
    heads: Vec<Mutex<HeadTile>>,
    capacity: usize,
    length: usize,
}

/// The value of a lock that no panic can leave torn: scratch space is written before it is read.
fn value<T>(mutex: &mut Mutex<T>) -> &mut T {
    mutex.get_mut().unwrap_or_else(PoisonError::into_inner)
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
        let shape = model.shape();
        if capacity > shape.context {
            let context = model.info().context_length;
            return Err(EngineError::PromptTooLong { tokens: capacity, max_tokens: 0, context });
        }
        let tiles = capacity.div_ceil(TILE).clamp(1, CHUNK_TILES);
        let needed = Self::bytes(shape, capacity, tiles);
        if needed > limits.memory_bytes {
            return Err(EngineError::MemoryLimit { needed, limit: limits.memory_bytes });
        }
        let scores = capacity.next_multiple_of(KEYS);
        Ok(Self {
            model,
            threads,
            rope: model.rope(capacity),
            cache: KvCache::new(shape),
            tiles: (0..tiles).map(|_| Mutex::new(Tile::new(shape, scores))).collect(),
            heads: (0..tiles).map(|_| Mutex::new(HeadTile::new(shape))).collect(),
            capacity,
            length: 0,
        })
    }

    fn bytes(shape: &Shape, capacity: usize, tiles: usize) -> u64 {
        let tile = Tile::bytes(shape, capacity.next_multiple_of(KEYS)) + HeadTile::bytes(shape);
        KvCache::bytes(shape, capacity).saturating_add(tile.saturating_mul(tiles as u64))
    }

    /// Tokens that have gone through the model.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether no token has gone through the model.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Sends `tokens` through the model, after those before, and calls `judge` with the row after
    /// each token whose index (from the start of the session) is `wanted`; rows are judged on the
    /// pool's threads and the results come in order.
    ///
    /// # Errors
    /// [`EngineError::TokenOutOfVocab`], [`EngineError::PromptTooLong`] beyond the capacity,
    /// [`EngineError::Cancelled`] and [`EngineError::Deadline`]; after one of the last two the
    /// session holds a part of the tokens and must be dropped.
    pub fn forward<R: Send>(
        &mut self,
        tokens: &[u32],
        limits: &Limits,
        cancel: &AtomicBool,
        wanted: &(dyn Fn(usize) -> bool + Sync),
        judge: &(dyn Fn(Row<'_>) -> R + Sync),
    ) -> Result<Vec<R>, EngineError> {
        let vocab = self.model.shape().vocab;
        if let Some(index) = tokens.iter().position(|&t| t as usize >= vocab) {
            let vocab_size = self.model.info().vocab_size;
            return Err(EngineError::TokenOutOfVocab { index, token: tokens[index], vocab_size });
        }
        if tokens.len() > self.capacity - self.length {
            let context = self.capacity as u32;
            let tokens = self.length + tokens.len();
            return Err(EngineError::PromptTooLong { tokens, max_tokens: 0, context });
        }
        let mut results = Vec::new();
        for chunk in tokens.chunks(self.tiles.len() * TILE) {
            self.layers(chunk, limits, cancel)?;
            let rows: Vec<usize> = (0..chunk.len()).filter(|i| wanted(self.length + i)).collect();
            results.extend(self.rows(&rows, judge));
            self.length += chunk.len();
        }
        Ok(results)
    }

    /// All layers for the tokens of one chunk.
    fn layers(
        &mut self,
        tokens: &[u32],
        limits: &Limits,
        cancel: &AtomicBool,
    ) -> Result<(), EngineError> {
        let count = tokens.len().div_ceil(TILE);
        let kv_dim = self.model.shape().kv_dim();
        for (i, (tile, tokens)) in self.tiles.iter_mut().zip(tokens.chunks(TILE)).enumerate() {
            value(tile).embed(self.model, tokens, self.length + i * TILE);
        }
        for layer in 0..self.model.shape().layers {
            limits.check(cancel, self.length)?;
            let tiles = &self.tiles[..count];
            let pass = Pass {
                model: self.model,
                layer,
                gate: self.threads.gate(),
                split: (count == 1).then_some(self.threads),
            };
            let rope = &*self.rope;
            self.threads.run(count, &|i| {
                let mut tile = tiles[i].lock().unwrap_or_else(PoisonError::into_inner);
                tile.project(&pass, rope);
            });
            for tile in &mut self.tiles[..count] {
                let tile = value(tile);
                let pairs = tile.k.chunks_exact(kv_dim).zip(tile.v.chunks_exact(kv_dim));
                for (t, (key, value)) in pairs.take(tile.tokens).enumerate() {
                    self.cache.store(layer, tile.first + t, key, value);
                }
            }
            let (tiles, cache) = (&self.tiles[..count], &self.cache);
            self.threads.run(count, &|i| {
                let mut tile = tiles[i].lock().unwrap_or_else(PoisonError::into_inner);
                tile.mix(&pass, cache);
                tile.feed_forward(&pass);
            });
        }
        Ok(())
    }

    /// The rows after the tokens `rows` of the chunk that has just gone through the layers.
    fn rows<R: Send>(&mut self, rows: &[usize], judge: &(dyn Fn(Row<'_>) -> R + Sync)) -> Vec<R> {
        let dim = self.model.shape().dim;
        let groups: Vec<&[usize]> = rows.chunks(TILE).collect();
        for (head, rows) in self.heads.iter_mut().zip(&groups) {
            let head = value(head);
            for (&row, x) in rows.iter().zip(head.x.chunks_exact_mut(dim)) {
                x.copy_from_slice(&value(&mut self.tiles[row / TILE]).x[row % TILE * dim..][..dim]);
            }
        }
        let pass = Pass {
            model: self.model,
            layer: 0,
            gate: self.threads.gate(),
            split: (groups.len() == 1).then_some(self.threads),
        };
        let (heads, length) = (&self.heads, self.length);
        let results: Vec<Mutex<Vec<R>>> = groups.iter().map(|_| Mutex::default()).collect();
        self.threads.run(groups.len(), &|i| {
            let mut head = heads[i].lock().unwrap_or_else(PoisonError::into_inner);
            head.logits(&pass, groups[i].len());
            let judged = groups[i]
                .iter()
                .enumerate()
                .map(|(t, &row)| judge(Row { position: length + row, logits: head.fixed(t) }));
            *results[i].lock().unwrap_or_else(PoisonError::into_inner) = judged.collect();
        });
        results
            .into_iter()
            .flat_map(|r| r.into_inner().unwrap_or_else(PoisonError::into_inner))
            .collect()
    }
}
