// SPDX-License-Identifier: Apache-2.0
//! The flags that stop work while it runs.

use super::key::WorkKey;
use parking_lot::Mutex;
use std::{
    collections::BTreeMap,
    sync::{
        atomic::{AtomicBool, Ordering},
        Arc,
    },
};

/// The flags that stop work while it runs.
#[derive(Default)]
pub struct Cancellations(Mutex<Flags>);

#[derive(Default)]
struct Flags {
    by_key: BTreeMap<WorkKey, Arc<AtomicBool>>,
    /// Whether the worker ends, so that work that begins now is stopped at once.
    closed: bool,
}

impl Cancellations {
    /// Returns the flag of some work, which stops it when it is set.
    pub fn flag(&self, key: &WorkKey) -> Arc<AtomicBool> {
        let mut flags = self.0.lock();
        let closed = flags.closed;
        let flag = flags.by_key.entry(key.clone()).or_default();
        flag.fetch_or(closed, Ordering::Relaxed);
        flag.clone()
    }

    /// Stops work that runs or is about to run.
    pub fn cancel(&self, key: &WorkKey) {
        self.flag(key).store(true, Ordering::Relaxed);
    }

    /// Removes the flag of work that has ended.
    pub fn remove(&self, key: &WorkKey) {
        self.0.lock().by_key.remove(key);
    }

    /// Stops all work, including the work that begins later.
    pub fn close(&self) {
        let mut flags = self.0.lock();
        flags.closed = true;
        for flag in flags.by_key.values() {
            flag.store(true, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::work::key::Kind;
    use assay_primitives::JobId;

    fn key(n: u8) -> WorkKey {
        WorkKey { kind: Kind::Generate, job: JobId::repeat_byte(n), work: JobId::zero() }
    }

    #[test]
    fn cancelled_work_is_stopped_alone() {
        let cancellations = Cancellations::default();
        let (one, other) = (cancellations.flag(&key(1)), cancellations.flag(&key(2)));
        cancellations.cancel(&key(1));
        assert!(one.load(Ordering::Relaxed) && !other.load(Ordering::Relaxed));
        cancellations.remove(&key(1));
        assert!(!cancellations.flag(&key(1)).load(Ordering::Relaxed), "it begins anew");
    }

    #[test]
    fn work_that_begins_after_the_end_is_stopped() {
        let cancellations = Cancellations::default();
        let before = cancellations.flag(&key(1));
        cancellations.close();
        assert!(before.load(Ordering::Relaxed));
        assert!(cancellations.flag(&key(2)).load(Ordering::Relaxed));
    }
}
