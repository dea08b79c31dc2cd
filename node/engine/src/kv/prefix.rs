// SPDX-License-Identifier: Apache-2.0
//! The first pages of a sequence, and their names.

use super::{layout::PAGE, pool::Page};
use std::sync::Arc;

/// The name of a page: BLAKE3 of the previous page's name (32 zero bytes for the first page) and
/// the page's tokens. Two sequences share a name only where they have the same tokens.
pub(super) type Name = [u8; 32];

/// Returns the name of the page of `tokens` that follows the page named `before`.
pub(super) fn name(before: &Name, tokens: &[u32]) -> Name {
    let mut hasher = blake3::Hasher::new();
    hasher.update(before);
    for token in tokens {
        hasher.update(&token.to_le_bytes());
    }
    *hasher.finalize().as_bytes()
}

/// The first whole pages of a sequence.
#[derive(Debug, Default)]
pub(crate) struct Prefix {
    pub(super) pages: Vec<Arc<Page>>,
    /// The name of the last page.
    pub(super) name: Name,
}

/// The number of a sequence's pages that the prefix cache has received, and the name of the last.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Published {
    pub(super) pages: usize,
    pub(super) name: Name,
}

impl Prefix {
    /// Returns the number of tokens that it holds.
    pub(crate) fn len(&self) -> usize {
        self.pages.len() * PAGE
    }

    /// Returns the state of a sequence that begins with this prefix and has published nothing else.
    pub(crate) fn published(&self) -> Published {
        Published { pages: self.pages.len(), name: self.name }
    }
}
