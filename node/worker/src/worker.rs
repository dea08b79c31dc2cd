// SPDX-License-Identifier: Apache-2.0
//! The worker: what holds queue, results, streams and threads together.

use crate::{
    engines::{Engines, JOBS},
    fault::Fault,
    gather::{self, PayloadSource},
    metrics::Metrics,
    promises::Promises,
    queue::{Kind, Queue, WorkKey},
    results::Results,
    run,
    secret::{Purpose, Secret},
    status::{ModelStatus, WorkerStatus},
    store::{Origin, Store, StoreError, MAX_PROMPT_BYTES},
    streams::{Stream, Streams},
};
use assay_engine::{EngineError, Gate, Model};
use assay_primitives::{
    worker::Transcript, BlockNumber, EngineResult, JobId, ModelId, Task, Verdict, Work,
};
use codec::Decode;
use parking_lot::Mutex;
use sp_core::H256;
use sp_crypto_hashing::blake2_256;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::{
        atomic::{AtomicBool, Ordering},
        Arc, OnceLock,
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};
use substrate_prometheus_endpoint::{PrometheusError, Registry};

/// Target of the log lines.
pub const LOG_TARGET: &str = "assay-worker";

/// Pieces of work that a node takes at a time.
const QUEUE_LIMIT: usize = 256;
/// Threads that gather payloads: so many peers can be slow to answer before others wait.
const GATHERERS: usize = 8;
/// Blocks before the last in which a verdict can be reported that a verifier comes to one, be it that
/// it has none: another report of its may be under way.
const REPORT_BLOCKS: BlockNumber = 5;

/// What a worker is made of.
pub struct WorkerConfig {
    /// Folder for its store and its secret.
    pub dir: PathBuf,
    /// The models that it runs.
    pub models: Vec<Model>,
    /// Threads that all jobs share.
    pub threads: usize,
    /// What stops the engine for a while, for more urgent work.
    pub gate: Arc<Gate>,
    /// The bytes of each model's key-value cache: half for all jobs that are run, half for all that
    /// are re-checked.
    pub memory_bytes: u64,
    /// Time between two blocks.
    pub block_time: Duration,
    /// How it cheats; only ever set on development chains.
    pub fault: Option<Fault>,
}

