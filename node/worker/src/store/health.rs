// SPDX-License-Identifier: Apache-2.0
//! The health of the store: whether it can be written, and whether there is space for new work.
//!
//! Each change is logged once. Between two changes nothing is, however often the store fails.

use super::{error::StoreError, space::SpaceLimits};
use crate::LOG_TARGET;
use parking_lot::{Condvar, Mutex};
use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// The health of a store.
pub struct Health {
    path: PathBuf,
    limits: SpaceLimits,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// The first error since the store was last in order.
    error: Option<(String, Instant)>,
    /// Whether writes are refused until the keeper has opened the store again.
    suspended: bool,
    /// Whether the handle has failed since it was opened.
    failed: bool,
    /// The free bytes that were last measured.
    free: Option<u64>,
    /// The number of errors.
    errors: u64,
    /// Whether the keeper has something to do at once.
    woken: bool,
    closed: bool,
}

impl State {
    fn is_low(&self, limits: &SpaceLimits) -> bool {
        self.free.is_some_and(|free| free < limits.reserve)
    }
}

impl Health {
    /// Starts in order, with no measured space.
    pub fn new(path: &Path, limits: SpaceLimits) -> Self {
        Self { path: path.into(), limits, state: Mutex::default(), changed: Condvar::new() }
    }

    /// Notes that the database has failed. Until it is opened again nothing is written.
    pub fn fail(&self, error: &StoreError) {
        let mut state = self.state.lock();
        (state.failed, state.suspended) = (true, true);
        if !error.follows_another() {
            state.errors += 1;
        }
        if state.error.is_none() {
            // The database's own words: those of the error around them are for a client.
            let reason = match error {
                StoreError::Database(error) => error.to_string(),
                other => other.to_string(),
            };
            log::error!(
                target: LOG_TARGET,
                "the worker's store {} fails: {reason}; results stay in memory and are reported, new \
                 jobs are declined; free space on its disk or mend it, the node tries again by itself",
                self.path.display(),
            );
            state.error = Some((reason, Instant::now()));
            state.woken = true;
            self.changed.notify_all();
        }
    }

    /// Notes that the database is open again, so that it can be read.
    pub fn reopened(&self) {
        self.state.lock().failed = false;
    }

    /// Allows writes again, to try whether they succeed.
    pub fn try_again(&self) {
        self.state.lock().suspended = false;
    }

    /// Notes that all that waited is written.
    pub fn mended(&self) {
        let mut state = self.state.lock();
        if state.failed {
            return;
        }
        if let Some((_, since)) = state.error.take() {
            log::info!(
                target: LOG_TARGET,
                "the worker's store {} is written again after {} s; nothing is lost",
                self.path.display(),
                since.elapsed().as_secs(),
            );
        }
    }

    /// Notes how much space is free.
    pub fn measured(&self, free: Option<u64>) {
        let mut state = self.state.lock();
        let before = state.is_low(&self.limits);
        state.free = free;
        let (folder, reserve) = (self.folder().display(), self.limits.reserve);
        match (before, state.is_low(&self.limits), free) {
            (false, true, Some(free)) => log::warn!(
                target: LOG_TARGET,
                "the disk of {folder} has {free} bytes left, and {reserve} are kept in reserve for \
                 accepted work; new jobs are declined until there is more; free space on it",
            ),
            (true, false, _) => {
                log::info!(target: LOG_TARGET, "the disk of {folder} has space for new jobs again");
            }
            _ => {}
        }
    }

    /// Returns why no new work is taken; `None` if the store is in order.
    pub fn complaint(&self) -> Option<StoreError> {
        let state = self.state.lock();
        if let Some((reason, _)) = &state.error {
            return Some(StoreError::Unusable { path: self.path.clone(), reason: reason.clone() });
        }
        let free = state.free.filter(|_| state.is_low(&self.limits))?;
        let (path, reserve) = (self.folder().into(), self.limits.reserve);
        Some(StoreError::Space { path, free, reserve })
    }

    /// Ensures that writes are not suspended.
    pub fn ensure_writable(&self) -> Result<(), StoreError> {
        let state = self.state.lock();
        match &state.error {
            Some((reason, _)) if state.suspended => {
                Err(StoreError::Unusable { path: self.path.clone(), reason: reason.clone() })
            }
            _ => Ok(()),
        }
    }

    /// Returns whether the database must be opened again.
    pub fn has_failed(&self) -> bool {
        self.state.lock().failed
    }

    /// Returns whether an error stands, so that the store has to be mended.
    pub fn is_broken(&self) -> bool {
        self.state.lock().error.is_some()
    }

    /// Returns the free bytes that were last measured.
    pub fn free(&self) -> Option<u64> {
        self.state.lock().free
    }

    /// Returns the number of errors so far.
    pub fn errors(&self) -> u64 {
        self.state.lock().errors
    }

    /// Returns the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the folder of the file.
    pub fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(&self.path)
    }

    /// Waits until the store has just failed, `time` is over, or the worker ends. Returns `false` if
    /// it ends.
    pub fn wait(&self, time: Duration) -> bool {
        let mut state = self.state.lock();
        let deadline = Instant::now() + time;
        while !state.closed && !state.woken {
            if self.changed.wait_until(&mut state, deadline).timed_out() {
                break;
            }
        }
        state.woken = false;
        !state.closed
    }

    /// Ends the waiting for good.
    pub fn close(&self) {
        self.state.lock().closed = true;
        self.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn health() -> Health {
        Health::new(Path::new("/data/store"), SpaceLimits { start: 5, reserve: 10 })
    }

    fn full() -> StoreError {
        redb::Error::Io(std::io::Error::from_raw_os_error(28)).into()
    }

    #[test]
    fn failed_store_is_not_written_until_it_is_tried_again() {
        let health = health();
        health.fail(&full());
        health.fail(&redb::Error::PreviousIo.into());
        assert_eq!(health.errors(), 1, "the second follows the first");
        let error = health.ensure_writable().unwrap_err().to_string();
        assert!(error.contains("/data/store") && error.contains("No space left"), "{error}");
        assert!(health.complaint().is_some() && health.has_failed());
        health.reopened();
        health.try_again();
        health.ensure_writable().unwrap();
        assert!(health.complaint().is_some(), "it is not known to be in order");
        health.mended();
        assert!(health.complaint().is_none());
    }

    #[test]
    fn store_that_fails_while_it_is_mended_is_not_in_order() {
        let health = health();
        health.fail(&full());
        health.reopened();
        health.try_again();
        health.fail(&full());
        health.mended();
        assert!(health.is_broken() && health.ensure_writable().is_err());
    }

    #[test]
    fn little_space_is_a_reason_to_take_no_new_work() {
        let health = health();
        assert!(health.complaint().is_none());
        health.measured(Some(9));
        let error = health.complaint().unwrap();
        assert!(matches!(error, StoreError::Space { free: 9, reserve: 10, .. }), "{error}");
        health.ensure_writable().unwrap();
        health.measured(Some(10));
        assert!(health.complaint().is_none());
    }

    #[test]
    fn failure_wakes_its_keeper_once() {
        let health = health();
        health.fail(&full());
        assert!(health.wait(Duration::from_secs(600)));
        health.fail(&full());
        assert!(health.wait(Duration::ZERO));
        health.close();
        assert!(!health.wait(Duration::from_secs(600)));
    }
}
