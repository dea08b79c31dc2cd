// SPDX-License-Identifier: Apache-2.0
//! Up to 16 tokens on their way through the layers.

use crate::{
    gate::Gate,
    kernels::{self, Activations, TILE},
    kv::KvCache,
    n1::{self, RopeTable, KEYS},
    weights::{Layer, Matrix, Shape},
    Model, Threads,
};
use std::sync::{Mutex, PoisonError};

/// Products of fewer multiplications than this are not worth waking a thread for.
const SPLIT_FROM: usize = 1 << 20;

/// The most multiplications of a part: less than a millisecond, so that nothing waits long for a
/// thread to come to the gate.
const PART: usize = 1 << 22;

/// What a step needs to know besides the tile.
pub(super) struct Pass<'p> {
    pub model: &'p Model,
    pub layer: usize,
    /// Passed before each product.
    pub gate: &'p Gate,
    /// The pool, if this is the only tile and its products may be split by rows.
    pub split: Option<&'p Threads>,
}

impl Pass<'_> {
    fn weights(&self) -> &Layer {
        &self.model.weights().layers[self.layer]
    }

    /// `out = matrix . x` for `tokens` tokens.
    fn multiply(&self, matrix: &Matrix, x: &Activations, tokens: usize, out: &mut [f32]) {
        let (data, rows) = (matrix.data(self.model.file()), matrix.rows);
        let out = &mut out[..tokens * rows];
        self.gate.pass();
        match self.split {
            Some(threads) if tokens == 1 && rows * matrix.columns >= SPLIT_FROM => {
                let share = rows.div_ceil(threads.count()).min(PART / matrix.columns).max(TILE);
                let parts: Vec<Mutex<&mut [f32]>> = out.chunks_mut(share).map(Mutex::new).collect();
                threads.run(parts.len(), &|i| {
                    let mut out = parts[i].lock().unwrap_or_else(PoisonError::into_inner);
                    let count = out.len();
                    kernels::multiply(matrix, data, (i * share, count), x, (1, count), &mut out);
                });
            }
            _ => kernels::multiply(matrix, data, (0, rows), x, (tokens, rows), out),
        }
    }
}

/// The state of up to [`TILE`] tokens. Each buffer holds the tokens one after the other.
#[derive(Debug)]
pub(super) struct Tile {
    /// Tokens in use.
    pub tokens: usize,
    /// Position of the first.
    pub first: usize,
    /// The residual stream.
    pub x: Vec<f32>,
    pub k: Vec<f32>,
    pub v: Vec<f32>,
    q: Vec<f32>,
    /// A normalised or mixed row, or what a product adds to the stream.
    inner: Vec<f32>,
    gate: Vec<f32>,
    up: Vec<f32>,
    scores: Vec<f32>,
    activations: Activations,
}

impl Tile {
    pub(super) fn new(shape: &Shape, scores: usize) -> Self {
        let rows = |n: usize| vec![0f32; n * TILE];
        let heads = shape.heads * shape.head_dim;
        Self {
            tokens: 0,
            first: 0,
            x: rows(shape.dim),
            k: rows(shape.kv_dim()),
            v: rows(shape.kv_dim()),
            q: rows(heads),
            inner: rows(shape.dim.max(heads)),
            gate: rows(shape.hidden),
            up: rows(shape.hidden),
            scores: vec![0f32; scores],
            activations: Activations::default(),
        }
    }

    /// Bytes of a tile, its activations included.
    pub(super) fn bytes(shape: &Shape, scores: usize) -> u64 {
        let wide = shape.hidden.max(shape.heads * shape.head_dim).max(shape.dim);
        let per_token =
            2 * shape.dim + 2 * shape.kv_dim() + shape.dim + 2 * shape.hidden + 2 * wide;
        (size_of::<f32>() * (TILE * per_token + scores)) as u64
    }

    /// Starts with the embeddings of `tokens`, the first at position `first`.
    pub(super) fn embed(&mut self, model: &Model, tokens: &[u32], first: usize) {
        (self.tokens, self.first) = (tokens.len(), first);
        let embedding = &model.weights().embedding;
        let data = embedding.data(model.file());
        for (&token, x) in tokens.iter().zip(self.x.chunks_exact_mut(embedding.columns)) {
            kernels::dequantise_row(embedding, data, token as usize, x);
        }
    }

    fn normalise(&mut self, shape: &Shape, weight: &[f32]) {
        let (dim, n) = (shape.dim, self.tokens);
        for (x, out) in self.x.chunks_exact(dim).zip(self.inner.chunks_exact_mut(dim)).take(n) {
            n1::rms_norm(x, weight, shape.epsilon, out);
        }
        self.activations.fill(&self.inner, n, dim);
    }

    fn add_inner(&mut self, dim: usize) {
        for (x, y) in self.x.iter_mut().zip(&self.inner[..self.tokens * dim]) {
            *x += *y;
        }
    }

    /// Query, key and value of each token, turned to its position.
    pub(super) fn project(&mut self, pass: &Pass<'_>, rope: &RopeTable) {
        let (shape, layer) = (pass.model.shape(), pass.weights());
        self.normalise(shape, &layer.attn_norm);
        let n = self.tokens;
        pass.multiply(&layer.q, &self.activations, n, &mut self.q);
        pass.multiply(&layer.k, &self.activations, n, &mut self.k);
        pass.multiply(&layer.v, &self.activations, n, &mut self.v);
        for (rows, heads) in [(&mut self.q, shape.heads), (&mut self.k, shape.kv_heads)] {
            for (t, row) in rows.chunks_exact_mut(heads * shape.head_dim).take(n).enumerate() {
                for head in row.chunks_exact_mut(shape.head_dim) {
                    n1::rotate(head, rope.at(self.first + t));
                }
            }
        }
    }

