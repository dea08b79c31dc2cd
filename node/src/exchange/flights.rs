// SPDX-License-Identifier: Apache-2.0
//! Fetches that are under way: all that want the same payload of a job wait for one fetch.

use assay_primitives::JobId;
use futures::{
    future::{BoxFuture, Shared, WeakShared},
    FutureExt,
};
use parking_lot::Mutex;
use sp_core::H256;
use std::{collections::HashMap, sync::Arc};

/// The outcome of a fetch, for all that wait for it.
pub type FetchOutcome = Option<Arc<Vec<u8>>>;

/// A payload of a job. The same payload of another job is looked for at other nodes first.
type Key = (JobId, H256);

/// The fetches that are under way. A fetch ends when nobody waits for it any more, and has no other end
/// in time: those that wait for it do so until times of their own.
#[derive(Default)]
pub struct Flights(Mutex<HashMap<Key, WeakShared<BoxFuture<'static, FetchOutcome>>>>);

impl Flights {
    /// Returns the fetch of that payload of the job that is under way, or begins one.
    pub fn join(
        &self,
        job: JobId,
        hash: H256,
        begin: impl FnOnce() -> BoxFuture<'static, FetchOutcome>,
    ) -> Shared<BoxFuture<'static, FetchOutcome>> {
        let (key, mut flights) = ((job, hash), self.0.lock());
        // One that has its outcome is over, though some of those that wait may not have seen it.
        let under_way = flights.get(&key).and_then(WeakShared::upgrade);
        if let Some(flight) = under_way.filter(|flight| flight.peek().is_none()) {
            return flight;
        }
        flights.retain(|_, flight| flight.upgrade().is_some());
        let flight = begin().shared();
        if let Some(weak) = flight.downgrade() {
            flights.insert(key, weak);
        }
        flight
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        future::pending,
        sync::atomic::{AtomicUsize, Ordering},
    };
    use tokio::sync::oneshot;

    const JOB: JobId = JobId::repeat_byte(7);

    #[tokio::test]
    async fn same_payload_is_fetched_once_for_all() {
        let (flights, begun) = (Flights::default(), AtomicUsize::new(0));
        let mut senders = Vec::new();
        let mut begin = || {
            begun.fetch_add(1, Ordering::Relaxed);
            let (sender, receiver) = oneshot::channel::<Vec<u8>>();
            senders.push(sender);
            async { receiver.await.ok().map(Arc::new) }.boxed()
        };
        let waiting: Vec<_> = (0..8).map(|_| flights.join(JOB, H256::zero(), &mut begin)).collect();
        let other = flights.join(JOB, H256::repeat_byte(1), &mut begin);
        let of_other_job = flights.join(JobId::zero(), H256::zero(), &mut begin);
        for sender in senders.drain(..) {
            sender.send(vec![7]).unwrap();
        }
        for fetched in futures::future::join_all(waiting).await {
            assert_eq!(fetched.as_deref(), Some(&vec![7]));
        }
        other.await.unwrap();
        of_other_job.await.unwrap();
        assert_eq!(begun.into_inner(), 3);
    }

    #[tokio::test]
    async fn fetch_that_found_nothing_can_be_begun_again() {
        let flights = Flights::default();
        let first = flights.join(JOB, H256::zero(), || async { None }.boxed());
        assert_eq!(first.clone().await, None);
        let second = flights.join(JOB, H256::zero(), || async { Some(Arc::new(vec![7])) }.boxed());
        assert_eq!(second.await.as_deref(), Some(&vec![7]));
    }

    #[tokio::test]
    async fn fetch_goes_on_when_the_first_no_longer_waits() {
        let flights = Flights::default();
        let (sender, receiver) = oneshot::channel::<Vec<u8>>();
        let begin = || async { receiver.await.ok().map(Arc::new) }.boxed();
        let mut first = flights.join(JOB, H256::zero(), begin);
        let second = flights.join(JOB, H256::zero(), || async { None }.boxed());
        assert!(futures::poll!(&mut first).is_pending());
        drop(first);
        sender.send(vec![7]).unwrap();
        assert_eq!(second.await.as_deref(), Some(&vec![7]));
    }

    #[tokio::test]
    async fn fetch_that_nobody_waits_for_ends() {
        let flights = Flights::default();
        let held = Arc::new(());
        let holds = held.clone();
        let begin = || {
            async move {
                let _held = holds;
                pending::<FetchOutcome>().await
            }
            .boxed()
        };
        let flight = flights.join(JOB, H256::zero(), begin);
        assert_eq!(Arc::strong_count(&held), 2);
        drop(flight);
        assert_eq!(Arc::strong_count(&held), 1);
    }
}
