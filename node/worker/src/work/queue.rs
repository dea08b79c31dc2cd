// SPDX-License-Identifier: Apache-2.0
//! The work that waits. The queue is bounded: it refuses work that does not fit, and the chain asks
//! for it again later. Of each kind only so much holds payloads in memory.

use super::key::{Kind, WorkKey};
use assay_primitives::{JobId, ModelId, Work};
use parking_lot::{Condvar, Mutex};
use sp_core::H256;
use std::{
    collections::{BTreeMap, VecDeque},
    time::Instant,
};

/// The payloads of a piece of work, once they are gathered.
pub struct Inputs {
    /// The encoded request, which is read when the work is run.
    pub request: Vec<u8>,
    /// The encoded transcript of a verification, once it is here; `None` for other work.
    pub transcript: Option<Vec<u8>>,
}

/// The stage of a piece of work.
pub enum Stage {
    /// A payload is missing.
    Gather {
        /// The time of the next look.
        at: Instant,
        /// Whether the request has been read, so that only the transcript is missing.
        read: bool,
    },
    /// All payloads are here.
    Run(Inputs),
}

/// A piece of work that is taken to gather its payloads.
pub enum Gather {
    /// There is room for them.
    Now(Entry),
    /// There was no room for them until it was too late.
    TooLate(Entry),
}

/// A piece of work that waits.
pub struct Entry {
    /// The name.
    pub key: WorkKey,
    /// The work.
    pub work: Work,
    /// The stage.
    pub stage: Stage,
}

/// A piece of work that is not yet done.
struct Open {
    /// The time until which it is of use to go on with it.
    until: Instant,
    model: ModelId,
    /// The number of tokens that it has to read.
    read: u64,
    /// The hashes of the request and of the transcript.
    payloads: [Option<H256>; 2],
    /// Whether its payloads are gathered or in memory.
    holds: bool,
}

#[derive(Default)]
struct Waiting {
    entries: VecDeque<Entry>,
    /// The work that waits or is taken, and is not yet done.
    open: BTreeMap<WorkKey, Open>,
    closed: bool,
}

impl Waiting {
    /// Returns how much work of that kind holds payloads.
    fn holding(&self, kind: Kind) -> usize {
        self.open.iter().filter(|(key, open)| key.kind == kind && open.holds).count()
    }

    /// Notes whether some work holds payloads.
    fn hold(&mut self, key: &WorkKey, holds: bool) {
        if let Some(open) = self.open.get_mut(key) {
            open.holds = holds;
        }
    }
}

/// The queue.
pub struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
    limit: usize,
    /// The most work of each kind that holds payloads.
    room: usize,
}

impl Queue {
    /// Makes a queue for at most `limit` pieces of work, including those that run. At most `room` pieces
    /// of each kind hold payloads.
    pub fn new(limit: usize, room: usize) -> Self {
        Self { waiting: Mutex::default(), changed: Condvar::new(), limit, room }
    }

    /// Takes new work that is of use `until` then, and returns `false` if the queue is full or closed.
    /// Of work that is already open only a verification gets a new time, because its time follows from
    /// the chain.
    pub fn submit(&self, work: Work, until: Instant) -> bool {
        let key = WorkKey::from(&work);
        let (task, output) = match &work {
            Work::Prepare { task, .. } | Work::Generate { task, .. } => (task, None),
            Work::Verify { task, commitment, .. } => (task, Some(commitment)),
        };
        let written = output.map_or(0, |commitment| u64::from(commitment.tokens));
        let open = Open {
            until,
            model: task.model,
            read: u64::from(task.input_tokens).saturating_add(written),
            payloads: [Some(task.request_hash), output.map(|commitment| commitment.output_hash)],
            holds: false,
        };
        let mut waiting = self.waiting.lock();
        if let Some(known) = waiting.open.get_mut(&key) {
            if key.kind == Kind::Verify {
                known.until = until;
                self.changed.notify_all();
            }
            return true;
        }
        if waiting.closed || waiting.open.len() >= self.limit {
            return false;
        }
        waiting.open.insert(key.clone(), open);
        let stage = Stage::Gather { at: Instant::now(), read: false };
        waiting.entries.push_back(Entry { key, work, stage });
        self.changed.notify_all();
        true
    }

    /// Returns the time until which it is of use to go on with open work.
    pub fn until(&self, key: &WorkKey) -> Option<Instant> {
        self.waiting.lock().open.get(key).map(|open| open.until)
    }

    /// Puts back an entry, unless it is done or its job is over.
    pub fn put_back(&self, entry: Entry) {
        let mut waiting = self.waiting.lock();
        if !waiting.open.contains_key(&entry.key) {
            return;
        }
        waiting.hold(&entry.key, matches!(entry.stage, Stage::Run(_)));
        waiting.entries.push_back(entry);
        self.changed.notify_all();
    }

