// SPDX-License-Identifier: Apache-2.0
//! The tokens of running jobs, for anyone who listens.
//!
//! A stream keeps all tokens of its job. So a listener can start at any index, and a slow listener
//! misses nothing and delays nobody.

use assay_primitives::{FinishReason, JobId};
use parking_lot::Mutex;
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};
use tokio::sync::watch;

/// The number of streams that are kept; the newest stay.
const KEPT: usize = 256;

/// The state of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StreamState {
    /// The tokens so far.
    pub tokens: Vec<u32>,
    /// The reason why the output ended; `None` while more tokens may come.
    pub finish: Option<FinishReason>,
}

/// The stream of one job's output.
pub struct Stream(watch::Sender<StreamState>);

impl Stream {
    fn new() -> Self {
        Self(watch::Sender::new(StreamState::default()))
    }

    /// Adds the token with that index, unless it was added before or the stream is complete.
    pub fn push(&self, index: usize, token: u32) {
        self.0.send_if_modified(|state| {
            let new = state.finish.is_none() && index == state.tokens.len();
            if new {
                state.tokens.push(token);
            }
            new
        });
    }

    /// Replaces the whole state.
    pub fn complete(&self, whole: StreamState) {
        self.0.send_replace(whole);
    }

    /// Returns the number of tokens.
    pub fn len(&self) -> usize {
        self.0.borrow().tokens.len()
    }

    /// Returns whether there are no tokens.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Calls `look` with the current state. It must be quick, because new tokens wait for it.
    pub fn read<T>(&self, look: impl FnOnce(&StreamState) -> T) -> T {
        look(&self.0.borrow())
    }

    /// Returns a receiver that waits for changes.
    pub fn listen(&self) -> watch::Receiver<StreamState> {
        self.0.subscribe()
    }
}

#[derive(Default)]
struct Kept {
    by_job: BTreeMap<JobId, Arc<Stream>>,
    order: VecDeque<JobId>,
}

/// The streams of this node.
#[derive(Default)]
pub struct Streams(Mutex<Kept>);

impl Streams {
    /// Returns the stream of a job, and makes one if there is none.
    pub fn open(&self, job: &JobId) -> Arc<Stream> {
        let mut kept = self.0.lock();
        if let Some(stream) = kept.by_job.get(job) {
            return stream.clone();
        }
        if kept.order.len() >= KEPT {
            if let Some(oldest) = kept.order.pop_front() {
                kept.by_job.remove(&oldest);
            }
        }
        let stream = Arc::new(Stream::new());
        kept.by_job.insert(*job, stream.clone());
        kept.order.push_back(*job);
        stream
    }

    /// Removes the stream of a job that is not generated here after all, so that it does not hide the
    /// stream of another node.
    pub fn remove(&self, job: &JobId) {
        let mut kept = self.0.lock();
        if kept.by_job.remove(job).is_some() {
            kept.order.retain(|other| other != job);
        }
    }

    /// Returns the stream of a job, if there is one.
    pub fn get(&self, job: &JobId) -> Option<Arc<Stream>> {
        self.0.lock().by_job.get(job).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stream_takes_each_token_once_and_in_order() {
        let streams = Streams::default();
        let stream = streams.open(&JobId::zero());
        stream.push(0, 65);
        stream.push(0, 66);
        stream.push(2, 67);
        stream.push(1, 68);
        let stream = streams.get(&JobId::zero()).unwrap();
        assert_eq!((stream.read(|state| state.tokens.clone()), stream.len()), (vec![65, 68], 2));
    }

    #[test]
    fn finished_stream_takes_no_more() {
        let stream = Stream::new();
        let whole = StreamState { tokens: vec![65], finish: Some(FinishReason::Length) };
        stream.complete(whole.clone());
        stream.push(1, 66);
        assert_eq!(stream.read(StreamState::clone), whole);
    }

    #[test]
    fn stream_that_is_given_up_is_gone() {
        let streams = Streams::default();
        streams.open(&JobId::zero()).push(0, 65);
        streams.remove(&JobId::zero());
        assert!(streams.get(&JobId::zero()).is_none());
        assert!(streams.open(&JobId::zero()).is_empty());
    }

    #[test]
    fn oldest_streams_go() {
        let streams = Streams::default();
        for n in 0..=KEPT as u64 {
            streams.open(&JobId::from_low_u64_be(n));
        }
        assert!(streams.get(&JobId::from_low_u64_be(0)).is_none());
        assert!(streams.get(&JobId::from_low_u64_be(KEPT as u64)).is_some());
    }

    #[test]
    fn listener_sees_tokens_as_they_come() {
        let stream = Stream::new();
        let mut listener = stream.listen();
        assert!(!listener.has_changed().unwrap());
        stream.push(0, 65);
        assert!(listener.has_changed().unwrap());
        assert_eq!(listener.borrow_and_update().tokens, [65]);
    }
}
