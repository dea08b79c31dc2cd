// SPDX-License-Identifier: Apache-2.0
//! The worker of a node.

use crate::{
    config::{WorkerConfig, WorkerError},
    context::Context,
    engine::background,
    source::PayloadSource,
    status,
    store::{error::StoreError, payloads::MAX_PROMPT_BYTES},
    streams::Stream,
    work::{gather, key::WorkKey, threads::WorkThreads},
};
use assay_primitives::{worker::Transcript, EngineResult, JobId, ModelId, Work};
use assay_rpc::WorkerStatus;
use codec::Decode;
use sp_core::H256;
use std::{
    collections::BTreeSet,
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
        let threads = WorkThreads::start(&context)?;
        Ok(Self { context, threads })
    }

    /// Sets the source of payloads that are not here. Later calls change nothing.
    pub fn set_source(&self, source: Arc<dyn PayloadSource>) {
        let _ = self.context.source.set(source);
    }

    /// Returns the ids of the models that are loaded.
    pub(crate) fn models(&self) -> Vec<ModelId> {
        self.context.servers.models().map(|(id, _)| *id).collect()
    }

    /// Takes work, answers it at once if that is possible, and returns `false` if the queue is full.
    pub(crate) fn submit(&self, work: Work) -> bool {
        let context = &self.context;
        let result = context.store.results.get(&WorkKey::from(&work));
        match (&work, &result) {
            (Work::Prepare { job, task }, Some(EngineResult::Ready { .. }))
            | (Work::Generate { job, task }, None) => context.promises.keep(job, task),
            _ => {}
        }
        if result.is_some() {
            return true;
        }
        if matches!(work, Work::Prepare { .. }) && gather::answer_at_once(context, &work) {
            return true;
        }
        let until = gather::until(context, &work);
        let taken = context.queue.submit(work, until);
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

    /// Returns the number of tokens that a prompt has for a model; `None` if the model is not loaded.
    /// They are counted at the engine's priority.
    pub fn count_tokens(&self, model: &ModelId, prompt: &[u8]) -> Option<u32> {
        let model = self.context.servers.model(model)?;
        let count = background::at_low_priority(|| model.tokenize(prompt).len());
        Some(u32::try_from(count).unwrap_or(u32::MAX))
    }

    /// Returns the bytes of the text of tokens; `None` if the model is not loaded.
    pub fn detokenize(&self, model: &ModelId, tokens: &[u32]) -> Option<Vec<u8>> {
        Some(self.context.servers.model(model)?.detokenize(tokens))
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

    /// Returns the jobs that have results, open work or a prompt that is kept for them.
    pub fn jobs(&self) -> BTreeSet<JobId> {
        let mut jobs = self.context.store.results.jobs();
        jobs.extend(self.context.store.orders.jobs());
        jobs.extend(self.context.queue.open().into_iter().map(|key| key.job));
        jobs
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
        // Work that is still open runs or is about to run.
        for key in context.queue.open().iter().filter(|key| is_over(&key.job)) {
            context.cancellations.cancel(key);
        }
        context.store.orders.forget(is_over)?;
        context.store.results.forget(is_over)
    }

    /// Forgets all jobs. A chain that begins anew may give the same ids to other jobs.
    ///
    /// # Errors
    ///
    /// The store fails.
    pub fn forget_jobs(&self) -> Result<(), StoreError> {
        self.context.store.forget_jobs()
    }

    /// Returns the state of the worker.
    pub fn status(&self) -> WorkerStatus {
        status::status(&self.context)
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.context.queue.close();
        self.context.cancellations.close();
        self.threads.join();
    }
}
