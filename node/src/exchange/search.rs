// SPDX-License-Identifier: Apache-2.0
//! The search for a peer that has a payload.

use super::deliveries::Deliveries;
use futures::{
    future::{BoxFuture, Fuse, FutureExt},
    stream::{FuturesUnordered, StreamExt},
};
use std::{
    collections::{HashSet, VecDeque},
    future::Future,
    hash::Hash,
    pin::pin,
    time::Duration,
};
use tokio::time::{sleep, timeout};

/// The strangers that are asked at the same time, in addition to those that are slow to answer.
pub const MAX_ASKED: usize = 8;
/// The slow strangers whose answers are still awaited. Those of more are not.
const MAX_SLOW: usize = 32;
/// The peers that wait until they may deliver. No stranger is asked while there are so many.
const MAX_READY: usize = 4;

/// A search: it asks peers, stage by stage, for the first part of something, and gets the rest from
/// one that has it.
pub trait Search: Sync {
    /// A peer.
    type Peer: Copy + Eq + Hash + Send + Sync;
    /// The first part.
    type Part: Send;
    /// The whole.
    type Whole: Send;
    /// The time for which the peers of a stage are waited for before those of the next are asked too.
    const PATIENCE: Duration;
    /// The time for which a peer that answers or delivers holds up others.
    const STALL: Duration;

    /// Returns the peers of a stage, counted from 0; `None` after the last one.
    fn stage(&self, stage: usize) -> impl Future<Output = Option<Vec<Self::Peer>>> + Send;

    /// Waits until peers say that they have it, and returns them.
    fn more(&self) -> impl Future<Output = Vec<Self::Peer>> + Send;

    /// Returns whether the chain names a peer. The others are strangers, which come later.
    fn is_named(&self, peer: &Self::Peer) -> bool;

    /// Asks a peer for the first part.
    fn probe(&self, peer: Self::Peer) -> impl Future<Output = Option<Self::Part>> + Send;

    /// Gets the rest from a peer; `None` if the whole is not the right one.
    fn pull(
        &self,
        peer: Self::Peer,
        first: Self::Part,
    ) -> impl Future<Output = Option<Self::Whole>> + Send;
}

/// Returns the whole from the first peer that delivers it.
///
/// At most [`MAX_ASKED`] strangers are asked at a time, and one peer delivers at a time. A peer that takes
/// longer than [`Search::STALL`] goes on, but no longer holds up the others. The next stage begins when
/// the peers of this one have answered, or have been waited for long enough.
pub async fn search<S: Search>(search: &S) -> Option<S::Whole> {
    let mut asked = HashSet::new();
    let mut waiting = VecDeque::new();
    let mut probes = FuturesUnordered::new();
    let mut slow = FuturesUnordered::new();
    let mut deliveries = Deliveries::new();
    let mut stage = 0;
    let mut staging = pin!(search.stage(stage).fuse());
    let mut patience = pin!(Fuse::terminated());
    let mut stall = pin!(Fuse::terminated());
    let mut more = pin!(search.more().fuse());
    // Whether the peers of the last stage are known.
    let mut last = false;
    // Whether the peers of the current stage are known, and those of the next are not asked for yet.
    let mut idle = false;
    loop {
        if deliveries.begin() {
            stall.set(sleep(S::STALL).fuse());
        }
        while let Some(peer) = waiting.pop_front() {
            let room = probes.len() < MAX_ASKED && deliveries.ready() < MAX_READY;
            if !room && !search.is_named(&peer) {
                waiting.push_front(peer);
                break;
            }
            if asked.insert(peer) {
                probes.push(ask(search, peer));
            }
        }
        if idle && probes.is_empty() && slow.is_empty() && deliveries.is_empty() {
            if last {
                return None;
            }
            (stage, idle) = (stage + 1, false);
            staging.set(search.stage(stage).fuse());
        }
        tokio::select! {
            // Peers that have something go before those that may have it.
            biased;
            Some(whole) = deliveries.next() => if whole.is_some() {
                return whole;
            },
            Some(answer) = probes.next() => match answer {
                Answer::Part(peer, Some(part)) => {
                    deliveries.add(search.is_named(&peer), search.pull(peer, part).boxed());
                }
                Answer::Part(_, None) => {}
                Answer::Slow(peer, part) => if slow.len() < MAX_SLOW || search.is_named(&peer) {
                    slow.push(async move { (peer, part.await) });
                },
            },
            Some((peer, part)) = slow.next() => if let Some(part) = part {
                deliveries.add(search.is_named(&peer), search.pull(peer, part).boxed());
            },
            peers = &mut more => {
                // One that did not have it before is asked again.
                asked.retain(|peer| !peers.contains(peer));
                put_first(&mut waiting, peers);
                more.set(search.more().fuse());
            }
            peers = &mut staging => {
                (last, idle) = (peers.is_none(), true);
                let peers = peers.into_iter().flatten();
                let (named, strangers): (Vec<_>, Vec<_>) =
                    peers.partition(|peer| search.is_named(peer));
                waiting.extend(strangers);
                put_first(&mut waiting, named);
                if !last {
                    patience.set(sleep(S::PATIENCE).fuse());
                }
            }
            () = &mut stall => deliveries.stall(),
            // A peer that delivers in time needs no others.
            () = &mut patience, if idle && !last && !deliveries.is_in_time() => {
                (stage, idle) = (stage + 1, false);
                staging.set(search.stage(stage).fuse());
            }
        }
    }
}

