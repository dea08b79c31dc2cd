// SPDX-License-Identifier: Apache-2.0
//! The key-value cache of one sequence.

use super::{
    layout::{Layout, PAGE},
    pool::{Page, Promise},
    prefix::Prefix,
};
use crate::{
    model::Shape,
    n1::{Values, KEYS},
    EngineError,
};
use std::sync::Arc;

/// The cache of one sequence.
#[derive(Debug)]
pub(crate) struct KvCache {
    layout: Layout,
    pages: Vec<Arc<Page>>,
    promise: Promise,
    length: usize,
}

impl KvCache {
    /// Creates a cache that begins with the pages of `prefix` and grows into those of `promise`.
    pub(crate) fn new(shape: &Shape, prefix: Prefix, promise: Promise) -> Self {
        let length = prefix.pages.len() * PAGE;
        Self { layout: Layout::new(shape), pages: prefix.pages, promise, length }
    }

    /// Returns the number of pages in a cache for `tokens` tokens.
    pub(crate) fn pages(tokens: usize) -> usize {
        tokens.div_ceil(PAGE)
    }

    /// Returns the bytes of a cache for `tokens` tokens.
    pub(crate) fn bytes(shape: &Shape, tokens: usize) -> u64 {
        let page = (size_of::<f32>() * Layout::new(shape).page()) as u64;
        page.saturating_mul(Self::pages(tokens) as u64)
    }

    /// Returns the number of tokens whose keys and values the cache holds.
    pub(crate) fn len(&self) -> usize {
        self.length
    }

    /// Forgets all tokens except the first `length`. The pages stay, for the tokens that follow.
    pub(crate) fn truncate(&mut self, length: usize) {
        self.length = self.length.min(length);
    }

    /// Makes room for `count` more tokens: it adds new pages, and copies a page that others read as
    /// well.
    ///
    /// # Errors
    /// Returns [`EngineError::OutOfPages`] if the pool has too few pages; the earlier tokens stay
    /// as they are.
    pub(crate) fn reserve(&mut self, count: usize) -> Result<(), EngineError> {
        for index in self.length / PAGE..Self::pages(self.length + count) {
            match self.pages.get_mut(index) {
                None => self.pages.push(Arc::new(self.promise.take()?)),
                Some(page) if Arc::strong_count(page) > 1 => {
                    let mut own = self.promise.take()?;
                    own.data_mut().copy_from_slice(page.data());
                    *page = Arc::new(own);
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// Stores the key and the value of the token at `position`, for which there must be room.
    pub(crate) fn store(&mut self, layer: usize, position: usize, key: &[f32], value: &[f32]) {
        let Layout { head_dim, .. } = self.layout;
        let (half, slot) = (self.layout.half(), position % PAGE);
        let Some(page) = Arc::get_mut(&mut self.pages[position / PAGE]) else {
            // `reserve` has made this page the sequence's own, and only whole pages are shared.
            unreachable!("position {position} is in a shared page")
        };
        let (keys, values) = page.data_mut()[2 * half * layer..][..2 * half].split_at_mut(half);
        for (column, k) in keys.as_chunks_mut::<KEYS>().0.iter_mut().zip(key) {
            column[slot] = *k;
        }
        let heads = values.chunks_exact_mut(head_dim * PAGE).zip(value.chunks_exact(head_dim));
        for (values, value) in heads {
            values[slot * head_dim..][..head_dim].copy_from_slice(value);
        }
    }

    /// Counts `count` tokens whose layers have all been stored.
    pub(crate) fn advance(&mut self, count: usize) {
        self.length += count;
    }

    /// Returns the page at `index`, to be shared, if all its positions are stored.
    pub(super) fn whole_page_mut(&mut self, index: usize) -> Option<&mut Arc<Page>> {
        self.pages.get_mut(index).filter(|_| (index + 1) * PAGE <= self.length)
    }

    /// Returns the keys of one head in block `block` of 16 tokens.
    #[inline(always)]
    pub(crate) fn keys(&self, layer: usize, head: usize, block: usize) -> &[[f32; KEYS]] {
        let Layout { head_dim, .. } = self.layout;
        let at = 2 * self.layout.half() * layer + head * head_dim * KEYS;
        self.pages[block].data()[at..][..head_dim * KEYS].as_chunks().0
    }

    /// Returns the values of one head in block `block` of 16 tokens.
    #[inline(always)]
    pub(crate) fn values(&self, layer: usize, head: usize, block: usize) -> Values<'_> {
        let Layout { head_dim, .. } = self.layout;
        let at = self.layout.half() * (2 * layer + 1) + head * head_dim * PAGE;
        Values { rows: &self.pages[block].data()[at..][..head_dim * PAGE], head_dim }
    }
}
