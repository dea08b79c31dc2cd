// SPDX-License-Identifier: Apache-2.0
//! The scratch space of a pass, and the pass itself.

use super::{
    head_tile::{HeadTile, ROWS},
    rows::{Place, Row, Span},
    step::Step,
    tile::Tile,
};
use crate::{
    kernels::TILE,
    kv::KvCache,
    model::{Ropes, Shape},
    n1::KEYS,
    EngineError, Model, Threads,
};
use std::sync::{Mutex, PoisonError};

/// Number of tiles that go through a layer together.
const CHUNK_TILES: usize = 4;
/// Number of tokens that go through a layer together.
pub(crate) const CHUNK: usize = CHUNK_TILES * TILE;
/// Number of tokens that every kernel serves at a time without a remainder; tiles are whole groups.
const GROUP: usize = 8;

/// Scratch space of a pass.
#[derive(Debug)]
pub(crate) struct Workspace {
    tokens: usize,
    tiles: Vec<Mutex<Tile>>,
    heads: Vec<Mutex<HeadTile>>,
}

/// The context that all steps of one pass share.
struct Run<'r> {
    model: &'r Model,
    threads: &'r Threads,
    ropes: &'r Ropes,
}

impl Run<'_> {
    fn step(&self, layer: usize, tiles: usize) -> Step<'_> {
        let split = (tiles == 1).then_some(self.threads);
        Step { model: self.model, layer, gate: self.threads.gate(), split }
    }
}

