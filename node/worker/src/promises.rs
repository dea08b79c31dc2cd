// SPDX-License-Identifier: Apache-2.0
//! What this node has said it can run, and whether another job fits beside it into its time. An
//! operator that accepts and is late is fined, so what is not certain enough is declined before.

use crate::engines::JOBS;
use assay_engine::serve::{Server, Speed};
use assay_primitives::{JobId, ModelId, Task};
use parking_lot::Mutex;
use sp_core::H256;
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// How much longer a job may take than it should: verifications and other programs come without
/// notice.
const MARGIN: u32 = 2;
/// Blocks of a deadline that pass beside the computation: the job reaches the engine in the block
/// after its acceptance, and its result the chain in one or two after its end.
const OVERHEAD: u32 = 4;
/// Blocks without being asked for after which a job counts as somebody else's.
const FORGOTTEN: u32 = 10;

/// What is still to be done of a generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Left {
    /// Its model.
    pub model: ModelId,
    /// Tokens that are still to be read.
    pub read: u64,
    /// Tokens before those that are still to be written.
    pub before: u64,
    /// Tokens that are still to be written.
    pub write: u64,
}

impl Left {
    /// Of a generation of which so many tokens are written.
    pub fn of(task: &Task, written: u64) -> Self {
        let (input, output) = (u64::from(task.input_tokens), u64::from(task.max_tokens));
        Self {
            model: task.model,
            read: if written == 0 { input } else { 0 },
            before: input.saturating_add(written),
            write: output.saturating_sub(written),
        }
    }

    /// Pages of the cache that it takes.
    fn pages(&self) -> usize {
        let tokens = |count| usize::try_from(count).unwrap_or(usize::MAX);
        Server::pages(tokens(self.before), tokens(self.write))
    }
}

/// What the server of a model can do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Capacity {
    /// How fast it is.
    pub speed: Speed,
    /// Pages of its cache for generations.
    pub pages: usize,
}

/// All that the engine has to do.
pub struct Load<'a> {
    /// Generations.
    pub generations: &'a [Left],
    /// Verifications: the model and how many tokens are to be read.
    pub verifications: &'a [(ModelId, u64)],
    /// What the servers can do.
    pub capacity: &'a dyn Fn(&ModelId) -> Option<Capacity>,
}

impl Load<'_> {
    /// How long a job takes beside all this; `None` where it can never be run.
    ///
    /// All passes share the threads. A job waits for a place if there is none; then each of its tokens
    /// takes a pass, and in these passes the others' tokens go through too.
    pub fn time(&self, new: &Left) -> Option<Duration> {
        let Capacity { speed, pages } = (self.capacity)(&new.model)?;
        if new.pages() > pages {
            return None;
        }
        let same: Vec<&Left> =
            self.generations.iter().filter(|other| other.model == new.model).collect();
        let taken = same.iter().fold(new.pages(), |sum, other| sum.saturating_add(other.pages()));
        let ahead = same.iter().fold(0u64, |sum, other| sum.saturating_add(other.write));
        let waiting = match (same.len() < JOBS, taken <= pages) {
            (true, true) => 0,
            // Until a place is free all of them are at work.
            (false, true) => ahead.div_ceil(JOBS as u64),
            (_, false) => ahead,
        };
        let longest = same.iter().map(|other| other.before).max().unwrap_or(0);
        let mut time = speed
            .writing(longest, waiting)
            .saturating_add(speed.reading(0, new.read))
            .saturating_add(speed.writing(new.before, new.write));
        let passes = waiting.saturating_add(new.write);
        for other in self.generations {
            let Some(Capacity { speed, .. }) = (self.capacity)(&other.model) else { continue };
            let beside = other.write.min(passes);
            let written = if other.model == new.model {
                speed.reading(other.before, beside)
            } else {
                speed.writing(other.before, beside)
            };
            time = time.saturating_add(speed.reading(0, other.read)).saturating_add(written);
        }
        for (model, tokens) in self.verifications {
            let Some(Capacity { speed, .. }) = (self.capacity)(model) else { continue };
            time = time.saturating_add(speed.reading(0, *tokens));
        }
        Some(time)
    }
}

struct Promise {
    task: Task,
    asked: Instant,
}

/// The generations that the chain may ask this node for.
pub struct Promises {
    kept: Mutex<BTreeMap<JobId, Promise>>,
    block_time: Duration,
}

impl Promises {
    /// None yet.
    pub fn new(block_time: Duration) -> Self {
        Self { kept: Mutex::default(), block_time }
    }

    /// The chain asks for the job: it is this node's.
    pub fn keep(&self, job: &JobId, task: &Task) {
        let promise = Promise { task: task.clone(), asked: Instant::now() };
        self.kept.lock().insert(*job, promise);
    }

    /// Promises the job if it can be done in its time beside the others, of which `left` tells what
    /// is still to be done; `time` reckons how long it takes beside them.
    pub fn make(
        &self,
        job: &JobId,
        task: &Task,
        left: impl Fn(&JobId, &Task) -> Left,
        time: impl FnOnce(&[Left], &Left) -> Option<Duration>,
    ) -> bool {
        let mut kept = self.kept.lock();
        kept.retain(|_, promise| promise.asked.elapsed() < self.block_time * FORGOTTEN);
        let others: Vec<Left> = kept
            .iter()
            .filter(|(other, _)| *other != job)
            .map(|(other, promise)| left(other, &promise.task))
            .collect();
        let there_is = self.block_time.saturating_mul(task.deadline.saturating_sub(OVERHEAD));
        let fits = time(&others, &Left::of(task, 0))
            .is_some_and(|time| time.saturating_mul(MARGIN) <= there_is);
        if fits {
            kept.insert(*job, Promise { task: task.clone(), asked: Instant::now() });
        }
        fits
    }

