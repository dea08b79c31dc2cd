// SPDX-License-Identifier: Apache-2.0
//! The state that all threads of a worker share.

use crate::{
    config::{WorkerConfig, WorkerError},
    engine::{promises::Promises, servers::Servers},
    fault::Fault,
    fresh::Fresh,
    metrics::Metrics,
    source::PayloadSource,
    store::{
        error::StoreError,
        payloads::Origin,
        secret::{Purpose, Secret},
        Store,
    },
    streams::Streams,
    work::{
        cancellations::Cancellations,
        key::{Kind, WorkKey},
        queue::Queue,
    },
    LOG_TARGET,
};
use assay_engine::EngineError;
use assay_primitives::{
    engine::{MAX_JOBS, MAX_SEATS},
    EngineResult, JobId, Task, Verdict,
};
use sp_core::H256;
use sp_crypto_hashing::blake2_256;
use std::{
    collections::BTreeSet,
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};
use substrate_prometheus_endpoint::Registry;

/// The pieces of work that a node takes at a time: all that one operator can be given.
const QUEUE_LIMIT: usize = (MAX_JOBS + MAX_SEATS) as usize;

/// The state that all threads of a worker share.
pub struct Context {
    /// The engine.
    pub servers: Servers,
    /// The generations that were promised to the chain.
    pub promises: Promises,
    /// The work that waits.
    pub queue: Queue,
    /// The flags that stop work.
    pub cancellations: Cancellations,
    /// The database.
    pub store: Store,
    /// The prompts that wait for their orders.
    pub fresh: Fresh,
    /// The tokens of the jobs that run here.
    pub streams: Streams,
    /// The source of payloads that are not here, once the network runs.
    pub source: OnceLock<Arc<dyn PayloadSource>>,
    /// The metrics, if the node has a registry.
    pub metrics: Option<Metrics>,
    /// The number of threads that all jobs share.
    pub threads: usize,
    /// The bytes of each model's cache.
    pub memory_bytes: u64,
    /// The time between two blocks.
    pub block_time: Duration,
    /// The way in which the operator cheats.
    pub fault: Option<Fault>,
    secret: Secret,
}

impl Context {
    /// Opens the store and starts the engine.
    pub fn open(config: WorkerConfig, registry: Option<&Registry>) -> Result<Self, WorkerError> {
        let WorkerConfig { dir, models, threads, gate, memory_bytes, block_time, fault } = config;
        let folder = |error| WorkerError::Folder { path: dir.clone(), error };
        std::fs::create_dir_all(&dir).map_err(folder)?;
        let secret = Secret::open(&dir.join("secret")).map_err(folder)?;
        let path = dir.join("store.redb");
        let store = Store::open(&path).map_err(|error| WorkerError::Store { path, error })?;
        Ok(Self {
            servers: Servers::start(models, threads, gate, memory_bytes)?,
            promises: Promises::new(block_time),
            queue: Queue::new(QUEUE_LIMIT),
            cancellations: Cancellations::default(),
            store,
            fresh: Fresh::default(),
            streams: Streams::default(),
            source: OnceLock::new(),
            metrics: registry.map(Metrics::register).transpose()?,
            threads,
            memory_bytes,
            block_time,
            fault,
            secret,
        })
    }

    /// Returns a payload of a task from the store or, if `ask` is set, from another node.
    pub fn payload(&self, hash: &H256, task: &Task, ask: bool) -> Option<Vec<u8>> {
        match self.store.payloads.get(hash) {
            Ok(Some(payload)) => return Some(payload),
            Ok(None) => {}
            Err(error) => log::error!(target: LOG_TARGET, "{error}"),
        }
        if !ask {
            return None;
        }
        let payload = self.source.get()?.fetch(*hash, &task.peer)?;
        if blake2_256(&payload) != hash.0 {
            log::warn!(
                target: LOG_TARGET,
                "a peer sent something else than the payload {hash:?}; it is ignored",
            );
            return None;
        }
        if let Err(error) = self.keep_payload(&payload, Origin::Job) {
            log::error!(target: LOG_TARGET, "{error}");
        }
        Some(payload)
    }

