// SPDX-License-Identifier: Apache-2.0
//! The worker of a node.

use crate::{
    config::{WorkerConfig, WorkerError},
    context::Context,
    engine::background,
    fault::Fault,
    guard::guarded,
    metrics::{engine::register_servers, model::register_models, oldest::register_oldest},
    request::SupportedRequest,
    source::PayloadSource,
    status,
    store::{error::StoreError, keeper::Keeper, metrics::StoreMetrics, orders::Order},
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
use assay_rpc::{StoreStatus, WorkerStatus};
use codec::Decode;
use parking_lot::Mutex;
use sp_core::H256;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};
use substrate_prometheus_endpoint::Registry;

/// The worker of a node. Its threads end with [`Worker::end`], or when it is dropped.
pub struct Worker {
    context: Arc<Context>,
    threads: Mutex<WorkThreads>,
    /// The keeper of the store, which ends after the threads that have results to write.
    keeper: Mutex<Option<Keeper>>,
}

impl Worker {
    /// Opens the store, starts the engine and the threads, and registers the metrics.
    ///
    /// # Errors
    ///
    /// The folder, the secret or the store cannot be used, the disk has too little space, the system
    /// refuses a thread, or the registry already has metrics of these names.
    pub fn start(config: WorkerConfig, registry: Option<&Registry>) -> Result<Self, WorkerError> {
        let context = Arc::new(Context::open(config, registry)?);
        if let Some(registry) = registry {
            export_state(&context, registry)?;
        }
        let metrics = registry.map(StoreMetrics::register).transpose()?;
        let keeper = Keeper::start(context.clone(), metrics)?;
        let (threads, keeper) = (Mutex::default(), Mutex::new(Some(keeper)));
        let worker = Self { context, threads, keeper };
        // If the system refuses one, those that run end with the worker.
        worker.threads.lock().start(&worker.context)?;
        Ok(worker)
    }

    /// Stops all work and waits until it has stopped. The work in progress has no result then, and
    /// no mark on disk, so the next start does not take this end for a death.
    pub fn end(&self) {
        self.context.queue.close();
        self.context.cancellations.close();
        self.threads.lock().join();
        // It writes what waits a last time.
        drop(self.keeper.lock().take());
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
        let mut results = self.context.store.results.poll(max);
        if let Some(fault) = &self.context.fault {
            results.iter_mut().for_each(|result| fault.spoil(result));
        }
        results
    }

    /// Waits for the result of work that was submitted; `None` if there is none within `timeout`.
    pub fn wait(&self, work: &Work, timeout: Duration) -> Option<EngineResult> {
        self.context.store.results.wait(&WorkKey::from(work), Instant::now() + timeout)
    }

    /// Keeps a request and returns its blake2_256 hash. It stays for a time in which it can be ordered,
    /// and as long as a job that [`Self::keep_for`] names it for is not over.
    ///
    /// # Errors
    ///
    /// The requests that must be kept leave no room for another, the store fails, or its disk is nearly
    /// full.
    pub fn put_request(&self, request: &SupportedRequest<'_>) -> Result<H256, StoreError> {
        match self.context.store.health.complaint() {
            Some(complaint) => Err(complaint),
            None => self.context.keep_request(request.encoding()),
        }
    }

    /// Keeps the requests of orders until their jobs are over. One that is not here is kept once it is
    /// submitted.
    ///
    /// # Errors
    ///
    /// The store fails. The requests are kept nevertheless, unless the node ends before its store is
    /// mended.
    pub fn keep_for(&self, orders: &[Order]) -> Result<(), StoreError> {
        self.context.keep_for(orders)
    }

    /// Returns a payload of this node.
    ///
    /// # Errors
    ///
    /// The store fails.
    pub fn payload(&self, hash: &H256) -> Result<Option<Vec<u8>>, StoreError> {
        self.context.store.payload(hash)
    }

    /// Returns a payload of this node that an operator of it has to publish.
    pub(crate) fn payload_to_publish(&self, hash: &H256) -> Result<Option<Vec<u8>>, StoreError> {
        match self.context.fault {
            Some(Fault::WithholdOutput) => Ok(None),
            _ => self.payload(hash),
        }
    }

