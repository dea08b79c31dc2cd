// SPDX-License-Identifier: Apache-2.0
//! Attention of some tokens over their prefixes, cut by heads into parts that any thread may
//! compute. Neighbouring tokens of a sequence go over its cache together, so that keys and values
//! are read from memory once for all of them.

use super::rows::Place;
use crate::{
    kernels::{over_lanes, Kernel, OverLanes, TILE},
    kv::KvCache,
    model::Shape,
    n1::{self, Lanes, Mixed, KEYS, LANES},
};
use std::sync::Mutex;

/// Number of tokens of a sequence that go over its cache together.
pub(super) const GROUP: usize = 4;
/// Number of blocks of keys whose values stay in the nearest cache while a group mixes them.
const NEAR: usize = 8;

/// One head of some tokens.
pub(super) struct Head<'h> {
    /// The head in the cache that this head's group shares.
    key_head: usize,
    /// The factor of each score.
    scale: f32,
    /// Number of positions that a token sees, itself included.
    window: usize,
    /// A row for each token of a group.
    scores: &'h mut [f32],
    /// The query of each token, and the destination of its mixed values.
    tokens: [Option<(&'h [f32], &'h mut [f32])>; TILE],
}

/// Cuts the attention of `tokens` tokens into heads. `query` and `out` hold the tokens one after
/// the other, `scores` holds [`GROUP`] rows for each head.
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
        let Self { key_head: head, scale, .. } = *self;
        let groups = places.chunk_by(|one, next| one.span == next.span);
        let mut tokens = self.tokens.iter_mut().flatten();
        for places in groups.flat_map(|places| places.chunks(GROUP)) {
            let cache = caches[places[0].span];
            let rows = self.scores.chunks_exact_mut(self.scores.len() / GROUP);
            let mut queries: [Option<Query<'_>>; GROUP] = Default::default();
            for (query, ((place, scores), token)) in
                queries.iter_mut().zip(places.iter().zip(rows).zip(&mut tokens))
            {
                let length = place.position + 1;
                let first = length.saturating_sub(self.window);
                *query = Some(Query { query: token.0, first, length, scores, out: token.1 });
            }
            over_lanes(kernel, Attend { cache, layer, head, scale, queries });
        }
    }
}

/// One head of one token.
struct Query<'a> {
    query: &'a [f32],
    /// The first position that the token sees.
    first: usize,
    /// The true causal length.
    length: usize,
    /// Space for the scores of whole blocks of keys, from the first that a token of the group sees.
    scores: &'a mut [f32],
    out: &'a mut [f32],
}

impl Query<'_> {
    /// Returns the first position of the block of the first position that the token sees. No key before it is
    /// used, whatever the other tokens of the group see: not even with a weight of zero, which makes an infinite
    /// value NaN.
    #[inline(always)]
    fn begin(&self) -> usize {
        self.first / KEYS * KEYS
    }
}

/// One head of a group of tokens over their cache.
struct Attend<'a> {
    cache: &'a KvCache,
    layer: usize,
    /// The key head.
    head: usize,
    scale: f32,
    queries: [Option<Query<'a>>; GROUP],
}

