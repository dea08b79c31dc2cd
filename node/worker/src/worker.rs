// SPDX-License-Identifier: Apache-2.0
//! The worker of a node.

use crate::{
    config::{WorkerConfig, WorkerError},
    context::Context,
    engine::background,
    guard::guarded,
    metrics::{engine::register_servers, model::register_models, oldest::register_oldest},
    source::PayloadSource,
    status,
    store::{error::StoreError, payloads::MAX_PROMPT_BYTES},
    streams::Stream,
    work::{
        attempt, gather,
        key::{Kind, WorkKey},
        threads::WorkThreads,
    },
    LOG_TARGET,
};
use assay_engine::EngineError;
use assay_primitives::{worker::Transcript, EngineResult, JobId, ModelId, Work};
use assay_rpc::WorkerStatus;
use codec::Decode;
use sp_core::H256;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};
use substrate_prometheus_endpoint::Registry;

/// The worker of a node. Its threads end when it is dropped.
pub struct Worker {
    context: Arc<Context>,
    threads: WorkThreads,
}

impl Worker {
    /// Opens the store, starts the engine and the threads, and registers the metrics.
    ///
    /// # Errors
    ///
    /// The folder, the secret or the store cannot be used, the system refuses a thread, or the
    /// registry already has metrics of these names.
    pub fn start(config: WorkerConfig, registry: Option<&Registry>) -> Result<Self, WorkerError> {
        let context = Arc::new(Context::open(config, registry)?);
        if let Some(registry) = registry {
            export_state(&context, registry)?;
        }
        let threads = WorkThreads::start(&context)?;
        Ok(Self { context, threads })
    }

    /// Sets the source of payloads that are not here. Later calls change nothing.
    pub fn set_source(&self, source: Arc<dyn PayloadSource>) {
        let _ = self.context.source.set(source);
    }

    /// Returns the ids of the models whose servers run; `None` if no model is loaded.
    pub(crate) fn models(&self) -> Option<Vec<ModelId>> {
        let servers = &self.context.servers;
        let mut loaded = servers.models().map(|(id, _)| *id).peekable();
        loaded.peek()?;
        Some(loaded.filter(|id| servers.server(id).is_some()).collect())
    }

    /// Takes work, answers it at once if that is possible, and returns `false` if the queue is full.
    pub(crate) fn submit(&self, work: Work) -> bool {
        let context = &self.context;
        if attempt::answer_poisoned(context, &work) {
            return true;
        }
        let key = WorkKey::from(&work);
        let is_new = context.pending.begin(&key);
        let result = context.store.results.get(&key);
        match (&work, &result) {
            (Work::Prepare { job, task }, Some(EngineResult::Ready { .. }))
            | (Work::Generate { job, task }, None) => context.promises.keep(job, task),
            _ => {}
        }
        if result.is_some() {
            // It has ended before, and its outcome is counted.
            if is_new {
                context.pending.end(&key);
            }
            return true;
        }
        if matches!(work, Work::Prepare { .. }) && gather::answer_at_once(context, &work) {
            return true;
        }
        let until = gather::until(context, &work);
        let taken = context.queue.submit(work, until);
        if !taken {
            context.refuse(&key, is_new);
        }
        context.measure_depth();
        taken
    }

    /// Returns at most `max` results of jobs that are not yet over.
    pub(crate) fn poll(&self, max: u32) -> Vec<EngineResult> {
        self.context.store.results.poll(max)
    }

    /// Waits for the result of work that was submitted; `None` if there is none within `timeout`.
    pub fn wait(&self, work: &Work, timeout: Duration) -> Option<EngineResult> {
        self.context.store.results.wait(&WorkKey::from(work), Instant::now() + timeout)
    }

    /// Keeps a prompt and returns its blake2_256 hash. It stays for a time in which it can be ordered,
    /// and as long as a job that [`Self::keep_for`] names it for is not over.
    ///
    /// # Errors
    ///
    /// The prompt is longer than [`MAX_PROMPT_BYTES`], the prompts that must be kept leave no room for
    /// another, or the store fails.
    pub fn put_prompt(&self, bytes: &[u8]) -> Result<H256, StoreError> {
        if bytes.len() > MAX_PROMPT_BYTES {
            return Err(StoreError::TooLarge { bytes: bytes.len(), limit: MAX_PROMPT_BYTES });
        }
        self.context.keep_prompt(bytes)
    }

    /// Keeps a prompt, if it is here, until the job that it belongs to is over.
    ///
    /// # Errors
    ///
    /// The store fails.
    pub fn keep_for(&self, job: &JobId, prompt: &H256) -> Result<(), StoreError> {
        let store = &self.context.store;
        if store.payloads.has(prompt)? {
            store.orders.put(job, prompt)?;
        }
        Ok(())
    }

    /// Returns a payload of this node.
    ///
    /// # Errors
    ///
    /// The store fails.
    pub fn payload(&self, hash: &H256) -> Result<Option<Vec<u8>>, StoreError> {
        self.context.store.payloads.get(hash)
    }

    /// Returns the length of a payload of this node, and at most `most` of its bytes from `offset` on;
    /// `None` if the payload is not here or ends before `offset`.
    ///
    /// # Errors
    ///
    /// The store fails.
    pub fn payload_range(
        &self,
        hash: &H256,
        offset: usize,
        most: usize,
    ) -> Result<Option<(usize, Vec<u8>)>, StoreError> {
        self.context.store.payloads.range(hash, offset, most)
    }

