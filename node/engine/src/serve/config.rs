// SPDX-License-Identifier: Apache-2.0
//! The bounds of a server.

use crate::forward::CHUNK;

/// The bounds of a server.
#[derive(Clone, Copy, Debug)]
pub struct ServerConfig {
    /// Bytes of key-value cache, shared by all jobs and the prefixes of ended ones.
    pub cache_bytes: u64,
    /// Jobs that run at the same time; at most `decode_rows` of them.
    pub jobs: usize,
    /// Jobs of each kind that may wait.
    pub queue: usize,
    /// Tokens of a pass while no output is being written; a multiple of 32 is best.
    pub rows: usize,
    /// Tokens of a pass while one is: the fewer, the sooner comes the next token.
    pub decode_rows: usize,
    /// Whether the pages of ended jobs are kept for others with the same beginning.
    pub prefix_cache: bool,
    /// Whether generations and verifications have half of the cache and half of the places each, so
    /// that neither ever waits for the other.
    pub halves: bool,
}

impl ServerConfig {
    /// What one kind of jobs may have of `all`.
    pub(super) fn share(&self, all: usize) -> usize {
        if self.halves {
            all / 2
        } else {
            all
        }
    }
}

impl Default for ServerConfig {
    /// One GiB of cache, 16 jobs, 64 that wait, passes of 128 tokens and 64, prefixes kept, all shared
    /// by both kinds.
    fn default() -> Self {
        Self {
            cache_bytes: 1 << 30,
            jobs: 16,
            queue: 64,
            rows: CHUNK,
            decode_rows: CHUNK / 2,
            prefix_cache: true,
            halves: false,
        }
    }
}