impl OverLanes for Attend<'_> {
    #[inline(always)]
    unsafe fn run<L: Lanes>(mut self) {
        let Self { cache, layer, head, scale, .. } = self;
        let queries = || self.queries.iter().flatten();
        // The keys that any of the tokens sees, from a whole block on.
        let start = queries().map(|query| query.first / KEYS).min().unwrap_or(0);
        let end = queries().map(|query| query.length).max().unwrap_or(0);
        // SAFETY: the caller guarantees the instructions of `L`.
        unsafe {
            for block in start..end.div_ceil(KEYS) {
                let keys = cache.keys(layer, head, block);
                for query in self.queries.iter_mut().flatten() {
                    if block * KEYS < query.length {
                        let scores = &mut query.scores.as_chunks_mut().0[block - start];
                        *scores = n1::scores16::<L>(query.query, keys, scale);
                    }
                }
            }
            let mut totals = [0.0; GROUP];
            for (query, total) in self.queries.iter_mut().flatten().zip(&mut totals) {
                let seen = query.begin() - start * KEYS..query.length - start * KEYS;
                let scores = &mut query.scores[seen];
                scores[..query.first % KEYS].fill(f32::NEG_INFINITY);
                *total = n1::weigh(scores);
            }
            let parts = cache.values(layer, head, start).head_dim / LANES;
            for part in 0..parts {
                let mut mixed = [Mixed::<L>::new(); GROUP];
                for near in (start * KEYS..end).step_by(NEAR * KEYS) {
                    for (query, mixed) in self.queries.iter().flatten().zip(&mut mixed) {
                        let from = query.begin().max(near);
                        let last = query.length.min(near + NEAR * KEYS);
                        if from < last {
                            let weights = &query.scores[from - start * KEYS..last - start * KEYS];
                            let values = |block| cache.values(layer, head, from / KEYS + block);
                            mixed.add(weights, values, part);
                        }
                    }
                }
                for ((query, mixed), total) in
                    self.queries.iter_mut().flatten().zip(mixed).zip(totals)
                {
                    query.out.as_chunks_mut().0[part] = mixed.divided(total);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        kv::{Pool, Prefix},
        synthetic::{Family, Synthetic},
        Model,
    };

    const TOKENS: usize = 96;

    /// Returns the mixed values of these positions of a sequence, which go over its cache together.
    fn mixed(kernel: Kernel, shape: &Shape, cache: &KvCache, positions: &[usize]) -> Vec<u32> {
        let width = shape.heads * shape.head_dim;
        let place = |&position| Place { span: 0, position };
        let places: Vec<Place> = positions.iter().map(place).collect();
        let query: Vec<f32> = positions
            .iter()
            .flat_map(|&position| (0..width).map(move |d| ((position * 31 + d * 7) as f32).sin()))
            .collect();
        let mut scores = vec![0.0; shape.heads * GROUP * TOKENS.next_multiple_of(KEYS)];
        let mut out = vec![0.0; query.len()];
        let heads = cut(shape, 0, &query, places.len(), &mut scores, &mut out);
        for head in heads {
            head.into_inner().unwrap().compute(kernel, &[cache], 0, &places);
        }
        out.iter().map(|x| if x.is_nan() { u32::MAX } else { x.to_bits() }).collect()
    }

    #[test]
    fn values_outside_the_window_change_nothing_whichever_tokens_go_together() {
        let synthetic =
            Synthetic { family: Family::Gemma3, head_dim: Some(32), ..Synthetic::default() };
        let model = Model::from_bytes(synthetic.file().unwrap()).unwrap();
        let shape = model.shape();
        assert!(shape.window_of(0).unwrap().positions + 2 * KEYS < TOKENS);
        let pool = Pool::new(shape, KvCache::bytes(shape, TOKENS));
        let promise = pool.promise(KvCache::pages(TOKENS)).unwrap();
        let mut cache = KvCache::new(shape, Prefix::default(), promise);
        cache.reserve(TOKENS).unwrap();
        for position in 0..TOKENS {
            let number = |d: usize| ((position * 13 + d * 5) as f32).cos();
            let key: Vec<f32> = (0..shape.kv_dim()).map(number).collect();
            // The last of a block, so that the windows of later tokens begin right after it.
            let value = if position == 2 * KEYS - 1 { f32::INFINITY } else { number(3) };
            cache.store(0, position, &key, &vec![value; shape.kv_dim()]);
        }
        cache.advance(TOKENS);
        for kernel in Kernel::available() {
            let alone: Vec<Vec<u32>> =
                (0..TOKENS).map(|position| mixed(kernel, shape, &cache, &[position])).collect();
            let finite = |row: &[u32]| row.iter().all(|&bits| f32::from_bits(bits).is_finite());
            assert!(!finite(&alone[2 * KEYS]) && finite(&alone[TOKENS - 1]));
            for from in 0..TOKENS - TILE {
                let positions: Vec<usize> = (from..from + TILE).collect();
                let together = mixed(kernel, shape, &cache, &positions);
                assert_eq!(together, alone[from..from + TILE].concat(), "{kernel:?} from {from}");
            }
        }
    }
}
