// SPDX-License-Identifier: Apache-2.0
//! The worker's database: everything but the secret that a restart must not lose.
//!
//! A write is on disk when its call returns. If the disk fails, results and outputs of this node stay
//! in memory, within a bound, and are served and reported from there. The [`keeper`] then opens the
//! database again and writes them.

pub mod error;
mod handle;
pub mod health;
pub mod keeper;
pub mod marks;
pub mod metrics;
pub mod orders;
pub mod outputs;
pub mod payloads;
pub mod results;
pub mod secret;
pub mod space;
mod unwritten;

use assay_primitives::JobId;
use error::StoreError;
use handle::{Handle, Opener};
use health::Health;
use orders::Orders;
use outputs::Outputs;
use payloads::{Origin, Payloads};
use redb::Database;
use results::Results;
use sp_core::H256;
use space::SpaceLimits;
use std::{path::Path, sync::Arc};
use unwritten::Unwritten;

/// The bytes that the database keeps in memory.
const CACHE_BYTES: usize = 32 << 20;

/// The free bytes below which nothing that waits is tried to be written: a failed attempt costs a
/// repair of the database.
const ATTEMPT_BYTES: u64 = 1 << 20;

/// The store.
pub struct Store {
    handle: Arc<Handle>,
    /// Whether the store can be written, and why not.
    pub health: Arc<Health>,
    /// The payloads, by hash.
    pub payloads: Payloads,
    /// The payloads that are outputs, by job.
    pub outputs: Outputs,
    /// The requests that belong to jobs, by job.
    pub orders: Orders,
    /// The results of jobs that are not yet over.
    pub results: Results,
    unwritten: Unwritten,
}

impl Store {
    /// Opens the store, and creates it if there is none.
    pub fn open(path: &Path, limits: SpaceLimits) -> Result<Self, StoreError> {
        let file = path.to_path_buf();
        let opener = move || Database::builder().set_cache_size(CACHE_BYTES).create(&file);
        Self::open_with(path, limits, Box::new(opener))
    }

    /// Opens the store with a database of that opener.
    fn open_with(path: &Path, limits: SpaceLimits, opener: Opener) -> Result<Self, StoreError> {
        let health = Arc::new(Health::new(path, limits));
        let opened = Handle::open(opener, health.clone()).map(Arc::new);
        let handle = opened.map_err(|error| error.opening(path))?;
        create_tables(&handle).map_err(|error| error.opening(path))?;
        let store = Self {
            payloads: Payloads::open(handle.clone())?,
            outputs: Outputs::new(handle.clone()),
            orders: Orders::open(handle.clone())?,
            results: Results::open(handle.clone())?,
            unwritten: Unwritten::default(),
            handle,
            health,
        };
        store.measure();
        Ok(store)
    }

    /// Returns a payload, from disk or from the outputs that wait to be written.
    pub fn payload(&self, hash: &H256) -> Result<Option<Vec<u8>>, StoreError> {
        match self.unwritten.payload(hash) {
            Some(payload) => Ok(Some(payload.to_vec())),
            None => self.payloads.get(hash),
        }
    }

    /// Returns the length of a payload, and at most `most` of its bytes from `offset` on, from disk or from
    /// the outputs that wait to be written.
    pub fn payload_range(
        &self,
        hash: &H256,
        offset: usize,
        most: usize,
    ) -> Result<Option<(usize, Vec<u8>)>, StoreError> {
        match self.unwritten.payload(hash) {
            Some(payload) => Ok(payloads::range(&payload, offset, most)),
            None => self.payloads.range(hash, offset, most),
        }
    }

    /// Returns the hash of a job's output.
    pub fn output(&self, job: &JobId) -> Result<Option<H256>, StoreError> {
        match self.unwritten.output(job) {
            Some(hash) => Ok(Some(hash)),
            None => self.outputs.get(job),
        }
    }

    /// Writes the output of a job. Payloads that are `spared` stay.
    pub fn write_output(
        &self,
        job: &JobId,
        payload: &[u8],
        spared: impl Fn(&H256) -> bool,
    ) -> Result<(), StoreError> {
        let hash = self.payloads.put(payload, Origin::Job, spared)?;
        self.outputs.put(job, &hash)
    }

