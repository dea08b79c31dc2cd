// SPDX-License-Identifier: Apache-2.0
//! The state that all threads of a worker share.

use crate::{
    config::{WorkerConfig, WorkerError},
    engine::{load::JOBS, promises::Promises, servers::Servers},
    fault::Fault,
    fresh::Fresh,
    metrics::{
        fetch::Fetched,
        outcomes::{outcome, GIVEN_UP},
        Metrics,
    },
    source::{PayloadSource, Wanted},
    store::{
        error::StoreError,
        marks::{Death, Marks},
        orders::Order,
        payloads::{self, Origin},
        secret::{Purpose, Secret},
        space::{free_bytes, SpaceLimits},
        Store,
    },
    streams::Streams,
    work::{
        cancellations::Cancellations,
        key::{Kind, WorkKey},
        pending::Pending,
        queue::Queue,
    },
    LOG_TARGET,
};
use assay_engine::EngineError;
use assay_primitives::{
    engine::{MAX_JOBS, MAX_SEATS},
    EngineResult, JobId, Task,
};
use sp_core::H256;
use sp_crypto_hashing::blake2_256;
use std::{
    collections::BTreeSet,
    path::Path,
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
    /// The work that has no outcome yet.
    pub pending: Pending,
    /// The flags that stop work.
    pub cancellations: Cancellations,
    /// The database.
    pub store: Store,
    /// The requests that wait for their orders.
    pub fresh: Fresh,
    /// The marks of work in progress.
    pub marks: Marks,
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
    /// The way in which the operator cheats or crashes.
    pub fault: Option<Fault>,
    secret: Secret,
}

impl Context {
    /// Opens the store and starts the engine.
    pub fn open(config: WorkerConfig, registry: Option<&Registry>) -> Result<Self, WorkerError> {
        let WorkerConfig {
            dir,
            secret,
            space,
            models,
            threads,
            gate,
            memory_bytes,
            block_time,
            fault,
        } = config;
        let folder = |error| WorkerError::Folder { path: dir.clone(), error };
        std::fs::create_dir_all(&dir).map_err(folder)?;
        let path = dir.join("store.redb");
        let secret = secret.unwrap_or_else(|| dir.join("secret"));
        let secret = Secret::open(&secret, &path)?;
        ensure_space(&dir, &path, &space, !models.is_empty())?;
        let store =
            Store::open(&path, space).map_err(|error| WorkerError::Store { path, error })?;
        // The blocks that were missed are looked at for the orders of what was submitted before.
        let submitted = store.payloads.submitted();
        let submitted = submitted
            .map_err(|error| WorkerError::Store { path: dir.join("store.redb"), error })?;
        let (marks, deaths) = Marks::open(&dir.join("marks")).map_err(folder)?;
        let metrics = registry.map(Metrics::register).transpose()?;
        report(&deaths, metrics.as_ref());
        Ok(Self {
            servers: Servers::start(models, threads, gate, memory_bytes, metrics.clone())?,
            promises: Promises::new(block_time),
            queue: Queue::new(QUEUE_LIMIT, JOBS),
            pending: Pending::default(),
            cancellations: Cancellations::default(),
            store,
            fresh: Fresh::new(submitted, Instant::now()),
            marks,
            streams: Streams::default(),
            source: OnceLock::new(),
            metrics,
            threads,
            memory_bytes,
            block_time,
            fault,
            secret,
        })
    }

    /// Returns a payload of a job from the store or, if there is time to ask, from another node.
    pub fn payload(
        &self,
        job: JobId,
        hash: &H256,
        task: &Task,
        ask: Option<Instant>,
    ) -> Option<Vec<u8>> {
        match self.store.payload(hash) {
            Ok(Some(payload)) => return Some(payload),
            Ok(None) => {}
            // The store has told so itself.
            Err(error) => log::debug!(target: LOG_TARGET, "{error}"),
        }
        let until = ask.filter(|until| *until > Instant::now())?;
        let payload = self.fetch(&Wanted { job, hash: *hash, peer: &task.peer, until })?;
        if let Err(error) = self.keep_payload(&payload, Origin::Job) {
            log::debug!(target: LOG_TARGET, "the payload {hash:?} is not kept: {error}");
        }
        Some(payload)
    }

