// SPDX-License-Identifier: Apache-2.0
//! The time that a new job takes on an engine that has other work.

use assay_engine::serve::{Server, Speed};
use assay_primitives::{ModelId, Task};
use std::time::Duration;

/// The number of jobs of one model and one kind that run at the same time. Rows of all of them share
/// a pass over the weights.
pub const JOBS: usize = 8;

/// The part of a generation that is still to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Left {
    /// The model.
    pub model: ModelId,
    /// The number of tokens still to be read.
    pub read: u64,
    /// The number of tokens before those still to be written.
    pub before: u64,
    /// The number of tokens still to be written.
    pub write: u64,
}

impl Left {
    /// Computes what is left of a generation after `written` tokens.
    pub fn of(task: &Task, written: u64) -> Self {
        let (input, output) = (u64::from(task.input_tokens), u64::from(task.max_tokens));
        Self {
            model: task.model,
            read: if written == 0 { input } else { 0 },
            before: input.saturating_add(written),
            write: output.saturating_sub(written),
        }
    }

    /// Returns the pages of the cache that the generation takes.
    fn pages(&self) -> usize {
        let tokens = |count| usize::try_from(count).unwrap_or(usize::MAX);
        Server::pages(tokens(self.before), tokens(self.write))
    }
}

/// The capacity of a model's server.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Capacity {
    /// The speed that was last measured.
    pub speed: Speed,
    /// The pages of its cache for generations.
    pub pages: usize,
}

/// All work of the engine.
pub struct Load<'a> {
    /// The generations.
    pub generations: &'a [Left],
    /// The verifications: for each its model and the number of tokens to be read.
    pub verifications: &'a [(ModelId, u64)],
    /// The capacity of each model's server; `None` for a model that is not loaded.
    pub capacity: &'a dyn Fn(&ModelId) -> Option<Capacity>,
}

impl Load<'_> {
    /// Computes how long a new job takes together with all this work; `None` if the job can never be
    /// run.
    ///
    /// All passes share the threads. A job waits until a place is free. Then each of its tokens takes a
    /// pass, which also computes tokens of the other jobs.
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
            // All places are at work until one is free.
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

#[cfg(test)]
mod tests {
    use super::*;
    use assay_primitives::Sampling;

    const SPEED: Speed = Speed { pass: 0.05, row: 0.01, growth: 0.0 };

    fn model(n: u8) -> ModelId {
        ModelId::repeat_byte(n)
    }

    fn task(max_tokens: u32, deadline: u32) -> Task {
        Task {
            model: model(1),
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
        // The other job has as many tokens in these passes as the new one, a row each.
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
        // The cache has pages for one job at a time.
        assert_eq!(time(&others[..2], &[], 13, &new), seconds(1.0 + 15.0 + 2.0));
    }
}
