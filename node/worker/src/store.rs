// SPDX-License-Identifier: Apache-2.0
//! The worker's database: everything but the secret that a restart must not lose. Every write is on
//! disk when the call returns.

pub mod error;
pub mod marks;
pub mod orders;
pub mod outputs;
pub mod payloads;
pub mod results;
pub mod secret;

use error::StoreError;
use orders::Orders;
use outputs::Outputs;
use payloads::Payloads;
use redb::Database;
use results::Results;
use std::{path::Path, sync::Arc};

/// The bytes that the database keeps in memory.
const CACHE_BYTES: usize = 32 << 20;

/// The store.
pub struct Store {
    database: Arc<Database>,
    /// The payloads, by hash.
    pub payloads: Payloads,
    /// The payloads that are outputs, by job.
    pub outputs: Outputs,
    /// The prompts that belong to jobs, by job.
    pub orders: Orders,
    /// The results of jobs that are not yet over.
    pub results: Results,
}

impl Store {
    /// Opens the store, and creates it if there is none.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let database = Database::builder().set_cache_size(CACHE_BYTES).create(path)?;
        let database = Arc::new(database);
        Ok(Self {
            payloads: Payloads::open(database.clone())?,
            outputs: Outputs::open(database.clone())?,
            orders: Orders::open(database.clone())?,
            results: Results::open(database.clone())?,
            database,
        })
    }

    /// Forgets everything about jobs. Payloads stay, because their hashes name them.
    pub fn forget_jobs(&self) -> Result<(), StoreError> {
        let write = self.database.begin_write()?;
        results::clear(&write)?;
        outputs::clear(&write)?;
        orders::clear(&write)?;
        write.commit()?;
        self.results.clear_memory();
        self.orders.clear_memory();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::work::key::{Kind, WorkKey};
    use assay_primitives::{EngineResult, JobId};
    use payloads::Origin;

    #[test]
    fn jobs_are_forgotten_and_payloads_stay() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("store");
        let store = Store::open(&path).unwrap();
        let job = JobId::repeat_byte(1);
        let hash = store.payloads.put(b"an output", Origin::Job, |_| false).unwrap();
        store.outputs.put(&job, &hash).unwrap();
        let key = WorkKey { kind: Kind::Prepare, job, work: job };
        store.results.put(key, EngineResult::Ready { job }).unwrap();
        store.forget_jobs().unwrap();
        assert_eq!(store.results.len(), 0);
        drop(store);
        let store = Store::open(&path).unwrap();
        assert_eq!(store.results.len(), 0);
        assert_eq!(store.outputs.get(&job).unwrap(), None);
        assert!(store.payloads.get(&hash).unwrap().is_some());
    }
}