    /// Returns the length of a payload that this node serves to others, and at most `most` of its bytes from
    /// `offset` on; `None` if the payload is not here or ends before `offset`.
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
        match &self.context.fault {
            Some(fault) if fault.hides() => Ok(None),
            _ => self.context.store.payload_range(hash, offset, most),
        }
    }

    /// Returns the number of tokens that the prompt of a request has for a model; `None` if the model is
    /// not loaded, or its tokenizer panics. They are counted at the engine's priority.
    ///
    /// # Errors
    ///
    /// The model's vocabulary lacks a token that the request needs or names.
    pub fn count_tokens(
        &self,
        model: &ModelId,
        request: &SupportedRequest<'_>,
    ) -> Result<Option<u32>, EngineError> {
        let Some(model) = self.context.servers.model(model) else { return Ok(None) };
        request.asked().ensure_known(model)?;
        let tokens = background::at_low_priority(|| {
            or_none("a prompt cannot be tokenised", || request.prompt().input(model))
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
        let hash = self.context.store.output(job).ok().flatten()?;
        let payload = self.context.store.payload(&hash).ok().flatten()?;
        Transcript::decode(&mut payload.as_slice()).ok()
    }

    /// Keeps the output of a job that another node ran.
    ///
    /// # Errors
    ///
    /// The payload is longer than [`MAX_PAYLOAD_BYTES`](crate::MAX_PAYLOAD_BYTES), or the store fails.
    pub fn keep_output(&self, job: &JobId, payload: &[u8]) -> Result<(), StoreError> {
        self.context.write_output(job, payload)
    }

    /// Returns the jobs that have results, work without an outcome, marks or a request that is kept for
    /// them.
    pub fn jobs(&self) -> BTreeSet<JobId> {
        self.context.jobs()
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

    /// Drops the work and the results of jobs that are over, and keeps their requests no longer.
    pub fn forget(&self, over: &BTreeSet<JobId>) {
        let context = &self.context;
        let is_over = |job: &JobId| over.contains(job);
        context.queue.forget(is_over);
        context.promises.forget(is_over);
        context.marks.forget(is_over);
        // An attempt that is stopped has not failed, so its work ends first.
        context.end_of_jobs(is_over);
        // Work that is still open runs or is about to run.
        for key in context.queue.open().iter().filter(|key| is_over(&key.job)) {
            context.cancellations.cancel(key);
        }
        context.store.orders.forget(is_over);
        context.store.results.forget(is_over);
        context.measure_depth();
    }

    /// Forgets all jobs. A chain that begins anew may give the same ids to other jobs.
    ///
    /// # Errors
    ///
    /// The store fails.
    pub fn forget_jobs(&self) -> Result<(), StoreError> {
        self.context.marks.forget(|_| true);
        self.context.store.forget_jobs()?;
        self.context.measure_depth();
        Ok(())
    }

    /// Returns the state of the worker.
    pub fn status(&self) -> WorkerStatus {
        status::status(&self.context)
    }

    /// Returns the state of the worker's store.
    pub fn store_status(&self) -> StoreStatus {
        status::store_status(&self.context)
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
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::WorkerMailbox;
    use assay_engine::{Gate, Model};
    use assay_host::Mailbox;
    use assay_primitives::{DeclineReason, Request, Sampling, Task};
    use codec::Encode;
    use tempfile::TempDir;

    const PROMPT: &[u8] = b"In the beginning";
    const PATIENCE: Duration = Duration::from_secs(60);
    /// A time that is far longer than a test takes.
    const LONG: Duration = Duration::from_secs(3_600);

    /// Starts a worker that has the request, and returns its folder and its gate.
    fn worker() -> (TempDir, WorkerMailbox, Arc<Gate>) {
        let (dir, gate) = (tempfile::tempdir().unwrap(), Arc::<Gate>::default());
        let config = WorkerConfig {
            dir: dir.path().into(),
            secret: None,
            space: crate::store::space::SpaceLimits::default(),
            models: vec![Model::tiny().unwrap()],
            threads: 1,
            gate: gate.clone(),
            memory_bytes: 1 << 28,
            block_time: Duration::from_secs(3),
            fault: None,
        };
        let worker = Worker::start(config, None).unwrap();
        put(&worker, PROMPT);
        (dir, WorkerMailbox(Arc::new(worker)), gate)
    }

    fn model() -> ModelId {
        H256(Model::tiny().unwrap().root())
    }

    fn request() -> Request {
        Request::text(PROMPT)
    }

    fn put(worker: &Worker, prompt: &[u8]) {
        let request = Request::text(prompt).encode();
        worker.put_request(&SupportedRequest::read(&request).unwrap()).unwrap();
    }

    fn job(n: u8) -> JobId {
        JobId::repeat_byte(n)
    }

    fn task(max_tokens: u32) -> Task {
        Task {
            model: model(),
            request_hash: request().hash(),
            input_tokens: PROMPT.len() as u32 + 1,
            max_tokens,
            seed: 1,
            sampling: Sampling::GREEDY,
            peer: Default::default(),
            deadline: 1_000,
            digest_key: H256::repeat_byte(1),
        }
    }

    fn until(what: &str, mut holds: impl FnMut() -> bool) {
        let begun = Instant::now();
        while !holds() {
            assert!(begun.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
            std::thread::yield_now();
        }
    }

    #[test]
    fn request_is_kept_for_an_order_that_came_before_it() {
        let (_dir, mailbox, _gate) = worker();
        let (early, late) = (request().hash(), Request::text(b"later").hash());
        let order = |n, request| Order { job: job(n), request, opens: 1 };
        mailbox.0.keep_for(&[order(1, early), order(2, late)]).unwrap();
        assert_eq!(mailbox.0.context.needed(), [early].into());
        put(&mailbox.0, b"later");
        assert_eq!(mailbox.0.context.needed(), [early, late].into());
        mailbox.0.forget(&[job(1), job(2)].into());
        assert_eq!(mailbox.0.context.needed(), BTreeSet::new());
    }

    #[test]
    fn request_of_a_job_that_was_run_is_kept_until_the_job_is_over() {
        let (_dir, mailbox, _gate) = worker();
        let work = Work::Generate { job: job(1), task: task(8) };
        assert!(mailbox.submit(work.clone()));
        assert!(mailbox.0.wait(&work, PATIENCE).is_some());
        // The chain can ask its operator to publish it.
        assert_eq!(mailbox.0.context.store.orders.requests(), [request().hash()].into());
        mailbox.0.forget(&[job(1)].into());
        assert_eq!(mailbox.0.context.needed(), BTreeSet::new());
    }

    #[test]
    fn requests_that_were_submitted_before_a_restart_are_fresh() {
        let (dir, mailbox, gate) = worker();
        drop(mailbox);
        let config = WorkerConfig {
            dir: dir.path().into(),
            secret: None,
            space: crate::store::space::SpaceLimits::default(),
            models: vec![],
            threads: 1,
            gate,
            memory_bytes: 1 << 28,
            block_time: Duration::from_secs(3),
            fault: None,
        };
        let worker = Worker::start(config, None).unwrap();
        assert!((worker.context.spared())(&request().hash()));
    }

    #[test]
    fn job_of_a_model_whose_server_died_is_declined_until_it_runs_again() {
        let (_dir, mailbox, gate) = worker();
        // The measurement of the next server waits at the gate.
        gate.close(LONG);
        mailbox.0.context.servers.server(&model()).unwrap().close();
        let able = mailbox.capabilities().expect("the node has an engine");
        assert_eq!(able.models, []);
        let refused = EngineResult::Refused { job: job(1), reason: DeclineReason::Resource };
        assert!(mailbox.submit(Work::Prepare { job: job(1), task: task(8) }));
        assert_eq!(mailbox.poll(8), [refused]);
        gate.open();
        until("the server runs again", || {
            mailbox.capabilities().is_some_and(|able| able.models == [model()])
        });
        let work = Work::Prepare { job: job(2), task: task(8) };
        assert!(mailbox.submit(work.clone()));
        let ready = Some(EngineResult::Ready { job: job(2) });
        assert_eq!(mailbox.0.wait(&work, PATIENCE), ready);
    }

    #[test]
    fn job_that_was_in_progress_at_three_deaths_of_a_server_is_given_up() {
        let (_dir, mailbox, _gate) = worker();
        let long = Work::Generate { job: job(1), task: task(2_000) };
        let context = &mailbox.0.context;
        let key = WorkKey::from(&long);
        for deaths in 1..=3 {
            until("a token is there", || {
                assert!(mailbox.submit(long.clone()));
                mailbox.0.stream(&job(1)).is_some_and(|stream| !stream.is_empty())
            });
            context.servers.server(&model()).unwrap().close();
            until("the work has ended", || !context.queue.open().contains(&key));
            assert_eq!(context.marks.is_poisoned(&key.piece()), deaths == 3);
        }
        assert!(mailbox.submit(long));
        assert_eq!(context.queue.open(), []);
    }
}
