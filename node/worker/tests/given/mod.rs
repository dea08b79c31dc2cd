// SPDX-License-Identifier: Apache-2.0
//! The worker, the work and the other node with which the tests begin.

#![allow(dead_code, reason = "no test needs all of it")]

use assay_engine::Model;
use assay_host::Mailbox;
use assay_primitives::{
    EngineResult, FinishReason, JobId, OutputCommitment, Request, Sampling, Task, Verdict, Work,
};
use assay_worker::{
    Fault, PayloadSource, SpaceLimits, StoreError, SupportedRequest, Wanted, Worker, WorkerConfig,
    WorkerMailbox,
};
use codec::Encode;
use parking_lot::Mutex;
use sp_core::H256;
use sp_crypto_hashing::blake2_256;
use std::{
    collections::BTreeMap,
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

/// Gives a worker the request for the continuation of a prompt, and returns its hash.
pub fn put(worker: &Worker, prompt: &[u8]) -> H256 {
    try_put(worker, prompt).unwrap()
}

/// Gives a worker that request, which the worker may refuse.
pub fn try_put(worker: &Worker, prompt: &[u8]) -> Result<H256, StoreError> {
    let request = Request::text(prompt).encode();
    worker.put_request(&SupportedRequest::read(&request).unwrap())
}

/// Returns a task for the built-in model, whose sampled output may end before `max_tokens`.
pub fn task(prompt: &[u8], max_tokens: u32) -> Task {
    Task {
        model: H256(Model::tiny().unwrap().root()),
        request_hash: Request::text(prompt).hash(),
        // The model puts a token of its own before the bytes.
        input_tokens: prompt.len() as u32 + 1,
        max_tokens,
        seed: 1,
        sampling: Sampling { temperature: Sampling::ONE, top_k: 0, top_p: Sampling::ONE },
        peer: Default::default(),
        deadline: 1_000,
        digest_key: H256::repeat_byte(1),
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

/// The blocks that are left for a verification that has plenty of time.
pub const LEFT: u32 = 10_000;
/// A block time so short that payloads are given up soon.
pub const SHORT: Duration = Duration::from_millis(30);

/// Starts a worker in that folder with the built-in model.
pub fn start(dir: &Path, fault: Option<Fault>) -> WorkerMailbox {
    start_with(dir, fault, vec![Model::tiny().unwrap()])
}

/// Starts a worker in that folder with these models.
pub fn start_with(dir: &Path, fault: Option<Fault>, models: Vec<Model>) -> WorkerMailbox {
    start_config(WorkerConfig { fault, models, ..config(dir) })
}

/// Starts a worker with that configuration.
pub fn start_config(config: WorkerConfig) -> WorkerMailbox {
    WorkerMailbox(Arc::new(Worker::start(config, None).unwrap()))
}

/// Returns the id of the only job of most tests.
pub fn job() -> JobId {
    JobId::repeat_byte(7)
}

/// Returns the preparation of the job.
pub fn prepare(task: Task) -> Work {
    Work::Prepare { job: job(), task }
}

/// Returns the generation of the job.
pub fn generate(task: Task) -> Work {
    Work::Generate { job: job(), task }
}

/// Returns the verification of the job's output.
pub fn verify(task: Task, commitment: OutputCommitment) -> Work {
    Work::Verify { job: job(), task, commitment, round: 0, left: LEFT }
}

/// Returns a commitment to that payload, right or wrong.
pub fn of_output(payload: &[u8]) -> OutputCommitment {
    OutputCommitment {
        output_hash: H256(blake2_256(payload)),
        digest_commitment: H256::zero(),
        tokens: 1,
        finish: FinishReason::Length,
    }
}

/// Submits work, and returns its result.
pub fn result(mailbox: &WorkerMailbox, work: Work) -> EngineResult {
    assert!(mailbox.submit(work.clone()));
    mailbox.0.wait(&work, PATIENCE).expect("a result in time")
}

/// Generates the output for the prompt, and returns the commitment to it.
pub fn commitment(mailbox: &WorkerMailbox, max_tokens: u32) -> OutputCommitment {
    match result(mailbox, generate(task(PROMPT, max_tokens))) {
        EngineResult::Generated { commitment, .. } => commitment,
        other => panic!("{other:?}"),
    }
}

/// Verifies an output, and returns the verdict.
pub fn verdict(mailbox: &WorkerMailbox, task: Task, commitment: OutputCommitment) -> Verdict {
    match result(mailbox, verify(task, commitment)) {
        EngineResult::Verified { verdict, .. } => verdict,
        other => panic!("{other:?}"),
    }
}

/// Starts a worker that has the request for the prompt, and returns it with its folder.
pub fn worker(fault: Option<Fault>) -> (tempfile::TempDir, WorkerMailbox) {
    let dir = tempfile::tempdir().unwrap();
    let mailbox = start(dir.path(), fault);
    put(&mailbox.0, PROMPT);
    (dir, mailbox)
}

/// Waits until the worker has no work and no results.
pub fn until_idle(mailbox: &WorkerMailbox) {
    until("the worker is idle", || {
        let status = mailbox.0.status();
        status.open == 0 && status.results == 0
    });
}

/// Another node, with the payloads that it serves.
#[derive(Default)]
pub struct OtherNode {
    /// The payloads, by hash.
    pub payloads: Mutex<BTreeMap<H256, Vec<u8>>>,
    /// The jobs, the hashes and the peers of the requests so far.
    pub asked: Mutex<Vec<(JobId, H256, Vec<u8>)>>,
    /// The longest time for which it was waited.
    pub longest: Mutex<Duration>,
    /// The number of requests that it leaves unanswered at first.
    pub silences: usize,
}

impl PayloadSource for OtherNode {
    fn fetch(&self, wanted: &Wanted) -> Option<Vec<u8>> {
        let mut longest = self.longest.lock();
        *longest = longest.max(wanted.until - Instant::now());
        let mut asked = self.asked.lock();
        asked.push((wanted.job, wanted.hash, wanted.peer.to_vec()));
        if asked.len() <= self.silences {
            return None;
        }
        self.payloads.lock().get(&wanted.hash).cloned()
    }
}
