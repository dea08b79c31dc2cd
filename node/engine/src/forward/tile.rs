// SPDX-License-Identifier: Apache-2.0
//! Up to 32 tokens on their way through the layers.

use super::{
    attention::{self, Head, GROUP},
    rows::Place,
    step::Step,
};
use crate::{
    kernels::{wide, Activations, TILE},
    kv::KvCache,
    model::{Gating, Ropes, Shape},
    n1, Model,
};

/// The state of up to [`TILE`] tokens. Each buffer holds the tokens one after the other.
#[derive(Debug)]
pub(super) struct Tile {
    /// Number of tokens in use.
    tokens: usize,
    /// The place of each token.
    pub places: Vec<Place>,
    /// The residual stream.
    pub x: Vec<f32>,
    pub k: Vec<f32>,
    pub v: Vec<f32>,
    q: Vec<f32>,
    /// A normalised or mixed row, or the result of a product that is to be added to the stream.
    inner: Vec<f32>,
    gate: Vec<f32>,
    up: Vec<f32>,
    /// [`GROUP`] rows for each head.
    scores: Vec<f32>,
    activations: Activations,
}

impl Tile {
    /// Returns a tile for a model of this shape, whose sequences have up to `scores` scores.
    pub(super) fn new(shape: &Shape, scores: usize) -> Self {
        let rows = |n: usize| vec![0f32; n * TILE];
        let heads = shape.heads * shape.head_dim;
        Self {
            tokens: 0,
            places: Vec::with_capacity(TILE),
            x: rows(shape.dim),
            k: rows(shape.kv_dim()),
            v: rows(shape.kv_dim()),
            q: rows(heads),
            inner: rows(shape.dim.max(heads)),
            gate: rows(shape.hidden),
            up: rows(shape.hidden),
            scores: vec![0f32; shape.heads * GROUP * scores],
            activations: Activations::default(),
        }
    }

    /// Returns the bytes of a tile, including its activations.
    pub(super) fn bytes(shape: &Shape, scores: usize) -> u64 {
        let wide = shape.hidden.max(shape.heads * shape.head_dim).max(shape.dim);
        let per_token =
            2 * shape.dim + 2 * shape.kv_dim() + shape.dim + 2 * shape.hidden + 2 * wide;
        (size_of::<f32>() * (TILE * per_token + shape.heads * GROUP * scores)) as u64
    }

    /// Sets the stream to the embeddings of `tokens`, each at its place.
    pub(super) fn embed(&mut self, model: &Model, tokens: &[u32], places: &[Place]) {
        self.tokens = tokens.len();
        self.places.clear();
        self.places.extend_from_slice(places);
        let dim = model.shape().dim;
        for (&token, x) in tokens.iter().zip(self.x.chunks_exact_mut(dim)) {
            model.weights().embed(token, x);
        }
    }

    fn normalise(&mut self, model: &Model, weight: &[f32]) {
        let (dim, epsilon) = (model.shape().dim, model.shape().epsilon);
        for (x, out) in
            self.x.chunks_exact(dim).zip(self.inner.chunks_exact_mut(dim)).take(self.tokens)
        {
            wide::rms_norm(model.kernel(), x, weight, epsilon, out);
        }
        self.activations.fill(model.kernel(), &self.inner, self.tokens, dim);
    }

    fn add_inner(&mut self, dim: usize) {
        for (x, y) in self.x.iter_mut().zip(&self.inner[..self.tokens * dim]) {
            *x += *y;
        }
    }

    /// Normalises the result of a product, where the model does, and adds it to the stream.
    fn add_result(&mut self, shape: &Shape, norm: Option<&Vec<f32>>) {
        if let Some(norm) = norm {
            for row in self.inner.chunks_exact_mut(shape.dim).take(self.tokens) {
                n1::rms_norm_in_place(row, norm, shape.epsilon);
            }
        }
        self.add_inner(shape.dim);
    }

    /// Computes query, key and value of each token and rotates them to its position.
    pub(super) fn project(&mut self, step: &Step<'_>, ropes: &Ropes) {
        let (shape, layer) = (step.model.shape(), step.weights());
        let rope = ropes.of(shape, step.layer);
        self.normalise(step.model, &layer.attn_norm);
        let n = self.tokens;
        let (q, k, v) = (&mut self.q, &mut self.k, &mut self.v);
        step.multiply(&self.activations, [(&layer.q, q), (&layer.k, k), (&layer.v, v)]);
        if let Some(biases) = &layer.biases {
            for (rows, bias) in
                [(&mut self.q, &biases.q), (&mut self.k, &biases.k), (&mut self.v, &biases.v)]
            {
                rows.chunks_exact_mut(bias.len()).take(n).for_each(|row| n1::add_bias(row, bias));
            }
        }
        let norms = layer.head_norms.as_ref();
        for (rows, heads, norm) in [
            (&mut self.q, shape.heads, norms.map(|norms| &norms.q)),
            (&mut self.k, shape.kv_heads, norms.map(|norms| &norms.k)),
        ] {
            for (t, row) in rows.chunks_exact_mut(heads * shape.head_dim).take(n).enumerate() {
                for head in row.chunks_exact_mut(shape.head_dim) {
                    if let Some(norm) = norm {
                        n1::rms_norm_in_place(head, norm, shape.epsilon);
                    }
                    n1::rotate(shape.rope.pairs, head, rope.at(self.places[t].position));
                }
            }
        }
    }

    /// Computes attention of each token over its prefix in the cache of its span, and adds the
    /// result to the stream.
    pub(super) fn mix(&mut self, step: &Step<'_>, caches: &[&KvCache]) {
        let (shape, layer) = (step.model.shape(), step.weights());
        let (kernel, n, width) = (step.model.kernel(), self.tokens, shape.heads * shape.head_dim);
        let seen = attention::seen(shape, step.layer);
        let lengths = self.places.iter().map(|place| (place.position + 1).min(seen)).sum::<usize>();
        let query = &self.q[..n * width];
        let parts = attention::cut(shape, step.layer, query, n, &mut self.scores, &mut self.inner);
        let places = &self.places;
        step.run(2 * width * lengths, &parts, &|head: &mut Head<'_>| {
            head.compute(kernel, caches, step.layer, places);
        });
        drop(parts);
        self.activations.fill(kernel, &self.inner, n, width);
        step.multiply(&self.activations, [(&layer.o, &mut self.inner)]);
        self.add_result(shape, layer.post_norms.as_ref().map(|norms| &norms.attention));
    }

    /// Computes the gated feed-forward network and adds the result to the stream.
    pub(super) fn feed_forward(&mut self, step: &Step<'_>) {
        let (shape, layer) = (step.model.shape(), step.weights());
        self.normalise(step.model, &layer.ffn_norm);
        let (kernel, n) = (step.model.kernel(), self.tokens);
        let (gate, up) = (&mut self.gate, &mut self.up);
        step.multiply(&self.activations, [(&layer.gate, gate), (&layer.up, up)]);
        let hidden = n * shape.hidden;
        let (gate, up) = (&mut self.gate[..hidden], &self.up[..hidden]);
        match shape.gating {
            Gating::Silu => wide::silu_gate(kernel, gate, up),
            Gating::Gelu => wide::gelu_gate(kernel, gate, up),
        }
        self.activations.fill(kernel, &self.gate, n, shape.hidden);
        step.multiply(&self.activations, [(&layer.down, &mut self.inner)]);
        self.add_result(shape, layer.post_norms.as_ref().map(|norms| &norms.feed_forward));
    }
}
