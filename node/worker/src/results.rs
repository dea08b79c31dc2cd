// SPDX-License-Identifier: Apache-2.0
//! What was found out, in memory and on disk.

use crate::{
    queue::WorkKey,
    store::{Store, StoreError},
};
use assay_primitives::{EngineResult, JobId};
use parking_lot::{Condvar, Mutex};
use sp_core::H256;
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
    sync::Arc,
    time::Instant,
};

struct Known {
    by_key: BTreeMap<WorkKey, EngineResult>,
    // Where the next poll begins, so that a bounded poll gets to all of them.
    cursor: Option<WorkKey>,
}

/// The results of jobs that are not yet over.
pub struct Results {
    known: Mutex<Known>,
    added: Condvar,
    store: Arc<Store>,
}

impl Results {
    /// Those that the store holds.
    pub fn load(store: Arc<Store>) -> Result<Self, StoreError> {
        let by_key = store.results()?;
        let known = Mutex::new(Known { by_key, cursor: None });
        Ok(Self { known, added: Condvar::new(), store })
    }

    /// Keeps a result, on disk first.
    pub fn put(&self, key: WorkKey, result: EngineResult) -> Result<(), StoreError> {
        self.store.put_result(&key, &result)?;
        self.known.lock().by_key.insert(key, result);
        self.added.notify_all();
        Ok(())
    }

    /// Waits for one; `None` when there is none by the deadline.
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

    /// One, if it is there.
    pub fn get(&self, key: &WorkKey) -> Option<EngineResult> {
        self.known.lock().by_key.get(key).cloned()
    }

    /// Up to `max` of them, beginning after those of the call before.
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

    /// The outputs that this node stands for.
    pub fn outputs(&self) -> BTreeSet<H256> {
        let known = self.known.lock();
        let outputs = known.by_key.values().filter_map(|result| match result {
            EngineResult::Generated { commitment, .. } => Some(commitment.output_hash),
            _ => None,
        });
        outputs.collect()
    }

    /// Forgets all, and which payloads are outputs.
    pub fn clear(&self) -> Result<(), StoreError> {
        self.store.forget_jobs()?;
        self.known.lock().by_key.clear();
        Ok(())
    }

    /// The jobs that have results.
    pub fn jobs(&self) -> BTreeSet<JobId> {
        self.known.lock().by_key.keys().map(|key| key.job).collect()
    }

    /// Forgets those of jobs that are `over`.
    pub fn forget(&self, over: impl Fn(&JobId) -> bool) -> Result<(), StoreError> {
        let over: Vec<WorkKey> =
            self.known.lock().by_key.keys().filter(|key| over(&key.job)).cloned().collect();
        if over.is_empty() {
            return Ok(());
        }
        self.store.remove_results(&over)?;
        let mut known = self.known.lock();
        for key in over {
            known.by_key.remove(&key);
        }
        Ok(())
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.known.lock().by_key.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::Kind;

    fn results(count: u8) -> (tempfile::TempDir, Results) {
        let dir = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(&dir.path().join("store")).unwrap());
        let results = Results::load(store).unwrap();
        for n in 0..count {
            let job = JobId::repeat_byte(n);
            let key = WorkKey { kind: Kind::Prepare, job, work: job };
            results.put(key, EngineResult::Ready { job }).unwrap();
        }
        (dir, results)
    }

    #[test]
    fn poll_gives_all_when_they_fit() {
        let (_dir, results) = results(5);
        assert_eq!(results.poll(10).len(), 5);
        assert_eq!(results.poll(10).len(), 5, "each of them again at every call");
    }

    #[test]
    fn bounded_polls_get_to_all() {
        let (_dir, results) = results(5);
        let mut seen = BTreeSet::new();
        for _ in 0..3 {
            let page = results.poll(2);
            assert_eq!(page.len(), 2);
            seen.extend(page.iter().map(EngineResult::job));
        }
        assert_eq!(seen.len(), 5);
    }

    #[test]
    fn results_of_jobs_that_are_over_are_forgotten() {
        let (_dir, results) = results(5);
        results.forget(|job| *job != JobId::repeat_byte(3)).unwrap();
        assert_eq!(results.jobs(), BTreeSet::from([JobId::repeat_byte(3)]));
        assert_eq!(results.store.results().unwrap().len(), 1);
    }
}
