// SPDX-License-Identifier: Apache-2.0
//! The outputs that this node follows, each once for all its subscribers.
//!
//! A feed counts from its first subscriber until its last one leaves, also after its end, because its
//! tokens stay in memory for as long. It counts the tokens that it has, not those that it may get.

use super::feed::Feed;
use assay_primitives::JobId;
use parking_lot::Mutex;
use std::{
    collections::{btree_map::Entry, BTreeMap},
    future::Future,
    sync::Arc,
};
use tokio::sync::watch;

/// The most outputs that are followed at a time.
pub const MAX_FEEDS: usize = 256;
/// The tokens that the outputs that are followed have at most, all together.
pub const MAX_TOKENS: u64 = 4_000_000;
/// The most outputs that one connection follows.
pub const MAX_OWN_FEEDS: usize = 32;
/// The tokens of the outputs that one connection follows, beyond which these get no more. The longest
/// output has as many.
pub const MAX_OWN_TOKENS: u64 = 1_000_000;

/// The bytes of text that a token has at most without counting more than once.
const TEXT_OF_TOKEN: u64 = 16;

/// Returns what a piece of an output counts: its tokens, or more if it has much text.
pub fn weight(tokens: usize, text: usize) -> u64 {
    (tokens as u64).max((text as u64).div_ceil(TEXT_OF_TOKEN))
}

/// The outputs that this node follows. An output is followed as long as it has a subscriber.
#[derive(Clone, Default)]
pub struct Feeds(Arc<Mutex<All>>);

#[derive(Default)]
struct All {
    /// The number of the next feed.
    next: u64,
    by_number: BTreeMap<u64, Followed>,
}

/// An output that is followed.
struct Followed {
    job: JobId,
    /// The feed; `None` if it has ended and can be joined no more.
    feed: Option<Arc<watch::Sender<Feed>>>,
    /// The weight of its tokens and text, in tokens.
    weight: u64,
    /// The number of subscribers of each connection.
    subscribers: BTreeMap<usize, usize>,
}

impl Followed {
    /// Returns whether another subscriber can join it. A feed that ended without the whole output is
    /// not joined, because another attempt can find more.
    fn can_be_joined(&self, job: &JobId) -> bool {
        let Some(feed) = self.feed.as_ref().filter(|_| self.job == *job) else { return false };
        let end = feed.borrow().end();
        end.is_none_or(|end| end.is_complete())
    }
}

impl All {
    /// Returns the number and the weight of the feeds of that connection.
    fn of(&self, connection: usize) -> (usize, u64) {
        let own = self.by_number.values().filter(|feed| feed.subscribers.contains_key(&connection));
        own.fold((0, 0), |(count, weight), feed| (count + 1, weight + feed.weight))
    }

    fn weight(&self) -> u64 {
        self.by_number.values().map(|feed| feed.weight).sum()
    }
}

impl Feeds {
    /// Follows the output of a job on behalf of a connection. The feed itself is returned as well if
    /// nobody follows the job yet, and then the caller has to fill it.
    ///
    /// # Errors
    ///
    /// The outputs that this connection or that all follow are as many, or as long, as the node permits.
    /// The error says so.
    pub fn join(
        &self,
        connection: usize,
        job: JobId,
    ) -> Result<(Following, Option<Opened>), String> {
        let mut all = self.0.lock();
        let known = all.by_number.iter().find(|(_, feed)| feed.can_be_joined(&job));
        let known =
            known.map(|(number, feed)| (*number, feed.subscribers.contains_key(&connection)));
        if !matches!(known, Some((_, true))) {
            ensure_share(all.of(connection))?;
        }
        let number = match known {
            Some((number, _)) => number,
            None => {
                ensure_room(all.by_number.len(), all.weight())?;
                let number = all.next;
                all.next += 1;
                let feed = Some(Arc::new(watch::Sender::new(Feed::new())));
                let followed = Followed { job, feed, weight: 0, subscribers: BTreeMap::new() };
                all.by_number.insert(number, followed);
                number
            }
        };
        let followed = all.by_number.get_mut(&number).ok_or("the feed is gone; subscribe again")?;
        let feed = followed.feed.clone().ok_or("the feed is gone; subscribe again")?;
        *followed.subscribers.entry(connection).or_default() += 1;
        let receiver = feed.subscribe();
        let opened = known.is_none().then(|| Opened { feeds: self.clone(), number, job, feed });
        Ok((Following { feeds: self.clone(), number, connection, receiver }, opened))
    }

