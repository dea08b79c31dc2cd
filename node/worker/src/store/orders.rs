// SPDX-License-Identifier: Apache-2.0
//! The jobs whose prompts this node keeps for them, in memory and on disk.

use super::{error::StoreError, handle::Handle};
use crate::LOG_TARGET;
use assay_primitives::JobId;
use parking_lot::Mutex;
use redb::{ReadTransaction, ReadableTable, TableDefinition, WriteTransaction};
use sp_core::H256;
use std::{collections::BTreeMap, sync::Arc};

/// The hash of each job's prompt.
const ORDERS: TableDefinition<&[u8; 32], &[u8; 32]> = TableDefinition::new("orders");

/// The jobs that are not over and whose prompts were submitted to this node, or whose outputs it has
/// generated, with the hashes of these prompts.
pub struct Orders {
    /// What is known. The disk follows it; where that fails, [`Self::flush`] writes it later.
    prompts: Mutex<BTreeMap<JobId, H256>>,
    /// Held while what is known changes and is written, so that no older state is written later.
    writing: Mutex<()>,
    handle: Arc<Handle>,
}

impl Orders {
    /// Reads all orders from the table, which [`create`] makes.
    pub(super) fn open(handle: Arc<Handle>) -> Result<Self, StoreError> {
        let prompts = Mutex::new(handle.read(read_all)?);
        Ok(Self { prompts, writing: Mutex::default(), handle })
    }

    /// Notes that a prompt belongs to a job, in memory first.
    ///
    /// # Errors
    ///
    /// The note is not on disk yet.
    pub fn put(&self, job: &JobId, prompt: &H256) -> Result<(), StoreError> {
        let _writing = self.writing.lock();
        if self.prompts.lock().insert(*job, *prompt) == Some(*prompt) {
            return Ok(());
        }
        self.handle.write(|write| {
            write.open_table(ORDERS)?.insert(&job.0, &prompt.0)?;
            Ok(())
        })
    }

    /// Forgets the jobs that are `over`. One that stays on disk is forgotten again after a restart.
    pub fn forget(&self, over: impl Fn(&JobId) -> bool) {
        let _writing = self.writing.lock();
        let mut gone = Vec::new();
        self.prompts.lock().retain(|job, _| {
            let is_over = over(job);
            if is_over {
                gone.push(*job);
            }
            !is_over
        });
        if gone.is_empty() {
            return;
        }
        let written = self.handle.write(|write| {
            let mut orders = write.open_table(ORDERS)?;
            for job in &gone {
                orders.remove(&job.0)?;
            }
            Ok(())
        });
        if let Err(error) = written {
            log::debug!(target: LOG_TARGET, "orders that are over stay on disk: {error}");
        }
    }

    /// Writes what is known in place of what is on disk.
    pub(super) fn flush(&self) -> Result<(), StoreError> {
        let _writing = self.writing.lock();
        let known = self.prompts.lock().clone();
        self.handle.write(|write| {
            clear(write)?;
            let mut orders = write.open_table(ORDERS)?;
            for (job, prompt) in &known {
                orders.insert(&job.0, &prompt.0)?;
            }
            Ok(())
        })
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

/// Reads all orders.
fn read_all(read: &ReadTransaction) -> Result<BTreeMap<JobId, H256>, StoreError> {
    let mut prompts = BTreeMap::new();
    for entry in read.open_table(ORDERS)?.iter()? {
        let (job, prompt) = entry?;
        prompts.insert(H256(*job.value()), H256(*prompt.value()));
    }
    Ok(prompts)
}

/// Removes all orders from disk.
pub(super) fn clear(write: &WriteTransaction) -> Result<(), StoreError> {
    write.delete_table(ORDERS)?;
    create(write)
}

/// Creates the table if it does not exist.
pub(super) fn create(write: &WriteTransaction) -> Result<(), StoreError> {
    write.open_table(ORDERS)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{space::SpaceLimits, Store};

    #[test]
    fn orders_survive_a_restart_until_they_are_over() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("store");
        let open = || Store::open(&path, SpaceLimits::default()).unwrap();
        let store = open();
        let (one, other) = (JobId::repeat_byte(1), JobId::repeat_byte(2));
        for (job, byte) in [(one, 8), (other, 9)] {
            store.orders.put(&job, &H256::repeat_byte(byte)).unwrap();
        }
        drop(store);
        let store = open();
        assert_eq!(store.orders.jobs(), [one, other]);
        store.orders.forget(|job| *job == one);
        assert_eq!(store.orders.prompts(), [H256::repeat_byte(9)]);
        drop(store);
        let store = open();
        assert_eq!(store.orders.jobs(), [other]);
        store.forget_jobs().unwrap();
        assert_eq!(store.orders.jobs(), []);
        drop(store);
        assert_eq!(open().orders.jobs(), []);
    }
}