    /// The job is done, or none of this node's.
    pub fn end(&self, job: &JobId) {
        self.kept.lock().remove(job);
    }

    /// Forgets those of jobs that are `over`.
    pub fn forget(&self, over: impl Fn(&JobId) -> bool) {
        self.kept.lock().retain(|job, _| !over(job));
    }

    /// The prompts of all of them.
    pub fn prompts(&self) -> Vec<H256> {
        self.kept.lock().values().map(|promise| promise.task.input_hash).collect()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.kept.lock().is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_primitives::Sampling;

    const SPEED: Speed = Speed { pass: 0.05, row: 0.01, growth: 0.0 };

    fn model(n: u8) -> ModelId {
        ModelId::repeat_byte(n)
    }

    fn job(n: u8) -> JobId {
        JobId::repeat_byte(n)
    }

    fn task(max_tokens: u32, deadline: u32) -> Task {
        Task {
            model: model(1),
            input_hash: Default::default(),
            input_tokens: 100,
            max_tokens,
            seed: 0,
            sampling: Sampling::GREEDY,
            peer: Default::default(),
            deadline,
        }
    }

    fn time(
        others: &[Left],
        checks: &[(ModelId, u64)],
        pages: usize,
        new: &Left,
    ) -> Option<Duration> {
        let capacity = |_: &ModelId| Some(Capacity { speed: SPEED, pages });
        Load { generations: others, verifications: checks, capacity: &capacity }.time(new)
    }

    fn seconds(seconds: f64) -> Option<Duration> {
        Some(Duration::from_secs_f64(seconds))
    }

    #[test]
    fn lone_job_is_read_and_written() {
        let new = Left::of(&task(1_900, 5), 0);
        assert_eq!(time(&[], &[], 1_000, &new), seconds(1.0 + 95.0));
        assert_eq!(Left::of(&task(1_900, 5), 400).write, 1_500);
    }

    #[test]
    fn job_over_the_cache_can_never_be_run() {
        let new = Left::of(&task(1_900, 5), 0);
        assert_eq!(time(&[], &[], 125, &new), seconds(96.0));
        assert_eq!(time(&[], &[], 124, &new), None);
    }

    #[test]
    fn others_take_their_part_of_each_pass() {
        let new = Left::of(&task(100, 5), 0);
        let other = Left { read: 0, ..Left::of(&task(1_000, 5), 0) };
        // As many of its tokens as the new one has, a row each.
        assert_eq!(time(&[other], &[], 1_000, &new), seconds(1.0 + 5.0 + 1.0));
        let elsewhere = Left { model: model(2), ..other };
        assert_eq!(time(&[elsewhere], &[], 1_000, &new), seconds(1.0 + 5.0 + 5.0));
        let check = [(model(1), 700)];
        assert_eq!(time(&[], &check, 1_000, &new), seconds(1.0 + 5.0 + 7.0));
    }

    #[test]
    fn job_without_a_place_waits() {
        let new = Left::of(&task(100, 5), 0);
        let others = [Left { read: 0, ..Left::of(&task(100, 5), 0) }; JOBS];
        let rows = JOBS as f64 * 100.0 * 0.01;
        assert_eq!(time(&others, &[], 1_000, &new), seconds(1.0 + 10.0 + rows));
        // Pages for one at a time.
        assert_eq!(time(&others[..2], &[], 13, &new), seconds(1.0 + 15.0 + 2.0));
    }

    /// Promises with blocks of three seconds, and jobs whose tokens take 50 ms.
    fn promise(promises: &Promises, n: u8, task: &Task) -> bool {
        promises.make(
            &job(n),
            task,
            |_, task| Left::of(task, 0),
            |others, new| time(others, &[], 1_000, new),
        )
    }

    #[test]
    fn job_that_cannot_be_in_time_is_not_promised() {
        let promises = Promises::new(Duration::from_secs(3));
        assert!(!promise(&promises, 1, &task(1_900, 5)), "it needs 95 seconds and has 15");
        assert!(!promise(&promises, 1, &task(1_900, 67)), "there is no margin");
        assert!(promise(&promises, 1, &task(1_900, 68)));
    }

    #[test]
    fn promises_of_others_count_until_they_end() {
        let promises = Promises::new(Duration::from_secs(3));
        assert!(promise(&promises, 1, &task(1_900, 68)));
        assert!(!promise(&promises, 2, &task(1_900, 68)));
        assert!(promise(&promises, 1, &task(1_900, 68)), "a job is not in its own way");
        promises.end(&job(1));
        assert!(promises.is_empty() && promise(&promises, 2, &task(1_900, 68)));
    }

    #[test]
    fn promise_that_nobody_asks_for_is_void() {
        let promises = Promises::new(Duration::ZERO);
        promises.keep(&job(1), &task(1_900, 68));
        let none = promises.make(
            &job(2),
            &task(1, 68),
            |_, task| Left::of(task, 0),
            |others, _| {
                assert_eq!(others, []);
                None
            },
        );
        assert!(!none);
    }
}
