// SPDX-License-Identifier: Apache-2.0
//! The pieces of work that the chain has asked for and that have no outcome yet.
//!
//! An attempt at a piece of work may come to nothing, in which case the chain asks again. The piece of
//! work ends once: with its result, or when its job is over.

use super::key::{Kind, WorkKey};
use assay_primitives::JobId;
use parking_lot::Mutex;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

/// A piece of work without an outcome.
struct Piece {
    /// The time at which the chain first asked for it.
    asked: Instant,
    /// Whether it has begun to run.
    started: bool,
}

/// The pieces of work without an outcome.
#[derive(Default)]
pub struct Pending(Mutex<BTreeMap<WorkKey, Piece>>);

impl Pending {
    /// Notes that the chain asks for work, and returns whether it did not ask before.
    pub fn begin(&self, key: &WorkKey) -> bool {
        let mut pieces = self.0.lock();
        if pieces.contains_key(key) {
            return false;
        }
        pieces.insert(key.clone(), Piece { asked: Instant::now(), started: false });
        true
    }

    /// Notes that work begins to run, and returns the time since the chain asked for it; `None` if it
    /// is not the first attempt.
    pub fn start(&self, key: &WorkKey) -> Option<Duration> {
        let mut pieces = self.0.lock();
        let piece = pieces.get_mut(key).filter(|piece| !piece.started)?;
        piece.started = true;
        Some(piece.asked.elapsed())
    }

    /// Ends work, and returns whether it had not ended before.
    pub fn end(&self, key: &WorkKey) -> bool {
        self.0.lock().remove(key).is_some()
    }

    /// Returns whether work has no outcome yet.
    pub fn contains(&self, key: &WorkKey) -> bool {
        self.0.lock().contains_key(key)
    }

    /// Ends the work that is `over`, and returns the names of what was ended.
    pub fn end_all(&self, over: impl Fn(&WorkKey) -> bool) -> Vec<WorkKey> {
        let mut pieces = self.0.lock();
        let ended: Vec<_> = pieces.keys().filter(|key| over(key)).cloned().collect();
        for key in &ended {
            pieces.remove(key);
        }
        ended
    }

    /// Returns the jobs of all pieces of work.
    pub fn jobs(&self) -> BTreeSet<JobId> {
        self.0.lock().keys().map(|key| key.job).collect()
    }

    /// Returns the longest time for which work of a kind has had no outcome; zero if there is none.
    pub fn oldest(&self, kind: Kind) -> Duration {
        let pieces = self.0.lock();
        let same = pieces.iter().filter(|(key, _)| key.kind == kind);
        same.map(|(_, piece)| piece.asked.elapsed()).max().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(kind: Kind, n: u8) -> WorkKey {
        WorkKey { kind, job: JobId::repeat_byte(n), work: JobId::zero() }
    }

    #[test]
    fn work_begins_once_and_ends_once() {
        let (pending, key) = (Pending::default(), key(Kind::Generate, 1));
        assert!(pending.begin(&key) && !pending.begin(&key));
        assert!(pending.contains(&key));
        assert!(pending.end(&key) && !pending.end(&key));
        assert!(!pending.contains(&key));
    }

    #[test]
    fn only_the_first_start_has_a_waiting_time() {
        let (pending, key) = (Pending::default(), key(Kind::Verify, 1));
        assert_eq!(pending.start(&key), None, "nobody asked for it");
        pending.begin(&key);
        assert!(pending.start(&key).is_some());
        assert_eq!(pending.start(&key), None);
    }

    #[test]
    fn work_ends_with_its_job() {
        let pending = Pending::default();
        let (one, other) = (key(Kind::Generate, 1), key(Kind::Prepare, 2));
        pending.begin(&one);
        pending.begin(&other);
        assert_eq!(pending.end_all(|key| key.job == one.job), std::slice::from_ref(&one));
        assert_eq!(pending.end_all(|key| key.job == one.job), []);
        assert_eq!(pending.jobs(), BTreeSet::from([other.job]));
        assert!(!pending.end(&one), "its outcome is counted already");
        assert_eq!(pending.oldest(Kind::Generate), Duration::ZERO);
        assert!(pending.oldest(Kind::Prepare) > Duration::ZERO);
    }
}