    /// Returns the number of tokens that a prompt has for a model; `None` if the model is not loaded, its
    /// tokenizer panics, or the prompt is longer than [`MAX_PROMPT_BYTES`]. They are counted at the
    /// engine's priority.
    ///
    /// # Errors
    ///
    /// The model's vocabulary lacks a token that the prompt needs.
    pub fn count_tokens(&self, model: &ModelId, prompt: &[u8]) -> Result<Option<u32>, EngineError> {
        if prompt.len() > MAX_PROMPT_BYTES {
            return Ok(None);
        }
        let Some(model) = self.context.servers.model(model) else { return Ok(None) };
        let tokens = background::at_low_priority(|| {
            or_none("a prompt cannot be tokenised", || model.tokenize(prompt))
        });
        let count = tokens.transpose()?.map(|tokens| tokens.len());
        Ok(count.map(|count| u32::try_from(count).unwrap_or(u32::MAX)))
    }

    /// Returns the bytes of the text of tokens; `None` if the model is not loaded or its tokenizer
    /// panics.
    pub fn detokenize(&self, model: &ModelId, tokens: &[u32]) -> Option<Vec<u8>> {
        let model = self.context.servers.model(model)?;
        or_none("tokens cannot be turned into text", || model.detokenize(tokens))
    }

    /// Returns the stream of a job that runs or ran on this node.
    pub fn stream(&self, job: &JobId) -> Option<Arc<Stream>> {
        self.context.streams.get(job)
    }

    /// Returns the output of a job that this node ran or keeps.
    pub fn output(&self, job: &JobId) -> Option<Transcript> {
        let hash = self.context.store.outputs.get(job).ok().flatten()?;
        let payload = self.context.store.payloads.get(&hash).ok().flatten()?;
        Transcript::decode(&mut payload.as_slice()).ok()
    }

    /// Keeps the output of a job that another node ran.
    ///
    /// # Errors
    ///
    /// The payload is longer than [`MAX_PAYLOAD_BYTES`](crate::MAX_PAYLOAD_BYTES), or the store fails.
    pub fn keep_output(&self, job: &JobId, payload: &[u8]) -> Result<(), StoreError> {
        self.context.keep_output(job, payload)
    }

    /// Returns the jobs that have results, work without an outcome, marks or a prompt that is kept for
    /// them.
    pub fn jobs(&self) -> BTreeSet<JobId> {
        let mut jobs = self.context.store.results.jobs();
        jobs.extend(self.context.store.orders.jobs());
        jobs.extend(self.context.marks.jobs());
        jobs.extend(self.context.queue.open().into_iter().map(|key| key.job));
        jobs.extend(self.context.pending.jobs());
        jobs
    }

    /// Returns the jobs that operators of this node have accepted and that are not yet over, with the
    /// hashes of their outputs: several where branches of the chain differ.
    pub fn accepted(&self) -> BTreeMap<JobId, BTreeSet<H256>> {
        let mut accepted: BTreeMap<JobId, BTreeSet<H256>> = BTreeMap::new();
        for key in self.context.queue.open() {
            if key.kind == Kind::Generate {
                accepted.entry(key.job).or_default();
            }
        }
        for (job, output) in self.context.store.results.generated() {
            accepted.entry(job).or_default().insert(output);
        }
        accepted
    }

    /// Drops the work and the results of jobs that are over, and keeps their prompts no longer.
    ///
    /// # Errors
    ///
    /// The store fails.
    pub fn forget(&self, over: &BTreeSet<JobId>) -> Result<(), StoreError> {
        let context = &self.context;
        let is_over = |job: &JobId| over.contains(job);
        context.queue.forget(is_over);
        context.promises.forget(is_over);
        context.marks.forget(is_over);
        // Work that is still open runs or is about to run.
        for key in context.queue.open().iter().filter(|key| is_over(&key.job)) {
            context.cancellations.cancel(key);
        }
        context.store.orders.forget(is_over)?;
        context.end_of_jobs(is_over);
        context.store.results.forget(is_over)
    }

    /// Forgets all jobs. A chain that begins anew may give the same ids to other jobs.
    ///
    /// # Errors
    ///
    /// The store fails.
    pub fn forget_jobs(&self) -> Result<(), StoreError> {
        self.context.marks.forget(|_| true);
        self.context.store.forget_jobs()
    }

    /// Returns the state of the worker.
    pub fn status(&self) -> WorkerStatus {
        status::status(&self.context)
    }
}

/// Exports the state that is read whenever Prometheus asks.
fn export_state(context: &Arc<Context>, registry: &Registry) -> Result<(), WorkerError> {
    register_models(registry, context.servers.models())?;
    let servers = Arc::downgrade(context);
    register_servers(registry, move || {
        servers.upgrade().map(|context| context.servers.samples()).unwrap_or_default()
    })?;
    let work = Arc::downgrade(context);
    register_oldest(registry, move |kind| {
        work.upgrade().map(|context| context.pending.oldest(kind)).unwrap_or_default()
    })?;
    Ok(())
}

/// Runs a closure for another node or a client, and returns `None` if it panics.
fn or_none<T>(problem: &str, run: impl FnOnce() -> T) -> Option<T> {
    let panicked = |message| log::error!(target: LOG_TARGET, "{problem}, it panics: {message}");
    guarded(run).map_err(panicked).ok()
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.context.queue.close();
        self.context.cancellations.close();
        self.threads.join();
    }
}