    /// Asks other nodes for a payload, and counts how that ends.
    fn fetch(&self, wanted: &Wanted<'_>) -> Option<Vec<u8>> {
        let (source, hash) = (self.source.get()?, wanted.hash);
        let begun = Instant::now();
        let payload = source.fetch(wanted);
        let end = match &payload {
            Some(payload) if blake2_256(payload) == hash.0 => Fetched::Found(payload.len()),
            Some(_) => Fetched::Wrong,
            None => Fetched::Missing,
        };
        self.count(|metrics| metrics.fetch.ended(end, begun.elapsed()));
        if end == Fetched::Wrong {
            log::warn!(
                target: LOG_TARGET,
                "a peer sent something else than the payload {hash:?}; it is ignored",
            );
            return None;
        }
        payload
    }

    /// Keeps a payload and returns its hash.
    pub fn keep_payload(&self, payload: &[u8], origin: Origin) -> Result<H256, StoreError> {
        self.store.payloads.put(payload, origin, self.spared())
    }

    /// Keeps a request that was submitted and returns its hash. The requests of jobs that are not over,
    /// and those that were submitted a short time ago, stay.
    pub fn keep_request(&self, request: &[u8]) -> Result<H256, StoreError> {
        // No other write may remove it before it is noted as fresh.
        let hash = H256(blake2_256(request));
        let before = self.fresh.add(hash, Instant::now());
        let stored = self.store.payloads.put(request, Origin::Submitted, self.spared());
        if let Err(error) = stored {
            self.fresh.take_back(&hash, before);
            return Err(error);
        }
        // An order can have come before its request.
        let bytes = request.len() as u64 + payloads::FRAME;
        if let Err(error) = self.store.orders.found(&hash, bytes) {
            log::debug!(target: LOG_TARGET, "orders of the request {hash:?} wait in memory: {error}");
        }
        Ok(hash)
    }

    /// Keeps the requests of orders until their jobs are over. One that is not here is kept once it is
    /// submitted.
    pub fn keep_for(&self, orders: &[Order]) -> Result<(), StoreError> {
        let Store { payloads, orders: book, .. } = &self.store;
        match payloads.counts(orders.iter().map(|order| &order.request)) {
            Ok(counts) => book.put(orders, |request| counts.get(request).copied()),
            Err(error) => {
                // Nobody knows which of them are here, so all of them are taken to be.
                let _ = book.put(orders, |_| Some(0));
                Err(error)
            }
        }
    }

