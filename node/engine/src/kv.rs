// SPDX-License-Identifier: Apache-2.0
//! Keys and values of the tokens that a sequence has seen, in pages that sequences share.

mod cache;
mod layout;
mod pool;
mod prefix;
mod prefix_cache;
#[cfg(test)]
mod tests;

pub(crate) use cache::KvCache;
pub(crate) use layout::PAGE;
pub(crate) use pool::Pool;
pub(crate) use prefix::{Prefix, Published};
pub(crate) use prefix_cache::PrefixCache;
