// SPDX-License-Identifier: Apache-2.0
//! The generations that this node has promised to run.
//!
//! An operator that accepts a job and is late is fined. So the node declines a job unless it is
//! certain enough that the job fits into its time together with the jobs that were promised before.

use super::load::Left;
use assay_primitives::{
    job::{TIME_MARGIN, TIME_OVERHEAD},
    JobId, Task,
};
use parking_lot::Mutex;
use sp_core::H256;
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// The blocks without a request from the chain after which a job counts as another operator's.
const FORGOTTEN: u32 = 10;

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
    /// Starts without promises.
    pub fn new(block_time: Duration) -> Self {
        Self { kept: Mutex::default(), block_time }
    }

    /// Notes that the chain asks this node for the job.
    pub fn keep(&self, job: &JobId, task: &Task) {
        let promise = Promise { task: task.clone(), asked: Instant::now() };
        self.kept.lock().insert(*job, promise);
    }

    /// Promises the job if it can be done in its time, and returns whether it can.
    ///
    /// `left` returns the part of another promised job that is still to be done, and `time` computes
    /// how long the new job takes together with these parts.
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
        let there_is = self.block_time.saturating_mul(task.deadline.saturating_sub(TIME_OVERHEAD));
        let fits = time(&others, &Left::of(task, 0))
            .is_some_and(|time| time.saturating_mul(TIME_MARGIN) <= there_is);
        if fits {
            kept.insert(*job, Promise { task: task.clone(), asked: Instant::now() });
        }
        fits
    }

    /// Removes the promise of a job that is done.
    pub fn end(&self, job: &JobId) {
        self.kept.lock().remove(job);
    }

    /// Removes the promises of jobs that are `over`.
    pub fn forget(&self, over: impl Fn(&JobId) -> bool) {
        self.kept.lock().retain(|job, _| !over(job));
    }

    /// Returns the hashes of the requests of all promised jobs.
    pub fn requests(&self) -> Vec<H256> {
        self.kept.lock().values().map(|promise| promise.task.request_hash).collect()
    }

    /// Returns whether there are no promises.
    pub fn is_empty(&self) -> bool {
        self.kept.lock().is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::load::{Capacity, Load};
    use assay_engine::serve::Speed;
    use assay_primitives::{ModelId, Sampling};

    fn job(n: u8) -> JobId {
        JobId::repeat_byte(n)
    }

    fn task(max_tokens: u32, deadline: u32) -> Task {
        Task {
            model: ModelId::repeat_byte(1),
            request_hash: Default::default(),
            input_tokens: 100,
            max_tokens,
            seed: 0,
            sampling: Sampling::GREEDY,
            peer: Default::default(),
            deadline,
            digest_key: Default::default(),
        }
    }

    /// Promises a job whose tokens take 50 ms each, on a chain with blocks of three seconds.
    fn promise(promises: &Promises, n: u8, task: &Task) -> bool {
        let speed = Speed { pass: 0.05, row: 0.01, growth: 0.0 };
        let capacity = |_: &ModelId| Some(Capacity { speed, pages: 1_000 });
        promises.make(
            &job(n),
            task,
            |_, task| Left::of(task, 0),
            |generations, new| {
                Load { generations, verifications: &[], capacity: &capacity }.time(new)
            },
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