    /// Returns a test of whether a payload must stay where payloads make room for another: it concerns
    /// this node, or is a request that was submitted a short time ago.
    pub fn spared(&self) -> impl Fn(&H256) -> bool + '_ {
        let (needed, now) = (self.needed(), Instant::now());
        move |hash| needed.contains(hash) || self.fresh.contains(hash, now)
    }

    /// Keeps the output of a job that this node runs: on disk, or in memory until it can be written.
    pub fn keep_output(&self, job: &JobId, payload: &[u8]) -> Result<(), StoreError> {
        match self.write_output(job, payload) {
            Err(error @ StoreError::TooLarge { .. }) => Err(error),
            Err(_) => {
                let live = self.jobs();
                self.store.keep_unwritten(job, payload, |job| live.contains(job))
            }
            Ok(()) => Ok(()),
        }
    }

    /// Writes the output of a job.
    pub fn write_output(&self, job: &JobId, payload: &[u8]) -> Result<(), StoreError> {
        self.store.write_output(job, payload, self.spared())
    }

    /// Returns the payloads of the jobs that concern this node: those of open work and promises, the
    /// requests of orders and of jobs that were run, and the outputs that it has committed to.
    pub fn needed(&self) -> BTreeSet<H256> {
        let mut hashes = self.store.results.outputs();
        hashes.extend(self.queue.payloads());
        hashes.extend(self.promises.requests());
        hashes.extend(self.store.orders.requests());
        hashes
    }

    /// Returns the jobs that have results, work without an outcome, marks, or a request that is kept for
    /// them.
    pub fn jobs(&self) -> BTreeSet<JobId> {
        let mut jobs = self.store.results.jobs();
        jobs.extend(self.store.orders.jobs());
        jobs.extend(self.marks.jobs());
        jobs.extend(self.queue.open().into_iter().map(|key| key.job));
        jobs.extend(self.pending.jobs());
        jobs
    }

    /// Notes that work begins to run.
    pub fn start(&self, key: &WorkKey) {
        if let Some(waited) = self.pending.start(key) {
            self.count(|metrics| metrics.started(key.kind, waited));
        }
    }

    /// Ends work that has a result.
    pub fn finish(&self, key: WorkKey, result: EngineResult, started: Instant) {
        let outcome = outcome(&result);
        log::info!(target: LOG_TARGET, "{} of job {:?}: {outcome}", key.kind.label(), key.job);
        if let Err(error) = self.store.results.put(key.clone(), result) {
            log::debug!(
                target: LOG_TARGET,
                "a result of job {:?} waits in memory to be written: {error}",
                key.job,
            );
        }
        if key.kind == Kind::Generate {
            self.promises.end(&key.job);
        }
        if self.pending.end(&key) {
            self.count(|metrics| {
                metrics.ended(key.kind, outcome, started.elapsed().as_secs_f64());
            });
        }
        self.put_away(&key);
    }

    /// Ends an attempt at work that has no result. The chain asks again as long as it wants the work.
    pub fn give_up(&self, key: WorkKey) {
        // Work that the end of its job or of the node has stopped has not failed.
        if self.pending.contains(&key) && !self.queue.is_closed() {
            self.count(|metrics| metrics.attempt_failed(key.kind));
        }
        self.put_away(&key);
    }

    /// Ends work that has no result and is not tried again.
    pub fn give_up_for_good(&self, key: &WorkKey) {
        if self.pending.end(key) {
            self.count(|metrics| metrics.given_up(key.kind));
        }
    }

    /// Ends the work of jobs that are `over` and have no result.
    pub fn end_of_jobs(&self, over: impl Fn(&JobId) -> bool) {
        // Work that has just got its result is about to end with it.
        let has_none = |key: &WorkKey| self.store.results.get(key).is_none();
        for key in self.pending.end_all(|key| over(&key.job) && has_none(key)) {
            log::info!(
                target: LOG_TARGET,
                "{} of job {:?}: {GIVEN_UP}, because the job is over",
                key.kind.label(),
                key.job,
            );
            self.count(|metrics| metrics.given_up(key.kind));
        }
    }

    /// Counts work that the queue did not take. It begins when the queue takes it.
    pub fn refuse(&self, key: &WorkKey, is_new: bool) {
        if is_new {
            self.pending.end(key);
        }
        self.count(|metrics| metrics.refused(key.kind));
    }

    /// Removes work that does not run any longer.
    fn put_away(&self, key: &WorkKey) {
        self.cancellations.remove(key);
        self.queue.done(key);
        self.measure_depth();
    }

    /// Records something in the metrics.
    pub fn count(&self, record: impl FnOnce(&Metrics)) {
        if let Some(metrics) = &self.metrics {
            record(metrics);
        }
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

/// Reports the work that was in progress when the previous process died.
fn report(deaths: &[Death], metrics: Option<&Metrics>) {
    for Death { piece, deaths, poisoned } in deaths {
        let (kind, job) = (piece.kind.label(), piece.job);
        if *poisoned {
            log::error!(
                target: LOG_TARGET,
                "{kind} of job {job:?} is not tried again: it was in progress at {deaths} deaths of \
                 the node",
            );
            if let Some(metrics) = metrics {
                metrics.poisoned(piece.kind);
            }
        } else {
            log::warn!(
                target: LOG_TARGET,
                "{kind} of job {job:?} was in progress when the node died; deaths so far: {deaths}",
            );
        }
    }
}

/// Ensures that an engine has space to begin with, and warns if the store cannot grow to its limit.
fn ensure_space(
    dir: &Path,
    store: &Path,
    limits: &SpaceLimits,
    engine: bool,
) -> Result<(), WorkerError> {
    let folder = |error| WorkerError::Folder { path: dir.into(), error };
    let free = free_bytes(dir).map_err(folder)?;
    if engine && free < limits.start {
        let (path, needed) = (dir.into(), limits.start);
        return Err(WorkerError::Space { path, free, needed });
    }
    let has = std::fs::metadata(store).map_or(0, |store| store.len());
    let most = payloads::most_bytes().saturating_add(limits.reserve);
    if engine && free.saturating_add(has) < most {
        log::warn!(
            target: LOG_TARGET,
            "the disk of {} has {free} bytes left, and the worker's store may come to need {}; below \
             {} new jobs are declined",
            dir.display(),
            most.saturating_sub(has),
            limits.reserve,
        );
    }
    Ok(())
}
