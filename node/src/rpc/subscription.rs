// SPDX-License-Identifier: Apache-2.0
//! Sends the output of a job to a subscriber, as it comes.

use super::feeds::Following;
use assay_rpc::{OutputItem, StreamEnd};
use futures::future::BoxFuture;
use jsonrpsee::{SendTimeoutError, SubscriptionMessage, SubscriptionSink};
use std::time::Duration;

/// The time in which a subscriber has to make room for an item.
pub const SLOW: Duration = Duration::from_secs(30);
/// The time in which a subscriber that is dropped can still take the message that says so.
const LAST_WORD: Duration = Duration::from_secs(60);

/// Sends tokens from the index `from` on until the output ends, the subscriber leaves, or it does not
/// make room for an item within `slow`. The last item says why it is the last. `text` returns the text
/// of tokens.
pub async fn run(
    sink: SubscriptionSink,
    following: Following,
    from: u32,
    slow: Duration,
    text: impl Fn(Vec<u32>) -> BoxFuture<'static, Vec<u8>>,
) {
    tokio::select! {
        () = send_all(&sink, following, from, slow, text) => {},
        () = sink.closed() => {},
    }
}

async fn send_all(
    sink: &SubscriptionSink,
    mut following: Following,
    from: u32,
    slow: Duration,
    text: impl Fn(Vec<u32>) -> BoxFuture<'static, Vec<u8>>,
) {
    let mut index = from;
    loop {
        let feed = &mut following.receiver;
        let part = feed.borrow_and_update().part(index);
        let item = match part {
            Some(part) => {
                let bytes = match part.bytes {
                    Some(bytes) => bytes,
                    None => text(part.tokens.clone()).await,
                };
                OutputItem::new(index, part.tokens, bytes, part.end)
            }
            None if feed.changed().await.is_ok() => continue,
            // The task that filled the feed is gone without a word: the node ends, or it failed.
            None => last(index, StreamEnd::Unavailable),
        };
        index = index.saturating_add(item.tokens.len() as u32);
        let Ok(message) = encode(&item) else { return };
        match sink.send_timeout(message, slow).await {
            Ok(()) if item.end.is_none() => {}
            Ok(()) | Err(SendTimeoutError::Closed(_)) => return,
            Err(SendTimeoutError::Timeout(_)) => {
                // Whoever is the last to leave a feed ends it; a slow subscriber does not keep it.
                drop(following);
                if let Ok(message) = encode(&last(item.index, StreamEnd::TooSlow)) {
                    // Best effort: a subscriber that never reads does not get this either.
                    let _ = sink.send_timeout(message, LAST_WORD).await;
                }
                return;
            }
        }
    }
}

fn encode(item: &OutputItem) -> Result<SubscriptionMessage, serde_json::Error> {
    SubscriptionMessage::from_json(item)
}

fn last(index: u32, end: StreamEnd) -> OutputItem {
    OutputItem::new(index, Vec::new(), Vec::new(), Some(end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        exchange::PAGE_TOKENS,
        rpc::{
            feed::Feed,
            feeds::{Feeds, Opened},
        },
    };
    use assay_primitives::testing::job;
    use futures::FutureExt;
    use jsonrpsee::{core::EmptyServerParams, PendingSubscriptionSink, RpcModule, Subscription};
    use parking_lot::Mutex;
    use std::sync::Arc;

    const PATIENCE: Duration = Duration::from_millis(200);

    /// The feed of the only subscriber, until it takes it.
    type Own = Mutex<Option<Following>>;

    /// Returns a feed to be filled and its only subscriber.
    fn feed() -> (Opened, Following) {
        let (following, opened) = Feeds::default().join(1, job(1)).unwrap();
        (opened.unwrap(), following)
    }

    /// Changes a feed.
    fn fill(opened: &Opened, change: impl FnOnce(&mut Feed)) {
        opened.feed.send_modify(change);
    }

    /// Subscribes to a feed, from that index on, with room for so many messages.
    async fn subscribe(feed: Following, from: u32, room: usize) -> (RpcModule<Own>, Subscription) {
        let mut module = RpcModule::new(Mutex::new(Some(feed)));
        let follow = move |_, pending: PendingSubscriptionSink, own: Arc<Own>, _| async move {
            let sink = pending.accept().await.unwrap();
            let feed = own.lock().take().unwrap();
            let text = |tokens: Vec<u32>| futures::future::ready(vec![b'?'; tokens.len()]).boxed();
            run(sink, feed, from, PATIENCE, text).await;
        };
        module.register_subscription("follow", "item", "leave", follow).unwrap();
        let items = module.subscribe("follow", EmptyServerParams::new(), room).await.unwrap();
        (module, items)
    }

    async fn next(items: &mut Subscription) -> Option<OutputItem> {
        Some(items.next::<OutputItem>().await?.unwrap().0)
    }

    #[tokio::test]
    async fn subscriber_gets_the_output_in_order_and_the_reason_of_its_end() {
        let (opened, feed) = feed();
        fill(&opened, |feed| feed.push(&[1, 2], b"ab"));
        let (_module, mut items) = subscribe(feed, 0, 8).await;
        let first = OutputItem::new(0, vec![1, 2], b"ab".to_vec(), None);
        assert_eq!(next(&mut items).await, Some(first));
        fill(&opened, |feed| {
            feed.push(&[3], b"c");
            feed.finish(StreamEnd::Stop);
        });
        let second = OutputItem::new(2, vec![3], b"c".to_vec(), Some(StreamEnd::Stop));
        assert_eq!(next(&mut items).await, Some(second));
    }

    #[tokio::test]
    async fn subscriber_that_begins_within_a_piece_gets_its_text() {
        let (opened, feed) = feed();
        fill(&opened, |feed| {
            feed.push(&[1, 2, 3], b"abc");
            feed.push(&[4], b"d");
            feed.finish(StreamEnd::Length);
        });
        let (_module, mut items) = subscribe(feed, 1, 8).await;
        let first = OutputItem::new(1, vec![2, 3], b"??".to_vec(), None);
        assert_eq!(next(&mut items).await, Some(first));
        let second = OutputItem::new(3, vec![4], b"d".to_vec(), Some(StreamEnd::Length));
        assert_eq!(next(&mut items).await, Some(second));
    }

    #[tokio::test]
    async fn subscriber_is_told_when_nobody_fills_the_feed_any_more() {
        let (opened, feed) = feed();
        let (_module, mut items) = subscribe(feed, 5, 8).await;
        drop(opened);
        assert_eq!(next(&mut items).await, Some(last(5, StreamEnd::Unavailable)));
    }

    #[tokio::test]
    async fn slow_subscriber_leaves_the_feed_and_is_told_why() {
        let (opened, feed) = feed();
        let page = vec![7; PAGE_TOKENS];
        fill(&opened, |feed| (0..3).for_each(|_| feed.push(&page, b"x")));
        // There is room for one page, and nobody reads it.
        let (_module, mut items) = subscribe(feed, 0, 1).await;
        opened.feed.closed().await;
        let first = next(&mut items).await.unwrap();
        assert_eq!((first.index, first.tokens.len(), first.end), (0, PAGE_TOKENS, None));
        let told = last(PAGE_TOKENS as u32, StreamEnd::TooSlow);
        assert_eq!(next(&mut items).await, Some(told));
    }
}
