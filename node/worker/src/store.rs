// SPDX-License-Identifier: Apache-2.0
//! What a restart must not lose: payloads by hash, results by job. Every write is on disk when the
//! call returns.

use crate::queue::WorkKey;
use assay_primitives::{EngineResult, JobId};
use codec::{Decode, Encode};
use redb::{Database, ReadableDatabase, ReadableTable, ReadableTableMetadata, TableDefinition};
use sp_core::H256;
use sp_crypto_hashing::blake2_256;
use std::{collections::BTreeMap, path::Path};

/// The most bytes of a prompt.
pub const MAX_PROMPT_BYTES: usize = 1 << 20;

/// The most bytes of a payload: of a prompt, or of a transcript, which has a prompt's tokens too.
pub const MAX_PAYLOAD_BYTES: usize = 8 << 20;

/// The most bytes of all payloads; beyond it the oldest go.
const MAX_STORED_BYTES: u64 = 256 << 20;

/// Hash to number of the payload.
const NUMBERS: TableDefinition<&[u8; 32], u64> = TableDefinition::new("payload-numbers");
/// Payloads in the order of their arrival.
const PAYLOADS: TableDefinition<u64, &[u8]> = TableDefinition::new("payloads");
/// Work key to result.
const RESULTS: TableDefinition<&[u8], &[u8]> = TableDefinition::new("results");
/// Job to the hash of its output.
const OUTPUTS: TableDefinition<&[u8; 32], &[u8; 32]> = TableDefinition::new("outputs");

