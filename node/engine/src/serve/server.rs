// SPDX-License-Identifier: Apache-2.0
//! The server: its thread, which runs all jobs of a model, and its interface.

use super::{
    batch::{Batch, Ended},
    config::ServerConfig,
    job::{self, GenerateJob, Handle, Job, VerifyJob},
    metrics::Metrics,
    queue::Queue,
    speed::{Speed, Speedometer},
};
use crate::{
    generate::Generating,
    known_answer,
    kv::{KvCache, Pool},
    panics::caught,
    task::Task,
    verify::Verifying,
    EngineError, Generation, Limits, Model, Threads, Verification,
};
use std::{
    ops::ControlFlow,
    sync::{
        atomic::{AtomicBool, Ordering},
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
    },
    thread::JoinHandle,
};

/// A server of one model and the jobs that it runs. Dropping it ends all of them. A program that
/// keeps a server for long watches it with [`Server::wait`] and starts another one after a panic.
pub struct Server {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    model: Arc<Model>,
    threads: Arc<Threads>,
    config: ServerConfig,
    pool: Arc<Pool>,
    speed: Arc<Speedometer>,
    queue: Mutex<Queue>,
    wake: Condvar,
    metrics: Mutex<Metrics>,
    closed: Arc<AtomicBool>,
    end: Mutex<Option<End>>,
    ended: Condvar,
}

/// The end of the server's thread, with the message of a panic if there was one.
#[derive(Clone)]
struct End {
    panic: Option<String>,
}

impl Shared {
    /// Locks the queue. Jobs enter and leave it whole, so a panic elsewhere cannot leave it torn.
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
        self.queue().close();
        self.wake.notify_all();
    }

    fn run(&self, batch: Batch) {
        (self.threads.on_start())();
        let panic = caught(|| self.serve(batch)).err();
        *self.end() = Some(End { panic });
        self.ended.notify_all();
    }

    /// Locks the end, which is stored whole.
    fn end(&self) -> MutexGuard<'_, Option<End>> {
        self.end.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self, mut batch: Batch) {
        // A panic between passes ends the server. It is closed before its jobs are told.
        let _closes = CloseOnDrop(self);
        loop {
            let mut queue = self.queue();
            while queue.len() == 0 && batch.is_empty() && !queue.is_closed() {
                queue = self.wake.wait(queue).unwrap_or_else(PoisonError::into_inner);
            }
            if queue.is_closed() {
                return;
            }
            batch.admit(&mut queue);
            drop(queue);
            batch.step();
            let ended = batch.take_ended();
            *self.metrics.lock().unwrap_or_else(PoisonError::into_inner) = batch.metrics();
            // The metrics count a job before its submitter learns that it has ended.
            ended.into_iter().for_each(Ended::tell);
        }
    }
}

struct CloseOnDrop<'s>(&'s Shared);

