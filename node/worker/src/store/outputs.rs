// SPDX-License-Identifier: Apache-2.0
//! The payloads that are outputs, by job.

use super::{error::StoreError, handle::Handle};
use assay_primitives::JobId;
use redb::{TableDefinition, WriteTransaction};
use sp_core::H256;
use std::sync::Arc;

/// The hash of each job's output.
const OUTPUTS: TableDefinition<&[u8; 32], &[u8; 32]> = TableDefinition::new("outputs");
/// The job of each output's hash.
const OUTPUT_JOBS: TableDefinition<&[u8; 32], &[u8; 32]> = TableDefinition::new("output-jobs");

/// The hashes of outputs, by job.
pub struct Outputs {
    handle: Arc<Handle>,
}

impl Outputs {
    /// Uses the tables, which [`create`] makes.
    pub(super) fn new(handle: Arc<Handle>) -> Self {
        Self { handle }
    }

    /// Notes that a payload is a job's output.
    pub fn put(&self, job: &JobId, hash: &H256) -> Result<(), StoreError> {
        self.handle.write(|write| {
            write.open_table(OUTPUTS)?.insert(&job.0, &hash.0)?;
            write.open_table(OUTPUT_JOBS)?.insert(&hash.0, &job.0)?;
            Ok(())
        })
    }

    /// Returns the hash of a job's output.
    pub fn get(&self, job: &JobId) -> Result<Option<H256>, StoreError> {
        self.handle.read(|read| {
            let hash = read.open_table(OUTPUTS)?.get(&job.0)?;
            Ok(hash.map(|hash| H256(*hash.value())))
        })
    }
}

/// Removes the note on an output whose payload is removed.
pub(super) fn remove(write: &WriteTransaction, hash: &[u8; 32]) -> Result<(), StoreError> {
    let job = write.open_table(OUTPUT_JOBS)?.remove(hash)?.map(|job| *job.value());
    if let Some(job) = job {
        write.open_table(OUTPUTS)?.remove(&job)?;
    }
    Ok(())
}

/// Removes all notes.
pub(super) fn clear(write: &WriteTransaction) -> Result<(), StoreError> {
    write.delete_table(OUTPUTS)?;
    write.delete_table(OUTPUT_JOBS)?;
    create(write)
}

/// Creates the tables that do not exist.
pub(super) fn create(write: &WriteTransaction) -> Result<(), StoreError> {
    write.open_table(OUTPUTS)?;
    write.open_table(OUTPUT_JOBS)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{space::SpaceLimits, Store};

    #[test]
    fn output_is_found_by_its_job() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("store"), SpaceLimits::default()).unwrap();
        let job = JobId::repeat_byte(1);
        assert_eq!(store.outputs.get(&job).unwrap(), None);
        store.outputs.put(&job, &H256::repeat_byte(2)).unwrap();
        assert_eq!(store.outputs.get(&job).unwrap(), Some(H256::repeat_byte(2)));
    }
}
