// SPDX-License-Identifier: Apache-2.0
//! The running jobs, and one step of all of them.

use super::{
    config::ServerConfig,
    job::Job,
    metrics::Metrics,
    queue::Queue,
    share::{share, Kind, Want},
    speed::Speedometer,
};
use crate::{
    forward::{Span, Workspace},
    kv::{KvCache, Pool, Prefix, PrefixCache, Published, PAGE},
    task::{judge, Choice, Next},
    EngineError, Model, Threads,
};
use std::{
    sync::{
        atomic::{AtomicBool, Ordering},
        Arc,
    },
    time::Instant,
};

/// The jobs that go through the model together.
pub(super) struct Batch {
    model: Arc<Model>,
    threads: Arc<Threads>,
    config: ServerConfig,
    pool: Arc<Pool>,
    prefixes: PrefixCache,
    workspace: Workspace,
    running: Vec<Running>,
    ended: Vec<Ended>,
    /// Ends a pass whose results nobody waits for any longer.
    closed: Arc<AtomicBool>,
    speed: Arc<Speedometer>,
    metrics: Metrics,
}

struct Running {
    job: Job,
    cache: KvCache,
    published: Published,
    /// Number of tokens that it sends in the next pass.
    rows: usize,
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
        model.rope(capacity);
        let workspace = Workspace::new(shape, &threads, config.rows, capacity);
        let prefixes = PrefixCache::default();
        let (running, ended) = (Vec::new(), Vec::new());
        let metrics = Metrics { pages_limit: pool.limit(), ..Metrics::default() };
        Self {
            model,
            threads,
            config,
            pool,
            prefixes,
            workspace,
            running,
            ended,
            closed,
            speed,
            metrics,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.running.is_empty()
    }

    pub(super) fn metrics(&self) -> Metrics {
        Metrics {
            running: self.running.len(),
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
        self.running.push(Running { job, cache, published, rows: 0 });
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
        for mut running in std::mem::take(&mut self.running) {
            match check(&mut running) {
                Ok(()) => self.running.push(running),
                Err(error) => {
                    self.prefixes.touch(&running.job.task().tokens()[..running.cache.len()]);
                    self.ended.push(Ended { job: running.job, error: Some(error) });
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
    }

    /// Runs one pass of all jobs.
    pub(super) fn step(&mut self) {
        self.plan();
        if self.is_empty() {
            return;
        }
        // An interrupted pass changes nothing.
        let begun = Instant::now();
        let Ok(choices) = self.pass() else { return };
        let time = begun.elapsed();
        // By now the rows are counted in the caches.
        let rows = self.running.iter().flat_map(|running| {
            let length = running.cache.len();
            length.saturating_sub(running.rows)..length
        });
        self.speed.observe(rows, time);
        self.metrics.steps += 1;
        self.metrics.last_rows = self.running.iter().map(|running| running.rows).sum();
        self.metrics.rows += self.metrics.last_rows as u64;
        let mut choices = choices.as_slice();
        for (index, mut running) in std::mem::take(&mut self.running).into_iter().enumerate() {
            let own = choices.iter().take_while(|(span, _)| *span == index).count();
            let (now, later) = choices.split_at(own);
            choices = later;
            let now: Vec<Choice> = now.iter().map(|&(_, choice)| choice).collect();
            let next = running.job.accept(&now);
            match next {
                Next::More => {}
                Next::RollBack(length) => running.cache.truncate(length),
                // The cache may hold a draft in place of the last token.
                Next::Done => running.cache.truncate(running.job.task().tokens().len() - 1),
            }
            let Running { job, cache, published, .. } = &mut running;
            if self.config.prefix_cache {
                self.prefixes.publish(job.task().tokens(), cache, published);
            }
            if next == Next::Done {
                self.prefixes.touch(job.task().tokens());
                self.ended.push(Ended { job: running.job, error: None });
            } else {
                self.running.push(running);
            }
        }
    }

    fn pass(&mut self) -> Result<Vec<(usize, Choice)>, EngineError> {
        let (jobs, caches): (Vec<&Job>, Vec<(&mut KvCache, usize)>) = self
            .running
            .iter_mut()
            .map(|running| (&running.job, (&mut running.cache, running.rows)))
            .unzip();
        let wanted: Vec<_> =
            jobs.iter().map(|job| move |index: usize| job.task().wanted(index)).collect();
        let samples: Vec<_> = jobs.iter().map(|job| job.task().sample()).collect();
        let mut spans: Vec<Span<'_>> = caches
            .into_iter()
            .zip(jobs.iter().zip(&wanted))
            .map(|((cache, rows), (job, wanted))| {
                let tokens = &job.task().tokens()[cache.len()..][..rows];
                Span { cache, tokens, wanted }
            })
            .collect();
        // A pass continues while one job needs it; the others are checked after it.
        let check = || {
            let closed = self.closed.load(Ordering::Relaxed);
            if !closed && jobs.iter().any(|job| job.check(0).is_ok()) {
                return Ok(());
            }
            Err(EngineError::Cancelled { tokens: 0 })
        };
        let on = (&*self.model, &*self.threads);
        self.workspace.pass(on, &mut spans, &check, &|span, row| judge(row, &samples[span]))
    }
}