impl Drop for CloseOnDrop<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Server {
    /// Measures the model's speed and starts a server. Its thread has the priority of the calling
    /// thread, and first calls the hook of [`Threads::start`].
    ///
    /// # Errors
    /// Returns [`EngineError::Io`] if the system provides no thread, and [`EngineError::KnownAnswer`] if this
    /// build does not compute the built-in model's known output, which the first call in a process tests.
    pub fn start(
        model: Arc<Model>,
        threads: Arc<Threads>,
        config: ServerConfig,
    ) -> Result<Self, EngineError> {
        known_answer::ensure()?;
        let rows = config.rows.max(1);
        let decode_rows = config.decode_rows.clamp(1, rows);
        let jobs = config.jobs.clamp(1, decode_rows);
        let config = ServerConfig { rows, decode_rows, jobs, ..config };
        let speed = Arc::new(Speedometer::start(&model, &threads)?);
        let pool = Pool::new(model.shape(), config.cache_bytes);
        let closed = Arc::<AtomicBool>::default();
        let batch = Batch::new(
            model.clone(),
            threads.clone(),
            config,
            pool.clone(),
            closed.clone(),
            speed.clone(),
        );
        let metrics = Mutex::new(batch.metrics());
        let queue = Mutex::new(Queue::new(config.queue));
        let (wake, ended) = (Condvar::new(), Condvar::new());
        let end = Mutex::default();
        let shared = Arc::new(Shared {
            model,
            threads,
            config,
            pool,
            speed,
            queue,
            wake,
            metrics,
            closed,
            end,
            ended,
        });
        let serving = shared.clone();
        let thread = std::thread::Builder::new()
            .name("assay-engine-server".into())
            .spawn(move || serving.run(batch))
            .map_err(|source| EngineError::Io { path: "the server's thread".into(), source })?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Returns whether the server takes no more jobs, because it was closed or has panicked.
    pub fn is_closed(&self) -> bool {
        self.shared.closed.load(Ordering::Relaxed)
    }

    /// Ends all jobs and takes no more.
    pub fn close(&self) {
        self.shared.close();
    }

    /// Waits until the server has ended, and returns the message of the panic that ended it; `None`
    /// if it was closed.
    pub fn wait(&self) -> Option<String> {
        let mut end = self.shared.end();
        loop {
            if let Some(End { panic }) = &*end {
                return panic.clone();
            }
            end = self.shared.ended.wait(end).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Returns the model that the server runs.
    pub fn model(&self) -> &Arc<Model> {
        &self.shared.model
    }

    /// Returns the current metrics.
    pub fn metrics(&self) -> Metrics {
        let metrics = *self.shared.metrics.lock().unwrap_or_else(PoisonError::into_inner);
        Metrics { waiting: self.shared.queue().len(), ..metrics }
    }

    /// Returns the measured speed.
    pub fn speed(&self) -> Speed {
        self.shared.speed.speed()
    }

    /// Measures the speed again, on the calling thread and at its priority.
    ///
    /// # Errors
    /// Returns the errors of [`Session`](crate::Session).
    pub fn calibrate(&self) -> Result<(), EngineError> {
        self.shared.speed.calibrate(&self.shared.model, &self.shared.threads)
    }

    /// Returns the number of cache pages that a generation needs.
    pub fn pages(input: usize, max_tokens: usize) -> usize {
        KvCache::pages(input.saturating_add(max_tokens).saturating_sub(1))
    }

    /// Returns the number of pages that all jobs of a kind together may have. A job that needs more
    /// can never run.
    pub fn share_pages(&self) -> usize {
        self.shared.config.share(self.shared.pool.limit())
    }

    /// Submits a generation.
    ///
    /// # Errors
    /// Returns [`EngineError::QueueFull`], [`EngineError::MemoryLimit`] if the job's cache exceeds
    /// its own limit or the server's for its kind, [`EngineError::ServerClosed`], or an error of
    /// [`crate::generate`] that the job itself causes.
    pub fn generate(&self, job: GenerateJob) -> Result<Handle<Generation>, EngineError> {
        let GenerateJob { input, spec, limits, cancel, drafter } = job;
        let task = Generating::new(&self.shared.model, input, &spec, drafter)?;
        self.check_memory(&task, &limits)?;
        let (job, handle) = Job::generate(task, limits, cancel);
        self.submit(job)?;
        Ok(handle)
    }

    /// Submits a verification. If the form alone decides, the verdict is available at once.
    ///
    /// # Errors
    /// Returns [`EngineError::QueueFull`], [`EngineError::MemoryLimit`] if the job's cache exceeds
    /// its own limit or the server's for its kind, [`EngineError::ServerClosed`], or an error of
    /// [`crate::verify`] that the job itself causes.
    pub fn verify(&self, job: VerifyJob) -> Result<Handle<Verification>, EngineError> {
        let VerifyJob { prompt, transcript, spec, positions, limits, cancel } = job;
        let model = &self.shared.model;
        match Verifying::new(model, &prompt, &transcript, &spec, &positions)? {
            ControlFlow::Break(verification) => Ok(job::ended(verification, &cancel)),
            ControlFlow::Continue(task) => {
                self.check_memory(&task, &limits)?;
                let (job, handle) = Job::verify(task, limits, cancel);
                self.submit(job)?;
                Ok(handle)
            }
        }
    }

    fn submit(&self, job: Job) -> Result<(), EngineError> {
        self.shared.queue().push(job)?;
        self.shared.wake.notify_all();
        Ok(())
    }

    /// Refuses a task that could never be admitted.
    fn check_memory(&self, task: &dyn Task, limits: &Limits) -> Result<(), EngineError> {
        let shape = self.shared.model.shape();
        let needed = KvCache::bytes(shape, task.capacity());
        let pages = self.share_pages();
        let limit = KvCache::bytes(shape, 1).saturating_mul(pages as u64).min(limits.memory_bytes);
        if needed > limit {
            return Err(EngineError::MemoryLimit { needed, limit });
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.close();
        if let Some(thread) = self.thread.take() {
            // A panic of the server is caught in its thread, and every handle has been told of it.
            let _ = thread.join();
        }
    }
}