/// Returns the value of a lock that no panic can leave torn: scratch space is written before it is
/// read.
fn value<T>(mutex: &mut Mutex<T>) -> &mut T {
    mutex.get_mut().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the output of the layers for token `row` of the tokens in the tiles.
fn row_of(tiles: &mut [Mutex<Tile>], mut row: usize, dim: usize) -> &[f32] {
    for tile in tiles {
        let tile = value(tile);
        if row < tile.places.len() {
            return &tile.x[row * dim..][..dim];
        }
        row -= tile.places.len();
    }
    unreachable!("only rows that were embedded are judged")
}

impl Workspace {
    /// Allocates space for passes of `tokens` tokens, of sequences of up to `capacity` tokens.
    pub(crate) fn new(shape: &Shape, threads: &Threads, tokens: usize, capacity: usize) -> Self {
        let (tiles, heads) = Self::counts(threads, tokens);
        let scores = capacity.next_multiple_of(KEYS);
        Self {
            tokens: tokens.max(1),
            tiles: (0..tiles).map(|_| Mutex::new(Tile::new(shape, scores))).collect(),
            heads: (0..heads).map(|_| Mutex::new(HeadTile::new(shape))).collect(),
        }
    }

    /// Returns the bytes of that space.
    pub(crate) fn bytes(shape: &Shape, threads: &Threads, tokens: usize, capacity: usize) -> u64 {
        let (tiles, heads) = Self::counts(threads, tokens);
        let tile = Tile::bytes(shape, capacity.next_multiple_of(KEYS));
        tile.saturating_mul(tiles as u64) + HeadTile::bytes(shape) * heads as u64
    }

    /// Returns the number of tiles, and the number of those whose logits are computed at a time. A
    /// large vocabulary makes logits large, and more than one head tile for each thread gains
    /// nothing.
    fn counts(threads: &Threads, tokens: usize) -> (usize, usize) {
        let tiles = Self::widths(threads, tokens).count();
        (tiles, tiles.min(threads.count()))
    }

    /// Returns the number of the `rows` tokens that go to each tile: whole groups except in the
    /// last, as evenly as that allows, and in as many tiles as keep all threads busy to the end.
    fn widths(threads: &Threads, rows: usize) -> impl Iterator<Item = usize> {
        let (groups, tiles) = (rows.div_ceil(GROUP).max(1), rows.div_ceil(TILE).max(1));
        let tiles = match tiles {
            1 => 1,
            _ => tiles.next_multiple_of(threads.count()).min(groups),
        };
        let mut left = rows;
        (0..tiles).map(move |i| {
            let width = (groups / tiles + usize::from(i < groups % tiles)) * GROUP;
            let width = width.min(left);
            left -= width;
            width
        })
    }

    /// Returns the number of tokens that go through in a pass.
    pub(crate) fn tokens(&self) -> usize {
        self.tokens
    }

    /// Sends the tokens of all spans, at most [`Workspace::tokens`], through the model. `judge` is
    /// called with each wanted row and the index of its span, on the pool's threads. The results
    /// are in the order of spans and positions.
    ///
    /// # Errors
    /// Returns the error of `check`, which is called before each layer. The caches are then as if
    /// nothing had been sent.
    pub(crate) fn pass<R: Send>(
        &mut self,
        (model, threads): (&Model, &Threads),
        spans: &mut [Span<'_>],
        check: &dyn Fn() -> Result<(), EngineError>,
        judge: &(dyn Fn(usize, Row<'_>) -> R + Sync),
    ) -> Result<Vec<(usize, R)>, EngineError> {
        let ends = spans.iter().map(|span| span.cache.len() + span.tokens.len());
        let ropes = &*model.ropes(ends.max().unwrap_or(0));
        let run = Run { model, threads, ropes };
        let rows = self.embed(&run, spans);
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let tiles = Self::widths(threads, rows.len()).count();
        self.layers(&run, spans, tiles, check)?;
        let wanted = |&(_, place): &(usize, Place)| (spans[place.span].wanted)(place.position);
        let wanted: Vec<(usize, Place)> = (0..).zip(rows.iter().copied()).filter(wanted).collect();
        let results = self.judge(&run, &wanted, judge);
        for span in spans {
            span.cache.advance(span.tokens.len());
        }
        Ok(results)
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
        let (mut tokens, mut places) = (&tokens[..], &rows[..]);
        for (tile, width) in self.tiles.iter_mut().zip(Self::widths(run.threads, rows.len())) {
            let (first, rest) = tokens.split_at(width);
            let (at, others) = places.split_at(width);
            value(tile).embed(run.model, first, at);
            (tokens, places) = (rest, others);
        }
        rows
    }

    /// Computes all layers for the tokens in the first `count` tiles.
    fn layers(
        &mut self,
        run: &Run<'_>,
        spans: &mut [Span<'_>],
        count: usize,
        check: &dyn Fn() -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        let kv_dim = run.model.shape().kv_dim();
        for layer in 0..run.model.shape().layers {
            check()?;
            let step = run.step(layer, count);
            let tiles = &self.tiles[..count];
            run.threads.run(count, &|i| {
                let mut tile = tiles[i].lock().unwrap_or_else(PoisonError::into_inner);
                tile.project(&step, run.ropes);
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
                tile.mix(&step, &caches);
                tile.feed_forward(&step);
            });
        }
        Ok(())
    }

    /// Computes the logits of the `wanted` rows of the tiles and returns the results of `judge`.
    fn judge<R: Send>(
        &mut self,
        run: &Run<'_>,
        wanted: &[(usize, Place)],
        judge: &(dyn Fn(usize, Row<'_>) -> R + Sync),
    ) -> Vec<(usize, R)> {
        let dim = run.model.shape().dim;
        let groups: Vec<&[(usize, Place)]> = wanted.chunks(ROWS).collect();
        let mut results = Vec::with_capacity(wanted.len());
        for groups in groups.chunks(self.heads.len()) {
            for (head, group) in self.heads.iter_mut().zip(groups) {
                let head = value(head);
                for (&(row, _), x) in group.iter().zip(head.x.chunks_exact_mut(dim)) {
                    x.copy_from_slice(row_of(&mut self.tiles, row, dim));
                }
            }
            let (step, heads) = (run.step(0, groups.len()), &self.heads);
            let judged: Vec<Mutex<Vec<(usize, R)>>> =
                groups.iter().map(|_| Mutex::default()).collect();
            run.threads.run(groups.len(), &|i| {
                let mut head = heads[i].lock().unwrap_or_else(PoisonError::into_inner);
                head.logits(&step, groups[i].len());
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