    /// Returns the number of feeds that count.
    #[cfg(test)]
    fn len(&self) -> usize {
        self.0.lock().by_number.len()
    }
}

fn ensure_share((feeds, weight): (usize, u64)) -> Result<(), String> {
    if feeds >= MAX_OWN_FEEDS {
        return Err(format!(
            "this connection follows the outputs of {feeds} jobs, and {MAX_OWN_FEEDS} is the limit of \
             each; end a subscription with assay_unsubscribeOutput first"
        ));
    }
    if weight >= MAX_OWN_TOKENS {
        return Err(format!(
            "the outputs that this connection follows have {weight} tokens, and {MAX_OWN_TOKENS} is \
             the limit of each; end a subscription with assay_unsubscribeOutput first"
        ));
    }
    Ok(())
}

fn ensure_room(feeds: usize, weight: u64) -> Result<(), String> {
    if feeds >= MAX_FEEDS {
        return Err(format!(
            "this node follows the outputs of {MAX_FEEDS} jobs, which is its limit; subscribe again \
             later, or read the output with assay_output"
        ));
    }
    if weight >= MAX_TOKENS {
        return Err(format!(
            "the outputs that this node follows have {weight} tokens, and {MAX_TOKENS} is its limit; \
             subscribe again later, or read the output with assay_output"
        ));
    }
    Ok(())
}

/// A subscriber of an output, until it is dropped.
pub struct Following {
    feeds: Feeds,
    number: u64,
    connection: usize,
    /// The receiver of the feed.
    pub receiver: watch::Receiver<Feed>,
}

impl Drop for Following {
    fn drop(&mut self) {
        let mut all = self.feeds.0.lock();
        let Entry::Occupied(mut followed) = all.by_number.entry(self.number) else { return };
        let subscribers = &mut followed.get_mut().subscribers;
        if let Entry::Occupied(mut own) = subscribers.entry(self.connection) {
            *own.get_mut() -= 1;
            if *own.get() == 0 {
                own.remove();
            }
        }
        if subscribers.is_empty() {
            followed.remove();
        }
    }
}

/// A feed to be filled, until this is dropped.
pub struct Opened {
    feeds: Feeds,
    number: u64,
    /// The job.
    pub job: JobId,
    /// The feed.
    pub feed: Arc<watch::Sender<Feed>>,
}

impl Opened {
    /// Counts a piece that is about to be added, and returns `false` if there is no room for it: all
    /// feeds have as many tokens as the node permits, or each connection that follows this one has used
    /// up its share.
    pub fn grow(&self, weight: u64) -> bool {
        let mut all = self.feeds.0.lock();
        let Some(followed) = all.by_number.get(&self.number) else { return false };
        let has_share = |connection: &usize| all.of(*connection).1 < MAX_OWN_TOKENS;
        if all.weight().saturating_add(weight) > MAX_TOKENS
            || !followed.subscribers.keys().any(has_share)
        {
            return false;
        }
        if let Some(followed) = all.by_number.get_mut(&self.number) {
            followed.weight += weight;
        }
        true
    }

