// SPDX-License-Identifier: Apache-2.0
//! What a restart must not lose: payloads by hash, results by job. Every write is on disk when the
//! call returns.

use crate::queue::WorkKey;
use assay_primitives::{EngineResult, JobId};
use codec::{Decode, Encode};
use parking_lot::Mutex;
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};
use sp_core::H256;
use sp_crypto_hashing::blake2_256;
use std::{collections::BTreeMap, path::Path};

/// The most bytes of a prompt.
pub const MAX_PROMPT_BYTES: usize = 1 << 20;

/// The most bytes of a payload: of a prompt, or of a transcript, which has a prompt's tokens too.
pub const MAX_PAYLOAD_BYTES: usize = 8 << 20;

/// What a payload counts beside its bytes: a store of empty ones is bounded too.
const FRAME: u64 = 256;

/// Bytes that the database keeps in memory.
const CACHE_BYTES: usize = 32 << 20;

/// Where a payload comes from. Each kind has a quota of its own, so that what anyone can submit
/// never displaces what jobs need.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Origin {
    /// A client gave it to this node.
    Submitted = 0,
    /// It belongs to a job that this node runs, re-checks or shows.
    Job = 1,
}

impl Origin {
    const ALL: [Self; 2] = [Self::Submitted, Self::Job];

    /// The most bytes of all payloads of this kind; beyond it the oldest go.
    fn quota(self) -> u64 {
        match self {
            Self::Submitted => 64 << 20,
            Self::Job => 256 << 20,
        }
    }

    /// The same with those that are spared.
    fn limit(self) -> u64 {
        4 * self.quota()
    }
}

/// Hash to payload.
const PAYLOADS: TableDefinition<&[u8; 32], &[u8]> = TableDefinition::new("payloads");
/// Hash to the place of the payload in [`ORDER`].
const PLACES: TableDefinition<&[u8; 32], (u8, u64)> = TableDefinition::new("payload-places");
/// The payloads of each origin in the order in which they were last given, with what they count.
const ORDER: TableDefinition<(u8, u64), (&[u8; 32], u64)> = TableDefinition::new("payload-order");
/// Work key to result.
const RESULTS: TableDefinition<&[u8], &[u8]> = TableDefinition::new("results");
/// Job to the hash of its output.
const OUTPUTS: TableDefinition<&[u8; 32], &[u8; 32]> = TableDefinition::new("outputs");
/// Hash of an output to its job.
const OUTPUT_JOBS: TableDefinition<&[u8; 32], &[u8; 32]> = TableDefinition::new("output-jobs");

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
pub struct Store {
    database: Database,
    /// What the payloads of each origin count.
    totals: Mutex<[u64; 2]>,
}