    /// Removes work that is done or given up.
    pub fn done(&self, key: &WorkKey) {
        let mut waiting = self.waiting.lock();
        waiting.open.remove(key);
        waiting.entries.retain(|entry| entry.key != *key);
        self.changed.notify_all();
    }

    /// Waits for an entry of that kind whose payloads are to be gathered now, and returns `None` once the
    /// queue is closed. An entry waits until there is room for its payloads, a verification only as long
    /// as it is of use.
    pub fn next_to_gather(&self, kind: Kind) -> Option<Gather> {
        let mut waiting = self.waiting.lock();
        loop {
            if waiting.closed {
                return None;
            }
            let (now, room) = (Instant::now(), waiting.holding(kind) < self.room);
            let time = |entry: &Entry| match entry.stage {
                _ if entry.key.kind != kind => None,
                Stage::Gather { at, .. } if room => Some(at),
                Stage::Gather { .. } if kind == Kind::Verify => {
                    waiting.open.get(&entry.key).map(|open| open.until)
                }
                _ => None,
            };
            let times = waiting.entries.iter().enumerate();
            let next = times.filter_map(|(index, entry)| Some((time(entry)?.max(now), index)));
            match next.min() {
                Some((at, index)) if at <= now => {
                    let entry = waiting.entries.remove(index)?;
                    waiting.hold(&entry.key, room);
                    return Some(if room { Gather::Now(entry) } else { Gather::TooLate(entry) });
                }
                Some((at, _)) => {
                    self.changed.wait_until(&mut waiting, at);
                }
                None => self.changed.wait(&mut waiting),
            }
        }
    }

    /// Waits for an entry of that kind that can be run, and returns `None` once the queue is closed.
    pub fn next_to_run(&self, kind: Kind) -> Option<Entry> {
        let mut waiting = self.waiting.lock();
        loop {
            if waiting.closed {
                return None;
            }
            let ready = waiting
                .entries
                .iter()
                .position(|entry| matches!(entry.stage, Stage::Run(_)) && entry.key.kind == kind);
            match ready {
                Some(index) => return waiting.entries.remove(index),
                None => self.changed.wait(&mut waiting),
            }
        }
    }

    /// Drops the waiting work of jobs that are `over`.
    pub fn forget(&self, over: impl Fn(&JobId) -> bool) {
        let mut waiting = self.waiting.lock();
        let Waiting { entries, open, .. } = &mut *waiting;
        entries.retain(|entry| {
            let kept = !over(&entry.key.job);
            if !kept {
                open.remove(&entry.key);
            }
            kept
        });
    }

    /// Returns the names of all open work.
    pub fn open(&self) -> Vec<WorkKey> {
        self.waiting.lock().open.keys().cloned().collect()
    }

    /// Returns the open verifications: for each its model and the number of tokens to be read.
    pub fn verifications(&self) -> Vec<(ModelId, u64)> {
        let waiting = self.waiting.lock();
        let open = waiting.open.iter().filter(|(key, _)| key.kind == Kind::Verify);
        open.map(|(_, open)| (open.model, open.read)).collect()
    }

    /// Returns the hashes of the payloads of all open work.
    pub fn payloads(&self) -> Vec<H256> {
        self.waiting.lock().open.values().flat_map(|open| open.payloads).flatten().collect()
    }

    /// Returns the number of pieces of work that wait.
    pub fn waiting(&self) -> usize {
        self.waiting.lock().entries.len()
    }

    /// Returns whether the queue is closed, because the node ends.
    pub fn is_closed(&self) -> bool {
        self.waiting.lock().closed
    }