/// Why something could not be stored or read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The payload exceeds [`MAX_PROMPT_BYTES`] or [`MAX_PAYLOAD_BYTES`].
    #[error("the payload has {bytes} bytes and the limit is {limit}; shorten it")]
    TooLarge {
        /// Its length.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// The database refuses.
    #[error("the worker's store fails: {0}; check the disk and the permissions of its folder")]
    Database(#[from] redb::Error),
}

macro_rules! from_redb {
    ($($error:ty),*) => {$(
        impl From<$error> for StoreError {
            fn from(error: $error) -> Self {
                Self::Database(error.into())
            }
        }
    )*};
}
from_redb!(
    redb::DatabaseError,
    redb::TransactionError,
    redb::TableError,
    redb::StorageError,
    redb::CommitError
);

/// The store.
pub struct Store(Database);

impl Store {
    /// Opens it, or makes it when there is none.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let database = Database::create(path)?;
        let write = database.begin_write()?;
        write.open_table(NUMBERS)?;
        write.open_table(PAYLOADS)?;
        write.open_table(RESULTS)?;
        write.open_table(OUTPUTS)?;
        write.commit()?;
        Ok(Self(database))
    }

    /// Keeps a payload; gives its blake2_256 hash.
    pub fn put_payload(&self, bytes: &[u8]) -> Result<H256, StoreError> {
        if bytes.len() > MAX_PAYLOAD_BYTES {
            return Err(StoreError::TooLarge { bytes: bytes.len(), limit: MAX_PAYLOAD_BYTES });
        }
        let hash = blake2_256(bytes);
        let write = self.0.begin_write()?;
        {
            let mut numbers = write.open_table(NUMBERS)?;
            let mut payloads = write.open_table(PAYLOADS)?;
            if numbers.get(&hash)?.is_none() {
                let number = payloads.last()?.map_or(0, |(last, _)| last.value() + 1);
                payloads.insert(number, bytes)?;
                numbers.insert(&hash, number)?;
                while payloads.stats()?.stored_bytes() > MAX_STORED_BYTES && payloads.len()? > 1 {
                    if let Some((_, oldest)) = payloads.pop_first()? {
                        numbers.remove(&blake2_256(oldest.value()))?;
                    }
                }
            }
        }
        write.commit()?;
        Ok(hash.into())
    }

    /// The payload with that hash.
    pub fn payload(&self, hash: &H256) -> Result<Option<Vec<u8>>, StoreError> {
        let read = self.0.begin_read()?;
        let Some(number) = read.open_table(NUMBERS)?.get(&hash.0)? else { return Ok(None) };
        let payload = read.open_table(PAYLOADS)?.get(number.value())?;
        Ok(payload.map(|bytes| bytes.value().to_vec()))
    }

    /// Keeps a result.
    pub fn put_result(&self, key: &WorkKey, result: &EngineResult) -> Result<(), StoreError> {
        let write = self.0.begin_write()?;
        write.open_table(RESULTS)?.insert(key.encode().as_slice(), result.encode().as_slice())?;
        write.commit()?;
        Ok(())
    }

    /// Forgets results.
    pub fn remove_results(&self, keys: &[WorkKey]) -> Result<(), StoreError> {
        let write = self.0.begin_write()?;
        {
            let mut results = write.open_table(RESULTS)?;
            for key in keys {
                results.remove(key.encode().as_slice())?;
            }
        }
        write.commit()?;
        Ok(())
    }

    /// All results.
    pub fn results(&self) -> Result<BTreeMap<WorkKey, EngineResult>, StoreError> {
        let read = self.0.begin_read()?;
        let mut results = BTreeMap::new();
        for entry in read.open_table(RESULTS)?.iter()? {
            let (key, result) = entry?;
            // What an older version wrote and this one cannot read is derived again.
            if let (Ok(key), Ok(result)) =
                (WorkKey::decode(&mut key.value()), EngineResult::decode(&mut result.value()))
            {
                results.insert(key, result);
            }
        }
        Ok(results)
    }

    /// Notes which payload is a job's output.
    pub fn put_output(&self, job: &JobId, hash: &H256) -> Result<(), StoreError> {
        let write = self.0.begin_write()?;
        write.open_table(OUTPUTS)?.insert(&job.0, &hash.0)?;
        write.commit()?;
        Ok(())
    }

    /// Which payload is the job's output.
    pub fn output(&self, job: &JobId) -> Result<Option<H256>, StoreError> {
        let read = self.0.begin_read()?;
        let hash = read.open_table(OUTPUTS)?.get(&job.0)?;
        Ok(hash.map(|hash| H256(*hash.value())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::Kind;

    fn store() -> (tempfile::TempDir, Store) {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("store")).unwrap();
        (dir, store)
    }

    #[test]
    fn payload_is_found_by_its_hash() {
        let (_dir, store) = store();
        let hash = store.put_payload(b"In the beginning").unwrap();
        assert_eq!(hash.0, blake2_256(b"In the beginning"));
        assert_eq!(store.payload(&hash).unwrap().unwrap(), b"In the beginning");
        assert_eq!(store.payload(&H256::zero()).unwrap(), None);
    }

    #[test]
    fn payload_over_the_limit_is_refused() {
        let (_dir, store) = store();
        let error = store.put_payload(&vec![0; MAX_PAYLOAD_BYTES + 1]).unwrap_err();
        assert!(
            matches!(error, StoreError::TooLarge { bytes, .. } if bytes == MAX_PAYLOAD_BYTES + 1)
        );
    }

    #[test]
    fn oldest_payloads_go_when_the_store_is_full() {
        let (_dir, store) = store();
        let payload = |n: u32| {
            let mut bytes = vec![0; MAX_PAYLOAD_BYTES];
            bytes[..4].copy_from_slice(&n.to_le_bytes());
            bytes
        };
        let first = store.put_payload(&payload(0)).unwrap();
        let mut last = first;
        for n in 1..=(MAX_STORED_BYTES / MAX_PAYLOAD_BYTES as u64) as u32 {
            last = store.put_payload(&payload(n)).unwrap();
        }
        assert_eq!(store.payload(&first).unwrap(), None);
        assert!(store.payload(&last).unwrap().is_some());
    }

    #[test]
    fn results_survive_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("store");
        let job = JobId::repeat_byte(1);
        let key = WorkKey { kind: Kind::Prepare, job };
        let result = EngineResult::Ready { job };
        Store::open(&path).unwrap().put_result(&key, &result).unwrap();
        let store = Store::open(&path).unwrap();
        assert_eq!(store.results().unwrap(), BTreeMap::from([(key.clone(), result)]));
        store.remove_results(&[key]).unwrap();
        assert!(store.results().unwrap().is_empty());
    }

    #[test]
    fn output_is_found_by_its_job() {
        let (_dir, store) = store();
        let job = JobId::repeat_byte(1);
        assert_eq!(store.output(&job).unwrap(), None);
        store.put_output(&job, &H256::repeat_byte(2)).unwrap();
        assert_eq!(store.output(&job).unwrap(), Some(H256::repeat_byte(2)));
    }
}
