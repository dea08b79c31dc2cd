// SPDX-License-Identifier: Apache-2.0
//! Keys and values of the tokens that a session has seen.

use crate::{n1::KEYS, weights::Shape};

/// The cache of one session: per layer, blocks of [`KEYS`] tokens that are allocated as it grows.
#[derive(Debug)]
pub(crate) struct KvCache {
    kv_dim: usize,
    head_dim: usize,
    layers: Vec<Vec<Block>>,
}

/// [`KEYS`] tokens of one layer.
#[derive(Debug)]
struct Block {
    /// `keys[dimension][token]`, the dimensions of all key heads in order.
    keys: Box<[[f32; KEYS]]>,
    /// `values[token * kv_dim + dimension]`.
    values: Box<[f32]>,
}

impl KvCache {
    pub(crate) fn new(shape: &Shape) -> Self {
        Self {
            kv_dim: shape.kv_dim(),
            head_dim: shape.head_dim,
            layers: (0..shape.layers).map(|_| Vec::new()).collect(),
        }
    }

    /// Bytes of a cache for `tokens` tokens.
    pub(crate) fn bytes(shape: &Shape, tokens: usize) -> u64 {
        let per_token = 2 * size_of::<f32>() as u64 * shape.kv_dim() as u64 * shape.layers as u64;
        per_token.saturating_mul(tokens.next_multiple_of(KEYS) as u64)
    }

    /// Stores the key and the value of the token at `position`.
    pub(crate) fn store(&mut self, layer: usize, position: usize, key: &[f32], value: &[f32]) {
        let (kv_dim, blocks) = (self.kv_dim, &mut self.layers[layer]);
        while blocks.len() <= position / KEYS {
            blocks.push(Block {
                keys: vec![[0f32; KEYS]; kv_dim].into_boxed_slice(),
                values: vec![0f32; kv_dim * KEYS].into_boxed_slice(),
            });
        }
        let (block, slot) = (&mut blocks[position / KEYS], position % KEYS);
        for (column, k) in block.keys.iter_mut().zip(key) {
            column[slot] = *k;
        }
        block.values[slot * kv_dim..][..kv_dim].copy_from_slice(value);
    }

    /// The keys of one head in block `block` of 16 tokens.
    #[inline(always)]
    pub(crate) fn keys(&self, layer: usize, head: usize, block: usize) -> &[[f32; KEYS]] {
        &self.layers[layer][block].keys[head * self.head_dim..][..self.head_dim]
    }

    /// The value of one head at `position`.
    #[inline(always)]
    pub(crate) fn value(&self, layer: usize, head: usize, position: usize) -> &[f32] {
        let at = position % KEYS * self.kv_dim + head * self.head_dim;
        &self.layers[layer][position / KEYS].values[at..][..self.head_dim]
    }
}
