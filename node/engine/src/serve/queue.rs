// SPDX-License-Identifier: Apache-2.0
//! The waiting jobs, a bounded number of each kind.

use super::{job::Job, share::Kind};
use crate::EngineError;
use std::collections::VecDeque;

/// A queue in which generations and verifications wait in lines of their own, which take turns.
/// Within a line no job overtakes another, so a large job does not wait for ever.
pub(super) struct Queue {
    generations: VecDeque<Job>,
    verifications: VecDeque<Job>,
    limit: usize,
    turn: Kind,
    closed: bool,
}

impl Queue {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            generations: VecDeque::new(),
            verifications: VecDeque::new(),
            limit,
            turn: Kind::Verify,
            closed: false,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.generations.len() + self.verifications.len()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Refuses all jobs from now on and drops those that wait.
    pub(super) fn close(&mut self) {
        self.closed = true;
        self.generations.clear();
        self.verifications.clear();
    }

    fn line(&mut self, kind: Kind) -> &mut VecDeque<Job> {
        match kind {
            Kind::Generate => &mut self.generations,
            Kind::Verify => &mut self.verifications,
        }
    }

    /// Appends a job to its line.
    ///
    /// # Errors
    /// Returns [`EngineError::QueueFull`] or [`EngineError::ServerClosed`].
    pub(super) fn push(&mut self, job: Job) -> Result<(), EngineError> {
        if self.closed {
            return Err(EngineError::ServerClosed);
        }
        let limit = self.limit;
        let line = self.line(job.kind());
        if line.len() >= limit {
            return Err(EngineError::QueueFull { waiting: line.len() });
        }
        line.push_back(job);
        Ok(())
    }

    /// Returns the line whose first job is next, or `None` if no job waits.
    pub(super) fn next(&self) -> Option<Kind> {
        match self.turn {
            _ if self.len() == 0 => None,
            Kind::Generate if self.generations.is_empty() => Some(Kind::Verify),
            Kind::Verify if self.verifications.is_empty() => Some(Kind::Generate),
            turn => Some(turn),
        }
    }

    /// Returns the first job of a line.
    pub(super) fn front(&mut self, kind: Kind) -> Option<&Job> {
        self.line(kind).front()
    }

    /// Takes the first job of a line; the next turn is the other line's.
    pub(super) fn pop(&mut self, kind: Kind) -> Option<Job> {
        self.turn = match kind {
            Kind::Generate => Kind::Verify,
            Kind::Verify => Kind::Generate,
        };
        self.line(kind).pop_front()
    }

    /// Ends the jobs that are cancelled or late.
    pub(super) fn end_stopped(&mut self) {
        for line in [&mut self.generations, &mut self.verifications] {
            for _ in 0..line.len() {
                let Some(job) = line.pop_front() else { break };
                match job.check(0) {
                    Ok(()) => line.push_back(job),
                    Err(error) => job.fail(error),
                }
            }
        }
    }
}
