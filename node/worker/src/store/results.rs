// SPDX-License-Identifier: Apache-2.0
//! The results of jobs that are not yet over, in memory and on disk.

use super::{error::StoreError, handle::Handle};
use crate::work::key::WorkKey;
use assay_primitives::{EngineResult, JobId};
use codec::{Decode, Encode};
use parking_lot::{Condvar, Mutex};
use redb::{ReadTransaction, ReadableTable, TableDefinition, WriteTransaction};
use sp_core::H256;
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
    sync::Arc,
    time::Instant,
};

/// The result of each work key, both as SCALE encodings.
const RESULTS: TableDefinition<&[u8], &[u8]> = TableDefinition::new("results");

#[derive(Default)]
struct Known {
    by_key: BTreeMap<WorkKey, EngineResult>,
    /// The keys of the results that are not on disk yet.
    unwritten: BTreeSet<WorkKey>,
    /// The keys of results that are forgotten and still on disk.
    gone: BTreeSet<WorkKey>,
    /// The key after which the next poll starts, so that bounded polls reach all results.
    cursor: Option<WorkKey>,
}

/// The results of jobs that are not yet over.
pub struct Results {
    known: Mutex<Known>,
    /// Held while results are written and what is on disk is noted.
    writing: Mutex<()>,
    added: Condvar,
    handle: Arc<Handle>,
}

impl Results {
    /// Reads all results from the table, which [`create`] makes.
    pub(super) fn open(handle: Arc<Handle>) -> Result<Self, StoreError> {
        let by_key = handle.read(read_all)?;
        let known = Mutex::new(Known { by_key, ..Known::default() });
        Ok(Self { known, writing: Mutex::default(), added: Condvar::new(), handle })
    }

    /// Keeps a result, on disk first. A result that cannot be written stays in memory until it can,
    /// and is reported all the same. It is a function of the job and of the node's secret, so a node
    /// that loses it finds it again. Only an abstention for want of a payload may turn into a finding,
    /// which cannot be revealed then; that costs as much as a report that is withheld.
    ///
    /// # Errors
    ///
    /// The result is not on disk yet.
    pub fn put(&self, key: WorkKey, result: EngineResult) -> Result<(), StoreError> {
        let _writing = self.writing.lock();
        let written = self.handle.write(|write| insert(write, &key, &result));
        let mut known = self.known.lock();
        if written.is_err() {
            known.unwritten.insert(key.clone());
        }
        known.gone.remove(&key);
        known.by_key.insert(key, result);
        drop(known);
        self.added.notify_all();
        written
    }

    /// Writes everything that could not be written before, and in case the database was lost,
    /// everything else.
    pub(super) fn flush(&self) -> Result<(), StoreError> {
        let _writing = self.writing.lock();
        let (kept, gone) = {
            let known = self.known.lock();
            (known.by_key.clone(), known.gone.clone())
        };
        self.handle.write(|write| {
            remove(write, &gone)?;
            kept.iter().try_for_each(|(key, result)| insert(write, key, result))
        })?;
        let mut known = self.known.lock();
        known.unwritten.retain(|key| !kept.contains_key(key));
        known.gone.retain(|key| !gone.contains(key));
        Ok(())
    }

    /// Returns the number of changes that are not on disk yet.
    pub fn unwritten(&self) -> usize {
        let known = self.known.lock();
        known.unwritten.len() + known.gone.len()
    }

    /// Waits for a result; `None` if there is none by the deadline.
    pub fn wait(&self, key: &WorkKey, deadline: Instant) -> Option<EngineResult> {
        let mut known = self.known.lock();
        loop {
            if let Some(result) = known.by_key.get(key) {
                return Some(result.clone());
            }
            if self.added.wait_until(&mut known, deadline).timed_out() {
                return None;
            }
        }
    }

    /// Returns the result of some work, if there is one.
    pub fn get(&self, key: &WorkKey) -> Option<EngineResult> {
        self.known.lock().by_key.get(key).cloned()
    }

    /// Returns at most `max` results, starting after those that the previous call returned.
    pub fn poll(&self, max: u32) -> Vec<EngineResult> {
        let mut known = self.known.lock();
        let start = match known.cursor.take() {
            Some(cursor) if known.by_key.len() > max as usize => Bound::Excluded(cursor),
            _ => Bound::Unbounded,
        };
        let after = known.by_key.range((start.clone(), Bound::Unbounded));
        let before = known.by_key.iter().take_while(|(key, _)| match &start {
            Bound::Excluded(cursor) => *key <= cursor,
            _ => false,
        });
        let page: Vec<(WorkKey, EngineResult)> = after
            .chain(before)
            .take(max as usize)
            .map(|(key, result)| (key.clone(), result.clone()))
            .collect();
        known.cursor = page.last().map(|(key, _)| key.clone());
        page.into_iter().map(|(_, result)| result).collect()
    }

    /// Returns the hashes of the outputs that this node has committed to.
    pub fn outputs(&self) -> BTreeSet<H256> {
        let known = self.known.lock();
        let outputs = known.by_key.values().filter_map(|result| match result {
            EngineResult::Generated { commitment, .. } => Some(commitment.output_hash),
            _ => None,
        });
        outputs.collect()
    }

