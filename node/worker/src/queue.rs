// SPDX-License-Identifier: Apache-2.0
//! The work that waits. Bounded: what does not fit is refused, and asked for again later.

use assay_primitives::{JobId, Work};
use codec::{Decode, Encode};
use parking_lot::{Condvar, Mutex};
use std::{
    collections::{BTreeSet, VecDeque},
    time::Instant,
};

/// What kind of work.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Encode, Decode)]
pub enum Kind {
    /// See whether a job can be run.
    #[codec(index = 0)]
    Prepare,
    /// Run it.
    #[codec(index = 1)]
    Generate,
    /// Re-check it.
    #[codec(index = 2)]
    Verify,
}

impl Kind {
    /// The label in logs and metrics.
    pub fn label(self) -> &'static str {
        match self {
            Self::Prepare => "prepare",
            Self::Generate => "generate",
            Self::Verify => "verify",
        }
    }
}

/// What names a piece of work.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Encode, Decode)]
pub struct WorkKey {
    /// Its kind.
    pub kind: Kind,
    /// Its job.
    pub job: JobId,
}

impl From<&Work> for WorkKey {
    fn from(work: &Work) -> Self {
        match work {
            Work::Prepare { job, .. } => Self { kind: Kind::Prepare, job: *job },
            Work::Generate { job, .. } => Self { kind: Kind::Generate, job: *job },
            Work::Verify { job, .. } => Self { kind: Kind::Verify, job: *job },
        }
    }
}

/// Payloads that were gathered for a piece of work.
#[derive(Default)]
pub struct Payloads {
    /// The prompt.
    pub prompt: Vec<u8>,
    /// The encoded transcript, where one is to be verified.
    pub transcript: Vec<u8>,
}

/// Where a piece of work stands.
pub enum Stage {
    /// Its payloads are not here yet.
    Gather {
        /// How often they were looked for.
        attempts: u32,
        /// When to look next.
        at: Instant,
    },
    /// All is here.
    Run(Payloads),
}

/// A piece of work that waits.
pub struct Entry {
    /// What is to be done.
    pub work: Work,
    /// How far it is.
    pub stage: Stage,
}

#[derive(Default)]
struct Waiting {
    entries: VecDeque<Entry>,
    // Waiting or taken, and not yet done.
    open: BTreeSet<WorkKey>,
    closed: bool,
}

/// The queue.
pub struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
    limit: usize,
}

impl Queue {
    /// A queue for at most `limit` pieces of work, those being done among them.
    pub fn new(limit: usize) -> Self {
        Self { waiting: Mutex::default(), changed: Condvar::new(), limit }
    }

    /// Takes new work; `false` when it is full or closed. Work that is open already changes nothing.
    pub fn submit(&self, work: Work) -> bool {
        let key = WorkKey::from(&work);
        let mut waiting = self.waiting.lock();
        if waiting.open.contains(&key) {
            return true;
        }
        if waiting.closed || waiting.open.len() >= self.limit {
            return false;
        }
        waiting.open.insert(key);
        let stage = Stage::Gather { attempts: 0, at: Instant::now() };
        waiting.entries.push_back(Entry { work, stage });
        self.changed.notify_all();
        true
    }

    /// Puts an entry back that is not yet done.
    pub fn put_back(&self, entry: Entry) {
        self.waiting.lock().entries.push_back(entry);
        self.changed.notify_all();
    }

    /// The work is done, or given up.
    pub fn done(&self, key: &WorkKey) {
        self.waiting.lock().open.remove(key);
    }

    /// Waits for an entry whose payloads are to be gathered now; `None` when the queue is closed.
    pub fn next_to_gather(&self) -> Option<Entry> {
        let mut waiting = self.waiting.lock();
        loop {
            if waiting.closed {
                return None;
            }
            let now = Instant::now();
            let due =
                waiting.entries.iter().enumerate().filter_map(|(index, entry)| match entry.stage {
                    Stage::Gather { at, .. } => Some((at, index)),
                    Stage::Run(_) => None,
                });
            match due.min() {
                Some((at, index)) if at <= now => return waiting.entries.remove(index),
                Some((at, _)) => {
                    self.changed.wait_until(&mut waiting, at);
                }
                None => self.changed.wait(&mut waiting),
            }
        }
    }

    /// Waits for an entry of that kind that can be run; `None` when the queue is closed.
    pub fn next_to_run(&self, kind: Kind) -> Option<Entry> {
        let mut waiting = self.waiting.lock();
        loop {
            if waiting.closed {
                return None;
            }
            let ready = waiting.entries.iter().position(|entry| {
                matches!(entry.stage, Stage::Run(_)) && WorkKey::from(&entry.work).kind == kind
            });
            match ready {
                Some(index) => return waiting.entries.remove(index),
                None => self.changed.wait(&mut waiting),
            }
        }
    }

    /// Drops what waits for jobs that `keep` does not want.
    pub fn retain(&self, keep: impl Fn(&JobId) -> bool) {
        let mut waiting = self.waiting.lock();
        let Waiting { entries, open, .. } = &mut *waiting;
        entries.retain(|entry| {
            let key = WorkKey::from(&entry.work);
            let kept = keep(&key.job);
            if !kept {
                open.remove(&key);
            }
            kept
        });
    }

    /// What is open.
    pub fn open(&self) -> Vec<WorkKey> {
        self.waiting.lock().open.iter().cloned().collect()
    }

    /// How many pieces of work wait.
    pub fn waiting(&self) -> usize {
        self.waiting.lock().entries.len()
    }

    /// Ends the threads that wait.
    pub fn close(&self) {
        self.waiting.lock().closed = true;
        self.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_primitives::{Sampling, Task};
    use sp_core::H256;

    fn prepare(n: u8) -> Work {
        let task = Task {
            model: H256::zero(),
            input_hash: H256::zero(),
            input_tokens: 1,
            max_tokens: 1,
            seed: 0,
            sampling: Sampling::GREEDY,
            peer: Default::default(),
        };
        Work::Prepare { job: H256::repeat_byte(n), task }
    }

    #[test]
    fn queue_takes_the_same_work_once() {
        let queue = Queue::new(8);
        assert!(queue.submit(prepare(1)));
        assert!(queue.submit(prepare(1)));
        assert_eq!(queue.waiting(), 1);
    }

    #[test]
    fn queue_refuses_what_does_not_fit() {
        let queue = Queue::new(1);
        assert!(queue.submit(prepare(1)));
        assert!(!queue.submit(prepare(2)));
        let entry = queue.next_to_gather().unwrap();
        assert!(!queue.submit(prepare(2)), "what is being done counts");
        queue.done(&WorkKey::from(&entry.work));
        assert!(queue.submit(prepare(2)));
    }

    #[test]
    fn queue_drops_the_work_of_jobs_that_are_over() {
        let queue = Queue::new(8);
        assert!(queue.submit(prepare(1)) && queue.submit(prepare(2)));
        queue.retain(|job| *job == H256::repeat_byte(2));
        assert_eq!(queue.open(), [WorkKey { kind: Kind::Prepare, job: H256::repeat_byte(2) }]);
    }

    #[test]
    fn closed_queue_ends_its_threads() {
        let queue = std::sync::Arc::new(Queue::new(8));
        let thread = std::thread::spawn({
            let queue = queue.clone();
            move || queue.next_to_run(Kind::Verify).is_none()
        });
        queue.close();
        assert!(thread.join().unwrap());
        assert!(!queue.submit(prepare(1)));
    }
}
