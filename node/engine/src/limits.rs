// SPDX-License-Identifier: Apache-2.0
//! The limits of a job. A job that exceeds one ends in an error, never in a shortened answer.

use crate::EngineError;
use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Instant,
};

/// Bounds of one job.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes that the key-value cache and the scratch space may take, in addition to the model.
    pub memory_bytes: u64,
    /// The time by which the job must have ended.
    pub deadline: Option<Instant>,
}

impl Default for Limits {
    /// Returns limits of one GiB and no deadline.
    fn default() -> Self {
        Self { memory_bytes: 1 << 30, deadline: None }
    }
}

impl Limits {
    /// Returns an error once the job is cancelled or late; `tokens` have gone through the model so
    /// far.
    pub(crate) fn check(&self, cancel: &AtomicBool, tokens: usize) -> Result<(), EngineError> {
        if cancel.load(Ordering::Relaxed) {
            return Err(EngineError::Cancelled { tokens });
        }
        match self.deadline {
            Some(deadline) if Instant::now() >= deadline => Err(EngineError::Deadline { tokens }),
            _ => Ok(()),
        }
    }
}