    /// Returns the jobs whose outputs this node has committed to, with the hashes of these.
    pub fn generated(&self) -> Vec<(JobId, H256)> {
        let known = self.known.lock();
        let generated = known.by_key.values().filter_map(|result| match result {
            EngineResult::Generated { job, commitment, .. } => Some((*job, commitment.output_hash)),
            _ => None,
        });
        generated.collect()
    }

    /// Forgets the results that are in memory, after [`clear`] has removed those on disk.
    pub(super) fn clear_memory(&self) {
        *self.known.lock() = Known::default();
    }

    /// Returns the jobs that have results.
    pub fn jobs(&self) -> BTreeSet<JobId> {
        self.known.lock().by_key.keys().map(|key| key.job).collect()
    }

    /// Forgets the results of jobs that are `over`. Those that cannot be removed from disk now are
    /// removed later.
    pub fn forget(&self, over: impl Fn(&JobId) -> bool) {
        let _writing = self.writing.lock();
        let over: BTreeSet<WorkKey> =
            self.known.lock().by_key.keys().filter(|key| over(&key.job)).cloned().collect();
        if over.is_empty() {
            return;
        }
        let removed = self.handle.write(|write| remove(write, &over)).is_ok();
        let mut known = self.known.lock();
        for key in over {
            known.by_key.remove(&key);
            let is_on_disk = !known.unwritten.remove(&key);
            if is_on_disk && !removed {
                known.gone.insert(key);
            }
        }
    }

    /// Returns the number of results.
    pub fn len(&self) -> usize {
        self.known.lock().by_key.len()
    }
}

/// Reads all results from disk.
fn read_all(read: &ReadTransaction) -> Result<BTreeMap<WorkKey, EngineResult>, StoreError> {
    let mut results = BTreeMap::new();
    for entry in read.open_table(RESULTS)?.iter()? {
        let (key, result) = entry?;
        // A result that an older version wrote and this one cannot read is derived again.
        if let (Ok(key), Ok(result)) =
            (WorkKey::decode(&mut key.value()), EngineResult::decode(&mut result.value()))
        {
            results.insert(key, result);
        }
    }
    Ok(results)
}

fn insert(
    write: &WriteTransaction,
    key: &WorkKey,
    result: &EngineResult,
) -> Result<(), StoreError> {
    let mut results = write.open_table(RESULTS)?;
    results.insert(key.encode().as_slice(), result.encode().as_slice())?;
    Ok(())
}

fn remove(write: &WriteTransaction, keys: &BTreeSet<WorkKey>) -> Result<(), StoreError> {
    let mut results = write.open_table(RESULTS)?;
    for key in keys {
        results.remove(key.encode().as_slice())?;
    }
    Ok(())
}

/// Creates the table if it does not exist.
pub(super) fn create(write: &WriteTransaction) -> Result<(), StoreError> {
    write.open_table(RESULTS)?;
    Ok(())
}

/// Removes all results from disk.
pub(super) fn clear(write: &WriteTransaction) -> Result<(), StoreError> {
    write.delete_table(RESULTS)?;
    create(write)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        store::{space::SpaceLimits, Store},
        work::key::Kind,
    };
    use std::path::Path;

    fn key(n: u8) -> WorkKey {
        let job = JobId::repeat_byte(n);
        WorkKey { kind: Kind::Prepare, job, work: job }
    }

    /// Returns a store of `count` results.
    fn store(dir: &Path, count: u8) -> Store {
        let store = Store::open(&dir.join("store"), SpaceLimits::default()).unwrap();
        for n in 0..count {
            let job = JobId::repeat_byte(n);
            store.results.put(key(n), EngineResult::Ready { job }).unwrap();
        }
        store
    }

    #[test]
    fn poll_returns_all_when_they_fit() {
        let dir = tempfile::tempdir().unwrap();
        let results = store(dir.path(), 5).results;
        assert_eq!(results.poll(10).len(), 5);
        assert_eq!(results.poll(10).len(), 5, "each of them again at every call");
    }

    #[test]
    fn bounded_polls_reach_all() {
        let dir = tempfile::tempdir().unwrap();
        let results = store(dir.path(), 5).results;
        let mut seen = BTreeSet::new();
        for _ in 0..3 {
            let page = results.poll(2);
            assert_eq!(page.len(), 2);
            seen.extend(page.iter().map(EngineResult::job));
        }
        assert_eq!(seen.len(), 5);
    }

    #[test]
    fn results_survive_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        drop(store(dir.path(), 1));
        let ready = EngineResult::Ready { job: JobId::repeat_byte(0) };
        assert_eq!(store(dir.path(), 0).results.get(&key(0)), Some(ready));
    }

    #[test]
    fn results_of_jobs_that_are_over_are_forgotten() {
        let dir = tempfile::tempdir().unwrap();
        let before = store(dir.path(), 5);
        before.results.forget(|job| *job != JobId::repeat_byte(3));
        assert_eq!(before.results.jobs(), BTreeSet::from([JobId::repeat_byte(3)]));
        drop(before);
        assert_eq!(store(dir.path(), 0).results.jobs(), BTreeSet::from([JobId::repeat_byte(3)]));
    }
}