/// The answer of a peer.
enum Answer<'a, P, T> {
    /// The first part, if the peer has it.
    Part(P, Option<T>),
    /// The peer takes long, and may answer later.
    Slow(P, BoxFuture<'a, Option<T>>),
}

/// Asks a peer, for as long as it may hold up others.
async fn ask<S: Search>(search: &S, peer: S::Peer) -> Answer<'_, S::Peer, S::Part> {
    let mut part = search.probe(peer).boxed();
    match timeout(S::STALL, &mut part).await {
        Ok(part) => Answer::Part(peer, part),
        Err(_) => Answer::Slow(peer, part),
    }
}

/// Puts peers before those that wait.
fn put_first<P>(waiting: &mut VecDeque<P>, peers: Vec<P>) {
    for peer in peers.into_iter().rev() {
        waiting.push_front(peer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use parking_lot::Mutex;
    use std::future::pending;

    /// Peers by their number: a silent one never answers, a false one delivers the wrong thing, and an
    /// endless one never ends to deliver.
    #[derive(Default)]
    struct Peers {
        stages: Vec<Vec<u32>>,
        named: Vec<u32>,
        silent: Vec<u32>,
        endless: Vec<u32>,
        holders: Vec<u32>,
        false_ones: Vec<u32>,
        late: Mutex<Vec<u32>>,
        asked: Mutex<Vec<u32>>,
    }

    impl Search for Peers {
        type Peer = u32;
        type Part = u32;
        type Whole = u32;
        const PATIENCE: Duration = Duration::ZERO;
        const STALL: Duration = Duration::ZERO;

        async fn stage(&self, stage: usize) -> Option<Vec<u32>> {
            self.stages.get(stage).cloned()
        }

        async fn more(&self) -> Vec<u32> {
            let late = std::mem::take(&mut *self.late.lock());
            match late.is_empty() {
                true => pending().await,
                false => late,
            }
        }

        fn is_named(&self, peer: &u32) -> bool {
            self.named.contains(peer)
        }

        async fn probe(&self, peer: u32) -> Option<u32> {
            self.asked.lock().push(peer);
            if self.silent.contains(&peer) {
                return pending().await;
            }
            let has = [&self.holders, &self.false_ones, &self.endless];
            has.iter().any(|peers| peers.contains(&peer)).then_some(peer)
        }

        async fn pull(&self, peer: u32, first: u32) -> Option<u32> {
            if self.endless.contains(&peer) {
                return pending().await;
            }
            (!self.false_ones.contains(&peer)).then_some(first)
        }
    }

    #[tokio::test]
    async fn all_peers_of_all_stages_are_asked_once() {
        let stages = vec![vec![1, 2], vec![2, 3], (3..50).collect()];
        let peers = Peers { stages: stages.clone(), ..Peers::default() };
        assert_eq!(search(&peers).await, None);
        peers.asked.lock().sort_unstable();
        assert_eq!(*peers.asked.lock(), (1..50).collect::<Vec<u32>>());
        let peers = Peers { stages, holders: vec![49], ..Peers::default() };
        assert_eq!(search(&peers).await, Some(49));
    }

    #[tokio::test]
    async fn search_without_peers_ends() {
        assert_eq!(search(&Peers::default()).await, None);
        let stages = vec![Vec::new(), Vec::new(), vec![1]];
        let peers = Peers { stages, holders: vec![1], ..Peers::default() };
        assert_eq!(search(&peers).await, Some(1));
    }

    #[tokio::test]
    async fn peer_that_delivers_something_else_is_passed_over() {
        let stages = vec![vec![1], vec![2]];
        let peers = Peers { stages, holders: vec![2], false_ones: vec![1], ..Peers::default() };
        assert_eq!(search(&peers).await, Some(2));
    }

    #[tokio::test]
    async fn silent_peers_delay_the_next_stage_and_do_not_prevent_it() {
        let stages = vec![vec![1], vec![2]];
        let peers = Peers { stages, silent: vec![1], holders: vec![2], ..Peers::default() };
        assert_eq!(search(&peers).await, Some(2));
    }

    #[tokio::test]
    async fn silent_peers_leave_places_for_others() {
        let silent: Vec<u32> = (1..MAX_ASKED as u32).collect();
        let stages = vec![(1..50).collect()];
        let peers = Peers { stages, silent, holders: vec![49], ..Peers::default() };
        assert_eq!(search(&peers).await, Some(49));
    }

    #[tokio::test]
    async fn peer_that_says_later_that_it_has_it_is_asked() {
        let (late, holders) = (Mutex::new(vec![7]), vec![7]);
        let peers =
            Peers { stages: vec![vec![1]], silent: vec![1], late, holders, ..Peers::default() };
        assert_eq!(search(&peers).await, Some(7));
    }

    #[tokio::test]
    async fn silent_peers_give_their_places_to_others() {
        let silent: Vec<u32> = (1..3 * MAX_ASKED as u32).collect();
        let stages = vec![(1..50).collect()];
        let peers = Peers { stages, silent, holders: vec![49], ..Peers::default() };
        assert_eq!(search(&peers).await, Some(49));
    }

    #[tokio::test]
    async fn peer_that_delivers_without_end_does_not_hold_up_others() {
        let stages = vec![vec![1, 2], vec![3]];
        let peers = Peers { stages, endless: vec![1, 2], holders: vec![3], ..Peers::default() };
        assert_eq!(search(&peers).await, Some(3));
        let endless: Vec<u32> = (1..49).collect();
        let stages = vec![(1..50).collect()];
        let peers = Peers { stages, endless, holders: vec![49], ..Peers::default() };
        assert_eq!(search(&peers).await, Some(49));
    }

    #[tokio::test]
    async fn peer_that_says_so_during_a_delivery_is_asked() {
        let (late, holders) = (Mutex::new(vec![7]), vec![7]);
        let stages = vec![vec![1]];
        let peers = Peers { stages, endless: vec![1], late, holders, ..Peers::default() };
        assert_eq!(search(&peers).await, Some(7));
    }

    #[tokio::test]
    async fn peer_that_the_chain_names_is_asked_before_strangers() {
        let silent: Vec<u32> = (1..49).collect();
        let (stages, named) = (vec![(1..50).collect()], vec![49]);
        let peers = Peers { stages, named, silent, holders: vec![49], ..Peers::default() };
        assert_eq!(search(&peers).await, Some(49));
        assert_eq!(peers.asked.lock().first(), Some(&49));
    }
}
