// SPDX-License-Identifier: Apache-2.0
//! What a server does and has done.

/// What a server does and has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Metrics {
    /// Jobs that wait.
    pub waiting: usize,
    /// Jobs that run: the batch.
    pub running: usize,
    /// Pages of 16 tokens in use, those of ended jobs included.
    pub pages_used: usize,
    /// Pages that the prefix cache knows, those of running jobs included.
    pub pages_cached: usize,
    /// Pages in all.
    pub pages_limit: usize,
    /// Tokens in the last pass.
    pub last_rows: usize,
    /// Passes so far.
    pub steps: u64,
    /// Tokens that have gone through the model.
    pub rows: u64,
    /// Tokens that did not need to, because the prefix cache had them.
    pub reused: u64,
    /// Jobs that have ended, in whatever way.
    pub ended: u64,
}
