// SPDX-License-Identifier: Apache-2.0
//! The running jobs, and one step of all of them.

use super::{
    config::ServerConfig,
    job::Job,
    metrics::Metrics,
    queue::Queue,
    running::{Running, Suspect},
    share::{share, Kind, Want},
    speed::Speedometer,
};
use crate::{
    forward::{Span, Workspace},
    kv::{KvCache, Pool, Prefix, PrefixCache, Published, PAGE},
    panics::caught,
    task::{judge, Choice, Next},
    EngineError, Model, Row, Threads,
};
use std::{
    collections::VecDeque,
    sync::{
        atomic::{AtomicBool, Ordering},
        Arc,
    },
    time::{Duration, Instant},
};

/// The jobs that go through the model together.
pub(super) struct Batch {
    model: Arc<Model>,
    threads: Arc<Threads>,
    config: ServerConfig,
    pool: Arc<Pool>,
    prefixes: PrefixCache,
    /// Number of tokens of the longest sequence.
    capacity: usize,
    workspace: Workspace,
    running: Vec<Running>,
    /// The jobs of a pass that panicked, which go through the model again one at a time.
    suspects: VecDeque<Suspect>,
    /// The other jobs, which wait while a suspect has the model to itself.
    parked: Vec<Running>,
    ended: Vec<Ended>,
    /// Ends a pass whose results nobody waits for any longer.
    closed: Arc<AtomicBool>,
    speed: Arc<Speedometer>,
    metrics: Metrics,
}

/// A job that has a result, or an error.
pub(super) struct Ended {
    job: Job,
    error: Option<EngineError>,
}

impl Ended {
    /// Sends the result to the job's submitter.
    pub(super) fn tell(self) {
        match self.error {
            None => self.job.finish(),
            Some(error) => self.job.fail(error),
        }
    }
}