    /// Closes the queue, which ends the threads that wait for work.
    pub fn close(&self) {
        self.waiting.lock().closed = true;
        self.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_primitives::{FinishReason, OutputCommitment, Sampling, Task};
    use std::time::Duration;

    fn task() -> Task {
        Task {
            model: H256::zero(),
            request_hash: H256::zero(),
            input_tokens: 1,
            max_tokens: 1,
            seed: 0,
            sampling: Sampling::GREEDY,
            peer: Default::default(),
            deadline: 10,
            digest_key: H256::zero(),
        }
    }

    fn prepare(n: u8) -> Work {
        Work::Prepare { job: H256::repeat_byte(n), task: task() }
    }

    fn verify(digest: u8, left: u32) -> Work {
        let commitment = OutputCommitment {
            output_hash: H256::zero(),
            digest_commitment: H256::repeat_byte(digest),
            tokens: 1,
            finish: FinishReason::Length,
        };
        Work::Verify { job: H256::zero(), task: task(), commitment, round: 0, left }
    }

    fn submit(queue: &Queue, work: Work) -> bool {
        queue.submit(work, Instant::now())
    }

    #[test]
    fn queue_takes_the_same_work_once() {
        let queue = Queue::new(8, 2);
        assert!(submit(&queue, prepare(1)));
        assert!(submit(&queue, prepare(1)));
        assert_eq!(queue.waiting(), 1);
    }

    #[test]
    fn other_commitment_of_a_job_is_other_work() {
        let queue = Queue::new(8, 2);
        assert!(submit(&queue, verify(1, 9)) && submit(&queue, verify(2, 9)));
        assert_eq!(queue.waiting(), 2);
    }

    #[test]
    fn verification_that_is_asked_for_again_gets_a_new_time() {
        let queue = Queue::new(8, 2);
        let (first, second) = (Instant::now(), Instant::now() + Duration::from_secs(9));
        assert!(queue.submit(verify(1, 9), first) && queue.submit(verify(1, 8), second));
        assert_eq!(queue.waiting(), 1);
        assert_eq!(queue.until(&WorkKey::from(&verify(1, 0))), Some(second));
        assert!(queue.submit(prepare(1), first) && queue.submit(prepare(1), second));
        assert_eq!(queue.until(&WorkKey::from(&prepare(1))), Some(first));
    }

    /// Takes the next entry for whose payloads there is room.
    fn take(queue: &Queue, kind: Kind) -> Entry {
        match queue.next_to_gather(kind) {
            Some(Gather::Now(entry)) => entry,
            _ => panic!("there is no room"),
        }
    }

    #[test]
    fn kinds_do_not_wait_for_each_other() {
        let queue = Queue::new(8, 1);
        assert!(submit(&queue, prepare(1)) && submit(&queue, verify(1, 9)));
        assert_eq!(take(&queue, Kind::Verify).work, verify(1, 9));
        assert_eq!(take(&queue, Kind::Prepare).work, prepare(1));
    }

    #[test]
    fn payloads_are_gathered_when_there_is_room() {
        let queue = Queue::new(8, 2);
        let later = Instant::now() + Duration::from_secs(3600);
        assert!((1..=4).all(|n| queue.submit(verify(n, 9), later)));
        let (first, second) = (take(&queue, Kind::Verify), take(&queue, Kind::Verify));
        let holding = || queue.waiting.lock().holding(Kind::Verify);
        assert_eq!(holding(), 2);
        // One that goes on to run holds its payloads; one that finds nothing does not.
        let inputs = Inputs { request: b"In".to_vec(), transcript: None };
        queue.put_back(Entry { stage: Stage::Run(inputs), ..first });
        assert_eq!(holding(), 2);
        queue.put_back(Entry { stage: Stage::Gather { at: later, read: false }, ..second });
        assert_eq!(holding(), 1);
        assert_eq!(take(&queue, Kind::Verify).work, verify(3, 9));
        assert_eq!(holding(), 2);
        // The place of work that is done is free.
        let run = queue.next_to_run(Kind::Verify).unwrap();
        assert_eq!(holding(), 2, "it runs");
        queue.done(&run.key);
        assert_eq!(take(&queue, Kind::Verify).work, verify(4, 9));
    }

    #[test]
    fn verification_without_room_is_too_late_at_its_end() {
        let queue = Queue::new(8, 1);
        let (soon, later) = (Instant::now(), Instant::now() + Duration::from_secs(3600));
        assert!(queue.submit(verify(1, 9), later));
        take(&queue, Kind::Verify);
        assert!(queue.submit(verify(2, 9), later) && queue.submit(verify(3, 9), soon));
        let Some(Gather::TooLate(entry)) = queue.next_to_gather(Kind::Verify) else { panic!() };
        assert_eq!(entry.work, verify(3, 9));
    }

    #[test]
    fn queue_refuses_work_that_does_not_fit() {
        let queue = Queue::new(1, 2);
        assert!(submit(&queue, prepare(1)));
        assert!(!submit(&queue, prepare(2)));
        let entry = take(&queue, Kind::Prepare);
        assert!(!submit(&queue, prepare(2)), "work that runs counts");
        queue.done(&entry.key);
        assert!(submit(&queue, prepare(2)));
    }

    #[test]
    fn work_that_is_done_waits_no_longer() {
        let queue = Queue::new(8, 8);
        assert!(submit(&queue, prepare(1)));
        queue.done(&WorkKey::from(&prepare(1)));
        assert_eq!((queue.waiting(), queue.open()), (0, vec![]));
    }

    #[test]
    fn queue_drops_the_work_of_jobs_that_are_over() {
        let queue = Queue::new(8, 2);
        assert!(submit(&queue, prepare(1)) && submit(&queue, prepare(2)));
        queue.forget(|job| *job == H256::repeat_byte(1));
        assert_eq!(queue.open(), [WorkKey::from(&prepare(2))]);
    }

    #[test]
    fn closed_queue_ends_its_threads() {
        let queue = std::sync::Arc::new(Queue::new(8, 2));
        let thread = std::thread::spawn({
            let queue = queue.clone();
            move || queue.next_to_run(Kind::Verify).is_none()
        });
        queue.close();
        assert!(thread.join().unwrap());
        assert!(!submit(&queue, prepare(1)));
    }
}
