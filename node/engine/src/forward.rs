// SPDX-License-Identifier: Apache-2.0
//! The forward pass: tokens of one or of several sequences in, rows of logits out.
//!
//! A pass cuts its tokens into tiles of up to 16, whatever sequence they are of, and gives whole
//! tiles to the threads, two regions per layer. Decode is the same code with one tile of one token,
//! whose large products are split by output rows instead. A row is a function of its own prefix, so
//! that company changes no bit.

mod attention;
mod product;
mod session;
mod tile;

use crate::{
    kernels::TILE,
    kv::KvCache,
    n1::{RopeTable, KEYS},
    weights::Shape,
    EngineError, Model, Threads,
};
pub use session::Session;
use std::sync::{Mutex, PoisonError};
use tile::{HeadTile, Pass, Place, Tile};

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

/// Tokens that one sequence sends through the model in a pass, after those in its cache.
pub(crate) struct Span<'s> {
    /// The sequence's cache, in which there is room for the tokens.
    pub cache: &'s mut KvCache,
    pub tokens: &'s [u32],
    /// Whether the row after the token at this index of the sequence is to be judged.
    pub wanted: &'s dyn Fn(usize) -> bool,
}

/// Scratch space of a pass.
#[derive(Debug)]
pub(crate) struct Workspace {
    tiles: Vec<Mutex<Tile>>,
    heads: Vec<Mutex<HeadTile>>,
}

/// What all steps of one pass share.
struct Run<'r> {
    model: &'r Model,
    threads: &'r Threads,
    rope: &'r RopeTable,
}

impl Run<'_> {
    fn pass(&self, layer: usize, tiles: usize) -> Pass<'_> {
        let split = (tiles == 1).then_some(self.threads);
        Pass { model: self.model, layer, gate: self.threads.gate(), split }
    }
}

/// The value of a lock that no panic can leave torn: scratch space is written before it is read.
fn value<T>(mutex: &mut Mutex<T>) -> &mut T {
    mutex.get_mut().unwrap_or_else(PoisonError::into_inner)
}

impl Workspace {
    /// Space for passes of `tokens` tokens, of sequences of up to `capacity`.
    pub(crate) fn new(shape: &Shape, threads: &Threads, tokens: usize, capacity: usize) -> Self {
        let (tiles, heads) = Self::counts(threads, tokens);
        let scores = capacity.next_multiple_of(KEYS);
        Self {
            tiles: (0..tiles).map(|_| Mutex::new(Tile::new(shape, scores))).collect(),
            heads: (0..heads).map(|_| Mutex::new(HeadTile::new(shape))).collect(),
        }
    }

    /// Bytes of that space.
    pub(crate) fn bytes(shape: &Shape, threads: &Threads, tokens: usize, capacity: usize) -> u64 {
        let (tiles, heads) = Self::counts(threads, tokens);
        let tile = Tile::bytes(shape, capacity.next_multiple_of(KEYS));
        tile.saturating_mul(tiles as u64) + HeadTile::bytes(shape) * heads as u64
    }

    /// Tiles, and those of them whose logits are computed at a time: a large vocabulary makes the
    /// latter large, and more than one for each thread gain nothing.
    fn counts(threads: &Threads, tokens: usize) -> (usize, usize) {
        let tiles = tokens.div_ceil(TILE).max(1);
        (tiles, tiles.min(threads.count()))
    }

    /// Tokens that go through in a pass.
    pub(crate) fn tokens(&self) -> usize {
        self.tiles.len() * TILE
    }

