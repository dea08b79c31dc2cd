// SPDX-License-Identifier: Apache-2.0
//! The jobs whose prompts this node keeps for them, in memory and on disk.

use super::error::StoreError;
use assay_primitives::JobId;
use parking_lot::Mutex;
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};
use sp_core::H256;
use std::{collections::BTreeMap, sync::Arc};

/// The hash of each job's prompt.
const ORDERS: TableDefinition<&[u8; 32], &[u8; 32]> = TableDefinition::new("orders");

/// The jobs that are not over and whose prompts were submitted to this node, with the hashes of these.
pub struct Orders {
    database: Arc<Database>,
    prompts: Mutex<BTreeMap<JobId, H256>>,
}

impl Orders {
    /// Opens the table, creates it if it does not exist, and reads it.
    pub(super) fn open(database: Arc<Database>) -> Result<Self, StoreError> {
        let write = database.begin_write()?;
        write.open_table(ORDERS)?;
        write.commit()?;
        let mut prompts = BTreeMap::new();
        for entry in database.begin_read()?.open_table(ORDERS)?.iter()? {
            let (job, prompt) = entry?;
            prompts.insert(H256(*job.value()), H256(*prompt.value()));
        }
        Ok(Self { database, prompts: Mutex::new(prompts) })
    }

    /// Notes that a prompt belongs to a job.
    pub fn put(&self, job: &JobId, prompt: &H256) -> Result<(), StoreError> {
        if self.prompts.lock().get(job) == Some(prompt) {
            return Ok(());
        }
        let write = self.database.begin_write()?;
        write.open_table(ORDERS)?.insert(&job.0, &prompt.0)?;
        write.commit()?;
        self.prompts.lock().insert(*job, *prompt);
        Ok(())
    }

    /// Forgets the jobs that are `over`.
    pub fn forget(&self, over: impl Fn(&JobId) -> bool) -> Result<(), StoreError> {
        let over: Vec<JobId> =
            self.prompts.lock().keys().copied().filter(|job| over(job)).collect();
        if over.is_empty() {
            return Ok(());
        }
        let write = self.database.begin_write()?;
        {
            let mut orders = write.open_table(ORDERS)?;
            for job in &over {
                orders.remove(&job.0)?;
            }
        }
        write.commit()?;
        let mut prompts = self.prompts.lock();
        for job in over {
            prompts.remove(&job);
        }
        Ok(())
    }

    /// Returns the jobs.
    pub fn jobs(&self) -> Vec<JobId> {
        self.prompts.lock().keys().copied().collect()
    }

    /// Returns the hashes of the prompts.
    pub fn prompts(&self) -> Vec<H256> {
        self.prompts.lock().values().copied().collect()
    }

    /// Forgets the jobs that are in memory, after [`clear`] has removed those on disk.
    pub(super) fn clear_memory(&self) {
        self.prompts.lock().clear();
    }
}

/// Removes all jobs from disk.
pub(super) fn clear(write: &WriteTransaction) -> Result<(), StoreError> {
    write.delete_table(ORDERS)?;
    write.open_table(ORDERS)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    #[test]
    fn orders_survive_a_restart_until_they_are_over() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("store");
        let store = Store::open(&path).unwrap();
        let (one, other) = (JobId::repeat_byte(1), JobId::repeat_byte(2));
        for (job, byte) in [(one, 8), (other, 9)] {
            store.orders.put(&job, &H256::repeat_byte(byte)).unwrap();
        }
        drop(store);
        let store = Store::open(&path).unwrap();
        assert_eq!(store.orders.jobs(), [one, other]);
        store.orders.forget(|job| *job == one).unwrap();
        assert_eq!(store.orders.prompts(), [H256::repeat_byte(9)]);
        drop(store);
        let store = Store::open(&path).unwrap();
        assert_eq!(store.orders.jobs(), [other]);
        store.forget_jobs().unwrap();
        assert_eq!(store.orders.jobs(), []);
        drop(store);
        assert_eq!(Store::open(&path).unwrap().orders.jobs(), []);
    }
}
