// SPDX-License-Identifier: Apache-2.0
//! Attention of some tokens over their prefixes, cut by heads into parts that any thread may
//! compute.

use super::rows::Place;
use crate::{
    kernels::{over_lanes, Kernel, OverLanes, TILE},
    kv::KvCache,
    model::Shape,
    n1::{self, Lanes, KEYS},
};
use std::sync::Mutex;

/// One head of some tokens.
pub(super) struct Head<'h> {
    /// The head in the cache that this head's group shares.
    key_head: usize,
    /// The factor of each score.
    scale: f32,
    /// Number of positions that a token sees, itself included.
    window: usize,
    scores: &'h mut [f32],
    /// The query of each token, and the destination of its mixed values.
    tokens: [Option<(&'h [f32], &'h mut [f32])>; TILE],
}

/// Cuts the attention of `tokens` tokens into heads. `query` and `out` hold the tokens one after
/// the other, `scores` holds a row for each head.
pub(super) fn cut<'h>(
    shape: &Shape,
    layer: usize,
    query: &'h [f32],
    tokens: usize,
    scores: &'h mut [f32],
    out: &'h mut [f32],
) -> Vec<Mutex<Head<'h>>> {
    let (heads, head_dim) = (shape.heads, shape.head_dim);
    let width = heads * head_dim;
    let window = seen(shape, layer);
    let mut rests: [Option<(&[f32], &mut [f32])>; TILE] = Default::default();
    let rows = query.chunks_exact(width).zip(out.chunks_exact_mut(width));
    for (rest, row) in rests.iter_mut().zip(rows.take(tokens)) {
        *rest = Some(row);
    }
    let scores = scores.chunks_exact_mut(scores.len() / heads);
    let heads = scores.enumerate().map(|(h, scores)| {
        let tokens = rests.each_mut().map(|rest| {
            let (query, out) = rest.as_mut()?;
            Some((query.split_off(..head_dim)?, out.split_off_mut(..head_dim)?))
        });
        let key_head = h / (shape.heads / shape.kv_heads);
        let scale = shape.score_scale;
        Mutex::new(Head { key_head, scale, window, scores, tokens })
    });
    heads.collect()
}

/// Returns the most positions that a token sees in a layer, itself included.
pub(super) fn seen(shape: &Shape, layer: usize) -> usize {
    shape.window_of(layer).map_or(usize::MAX, |window| window.positions)
}

impl Head<'_> {
    /// Mixes the values of each token's prefix, which are in the cache of its span.
    pub(super) fn compute(
        &mut self,
        kernel: Kernel,
        caches: &[&KvCache],
        layer: usize,
        places: &[Place],
    ) {
        for ((query, out), place) in self.tokens.iter_mut().flatten().zip(places) {
            let (cache, length) = (caches[place.span], place.position + 1);
            let first = length.saturating_sub(self.window);
            let block = first / KEYS;
            let scores = &mut self.scores[..length.next_multiple_of(KEYS) - block * KEYS];
            let (head, scale) = (self.key_head, self.scale);
            let work = Attend { cache, layer, head, query, scale, scores, first, length, out };
            over_lanes(kernel, work);
        }
    }
}

/// One head of one token over its cache.
struct Attend<'a> {
    cache: &'a KvCache,
    layer: usize,
    /// The key head.
    head: usize,
    query: &'a [f32],
    scale: f32,
    /// Space for the scores of whole blocks of keys, from the block with the first key on.
    scores: &'a mut [f32],
    /// The first position that the token sees.
    first: usize,
    /// The true causal length.
    length: usize,
    out: &'a mut [f32],
}

impl OverLanes for Attend<'_> {
    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        let Self { cache, layer, head, first, .. } = self;
        let start = first / KEYS;
        // SAFETY: the caller guarantees the instructions of `L`.
        unsafe {
            let blocks = self.scores.as_chunks_mut::<KEYS>().0;
            for (block, scores) in blocks.iter_mut().enumerate() {
                let keys = cache.keys(layer, head, start + block);
                *scores = n1::scores16::<L>(self.query, keys, self.scale);
            }
            let scores = &mut self.scores[..self.length - start * KEYS];
            scores[..first - start * KEYS].fill(f32::NEG_INFINITY);
            n1::attend::<L>(scores, |block| cache.values(layer, head, start + block), self.out);
        }
    }
}