    /// Keeps an output that cannot be written in memory until it can. Outputs of `live` jobs stay.
    pub fn keep_unwritten(
        &self,
        job: &JobId,
        payload: &[u8],
        live: impl Fn(&JobId) -> bool,
    ) -> Result<(), StoreError> {
        self.unwritten.put(job, payload, live)
    }

    /// Returns whether an output can be kept, on disk or in memory.
    pub fn has_room(&self) -> bool {
        !self.health.is_broken() || self.unwritten.has_room()
    }

    /// Returns the number of changes that are in memory and not yet on disk.
    pub fn pending(&self) -> usize {
        self.unwritten.len() + self.results.unwritten() + self.orders.unwritten()
    }

    /// Measures the free space.
    pub fn measure(&self) {
        self.health.measured(space::free_bytes(self.health.folder()).ok());
    }

    /// Opens the database again if it has failed, and writes everything that waits. Payloads that are
    /// `spared` stay.
    ///
    /// # Errors
    ///
    /// The database fails again, or the disk is full. What can be read can be read nevertheless.
    pub fn mend(&self, spared: impl Fn(&H256) -> bool) -> Result<(), StoreError> {
        if self.health.has_failed() {
            self.handle.reopen()?;
        }
        if let Some(free) = self.health.free().filter(|free| *free < ATTEMPT_BYTES) {
            let path = self.health.folder().into();
            return Err(StoreError::Space { path, free, reserve: ATTEMPT_BYTES });
        }
        self.health.try_again();
        if let Err(error) = self.write_all(spared) {
            if self.health.has_failed() {
                self.handle.reopen()?;
            }
            return Err(error);
        }
        self.health.mended();
        Ok(())
    }

    fn write_all(&self, spared: impl Fn(&H256) -> bool) -> Result<(), StoreError> {
        // The file may have been removed.
        create_tables(&self.handle)?;
        self.payloads.recount()?;
        for output in self.unwritten.all() {
            self.write_output(&output.job, &output.payload, &spared)?;
            self.unwritten.written(&output.hash);
        }
        self.orders.flush()?;
        self.results.flush()
    }

    /// Forgets everything about jobs. Payloads stay, because their hashes name them.
    pub fn forget_jobs(&self) -> Result<(), StoreError> {
        self.handle.write(|write| {
            results::clear(write)?;
            outputs::clear(write)?;
            orders::clear(write)
        })?;
        self.results.clear_memory();
        self.orders.clear_memory();
        self.unwritten.clear();
        Ok(())
    }
}

/// Creates the tables that do not exist.
fn create_tables(handle: &Handle) -> Result<(), StoreError> {
    handle.write(|write| {
        payloads::create(write)?;
        outputs::create(write)?;
        orders::create(write)?;
        results::create(write)
    })
}

/// Opens a store in a folder of its own, which is removed when it is dropped.
#[cfg(test)]
fn temporary() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("store"), SpaceLimits::default()).unwrap();
    (dir, store)
}

#[cfg(test)]
mod failing;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::work::key::{Kind, WorkKey};
    use assay_primitives::EngineResult;

    #[test]
    fn jobs_are_forgotten_and_payloads_stay() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("store");
        let store = Store::open(&path, SpaceLimits::default()).unwrap();
        let job = JobId::repeat_byte(1);
        let hash = store.payloads.put(b"an output", Origin::Job, |_| false).unwrap();
        store.outputs.put(&job, &hash).unwrap();
        let key = WorkKey { kind: Kind::Prepare, job, work: job };
        store.results.put(key, EngineResult::Ready { job }).unwrap();
        store.forget_jobs().unwrap();
        assert_eq!(store.results.len(), 0);
        drop(store);
        let store = Store::open(&path, SpaceLimits::default()).unwrap();
        assert_eq!(store.results.len(), 0);
        assert_eq!(store.outputs.get(&job).unwrap(), None);
        assert!(store.payloads.get(&hash).unwrap().is_some());
    }
}
