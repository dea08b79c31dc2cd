// SPDX-License-Identifier: Apache-2.0
//! The peers that deliver something: one after the other, and in addition to those that are slow.

use futures::{
    future::{abortable, AbortHandle, Abortable, BoxFuture},
    stream::{FuturesUnordered, StreamExt},
};
use std::collections::VecDeque;

/// The peers that deliver at the same time, if all of them are slow. It exceeds the number of peers that
/// the chain names for a job, so that there is a stranger among them.
const MAX_UNDER_WAY: usize = 4;

/// A delivery, which does nothing before it is begun; `None` if it is not the right thing.
type Delivery<'a, W> = BoxFuture<'a, Option<W>>;

/// A delivery that was begun, with its number.
type UnderWay<'a, W> = Abortable<BoxFuture<'a, (usize, Option<W>)>>;

/// The deliveries of one thing.
pub struct Deliveries<'a, W> {
    /// Those that are not begun, each with whether the chain names its peer.
    ready: VecDeque<(bool, Delivery<'a, W>)>,
    /// Those that are under way.
    under_way: FuturesUnordered<UnderWay<'a, W>>,
    /// The deliveries of strangers that are under way, the oldest first.
    strangers: VecDeque<(usize, AbortHandle)>,
    begun: usize,
    /// Whether the last one that was begun has taken too long.
    stalled: bool,
}

impl<'a, W: Send + 'a> Deliveries<'a, W> {
    /// Starts without deliveries.
    pub fn new() -> Self {
        Self {
            ready: VecDeque::new(),
            under_way: FuturesUnordered::new(),
            strangers: VecDeque::new(),
            begun: 0,
            stalled: false,
        }
    }

    /// Adds a delivery, before those of strangers if the chain names its peer.
    pub fn add(&mut self, named: bool, delivery: Delivery<'a, W>) {
        match named {
            true => self.ready.push_front((named, delivery)),
            false => self.ready.push_back((named, delivery)),
        }
    }

    /// Begins the next delivery, if none is under way or the last one has taken too long, and returns
    /// whether it did. If there are too many, the oldest one of a stranger ends.
    pub fn begin(&mut self) -> bool {
        if !self.under_way.is_empty() && !self.stalled {
            return false;
        }
        let Some((named, delivery)) = self.ready.pop_front() else { return false };
        if self.under_way.len() >= MAX_UNDER_WAY {
            if let Some((_, oldest)) = self.strangers.pop_front() {
                oldest.abort();
            }
        }
        let number = self.begun;
        let (delivery, handle) =
            abortable(Box::pin(async move { (number, delivery.await) }) as BoxFuture<'a, _>);
        if !named {
            self.strangers.push_back((number, handle));
        }
        self.under_way.push(delivery);
        (self.begun, self.stalled) = (number + 1, false);
        true
    }

    /// Notes that the last delivery that was begun has taken too long.
    pub fn stall(&mut self) {
        self.stalled = true;
    }

    /// Waits until a delivery ends; `None` if none is under way.
    pub async fn next(&mut self) -> Option<Option<W>> {
        let ended = self.under_way.next().await?;
        let Ok((number, whole)) = ended else { return Some(None) };
        self.strangers.retain(|(other, _)| *other != number);
        Some(whole)
    }

    /// Returns the number of deliveries that are not begun.
    pub fn ready(&self) -> usize {
        self.ready.len()
    }

    /// Returns whether a delivery is under way that has not taken too long.
    pub fn is_in_time(&self) -> bool {
        !self.under_way.is_empty() && !self.stalled
    }

    /// Returns whether no delivery is under way or can be begun.
    pub fn is_empty(&self) -> bool {
        self.under_way.is_empty() && self.ready.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;
    use std::future::{pending, ready};

    fn never<'a>() -> Delivery<'a, u32> {
        pending().boxed()
    }

    fn at_once<'a>(whole: u32) -> Delivery<'a, u32> {
        ready(Some(whole)).boxed()
    }

    #[tokio::test]
    async fn one_delivers_until_it_takes_too_long() {
        let mut deliveries = Deliveries::new();
        deliveries.add(false, never());
        deliveries.add(false, at_once(7));
        assert!(deliveries.begin() && deliveries.is_in_time());
        assert!(!deliveries.begin(), "the first one has time");
        assert!(deliveries.next().now_or_never().is_none());
        deliveries.stall();
        assert!(deliveries.begin() && deliveries.is_in_time());
        assert_eq!(deliveries.next().await, Some(Some(7)));
    }

    #[tokio::test]
    async fn peer_that_the_chain_names_delivers_before_strangers() {
        let mut deliveries = Deliveries::new();
        deliveries.add(false, at_once(1));
        deliveries.add(true, at_once(2));
        deliveries.begin();
        assert_eq!(deliveries.next().await, Some(Some(2)));
    }

    #[tokio::test]
    async fn slow_strangers_make_room_and_named_peers_stay() {
        let mut deliveries = Deliveries::new();
        let (sender, named) = futures::channel::oneshot::channel();
        deliveries.add(true, async { named.await.ok() }.boxed());
        for _ in 0..3 * MAX_UNDER_WAY {
            deliveries.add(false, never());
            deliveries.stall();
            deliveries.begin();
            while deliveries.next().now_or_never().is_some() {}
            assert!(deliveries.under_way.len() <= MAX_UNDER_WAY);
        }
        sender.send(7).unwrap();
        assert_eq!(deliveries.next().await, Some(Some(7)));
    }
}
