// SPDX-License-Identifier: Apache-2.0
//! The pages of earlier sequences, found by the tokens up to their end.

use super::{
    cache::KvCache,
    layout::PAGE,
    pool::{Page, Pool},
    prefix::{name, Name, Prefix, Published},
};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

/// Pages by name; the least recently used are dropped first when the pool needs them.
///
/// A page counts as used whenever a later one is, and a sequence holds all its pages while it runs.
/// So no page is dropped before its successors, which could not be found without it.
#[derive(Debug, Default)]
pub(crate) struct PrefixCache {
    entries: HashMap<Name, Entry>,
    order: BTreeMap<u64, Name>,
    clock: u64,
}

#[derive(Debug)]
struct Entry {
    page: Arc<Page>,
    used: u64,
}

impl PrefixCache {
    /// Returns the number of pages in the cache.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns the longest known prefix of `tokens`, in whole pages.
    pub(crate) fn find(&mut self, tokens: &[u32]) -> Prefix {
        let (mut prefix, mut names) = (Prefix::default(), Vec::new());
        for page in tokens.as_chunks::<PAGE>().0 {
            let next = name(&prefix.name, page);
            let Some(entry) = self.entries.get(&next) else { break };
            prefix.pages.push(entry.page.clone());
            prefix.name = next;
            names.push(next);
        }
        for name in names.iter().rev() {
            let Some(entry) = self.entries.get_mut(name) else { continue };
            self.clock += 1;
            self.order.remove(&entry.used);
            self.order.insert(self.clock, *name);
            entry.used = self.clock;
        }
        prefix
    }

    /// Shares those whole pages of a sequence of `tokens` that are new since `published`.
    pub(crate) fn publish(
        &mut self,
        tokens: &[u32],
        cache: &mut KvCache,
        published: &mut Published,
    ) {
        while let Some(page) = cache.whole_page_mut(published.pages) {
            let Some(tokens) = tokens.as_chunks::<PAGE>().0.get(published.pages) else { break };
            let name = name(&published.name, tokens);
            *published = Published { pages: published.pages + 1, name };
            let entry = self.entries.entry(name).or_insert_with(|| {
                self.clock += 1;
                self.order.insert(self.clock, name);
                Entry { page: page.clone(), used: self.clock }
            });
            // The page of another sequence with the same tokens holds the same numbers.
            *page = entry.page.clone();
        }
    }

    /// Marks the pages of a sequence as used, when it ends.
    pub(crate) fn touch(&mut self, tokens: &[u32]) {
        self.find(tokens);
    }

    /// Drops pages that no sequence uses, oldest first, until `pages` are free.
    pub(crate) fn make_room(&mut self, pool: &Pool, pages: usize) {
        let mut missing = pages.saturating_sub(pool.free());
        let entries = &mut self.entries;
        self.order.retain(|_, name| {
            let idle = |entry: &Entry| Arc::strong_count(&entry.page) == 1;
            if missing == 0 || !entries.get(name).is_some_and(idle) {
                return true;
            }
            entries.remove(name);
            missing -= 1;
            false
        });
    }
}
