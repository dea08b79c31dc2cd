// SPDX-License-Identifier: Apache-2.0
//! The bounds of a server.

use crate::forward::CHUNK;

/// The bounds of a server.
#[derive(Clone, Copy, Debug)]
pub struct ServerConfig {
    /// Bytes of key-value cache, shared by all jobs and the prefixes of ended ones.
    pub cache_bytes: u64,
    /// Number of jobs that run at the same time; at most `decode_rows`.
    pub jobs: usize,
    /// Number of jobs of each kind that may wait.
    pub queue: usize,
    /// Number of tokens in a pass while no output is being written; a multiple of 32 is best.
    pub rows: usize,
    /// Number of tokens in a pass while an output is being written. The fewer there are, the sooner
    /// the next token comes.
    pub decode_rows: usize,
    /// Whether the pages of ended jobs are kept for others with the same beginning.
    pub prefix_cache: bool,
    /// Whether generations and verifications each have half of the cache and half of the running
    /// jobs, so that neither kind waits for the other.
    pub halves: bool,
}

impl ServerConfig {
    /// Returns one kind's share of `all`.
    pub(super) fn share(&self, all: usize) -> usize {
        if self.halves {
            all / 2
        } else {
            all
        }
    }
}

impl Default for ServerConfig {
    /// Returns the default: one GiB of cache, 16 running jobs and 64 waiting, passes of 128 and 64
    /// tokens, prefixes kept, and everything shared by both kinds.
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
