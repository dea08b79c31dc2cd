// SPDX-License-Identifier: Apache-2.0
//! The outputs of this node that could not be written yet. They are served from here, because the
//! node commits to them all the same: an output that is late costs more than one that a crash could
//! take.

use super::{error::StoreError, payloads::MAX_PAYLOAD_BYTES};
use assay_primitives::JobId;
use parking_lot::Mutex;
use sp_core::H256;
use sp_crypto_hashing::blake2_256;
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

/// The most bytes of outputs that wait in memory.
pub const MAX_UNWRITTEN_BYTES: u64 = 128 << 20;

/// An output that waits.
#[derive(Clone)]
pub struct Output {
    /// The hash of the payload.
    pub hash: H256,
    /// The job.
    pub job: JobId,
    /// The payload.
    pub payload: Arc<Vec<u8>>,
}

#[derive(Default)]
struct Waiting {
    by_hash: BTreeMap<H256, Output>,
    /// The hashes in the order in which the outputs came.
    order: VecDeque<H256>,
    bytes: u64,
}

impl Waiting {
    fn remove(&mut self, hash: &H256) {
        if let Some(output) = self.by_hash.remove(hash) {
            self.bytes -= output.payload.len() as u64;
            self.order.retain(|other| other != hash);
        }
    }
}

/// The outputs that wait to be written.
#[derive(Default)]
pub struct Unwritten(Mutex<Waiting>);

impl Unwritten {
    /// Keeps an output until it is written. If the memory is full, the outputs of jobs that are not
    /// `live` make room, the oldest first.
    ///
    /// # Errors
    ///
    /// The outputs of live jobs leave no room for it.
    pub fn put(
        &self,
        job: &JobId,
        payload: &[u8],
        live: impl Fn(&JobId) -> bool,
    ) -> Result<(), StoreError> {
        let (hash, length) = (H256(blake2_256(payload)), payload.len() as u64);
        let mut waiting = self.0.lock();
        waiting.remove(&hash);
        let room = |waiting: &Waiting| waiting.bytes + length <= MAX_UNWRITTEN_BYTES;
        for oldest in waiting.order.clone() {
            if room(&waiting) {
                break;
            }
            if waiting.by_hash.get(&oldest).is_some_and(|output| !live(&output.job)) {
                waiting.remove(&oldest);
            }
        }
        if !room(&waiting) {
            let (waiting, limit) = (waiting.bytes, MAX_UNWRITTEN_BYTES);
            return Err(StoreError::Memory { waiting, limit });
        }
        waiting.bytes += length;
        waiting.order.push_back(hash);
        let output = Output { hash, job: *job, payload: Arc::new(payload.to_vec()) };
        waiting.by_hash.insert(hash, output);
        Ok(())
    }

    /// Returns a payload that waits.
    pub fn payload(&self, hash: &H256) -> Option<Arc<Vec<u8>>> {
        self.0.lock().by_hash.get(hash).map(|output| output.payload.clone())
    }

    /// Returns the hash of a job's output that waits.
    pub fn output(&self, job: &JobId) -> Option<H256> {
        let waiting = self.0.lock();
        waiting.by_hash.values().find(|output| output.job == *job).map(|output| output.hash)
    }

    /// Returns all outputs that wait, the oldest first.
    pub fn all(&self) -> Vec<Output> {
        let waiting = self.0.lock();
        waiting.order.iter().filter_map(|hash| waiting.by_hash.get(hash)).cloned().collect()
    }

    /// Removes an output that is written.
    pub fn written(&self, hash: &H256) {
        self.0.lock().remove(hash);
    }

    /// Removes all outputs.
    pub fn clear(&self) {
        *self.0.lock() = Waiting::default();
    }

    /// Returns whether the longest output has room.
    pub fn has_room(&self) -> bool {
        self.0.lock().bytes + MAX_PAYLOAD_BYTES as u64 <= MAX_UNWRITTEN_BYTES
    }

    /// Returns the number of outputs.
    pub fn len(&self) -> usize {
        self.0.lock().order.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(n: u8) -> JobId {
        JobId::repeat_byte(n)
    }

    fn payload(n: u8) -> Vec<u8> {
        vec![n; MAX_PAYLOAD_BYTES]
    }

    #[test]
    fn output_is_served_until_it_is_written() {
        let unwritten = Unwritten::default();
        let hash = H256(blake2_256(b"an output"));
        unwritten.put(&job(1), b"an output", |_| true).unwrap();
        assert_eq!(*unwritten.payload(&hash).unwrap(), b"an output");
        assert_eq!(unwritten.output(&job(1)), Some(hash));
        assert_eq!(unwritten.all().len(), 1);
        unwritten.written(&hash);
        assert_eq!((unwritten.payload(&hash), unwritten.output(&job(1))), (None, None));
        assert_eq!((unwritten.len(), unwritten.0.lock().bytes), (0, 0));
    }

    #[test]
    fn memory_is_bounded_and_committed_outputs_stay() {
        let unwritten = Unwritten::default();
        let count = (MAX_UNWRITTEN_BYTES / MAX_PAYLOAD_BYTES as u64) as u8;
        let put = |n| {
            unwritten.put(&job(n), &payload(n), |_| false).unwrap();
            H256(blake2_256(&payload(n)))
        };
        let hashes: Vec<H256> = (0..count).map(put).collect();
        assert!(!unwritten.has_room());
        let error = unwritten.put(&job(99), &payload(99), |_| true).unwrap_err();
        assert!(matches!(error, StoreError::Memory { .. }), "{error}");
        unwritten.put(&job(99), &payload(99), |live| *live == job(0)).unwrap();
        assert!(unwritten.payload(&hashes[0]).is_some(), "its job is live");
        assert!(unwritten.payload(&hashes[1]).is_none(), "it made room");
        assert_eq!(unwritten.0.lock().bytes, MAX_UNWRITTEN_BYTES);
        assert_eq!(unwritten.len(), usize::from(count));
    }

    #[test]
    fn same_output_waits_once() {
        let unwritten = Unwritten::default();
        for _ in 0..3 {
            unwritten.put(&job(1), &payload(1), |_| true).unwrap();
        }
        assert_eq!((unwritten.len(), unwritten.0.lock().bytes), (1, MAX_PAYLOAD_BYTES as u64));
    }
}