    /// Runs `filling`, which fills the feed, until it ends or the last subscriber has left.
    pub async fn run(&self, filling: impl Future<Output = ()>) {
        // A subscriber is removed before its receiver is dropped, so nobody joins a feed that is left.
        tokio::select! {
            () = filling => {},
            () = self.feed.closed() => {},
        }
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        let mut all = self.feeds.0.lock();
        let Some(followed) = all.by_number.get_mut(&self.number) else { return };
        let is_complete = self.feed.borrow().end().is_some_and(|end| end.is_complete());
        if !is_complete {
            // Its subscribers are told that nobody fills it any more.
            followed.feed = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_primitives::testing::job;
    use assay_rpc::StreamEnd;
    use std::future::pending;

    fn refused<T>(joined: Result<T, String>) -> String {
        joined.map(|_| ()).unwrap_err()
    }

    #[tokio::test]
    async fn subscribers_of_a_job_share_one_feed_that_ends_when_the_last_leaves() {
        let feeds = Feeds::default();
        let (first, opened) = feeds.join(1, job(1)).unwrap();
        let opened = opened.expect("nobody followed it");
        let (mut second, again) = feeds.join(2, job(1)).unwrap();
        assert!(again.is_none(), "it is followed already");
        opened.feed.send_modify(|feed| feed.push(&[7], b"x"));
        assert_eq!(second.receiver.borrow_and_update().tokens(), [7]);
        let running = tokio::spawn(async move { opened.run(pending()).await });
        drop(first);
        tokio::task::yield_now().await;
        assert_eq!(feeds.len(), 1, "one subscriber is left");
        drop(second);
        running.await.unwrap();
        assert_eq!(feeds.len(), 0);
        assert!(feeds.join(1, job(1)).unwrap().1.is_some(), "it is followed anew");
    }

    #[test]
    fn complete_feed_counts_and_is_joined_until_the_last_subscriber_leaves() {
        let feeds = Feeds::default();
        let (first, opened) = feeds.join(1, job(1)).unwrap();
        let opened = opened.unwrap();
        opened.feed.send_modify(|feed| feed.finish(StreamEnd::Stop));
        drop(opened);
        let (second, again) = feeds.join(2, job(1)).unwrap();
        assert!(again.is_none() && feeds.len() == 1, "nothing is fetched again");
        assert_eq!(second.receiver.borrow().end(), Some(StreamEnd::Stop));
        drop((first, second));
        assert_eq!(feeds.len(), 0);
    }

    #[test]
    fn feed_that_ended_without_the_whole_output_counts_and_is_not_joined() {
        let feeds = Feeds::default();
        let (ended, opened) = feeds.join(1, job(1)).unwrap();
        let opened = opened.unwrap();
        opened.feed.send_modify(|feed| feed.finish(StreamEnd::TimedOut));
        let (_next, new) = feeds.join(1, job(1)).unwrap();
        assert!(new.is_some());
        drop(opened);
        assert_eq!(feeds.len(), 2);
        assert_eq!(ended.receiver.borrow().end(), Some(StreamEnd::TimedOut));
        drop(ended);
        assert_eq!(feeds.len(), 1, "the new feed stays");
    }

    #[tokio::test]
    async fn feed_whose_task_dies_is_closed_to_its_subscribers() {
        let feeds = Feeds::default();
        let (mut following, opened) = feeds.join(1, job(1)).unwrap();
        drop(opened);
        assert!(following.receiver.changed().await.is_err());
        drop(following);
        assert_eq!(feeds.len(), 0);
    }

    #[test]
    fn feeds_are_limited_in_number() {
        let feeds = Feeds::default();
        let join = |n: usize| feeds.join(n / MAX_OWN_FEEDS, job(n as u64));
        let mut own: Vec<_> = (0..MAX_OWN_FEEDS).map(|n| join(n).unwrap()).collect();
        let told = refused(feeds.join(0, job(999)));
        assert!(told.contains("this connection") && told.contains("32"), "{told}");
        assert!(feeds.join(0, job(0)).is_ok(), "it follows that one already");
        own.extend((MAX_OWN_FEEDS..MAX_FEEDS).map(|n| join(n).unwrap()));
        let told = refused(feeds.join(99, job(999)));
        assert!(told.contains(&MAX_FEEDS.to_string()), "{told}");
        assert!(feeds.join(99, job(0)).is_ok(), "what is followed can be joined");
        drop(own);
        assert_eq!(feeds.len(), 0);
    }

    #[test]
    fn feed_without_tokens_reserves_none() {
        let feeds = Feeds::default();
        let few: Vec<_> = (0..8).map(|n| feeds.join(1, job(n)).unwrap()).collect();
        assert!(feeds.join(1, job(9)).is_ok(), "none of them has a token");
        assert!(few[0].1.as_ref().unwrap().grow(MAX_OWN_TOKENS));
        let told = refused(feeds.join(1, job(9)));
        assert!(told.contains("this connection") && told.contains("1000000 tokens"), "{told}");
        assert!(feeds.join(2, job(9)).is_ok(), "others have shares of their own");
    }

    #[test]
    fn feeds_grow_within_the_share_of_a_subscriber_and_the_limit_of_the_node() {
        let feeds = Feeds::default();
        let (_own, first) = feeds.join(1, job(1)).unwrap();
        let (_other, second) = feeds.join(1, job(2)).unwrap();
        let (first, second) = (first.unwrap(), second.unwrap());
        assert!(first.grow(MAX_OWN_TOKENS) && !second.grow(1) && !first.grow(1));
        let (_another, _) = feeds.join(2, job(2)).unwrap();
        assert!(second.grow(1), "another connection follows it within its share");
        let (_third, third) = feeds.join(3, job(3)).unwrap();
        assert!(!third.as_ref().unwrap().grow(MAX_TOKENS), "the node has no room for as much");
        assert!(third.unwrap().grow(1));
    }

    #[test]
    fn long_text_counts_as_more_tokens() {
        assert_eq!((weight(3, 48), weight(3, 49), weight(0, 0)), (3, 4, 0));
    }
}