    /// Attention of each token over its prefix, added to the stream.
    pub(super) fn mix(&mut self, pass: &Pass<'_>, cache: &KvCache) {
        let (shape, layer) = (pass.model.shape(), pass.weights());
        let (head_dim, group) = (shape.head_dim, shape.heads / shape.kv_heads);
        let scale = 1.0 / (head_dim as f32).sqrt();
        let width = shape.heads * head_dim;
        for t in 0..self.tokens {
            let length = self.first + t + 1;
            let heads = self.q[t * width..][..width].chunks_exact(head_dim);
            let outs = self.inner[t * width..][..width].chunks_exact_mut(head_dim);
            let scores = &mut self.scores[..length.next_multiple_of(KEYS)];
            for (h, (query, out)) in heads.zip(outs).enumerate() {
                attend(cache, (pass.layer, h / group), (query, scale), (scores, length), out);
            }
        }
        self.activations.fill(&self.inner, self.tokens, width);
        pass.multiply(&layer.o, &self.activations, self.tokens, &mut self.inner);
        self.add_inner(shape.dim);
    }

    /// The gated feed-forward network, added to the stream.
    pub(super) fn feed_forward(&mut self, pass: &Pass<'_>) {
        let (shape, layer) = (pass.model.shape(), pass.weights());
        self.normalise(shape, &layer.ffn_norm);
        let n = self.tokens;
        pass.multiply(&layer.gate, &self.activations, n, &mut self.gate);
        pass.multiply(&layer.up, &self.activations, n, &mut self.up);
        for (gate, up) in self.gate.iter_mut().zip(&self.up).take(n * shape.hidden) {
            *gate = n1::silu(*gate) * up;
        }
        self.activations.fill(&self.gate, n, shape.hidden);
        pass.multiply(&layer.down, &self.activations, n, &mut self.inner);
        self.add_inner(shape.dim);
    }
}

/// One head of one token over the cache, with the widest vectors of this machine: the source is one,
/// the compiler neither reorders nor fuses floating-point operations, so the bits are the same.
fn attend(
    cache: &KvCache,
    place: (usize, usize),
    query: (&[f32], f32),
    scores: (&mut [f32], usize),
    out: &mut [f32],
) {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        // SAFETY: the machine has the feature that the function is compiled for.
        return unsafe { attend_avx2(cache, place, query, scores, out) };
    }
    attend_any(cache, place, query, scores, out);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn attend_avx2(
    cache: &KvCache,
    place: (usize, usize),
    query: (&[f32], f32),
    scores: (&mut [f32], usize),
    out: &mut [f32],
) {
    attend_any(cache, place, query, scores, out);
}

/// `place` is layer and key head; `query` comes with its scale, `scores` with the causal length.
#[inline(always)]
fn attend_any(
    cache: &KvCache,
    (layer, head): (usize, usize),
    (query, scale): (&[f32], f32),
    (scores, length): (&mut [f32], usize),
    out: &mut [f32],
) {
    for (block, scores) in scores.as_chunks_mut::<KEYS>().0.iter_mut().enumerate() {
        n1::scores16(query, cache.keys(layer, head, block), scale, scores);
    }
    n1::attend(&mut scores[..length], |i| cache.value(layer, head, i), out);
}

/// Up to [`TILE`] rows on their way to logits.
#[derive(Debug)]
pub(super) struct HeadTile {
    /// The last layer's output.
    pub x: Vec<f32>,
    inner: Vec<f32>,
    logits: Vec<f32>,
    fixed: Vec<i32>,
    activations: Activations,
}

impl HeadTile {
    pub(super) fn new(shape: &Shape) -> Self {
        Self {
            x: vec![0f32; shape.dim * TILE],
            inner: vec![0f32; shape.dim * TILE],
            logits: vec![0f32; shape.vocab * TILE],
            fixed: vec![0i32; shape.vocab],
            activations: Activations::default(),
        }
    }

    /// Bytes of a head tile, its activations included.
    pub(super) fn bytes(shape: &Shape) -> u64 {
        (size_of::<f32>() * (TILE * (3 * shape.dim + shape.vocab) + shape.vocab)) as u64
    }

    /// The logits of the first `n` rows.
    pub(super) fn logits(&mut self, pass: &Pass<'_>, n: usize) {
        let (shape, weights) = (pass.model.shape(), pass.model.weights());
        let dim = shape.dim;
        for (x, out) in self.x.chunks_exact(dim).zip(self.inner.chunks_exact_mut(dim)).take(n) {
            n1::rms_norm(x, &weights.output_norm, shape.epsilon, out);
        }
        self.activations.fill(&self.inner, n, dim);
        pass.multiply(&weights.output, &self.activations, n, &mut self.logits);
    }

    /// Row `t` in Q15.16.
    pub(super) fn fixed(&mut self, t: usize) -> &[i32] {
        let vocab = self.fixed.len();
        for (out, x) in self.fixed.iter_mut().zip(&self.logits[t * vocab..]) {
            *out = n1::to_fixed(*x);
        }
        &self.fixed
    }
}
