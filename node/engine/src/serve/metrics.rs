// SPDX-License-Identifier: Apache-2.0
//! The state of a server, and counts of its past work.

/// The state of a server, and counts of its past work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Metrics {
    /// Number of waiting jobs.
    pub waiting: usize,
    /// Number of running jobs, which form the batch.
    pub running: usize,
    /// Number of pages of 16 tokens in use, including those of ended jobs.
    pub pages_used: usize,
    /// Number of pages in the prefix cache, including those of running jobs.
    pub pages_cached: usize,
    /// Total number of pages.
    pub pages_limit: usize,
    /// Number of tokens in the last pass.
    pub last_rows: usize,
    /// Number of passes so far.
    pub steps: u64,
    /// Number of tokens that have gone through the model.
    pub rows: u64,
    /// Number of tokens that were taken from the prefix cache instead.
    pub reused: u64,
    /// Number of jobs that have ended, for any reason.
    pub ended: u64,
}