impl Batch {
    pub(super) fn new(
        model: Arc<Model>,
        threads: Arc<Threads>,
        config: ServerConfig,
        pool: Arc<Pool>,
        closed: Arc<AtomicBool>,
        speed: Arc<Speedometer>,
    ) -> Self {
        let shape = model.shape();
        // No sequence is longer than all pages.
        let capacity = pool.limit().saturating_mul(PAGE).min(shape.context);
        // The table is computed once for all positions that may follow, and not while jobs wait.
        model.ropes(capacity);
        let workspace = Workspace::new(shape, &threads, config.rows, capacity);
        let prefixes = PrefixCache::default();
        let metrics = Metrics { pages_limit: pool.limit(), ..Metrics::default() };
        Self {
            model,
            threads,
            config,
            pool,
            prefixes,
            capacity,
            workspace,
            running: Vec::new(),
            suspects: VecDeque::new(),
            parked: Vec::new(),
            ended: Vec::new(),
            closed,
            speed,
            metrics,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.count() == 0
    }

    /// Returns the number of jobs that have been admitted and have not ended.
    fn count(&self) -> usize {
        self.running.len() + self.parked.len() + self.suspects.len()
    }

    pub(super) fn metrics(&self) -> Metrics {
        Metrics {
            running: self.count(),
            pages_used: self.pool.used(),
            pages_cached: self.prefixes.len(),
            ..self.metrics
        }
    }

    /// Returns the jobs that have ended since the last call.
    pub(super) fn take_ended(&mut self) -> Vec<Ended> {
        self.metrics.ended += self.ended.len() as u64;
        std::mem::take(&mut self.ended)
    }

    /// Takes jobs from the queue while there is room for the next.
    pub(super) fn admit(&mut self, queue: &mut Queue) {
        queue.end_stopped();
        // The jobs that wait for their turn after a panic were admitted earlier.
        if self.count() > self.running.len() {
            return;
        }
        if !self.config.halves {
            while self.admit_first(queue, None) {}
            return;
        }
        for kind in [Kind::Generate, Kind::Verify] {
            while self.admit_first(queue, Some(kind)) {}
        }
    }

    /// Takes the first job of `kind`, or of the kind whose turn it is. Returns `false` if there is
    /// none, or no room for it.
    fn admit_first(&mut self, queue: &mut Queue, kind: Option<Kind>) -> bool {
        let Some(kind) = kind.or_else(|| queue.next()) else { return false };
        let Some(job) = queue.front(kind) else { return false };
        if !self.has_share(job) {
            return false;
        }
        let Ok((cache, published)) = self.cache(job) else { return false };
        let Some(job) = queue.pop(kind) else { return false };
        self.running.push(Running::new(job, cache, published));
        true
    }

    /// Returns whether the running jobs of its kind leave room for another one.
    fn has_share(&self, job: &Job) -> bool {
        if !self.config.halves {
            return self.running.len() < self.config.jobs;
        }
        let pages = |job: &Job| KvCache::pages(job.task().capacity());
        let running = self.running.iter().map(|running| &running.job);
        let same: Vec<&Job> = running.filter(|other| other.kind() == job.kind()).collect();
        let used: usize = same.iter().map(|job| pages(job)).sum();
        same.len() < self.config.share(self.config.jobs).max(1)
            && used + pages(job) <= self.config.share(self.pool.limit())
    }

    /// Returns a cache for all of a job's tokens, which begins with the known pages.
    fn cache(&mut self, job: &Job) -> Result<(KvCache, Published), EngineError> {
        let task = job.task();
        let known = if self.config.prefix_cache { task.unjudged() } else { 0 };
        let prefix: Prefix = self.prefixes.find(&task.tokens()[..known]);
        let needed = KvCache::pages(task.capacity()) - KvCache::pages(prefix.len());
        self.prefixes.make_room(&self.pool, needed);
        let promise = self.pool.promise(needed)?;
        self.metrics.reused += prefix.len() as u64;
        let published = prefix.published();
        Ok((KvCache::new(self.model.shape(), prefix, promise), published))
    }

    /// Ends the jobs for which `check` fails.
    fn end(&mut self, check: impl Fn(&mut Running) -> Result<(), EngineError>) {
        let mut index = 0;
        while let Some(running) = self.running.get_mut(index) {
            match check(running) {
                Ok(()) => index += 1,
                Err(error) => {
                    let Running { job, cache, .. } = self.running.remove(index);
                    self.prefixes.touch(&job.task().tokens()[..cache.len()]);
                    self.ended.push(Ended { job, error: Some(error) });
                }
            }
        }
    }

    /// Decides the rows of each job in the next pass, and makes room for them in its cache.
    fn plan(&mut self) {
        self.end(|running| running.job.check(running.cache.len()));
        let decodes = self.running.iter().any(|running| running.job.decodes());
        let budget = if decodes { self.config.decode_rows } else { self.config.rows };
        for running in &mut self.running {
            running.job.prepare(budget);
        }
        let wants: Vec<Want> =
            self.running.iter().map(|running| running.job.want(running.cache.len())).collect();
        for (running, rows) in self.running.iter_mut().zip(share(&wants, budget)) {
            running.rows = rows;
        }
        // Pages were promised at admission, so this can fail only if their number was wrong.
        self.end(|running| running.cache.reserve(running.rows));
        self.end(|running| {
            let sent = running.cache.len();
            running.job.constrain(sent.max(running.judged)..sent + running.rows)
        });
    }

    /// Runs one pass of all jobs, or of one that is suspected of a panic.
    pub(super) fn step(&mut self) {
        self.isolate();
        match caught(|| self.pass()) {
            Ok(Some((choices, time))) => self.accept(&choices, time),
            // No job is left, or the pass was interrupted, which changes nothing.
            Ok(None) => {}
            Err(message) => self.suspect(message),
        }
        if !self.running.iter().any(Running::is_suspect) {
            self.running.append(&mut self.parked);
        }
    }

    /// Gives the model to the next suspect alone. Without room for its cache it waits until others
    /// have ended.
    fn isolate(&mut self) {
        if self.running.iter().any(Running::is_suspect) {
            return;
        }
        let Some(suspect) = self.suspects.pop_front() else { return };
        match self.cache(&suspect.job) {
            Ok((cache, published)) => {
                self.parked = std::mem::take(&mut self.running);
                self.running.push(Running::again(suspect, cache, published));
            }
            Err(_) => self.suspects.push_front(suspect),
        }
    }

    /// Ends a job that panicked alone, or suspects each of several. Everything that the pass may
    /// have left half-changed is dropped: their caches, the prefixes and the workspace.
    fn suspect(&mut self, message: String) {
        let mut jobs = std::mem::take(&mut self.running).into_iter().map(Running::suspect);
        if jobs.len() > 1 {
            self.suspects.extend(jobs);
        } else if let Some(Suspect { job, .. }) = jobs.next() {
            self.ended.push(Ended { job, error: Some(EngineError::Panicked { message }) });
        }
        let rows = self.config.rows;
        self.workspace = Workspace::new(self.model.shape(), &self.threads, rows, self.capacity);
        self.forget_prefixes();
    }

    /// Drops the prefixes. The jobs that go on share their pages anew.
    fn forget_prefixes(&mut self) {
        self.prefixes = PrefixCache::default();
        for running in self.running.iter_mut().chain(&mut self.parked) {
            running.published = Published::default();
        }
    }

    /// Hands the rows of a pass to the jobs. One that panics over its own rows is to blame alone.
    fn accept(&mut self, mut choices: &[(usize, Choice)], time: Duration) {
        // By now the rows are counted in the caches.
        let rows = self.running.iter().flat_map(|running| {
            let length = running.cache.len();
            length.saturating_sub(running.rows)..length
        });
        self.speed.observe(rows, time);
        self.metrics.steps += 1;
        self.metrics.last_rows = self.running.iter().map(|running| running.rows).sum();
        self.metrics.rows += self.metrics.last_rows as u64;
        let mut panicked = false;
        for (index, mut running) in std::mem::take(&mut self.running).into_iter().enumerate() {
            let own = choices.iter().take_while(|(span, _)| *span == index).count();
            let (now, later) = choices.split_at(own);
            choices = later;
            let now: Vec<Choice> = now.iter().map(|(_, choice)| choice.clone()).collect();
            let prefixes = self.config.prefix_cache.then_some(&mut self.prefixes);
            match caught(|| running.accept(&now, prefixes)) {
                Ok(Next::Done) => self.ended.push(Ended { job: running.job, error: None }),
                Ok(Next::More | Next::RollBack(_)) => self.running.push(running),
                Err(message) => {
                    let error = Some(EngineError::Panicked { message });
                    self.ended.push(Ended { job: running.job, error });
                    panicked = true;
                }
            }
        }
        if panicked {
            self.forget_prefixes();
        }
    }

    /// Sends the rows of all jobs through the model. Returns the choices and the time, or `None` if
    /// there is no job left or the pass is interrupted.
    fn pass(&mut self) -> Option<(Vec<(usize, Choice)>, Duration)> {
        self.plan();
        if self.running.is_empty() {
            return None;
        }
        let begun = Instant::now();
        let choices = self.forward().ok()?;
        Some((choices, begun.elapsed()))
    }

    fn forward(&mut self) -> Result<Vec<(usize, Choice)>, EngineError> {
        let (jobs, caches): (Vec<_>, Vec<_>) = self
            .running
            .iter_mut()
            .map(|running| ((&running.job, running.judged), (&mut running.cache, running.rows)))
            .unzip();
        let wanted: Vec<_> = jobs
            .iter()
            .map(|&(job, judged)| move |index| index >= judged && job.task().wanted(index))
            .collect();
        let judged = jobs.iter().map(|(job, _)| job.task());
        let judged: Vec<_> = judged
            .map(|task| ((task.tokens(), task.input()), task.spec().clone(), task.masks()))
            .collect();
        let mut spans: Vec<Span<'_>> = caches
            .into_iter()
            .zip(jobs.iter().zip(&wanted))
            .map(|((cache, rows), ((job, _), wanted))| {
                let tokens = &job.task().tokens()[cache.len()..][..rows];
                Span { cache, tokens, wanted }
            })
            .collect();
        // A pass continues while one job needs it; the others are checked after it.
        let check = || {
            let closed = self.closed.load(Ordering::Relaxed);
            if !closed && jobs.iter().any(|(job, _)| job.check(0).is_ok()) {
                return Ok(());
            }
            Err(EngineError::Cancelled { tokens: 0 })
        };
        let on = (&*self.model, &*self.threads);
        let judge = |span: usize, row: Row<'_>| {
            let (before, spec, masks) = &judged[span];
            judge(row, *before, spec, *masks)
        };
        self.workspace.pass(on, &mut spans, &check, &judge)
    }
}
