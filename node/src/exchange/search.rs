// SPDX-License-Identifier: Apache-2.0
//! The search for a peer that has a payload.

use futures::{
    future::{Fuse, FutureExt},
    stream::{FuturesUnordered, StreamExt},
};
use std::{
    collections::{HashSet, VecDeque},
    future::Future,
    hash::Hash,
    pin::pin,
    time::Duration,
};

/// The peers that are asked at the same time.
pub const ASKED: usize = 8;

/// A search: it asks peers, stage by stage, for the first part of something, and gets the rest from
/// one that has it.
pub trait Search {
    /// A peer.
    type Peer: Copy + Eq + Hash;
    /// The first part.
    type Part;
    /// The whole.
    type Whole;
    /// The time for which the peers of a stage are waited for before those of the next are asked too.
    const PATIENCE: Duration;

    /// Returns the peers of a stage, counted from 0; `None` after the last one.
    fn stage(&self, stage: usize) -> impl Future<Output = Option<Vec<Self::Peer>>> + Send;

    /// Waits until peers say that they have it, and returns them.
    fn more(&self) -> impl Future<Output = Vec<Self::Peer>> + Send;

    /// Asks a peer for the first part.
    fn probe(&self, peer: Self::Peer) -> impl Future<Output = Option<Self::Part>> + Send;

    /// Gets the rest from a peer; `None` if the whole is not the right one.
    fn pull(
        &self,
        peer: Self::Peer,
        first: Self::Part,
    ) -> impl Future<Output = Option<Self::Whole>> + Send;
}

/// Returns the whole from the first peer that has it. At most [`ASKED`] peers are asked at a time, and
/// one delivers at a time. The next stage begins when the peers of this one have answered, or have been
/// waited for long enough.
pub async fn search<S: Search>(search: &S) -> Option<S::Whole> {
    let mut asked = HashSet::new();
    let mut waiting = VecDeque::new();
    let mut probes = FuturesUnordered::new();
    let mut stage = 0;
    let mut staging = pin!(search.stage(stage).fuse());
    let mut patience = pin!(Fuse::terminated());
    let mut more = pin!(search.more().fuse());
    // Whether the peers of the last stage are known.
    let mut last = false;
    // Whether the peers of the current stage are known, and those of the next are not asked for yet.
    let mut idle = false;
    loop {
        while probes.len() < ASKED {
            let Some(peer) = waiting.pop_front() else { break };
            if asked.insert(peer) {
                probes.push(async move { (peer, search.probe(peer).await) });
            }
        }
        if probes.is_empty() && idle {
            if last {
                return None;
            }
            (stage, idle) = (stage + 1, false);
            staging.set(search.stage(stage).fuse());
        }
        tokio::select! {
            // Peers that have something go before those that may have it.
            biased;
            Some((peer, part)) = probes.next() => {
                if let Some(part) = part {
                    if let Some(whole) = search.pull(peer, part).await {
                        return Some(whole);
                    }
                }
            }
            peers = &mut more => {
                // One that did not have it before is asked again.
                asked.retain(|peer| !peers.contains(peer));
                waiting.extend(peers);
                more.set(search.more().fuse());
            }
            peers = &mut staging => {
                last = peers.is_none();
                idle = true;
                waiting.extend(peers.into_iter().flatten());
                if !last {
                    patience.set(tokio::time::sleep(S::PATIENCE).fuse());
                }
            }
            () = &mut patience, if idle && !last => {
                (stage, idle) = (stage + 1, false);
                staging.set(search.stage(stage).fuse());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use parking_lot::Mutex;
    use std::future::pending;

    /// Peers by their number: a silent one never answers, a false one delivers the wrong thing.
    #[derive(Default)]
    struct Peers {
        stages: Vec<Vec<u32>>,
        silent: Vec<u32>,
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

        async fn probe(&self, peer: u32) -> Option<u32> {
            self.asked.lock().push(peer);
            if self.silent.contains(&peer) {
                return pending().await;
            }
            (self.holders.contains(&peer) || self.false_ones.contains(&peer)).then_some(peer)
        }

        async fn pull(&self, peer: u32, first: u32) -> Option<u32> {
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
        let silent: Vec<u32> = (1..ASKED as u32).collect();
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
}
