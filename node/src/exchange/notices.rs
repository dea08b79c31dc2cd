// SPDX-License-Identifier: Apache-2.0
//! The peers that have said that they have a payload.

use parking_lot::Mutex;
use sc_network::PeerId;
use sp_core::H256;
use std::{
    collections::{HashMap, VecDeque},
    pin::pin,
    time::{Duration, Instant},
};
use tokio::sync::Notify;

/// The time for which a notice is kept: that of a few blocks, in which a job is assigned and accepted.
const KEPT: Duration = Duration::from_secs(60);
/// The most notices.
const MAX_NOTICES: usize = 1024;
/// The most notices of one peer.
const MAX_OF_A_PEER: usize = 64;
/// The most notices of one payload.
const MAX_OF_A_PAYLOAD: usize = 8;

struct Notice {
    peer: PeerId,
    hash: H256,
    at: Instant,
}

/// The notices, the oldest first.
#[derive(Default)]
pub struct Notices {
    kept: Mutex<VecDeque<Notice>>,
    added: Notify,
}

impl Notices {
    /// Notes that a peer has a payload. If there are too many notices of the payload, of the peer, or in
    /// all, the oldest goes: in all, the oldest of the peer with the most.
    pub fn add(&self, peer: PeerId, hash: H256, now: Instant) {
        let mut kept = self.kept.lock();
        kept.retain(|notice| now.saturating_duration_since(notice.at) < KEPT);
        if kept.iter().any(|notice| notice.peer == peer && notice.hash == hash) {
            return;
        }
        make_room(&mut kept, MAX_OF_A_PAYLOAD, |notice| notice.hash == hash);
        make_room(&mut kept, MAX_OF_A_PEER, |notice| notice.peer == peer);
        if kept.len() >= MAX_NOTICES {
            let busiest = busiest(&kept);
            make_room(&mut kept, 1, |notice| Some(notice.peer) == busiest);
        }
        kept.push_back(Notice { peer, hash, at: now });
        drop(kept);
        self.added.notify_waiters();
    }

    /// Returns the peers that have said that they have a payload.
    pub fn peers(&self, hash: &H256) -> Vec<PeerId> {
        let kept = self.kept.lock();
        kept.iter().filter(|notice| notice.hash == *hash).map(|notice| notice.peer).collect()
    }

    /// Looks now and after each notice that is added, until there is something.
    pub async fn look<T>(&self, look: impl Fn() -> Option<T>) -> T {
        loop {
            let mut added = pin!(self.added.notified());
            // From here on no notice is missed, not even one that is added during the look.
            added.as_mut().enable();
            if let Some(found) = look() {
                return found;
            }
            added.await;
        }
    }
}

/// Removes the oldest of some notices, if there are `most` of them or more.
fn make_room(kept: &mut VecDeque<Notice>, most: usize, of: impl Fn(&Notice) -> bool) {
    if kept.iter().filter(|notice| of(notice)).count() >= most {
        if let Some(oldest) = kept.iter().position(of) {
            kept.remove(oldest);
        }
    }
}

/// Returns the peer with the most notices. Of several, it is the one with the oldest notice.
fn busiest(kept: &VecDeque<Notice>) -> Option<PeerId> {
    let mut counts = HashMap::new();
    for notice in kept {
        *counts.entry(notice.peer).or_insert(0) += 1;
    }
    let most = counts.values().copied().max();
    let mut peers = kept.iter().map(|notice| notice.peer);
    peers.find(|peer| counts.get(peer).copied() == most)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(n: u64) -> H256 {
        H256::from_low_u64_be(n)
    }

    #[test]
    fn notice_names_the_peer_until_it_is_old() {
        let (notices, peer, now) = (Notices::default(), PeerId::random(), Instant::now());
        notices.add(peer, hash(1), now);
        notices.add(peer, hash(1), now);
        assert_eq!(notices.peers(&hash(1)), [peer]);
        assert_eq!(notices.peers(&hash(2)), []);
        notices.add(peer, hash(2), now + KEPT);
        assert_eq!(notices.peers(&hash(1)), []);
    }

    #[test]
    fn notices_are_bounded() {
        let (notices, peer, now) = (Notices::default(), PeerId::random(), Instant::now());
        (0..1_000).for_each(|n| notices.add(peer, hash(n), now));
        assert_eq!(notices.kept.lock().len(), MAX_OF_A_PEER);
        (0..100).for_each(|_| notices.add(PeerId::random(), hash(7_000), now));
        assert_eq!(notices.peers(&hash(7_000)).len(), MAX_OF_A_PAYLOAD);
        for n in 0..2 * MAX_NOTICES as u64 {
            notices.add(PeerId::random(), hash(10_000 + n), now);
        }
        assert_eq!(notices.kept.lock().len(), MAX_NOTICES);
    }

    #[test]
    fn notice_is_taken_however_many_others_there_are() {
        let (notices, now) = (Notices::default(), Instant::now());
        (0..100).for_each(|_| notices.add(PeerId::random(), hash(1), now));
        let flooders = [(); MAX_NOTICES / MAX_OF_A_PEER].map(|()| PeerId::random());
        for (place, flooder) in flooders.iter().enumerate() {
            (0..100).for_each(|n| notices.add(*flooder, hash(1_000 * (2 + place as u64) + n), now));
        }
        let peer = PeerId::random();
        notices.add(peer, hash(1), now);
        (0..100).for_each(|n| notices.add(flooders[0], hash(500 + n), now));
        assert_eq!(notices.peers(&hash(1)).last(), Some(&peer));
    }

    #[tokio::test]
    async fn new_notice_wakes_those_that_wait() {
        let (notices, peer) = (Notices::default(), PeerId::random());
        let look = || notices.peers(&hash(1)).first().copied();
        let mut waiting = pin!(notices.look(look));
        assert!(futures::poll!(&mut waiting).is_pending());
        notices.add(PeerId::random(), hash(2), Instant::now());
        assert!(futures::poll!(&mut waiting).is_pending());
        notices.add(peer, hash(1), Instant::now());
        assert_eq!(waiting.await, peer);
    }

    #[tokio::test]
    async fn notice_before_or_during_a_look_is_not_missed() {
        let (notices, peer) = (Notices::default(), PeerId::random());
        let waiting = notices.look(|| {
            let found = notices.peers(&hash(1)).first().copied();
            // It comes after the look, and before the wait.
            notices.add(peer, hash(1), Instant::now());
            found
        });
        assert_eq!(waiting.await, peer);
    }
}
