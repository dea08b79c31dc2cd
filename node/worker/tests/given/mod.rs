// SPDX-License-Identifier: Apache-2.0
//! The worker and the task with which the tests begin.

#![allow(dead_code, reason = "no test needs all of it")]

use assay_engine::Model;
use assay_primitives::{Sampling, Task};
use assay_worker::{SpaceLimits, WorkerConfig};
use sp_core::H256;
use sp_crypto_hashing::blake2_256;
use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

/// The prompt of most tasks.
pub const PROMPT: &[u8] = b"In the beginning";
/// The longest that a test waits for a result.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Returns the configuration of a worker in that folder, with the built-in model.
pub fn config(dir: &Path) -> WorkerConfig {
    WorkerConfig {
        dir: dir.into(),
        secret: None,
        space: SpaceLimits::default(),
        models: vec![Model::tiny().unwrap()],
        threads: 1,
        gate: Arc::default(),
        memory_bytes: 1 << 28,
        block_time: Duration::from_secs(3),
        fault: None,
    }
}

/// Returns a task for the built-in model, whose sampled output may end before `max_tokens`.
pub fn task(prompt: &[u8], max_tokens: u32) -> Task {
    Task {
        model: H256(Model::tiny().unwrap().root()),
        request_hash: H256(blake2_256(prompt)),
        // The model puts a token of its own before the bytes.
        input_tokens: prompt.len() as u32 + 1,
        max_tokens,
        seed: 1,
        sampling: Sampling { temperature: Sampling::ONE, top_k: 0, top_p: Sampling::ONE },
        peer: Default::default(),
        deadline: 1_000,
    }
}

/// Returns a task whose output has all of `max_tokens`, because the model never ends a greedy one.
pub fn greedy(max_tokens: u32) -> Task {
    Task { sampling: Sampling::GREEDY, ..task(PROMPT, max_tokens) }
}

/// Waits until a condition holds, at most [`PATIENCE`].
pub fn until(what: &str, holds: impl FnMut() -> bool) {
    until_within(PATIENCE, what, holds);
}

/// Waits until a condition holds, at most so long.
pub fn until_within(patience: Duration, what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < patience, "not within {patience:?}: {what}");
        std::thread::yield_now();
    }
}