    /// Sends the tokens of all spans, at most [`Workspace::tokens`], through the model. `judge` gets
    /// each wanted row with the index of its span, on the pool's threads; the results come in the
    /// order of spans and positions.
    ///
    /// # Errors
    /// The one of `check`, which is asked before each layer: then it is as if nothing had been sent.
    pub(crate) fn pass<R: Send>(
        &mut self,
        (model, threads): (&Model, &Threads),
        spans: &mut [Span<'_>],
        check: &dyn Fn() -> Result<(), EngineError>,
        judge: &(dyn Fn(usize, Row<'_>) -> R + Sync),
    ) -> Result<Vec<(usize, R)>, EngineError> {
        let ends = spans.iter().map(|span| span.cache.len() + span.tokens.len());
        let rope = &*model.rope(ends.max().unwrap_or(0));
        let run = Run { model, threads, rope };
        let rows = self.embed(&run, spans);
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        self.layers(&run, spans, rows.len(), check)?;
        let wanted = |&(_, place): &(usize, Place)| (spans[place.span].wanted)(place.position);
        let wanted: Vec<(usize, Place)> = (0..).zip(rows.iter().copied()).filter(wanted).collect();
        let results = self.judge(&run, &wanted, rows.len(), judge);
        for span in spans {
            span.cache.advance(span.tokens.len());
        }
        Ok(results)
    }

    /// Tiles that `rows` rows fill, evenly.
    fn filled(rows: usize) -> (usize, usize) {
        let count = rows.div_ceil(TILE).max(1);
        (count, rows.div_ceil(count).max(1))
    }

    /// Fills the tiles with the tokens of the spans, one span after the other.
    fn embed(&mut self, run: &Run<'_>, spans: &[Span<'_>]) -> Vec<Place> {
        let tokens: Vec<u32> = spans.iter().flat_map(|span| span.tokens).copied().collect();
        let rows: Vec<Place> = (0..)
            .zip(spans)
            .flat_map(|(index, span)| {
                let first = span.cache.len();
                (0..span.tokens.len()).map(move |i| Place { span: index, position: first + i })
            })
            .collect();
        let (_, width) = Self::filled(rows.len());
        let parts = tokens.chunks(width).zip(rows.chunks(width));
        for (tile, (tokens, places)) in self.tiles.iter_mut().zip(parts) {
            value(tile).embed(run.model, tokens, places);
        }
        rows
    }

    /// All layers for the tokens that fill the tiles.
    fn layers(
        &mut self,
        run: &Run<'_>,
        spans: &mut [Span<'_>],
        rows: usize,
        check: &dyn Fn() -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        let (count, _) = Self::filled(rows);
        let kv_dim = run.model.shape().kv_dim();
        for layer in 0..run.model.shape().layers {
            check()?;
            let pass = run.pass(layer, count);
            let tiles = &self.tiles[..count];
            run.threads.run(count, &|i| {
                let mut tile = tiles[i].lock().unwrap_or_else(PoisonError::into_inner);
                tile.project(&pass, run.rope);
            });
            for tile in &mut self.tiles[..count] {
                let tile = value(tile);
                let pairs = tile.k.chunks_exact(kv_dim).zip(tile.v.chunks_exact(kv_dim));
                for (place, (key, value)) in tile.places.iter().zip(pairs) {
                    spans[place.span].cache.store(layer, place.position, key, value);
                }
            }
            let caches: Vec<&KvCache> = spans.iter().map(|span| &*span.cache).collect();
            let tiles = &self.tiles[..count];
            run.threads.run(count, &|i| {
                let mut tile = tiles[i].lock().unwrap_or_else(PoisonError::into_inner);
                tile.mix(&pass, &caches);
                tile.feed_forward(&pass);
            });
        }
        Ok(())
    }

    /// The logits of the `wanted` of the `rows` rows in the tiles, and what `judge` says of them.
    fn judge<R: Send>(
        &mut self,
        run: &Run<'_>,
        wanted: &[(usize, Place)],
        rows: usize,
        judge: &(dyn Fn(usize, Row<'_>) -> R + Sync),
    ) -> Vec<(usize, R)> {
        let (dim, (_, width)) = (run.model.shape().dim, Self::filled(rows));
        let groups: Vec<&[(usize, Place)]> = wanted.chunks(TILE).collect();
        let mut results = Vec::with_capacity(wanted.len());
        for groups in groups.chunks(self.heads.len()) {
            for (head, group) in self.heads.iter_mut().zip(groups) {
                let head = value(head);
                for (&(row, _), x) in group.iter().zip(head.x.chunks_exact_mut(dim)) {
                    let tile = value(&mut self.tiles[row / width]);
                    x.copy_from_slice(&tile.x[row % width * dim..][..dim]);
                }
            }
            let (pass, heads) = (run.pass(0, groups.len()), &self.heads);
            let judged: Vec<Mutex<Vec<(usize, R)>>> =
                groups.iter().map(|_| Mutex::default()).collect();
            run.threads.run(groups.len(), &|i| {
                let mut head = heads[i].lock().unwrap_or_else(PoisonError::into_inner);
                head.logits(&pass, groups[i].len());
                let rows = groups[i].iter().enumerate().map(|(t, (_, place))| {
                    let row =
                        Row { position: place.position, logits: head.fixed(run.model.kernel(), t) };
                    (place.span, judge(place.span, row))
                });
                *judged[i].lock().unwrap_or_else(PoisonError::into_inner) = rows.collect();
            });
            for group in judged {
                results.extend(group.into_inner().unwrap_or_else(PoisonError::into_inner));
            }
        }
        results
    }
}
