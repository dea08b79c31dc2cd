// SPDX-License-Identifier: Apache-2.0
//! The outputs that this node follows, each once for all its subscribers.

use super::feed::Feed;
use assay_primitives::JobId;
use parking_lot::Mutex;
use std::{collections::BTreeMap, future::Future, pin::pin, sync::Arc};
use tokio::sync::watch;

/// The most outputs that are followed at a time.
pub const MAX_FEEDS: usize = 256;
/// The most tokens that the outputs that are followed may come to have, all together.
pub const MAX_TOKENS: u64 = 4_000_000;

/// The outputs that this node follows. An output is followed as long as it has a subscriber.
#[derive(Clone, Default)]
pub struct Feeds(Arc<Mutex<BTreeMap<JobId, Open>>>);

/// An output that is followed.
struct Open {
    feed: Arc<watch::Sender<Feed>>,
    /// The most tokens that it may come to have.
    most: u64,
}

impl Feeds {
    /// Returns a receiver of the feed of a job of at most `most` tokens. The feed itself is returned as
    /// well if nobody follows the job yet, and then the caller has to fill it.
    ///
    /// # Errors
    ///
    /// The outputs that are followed are as many, or as long, as the node permits. The error says so.
    pub fn join(
        &self,
        job: JobId,
        most: u32,
    ) -> Result<(watch::Receiver<Feed>, Option<Opened>), String> {
        let mut all = self.0.lock();
        if let Some(open) = all.get(&job).filter(|open| open.feed.borrow().end().is_none()) {
            return Ok((open.feed.subscribe(), None));
        }
        // A feed that has ended counts no more: its subscribers keep it, and it is not filled.
        all.remove(&job);
        if all.len() >= MAX_FEEDS {
            return Err(format!(
                "this node follows the outputs of {MAX_FEEDS} jobs, which is its limit; subscribe \
                 again later, or read the output with assay_output"
            ));
        }
        let most = u64::from(most);
        let total = all.values().fold(most, |sum, open| sum.saturating_add(open.most));
        if total > MAX_TOKENS {
            return Err(format!(
                "this node follows outputs of at most {MAX_TOKENS} tokens at a time, and with this \
                 one they could have {total}; subscribe again later, or read the output with \
                 assay_output"
            ));
        }
        let (feed, receiver) = watch::channel(Feed::new());
        let feed = Arc::new(feed);
        all.insert(job, Open { feed: feed.clone(), most });
        Ok((receiver, Some(Opened { feeds: self.clone(), job, feed })))
    }

    /// Returns the number of outputs that are followed.
    #[cfg(test)]
    fn len(&self) -> usize {
        self.0.lock().len()
    }
}

/// A feed that is followed until this is dropped.
pub struct Opened {
    feeds: Feeds,
    /// The job.
    pub job: JobId,
    /// The feed, to be filled.
    pub feed: Arc<watch::Sender<Feed>>,
}

impl Opened {
    /// Runs `filling`, which fills the feed, until it ends or the last subscriber leaves.
    pub async fn run(&self, filling: impl Future<Output = ()>) {
        let mut filling = pin!(filling);
        loop {
            tokio::select! {
                () = &mut filling => return,
                () = self.feed.closed() => {
                    // Subscribers join under the same lock, so none joins a feed that is left.
                    let mut all = self.feeds.0.lock();
                    if self.feed.receiver_count() == 0 {
                        all.remove(&self.job);
                        return;
                    }
                }
            }
        }
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        let mut all = self.feeds.0.lock();
        // A new feed of the job can have taken the place of this one.
        if all.get(&self.job).is_some_and(|open| Arc::ptr_eq(&open.feed, &self.feed)) {
            all.remove(&self.job);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_primitives::testing::job;
    use assay_rpc::StreamEnd;
    use std::future::pending;

    #[tokio::test]
    async fn subscribers_of_a_job_share_one_feed_that_ends_when_the_last_leaves() {
        let feeds = Feeds::default();
        let (first, opened) = feeds.join(job(1), 10).unwrap();
        let opened = opened.expect("nobody followed it");
        let (mut second, again) = feeds.join(job(1), 10).unwrap();
        assert!(again.is_none(), "it is followed already");
        opened.feed.send_modify(|feed| feed.push(&[7], b"x"));
        assert_eq!(second.borrow_and_update().tokens(), [7]);
        let running = tokio::spawn(async move { opened.run(pending()).await });
        drop(first);
        tokio::task::yield_now().await;
        assert_eq!(feeds.len(), 1, "one subscriber is left");
        drop(second);
        running.await.unwrap();
        assert_eq!(feeds.len(), 0);
        assert!(feeds.join(job(1), 10).unwrap().1.is_some(), "it is followed anew");
    }

    #[tokio::test]
    async fn feed_that_has_ended_is_not_joined() {
        let feeds = Feeds::default();
        let (ended, opened) = feeds.join(job(1), 10).unwrap();
        let opened = opened.unwrap();
        opened.feed.send_modify(|feed| feed.finish(StreamEnd::TimedOut));
        let (_next, new) = feeds.join(job(1), 10).unwrap();
        assert!(new.is_some());
        drop(opened);
        assert_eq!(feeds.len(), 1, "the new feed stays");
        assert_eq!(ended.borrow().end(), Some(StreamEnd::TimedOut));
    }

    #[tokio::test]
    async fn feed_whose_task_dies_is_closed_to_its_subscribers() {
        let feeds = Feeds::default();
        let (mut receiver, opened) = feeds.join(job(1), 10).unwrap();
        drop(opened);
        assert!(receiver.changed().await.is_err());
        assert_eq!(feeds.len(), 0);
    }

    #[test]
    fn feeds_are_limited_in_number_and_in_tokens() {
        let feeds = Feeds::default();
        let few: Vec<_> = (0..MAX_FEEDS as u64).map(|n| feeds.join(job(n), 1).unwrap()).collect();
        let refused = feeds.join(job(999), 1).map(|_| ()).unwrap_err();
        assert!(refused.contains(&MAX_FEEDS.to_string()), "{refused}");
        assert!(feeds.join(job(0), 1).is_ok(), "what is followed can be joined");
        drop(few);
        let most = MAX_TOKENS as u32;
        let large = feeds.join(job(1), most).unwrap();
        let refused = feeds.join(job(2), 1).map(|_| ()).unwrap_err();
        assert!(refused.contains(&MAX_TOKENS.to_string()), "{refused}");
        drop(large);
        assert!(feeds.join(job(2), 1).is_ok());
    }
}