impl Store {
    /// Opens it, or makes it when there is none.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let database = Database::builder().set_cache_size(CACHE_BYTES).create(path)?;
        let write = database.begin_write()?;
        write.open_table(PAYLOADS)?;
        write.open_table(PLACES)?;
        let mut totals = [0; 2];
        for (origin, total) in Origin::ALL.into_iter().zip(&mut totals) {
            for entry in write.open_table(ORDER)?.range(places(origin))? {
                *total += entry?.1.value().1;
            }
        }
        write.open_table(RESULTS)?;
        write.open_table(OUTPUTS)?;
        write.open_table(OUTPUT_JOBS)?;
        write.commit()?;
        Ok(Self { database, totals: Mutex::new(totals) })
    }

    /// Keeps a payload, as the newest of its origin; gives its blake2_256 hash. Where its origin has
    /// too many, the oldest go, but those that are `spared`.
    pub fn put_payload(
        &self,
        bytes: &[u8],
        origin: Origin,
        spared: impl Fn(&H256) -> bool,
    ) -> Result<H256, StoreError> {
        if bytes.len() > MAX_PAYLOAD_BYTES {
            return Err(StoreError::TooLarge { bytes: bytes.len(), limit: MAX_PAYLOAD_BYTES });
        }
        let hash = H256(blake2_256(bytes));
        let write = self.database.begin_write()?;
        // Writing is for one at a time, so the totals are those of this transaction.
        let mut totals = *self.totals.lock();
        let known = write.open_table(PLACES)?.get(&hash.0)?.map(|place| place.value());
        let origin = match known {
            // What a job needs stays with the jobs.
            Some((known, _)) if known == Origin::Job as u8 => Origin::Job,
            _ => origin,
        };
        match known {
            Some(place) => {
                if let Some(entry) = write.open_table(ORDER)?.remove(place)? {
                    totals[usize::from(place.0)] -= entry.value().1;
                }
            }
            None => {
                write.open_table(PAYLOADS)?.insert(&hash.0, bytes)?;
            }
        }
        let counts = bytes.len() as u64 + FRAME;
        totals[origin as usize] += counts;
        {
            let mut order = write.open_table(ORDER)?;
            let last = order.range(places(origin))?.next_back().transpose()?;
            let place = (origin as u8, last.map_or(0, |(place, _)| place.value().1 + 1));
            order.insert(place, (&hash.0, counts))?;
            write.open_table(PLACES)?.insert(&hash.0, place)?;
        }
        let total = &mut totals[origin as usize];
        let kept = |other: &H256| *other == hash || spared(other);
        evict(&write, origin, total, origin.quota(), kept)?;
        evict(&write, origin, total, origin.limit(), |other| *other == hash)?;
        write.commit()?;
        *self.totals.lock() = totals;
        Ok(hash)
    }

    /// The payload with that hash.
    pub fn payload(&self, hash: &H256) -> Result<Option<Vec<u8>>, StoreError> {
        let read = self.database.begin_read()?;
        let payload = read.open_table(PAYLOADS)?.get(&hash.0)?;
        Ok(payload.map(|bytes| bytes.value().to_vec()))
    }

    /// Keeps a result.
    pub fn put_result(&self, key: &WorkKey, result: &EngineResult) -> Result<(), StoreError> {
        let write = self.database.begin_write()?;
        write.open_table(RESULTS)?.insert(key.encode().as_slice(), result.encode().as_slice())?;
        write.commit()?;
        Ok(())
    }

    /// Forgets results.
    pub fn remove_results(&self, keys: &[WorkKey]) -> Result<(), StoreError> {
        let write = self.database.begin_write()?;
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
        let read = self.database.begin_read()?;
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
        let write = self.database.begin_write()?;
        write.open_table(OUTPUTS)?.insert(&job.0, &hash.0)?;
        write.open_table(OUTPUT_JOBS)?.insert(&hash.0, &job.0)?;
        write.commit()?;
        Ok(())
    }

    /// Forgets all that it knows of jobs. Payloads stay: their hashes name them.
    pub fn forget_jobs(&self) -> Result<(), StoreError> {
        let write = self.database.begin_write()?;
        write.delete_table(RESULTS)?;
        write.delete_table(OUTPUTS)?;
        write.delete_table(OUTPUT_JOBS)?;
        write.open_table(RESULTS)?;
        write.open_table(OUTPUTS)?;
        write.open_table(OUTPUT_JOBS)?;
        write.commit()?;
        Ok(())
    }

    /// Which payload is the job's output.
    pub fn output(&self, job: &JobId) -> Result<Option<H256>, StoreError> {
        let read = self.database.begin_read()?;
        let hash = read.open_table(OUTPUTS)?.get(&job.0)?;
        Ok(hash.map(|hash| H256(*hash.value())))
    }
}

/// All places of an origin.
fn places(origin: Origin) -> std::ops::RangeInclusive<(u8, u64)> {
    (origin as u8, 0)..=(origin as u8, u64::MAX)
}