/// Why a worker cannot start.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// Its folder or its secret cannot be read or written.
    #[error("the worker's folder {path}: {error}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What is wrong.
        error: std::io::Error,
    },
    /// Its store cannot be opened.
    #[error("{path}: {error}")]
    Store {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        error: StoreError,
    },
    /// The system gives the engine no thread.
    #[error("the engine does not start: {0}")]
    Engine(#[from] EngineError),
    /// Its metrics are registered already.
    #[error("the worker's metrics: {0}")]
    Metrics(#[from] PrometheusError),
}

pub(crate) struct Inner {
    pub engines: Engines,
    pub queue: Queue,
    pub results: Results,
    pub store: Arc<Store>,
    pub streams: Streams,
    pub threads: usize,
    pub memory_bytes: u64,
    pub promises: Promises,
    pub fault: Option<Fault>,
    pub metrics: Option<Metrics>,
    pub block_time: Duration,
    secret: Secret,
    source: OnceLock<Arc<dyn PayloadSource>>,
    cancellations: Mutex<Cancellations>,
}

/// What stops work that runs.
#[derive(Default)]
struct Cancellations {
    by_key: BTreeMap<WorkKey, Arc<AtomicBool>>,
    /// The worker ends: what begins now is stopped at once.
    closed: bool,
}

impl Inner {
    /// A payload that is here, or that another node gives.
    pub fn payload(&self, hash: &H256, task: &Task, ask: bool) -> Option<Vec<u8>> {
        match self.store.payload(hash) {
            Ok(Some(payload)) => return Some(payload),
            Ok(None) => {}
            Err(error) => log::error!(target: LOG_TARGET, "{error}"),
        }
        if !ask {
            return None;
        }
        let payload = self.source.get()?.fetch(*hash, &task.peer)?;
        if blake2_256(&payload) != hash.0 {
            log::warn!(target: LOG_TARGET, "a peer gave something else as payload {hash:?}");
            return None;
        }
        if let Err(error) = self.keep_payload(&payload) {
            log::error!(target: LOG_TARGET, "{error}");
        }
        Some(payload)
    }

    /// Keeps a payload of a job.
    pub fn keep_payload(&self, payload: &[u8]) -> Result<H256, StoreError> {
        let spared = self.needed();
        self.store.put_payload(payload, Origin::Job, |hash| spared.contains(hash))
    }

    /// The payloads of the jobs that this node has to do with: what is asked for, and what it stands
    /// for with its commitments.
    fn needed(&self) -> BTreeSet<H256> {
        let mut hashes = self.results.outputs();
        hashes.extend(self.queue.payloads());
        hashes.extend(self.promises.prompts());
        hashes
    }

    /// The work is done.
    pub fn finish(&self, key: WorkKey, result: EngineResult, started: Instant) {
        let outcome = outcome_label(&result);
        log::info!(target: LOG_TARGET, "{} of job {:?}: {outcome}", key.kind.label(), key.job);
        if let Err(error) = self.results.put(key.clone(), result) {
            log::error!(target: LOG_TARGET, "a result is lost, and found out again: {error}");
        }
        if key.kind == Kind::Generate {
            self.promises.end(&key.job);
        }
        self.ended(key, outcome, started);
    }

    /// The work has no result.
    pub fn give_up(&self, key: WorkKey, started: Instant) {
        self.ended(key, "given_up", started);
    }

    fn ended(&self, key: WorkKey, outcome: &str, started: Instant) {
        self.cancellations.lock().by_key.remove(&key);
        self.queue.done(&key);
        if let Some(metrics) = &self.metrics {
            metrics.ended(key.kind, outcome, started.elapsed().as_secs_f64());
        }
        self.count();
    }

    /// Tells the metrics how much there is.
    fn count(&self) {
        if let Some(metrics) = &self.metrics {
            metrics.depth(self.queue.waiting(), self.results.len());
        }
    }

    /// What stops the work when it is set.
    pub fn cancellation(&self, key: &WorkKey) -> Arc<AtomicBool> {
        let mut cancellations = self.cancellations.lock();
        let closed = cancellations.closed;
        let cancelled = cancellations.by_key.entry(key.clone()).or_default();
        cancelled.fetch_or(closed, Ordering::Relaxed);
        cancelled.clone()
    }

    /// Until when it is of use to go on with the work.
    fn until(&self, work: &Work) -> Instant {
        let now = Instant::now();
        match work {
            Work::Prepare { .. } | Work::Generate { .. } => {
                now + self.block_time * gather::ATTEMPTS / gather::LOOKS_PER_BLOCK
            }
            // Where the time is short, half of it.
            Work::Verify { left, .. } => {
                now + self.block_time.saturating_mul(left - REPORT_BLOCKS.min(left / 2))
            }
        }
    }

    pub fn output_salt(&self, job: &JobId) -> H256 {
        H256(self.secret.salt(Purpose::Output, job))
    }

    pub fn verdict_salt(&self, job: &JobId) -> H256 {
        H256(self.secret.salt(Purpose::Verdict, job))
    }
}

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

/// The worker of a node. Its threads end when it is dropped.
pub struct Worker {
    pub(crate) inner: Arc<Inner>,
    handles: Vec<JoinHandle<()>>,
}

impl Worker {
    /// Opens the store and starts the threads. `registry` is where its metrics go.
    pub fn start(config: WorkerConfig, registry: Option<&Registry>) -> Result<Self, WorkerError> {
        let WorkerConfig { dir, models, threads, gate, memory_bytes, block_time, fault } = config;
        let folder = |error| WorkerError::Folder { path: dir.clone(), error };
        std::fs::create_dir_all(&dir).map_err(folder)?;
        let secret = Secret::open(&dir.join("secret")).map_err(folder)?;
        let path = dir.join("store.redb");
        let unreadable = |error| WorkerError::Store { path: path.clone(), error };
        let store = Arc::new(Store::open(&path).map_err(unreadable)?);
        let inner = Arc::new(Inner {
            engines: Engines::start(models, threads, gate, memory_bytes)?,
            queue: Queue::new(QUEUE_LIMIT),
            results: Results::load(store.clone()).map_err(unreadable)?,
            store,
            streams: Streams::default(),
            threads,
            memory_bytes,
            promises: Promises::new(block_time),
            block_time,
            fault,
            metrics: registry.map(Metrics::register).transpose()?,
            secret,
            source: OnceLock::new(),
            cancellations: Mutex::default(),
        });
        let no_thread = |source| EngineError::Io { path: "a thread of the worker".into(), source };
        let mut handles = Vec::new();
        let mut spawn = |name: String, body: Box<dyn FnOnce(Arc<Inner>) + Send>| {
            let inner = inner.clone();
            std::thread::Builder::new()
                .name(name)
                .spawn(move || body(inner))
                .map(|handle| handles.push(handle))
                .map_err(no_thread)
        };
        for n in 0..GATHERERS {
            spawn(format!("assay-gather-{n}"), Box::new(gather::run))?;
        }
        for kind in [Kind::Generate, Kind::Verify] {
            for n in 0..JOBS {
                let name = format!("assay-{}-{n}", kind.label());
                spawn(name, Box::new(move |inner| run::run(inner, kind)))?;
            }
        }
        Ok(Self { inner, handles })
    }

    /// Says where payloads come from that are not here. Once; later calls change nothing.
    pub fn set_source(&self, source: Arc<dyn PayloadSource>) {
        let _ = self.inner.source.set(source);
    }

    /// Takes work; `false` when the queue is full. What can be answered at once is.
    pub(crate) fn submit(&self, work: Work) -> bool {
        let inner = &self.inner;
        let result = inner.results.get(&WorkKey::from(&work));
        match (&work, &result) {
            (Work::Prepare { job, task }, Some(EngineResult::Ready { .. }))
            | (Work::Generate { job, task }, None) => inner.promises.keep(job, task),
            _ => {}
        }
        if result.is_some() {
            return true;
        }
        if matches!(work, Work::Prepare { .. }) && gather::answer_at_once(inner, &work) {
            return true;
        }
        let until = inner.until(&work);
        let taken = inner.queue.submit(work, until);
        inner.count();
        taken
    }

    /// Waits for the result of work that was submitted; `None` when there is none in time.
    pub fn wait(&self, work: &Work, timeout: Duration) -> Option<EngineResult> {
        self.inner.results.wait(&WorkKey::from(work), Instant::now() + timeout)
    }

    /// Keeps a prompt; gives its hash.
    pub fn put_prompt(&self, bytes: &[u8]) -> Result<H256, StoreError> {
        if bytes.len() > MAX_PROMPT_BYTES {
            return Err(StoreError::TooLarge { bytes: bytes.len(), limit: MAX_PROMPT_BYTES });
        }
        let spared = self.inner.needed();
        self.inner.store.put_payload(bytes, Origin::Submitted, |hash| spared.contains(hash))
    }

    /// A payload of this node.
    pub fn payload(&self, hash: &H256) -> Result<Option<Vec<u8>>, StoreError> {
        self.inner.store.payload(hash)
    }

    /// How many tokens the prompt has for the model; `None` where the model is not here.
    pub fn count_tokens(&self, model: &ModelId, prompt: &[u8]) -> Option<usize> {
        Some(self.inner.engines.model(model)?.tokenize(prompt).len())
    }

    /// The text of tokens; `None` where the model is not here.
    pub fn detokenize(&self, model: &ModelId, tokens: &[u32]) -> Option<Vec<u8>> {
        Some(self.inner.engines.model(model)?.detokenize(tokens))
    }

    /// The stream of a job that this node runs or ran.
    pub fn stream(&self, job: &JobId) -> Option<Arc<Stream>> {
        self.inner.streams.get(job)
    }

    /// The output of a job that this node ran or keeps.
    pub fn output(&self, job: &JobId) -> Option<Transcript> {
        let hash = self.inner.store.output(job).ok().flatten()?;
        let payload = self.inner.store.payload(&hash).ok().flatten()?;
        Transcript::decode(&mut payload.as_slice()).ok()
    }

    /// Keeps the output of a job that another node ran.
    pub fn keep_output(&self, job: &JobId, payload: &[u8]) -> Result<(), StoreError> {
        let hash = self.inner.keep_payload(payload)?;
        self.inner.store.put_output(job, &hash)
    }

    /// The jobs that anything is known of or done for.
    pub fn jobs(&self) -> BTreeSet<JobId> {
        let mut jobs = self.inner.results.jobs();
        jobs.extend(self.inner.queue.open().into_iter().map(|key| key.job));
        jobs
    }

    /// Drops the work and the results of jobs that are over.
    pub fn forget(&self, over: &BTreeSet<JobId>) -> Result<(), StoreError> {
        let inner = &self.inner;
        let is_over = |job: &JobId| over.contains(job);
        inner.queue.forget(is_over);
        inner.promises.forget(is_over);
        // What is open still is being done, or about to be.
        for key in inner.queue.open().iter().filter(|key| is_over(&key.job)) {
            inner.cancellation(key).store(true, Ordering::Relaxed);
        }
        inner.results.forget(is_over)
    }

    /// Forgets all jobs: the chain begins anew, and may give the same names to others.
    pub fn forget_jobs(&self) -> Result<(), StoreError> {
        self.inner.results.clear()
    }

    /// The state of the worker.
    pub fn status(&self) -> WorkerStatus {
        let inner = &self.inner;
        WorkerStatus {
            models: inner
                .engines
                .models()
                .map(|(id, model)| {
                    let info = model.info();
                    ModelStatus {
                        id: *id,
                        name: info.name.clone(),
                        architecture: info.architecture.clone(),
                        quantisation: info.quantisation.clone(),
                        parameters: info.parameters,
                        context: info.context_length,
                        vocabulary: info.vocab_size,
                        file_bytes: info.file_bytes,
                    }
                })
                .collect(),
            waiting: inner.queue.waiting(),
            open: inner.queue.open().len(),
            results: inner.results.len(),
            threads: inner.threads,
            fault: inner.fault.map(|fault| fault.to_string()),
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.inner.queue.close();
        let mut cancellations = self.inner.cancellations.lock();
        cancellations.closed = true;
        for cancelled in cancellations.by_key.values() {
            cancelled.store(true, Ordering::Relaxed);
        }
        drop(cancellations);
        for handle in self.handles.drain(..) {
            // A thread that panicked has logged it.
            let _ = handle.join();
        }
    }
}