    /// Keeps a payload and returns its hash.
    pub fn keep_payload(&self, payload: &[u8], origin: Origin) -> Result<H256, StoreError> {
        let spared = self.needed();
        self.store.payloads.put(payload, origin, |hash| spared.contains(hash))
    }

    /// Keeps a prompt that was submitted and returns its hash. The prompts of jobs that are not over,
    /// and those that were submitted a short time ago, stay.
    pub fn keep_prompt(&self, prompt: &[u8]) -> Result<H256, StoreError> {
        let (needed, now) = (self.needed(), Instant::now());
        let spared = |hash: &H256| needed.contains(hash) || self.fresh.contains(hash, now);
        let hash = self.store.payloads.put(prompt, Origin::Submitted, spared)?;
        self.fresh.add(hash, now);
        Ok(hash)
    }

    /// Keeps the output of a job.
    pub fn keep_output(&self, job: &JobId, payload: &[u8]) -> Result<(), StoreError> {
        let hash = self.keep_payload(payload, Origin::Job)?;
        self.store.outputs.put(job, &hash)
    }

    /// Returns the payloads of the jobs that concern this node: those of open work and promises, the
    /// prompts of orders, and the outputs that it has committed to.
    fn needed(&self) -> BTreeSet<H256> {
        let mut hashes = self.store.results.outputs();
        hashes.extend(self.queue.payloads());
        hashes.extend(self.promises.prompts());
        hashes.extend(self.store.orders.prompts());
        hashes
    }

    /// Ends work that has a result.
    pub fn finish(&self, key: WorkKey, result: EngineResult, started: Instant) {
        let outcome = outcome_label(&result);
        log::info!(target: LOG_TARGET, "{} of job {:?}: {outcome}", key.kind.label(), key.job);
        if let Err(error) = self.store.results.put(key.clone(), result) {
            log::error!(
                target: LOG_TARGET,
                "a result of job {:?} is lost and will be computed again: {error}",
                key.job,
            );
        }
        if key.kind == Kind::Generate {
            self.promises.end(&key.job);
        }
        self.end(key, outcome, started);
    }

    /// Ends work that has no result.
    pub fn give_up(&self, key: WorkKey, started: Instant) {
        self.end(key, "given_up", started);
    }

    fn end(&self, key: WorkKey, outcome: &str, started: Instant) {
        self.cancellations.remove(&key);
        self.queue.done(&key);
        if let Some(metrics) = &self.metrics {
            metrics.ended(key.kind, outcome, started.elapsed().as_secs_f64());
        }
        self.measure_depth();
    }

    /// Updates the metrics of how much work and how many results there are.
    pub fn measure_depth(&self) {
        if let Some(metrics) = &self.metrics {
            metrics.depth(self.queue.waiting(), self.store.results.len());
        }
    }

    /// Returns whether an error means that the work was stopped, because its job is over or the node
    /// ends. A stopped generation or verification says nothing about the job. A server that ended
    /// while the node goes on is a real error.
    pub fn is_interrupted(&self, error: &EngineError) -> bool {
        match error {
            EngineError::Cancelled { .. } => true,
            EngineError::ServerClosed => self.queue.is_closed(),
            _ => false,
        }
    }

    /// Returns the salt of a job's output.
    pub fn output_salt(&self, job: &JobId) -> H256 {
        H256(self.secret.salt(Purpose::Output, job))
    }

    /// Returns the salt of a verdict on a job.
    pub fn verdict_salt(&self, job: &JobId) -> H256 {
        H256(self.secret.salt(Purpose::Verdict, job))
    }
}

/// Returns the label of a result in logs and metrics.
fn outcome_label(result: &EngineResult) -> &'static str {
    match result {
        EngineResult::Ready { .. } => "ready",
        EngineResult::Refused { reason, .. } => reason.label(),
        EngineResult::Generated { commitment, .. } => commitment.finish.label(),
        EngineResult::Verified { verdict, .. } => match verdict {
            Verdict::Accept { .. } => "accept",
            Verdict::Reject { reason, .. } => reason.label(),
            Verdict::Abstain(reason) => reason.label(),
        },
    }
}