/// Removes the oldest payloads of an origin until they count no more than `limit`, but those that are
/// `kept`; with an output what is noted of its job.
fn evict(
    write: &WriteTransaction,
    origin: Origin,
    total: &mut u64,
    limit: u64,
    kept: impl Fn(&H256) -> bool,
) -> Result<(), StoreError> {
    if *total <= limit {
        return Ok(());
    }
    let mut order = write.open_table(ORDER)?;
    let mut victims = Vec::new();
    for entry in order.range(places(origin))? {
        let (place, entry) = entry?;
        let (hash, counts) = entry.value();
        if *total <= limit {
            break;
        }
        if !kept(&H256(*hash)) {
            *total -= counts;
            victims.push((place.value(), *hash));
        }
    }
    for (place, hash) in victims {
        order.remove(place)?;
        write.open_table(PLACES)?.remove(&hash)?;
        write.open_table(PAYLOADS)?.remove(&hash)?;
        let job = write.open_table(OUTPUT_JOBS)?.remove(&hash)?.map(|job| *job.value());
        if let Some(job) = job {
            write.open_table(OUTPUTS)?.remove(&job)?;
        }
    }
    Ok(())
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

    fn put(store: &Store, bytes: &[u8], origin: Origin) -> H256 {
        store.put_payload(bytes, origin, |_| false).unwrap()
    }

    /// Different payloads of that length.
    fn payload(n: u32, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        bytes[..4].copy_from_slice(&n.to_le_bytes());
        bytes
    }

    /// Fills the quota of the origin, and more.
    fn flood(store: &Store, origin: Origin, spared: impl Fn(&H256) -> bool) -> H256 {
        let count = origin.quota() / MAX_PAYLOAD_BYTES as u64;
        let put = |n: u64| {
            let bytes = payload(1_000 + n as u32, MAX_PAYLOAD_BYTES);
            store.put_payload(&bytes, origin, &spared).unwrap()
        };
        (0..=count).map(put).last().unwrap()
    }

    #[test]
    fn payload_is_found_by_its_hash() {
        let (_dir, store) = store();
        let hash = put(&store, b"In the beginning", Origin::Submitted);
        assert_eq!(hash.0, blake2_256(b"In the beginning"));
        assert_eq!(store.payload(&hash).unwrap().unwrap(), b"In the beginning");
        assert_eq!(store.payload(&H256::zero()).unwrap(), None);
    }

    #[test]
    fn payload_over_the_limit_is_refused() {
        let (_dir, store) = store();
        let bytes = vec![0; MAX_PAYLOAD_BYTES + 1];
        let error = store.put_payload(&bytes, Origin::Job, |_| false).unwrap_err();
        assert!(
            matches!(error, StoreError::TooLarge { bytes, .. } if bytes == MAX_PAYLOAD_BYTES + 1)
        );
    }

    #[test]
    fn oldest_payloads_go_when_the_quota_is_full() {
        let (_dir, store) = store();
        let first = put(&store, b"first", Origin::Submitted);
        let second = put(&store, b"second", Origin::Submitted);
        put(&store, b"first", Origin::Submitted);
        let last = flood(&store, Origin::Submitted, |hash| *hash == second);
        assert_eq!(store.payload(&first).unwrap(), None);
        assert!(store.payload(&second).unwrap().is_some(), "it was spared");
        assert!(store.payload(&last).unwrap().is_some());
        assert!(store.totals.lock()[0] <= Origin::Submitted.quota());
    }

    #[test]
    fn payload_that_is_given_again_is_the_newest() {
        let (_dir, store) = store();
        let again = put(&store, &payload(1, 4), Origin::Submitted);
        let count = Origin::Submitted.quota() / MAX_PAYLOAD_BYTES as u64;
        for n in 0..count - 1 {
            put(&store, &payload(2 + n as u32, MAX_PAYLOAD_BYTES), Origin::Submitted);
        }
        assert_eq!(put(&store, &payload(1, 4), Origin::Submitted), again);
        put(&store, &payload(99, MAX_PAYLOAD_BYTES), Origin::Submitted);
        assert!(store.payload(&again).unwrap().is_some());
    }

    #[test]
    fn what_is_submitted_displaces_nothing_of_a_job() {
        let (_dir, store) = store();
        let (prompt, other) = (put(&store, b"prompt", Origin::Submitted), b"transcript");
        let transcript = put(&store, other, Origin::Job);
        assert_eq!(put(&store, b"prompt", Origin::Job), prompt, "a job needs it now");
        assert_eq!(put(&store, b"prompt", Origin::Submitted), prompt);
        flood(&store, Origin::Submitted, |_| false);
        assert!(store.payload(&prompt).unwrap().is_some());
        assert!(store.payload(&transcript).unwrap().is_some());
    }

    #[test]
    fn totals_are_those_of_what_is_stored() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("store");
        let store = Store::open(&path).unwrap();
        put(&store, b"one", Origin::Submitted);
        put(&store, b"one", Origin::Job);
        put(&store, b"three", Origin::Job);
        let totals = *store.totals.lock();
        assert_eq!(totals, [0, 8 + 2 * FRAME]);
        drop(store);
        assert_eq!(*Store::open(&path).unwrap().totals.lock(), totals);
    }

    #[test]
    fn output_goes_with_its_payload() {
        let (_dir, store) = store();
        let job = JobId::repeat_byte(1);
        let hash = put(&store, b"an output", Origin::Job);
        store.put_output(&job, &hash).unwrap();
        flood(&store, Origin::Job, |_| false);
        assert_eq!(store.payload(&hash).unwrap(), None);
        assert_eq!(store.output(&job).unwrap(), None);
    }

    #[test]
    fn jobs_are_forgotten_and_payloads_stay() {
        let (_dir, store) = store();
        let job = JobId::repeat_byte(1);
        let hash = put(&store, b"an output", Origin::Job);
        store.put_output(&job, &hash).unwrap();
        let key = WorkKey { kind: Kind::Prepare, job, work: job };
        store.put_result(&key, &EngineResult::Ready { job }).unwrap();
        store.forget_jobs().unwrap();
        assert!(store.results().unwrap().is_empty() && store.output(&job).unwrap().is_none());
        assert!(store.payload(&hash).unwrap().is_some());
    }

    #[test]
    fn results_survive_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("store");
        let job = JobId::repeat_byte(1);
        let key = WorkKey { kind: Kind::Prepare, job, work: job };
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
