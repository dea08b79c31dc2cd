// SPDX-License-Identifier: Apache-2.0
//! The peers that have said that they have a payload.

use parking_lot::Mutex;
use sc_network::PeerId;
use sp_core::H256;
use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};
use tokio::sync::Notify;

/// The time for which a notice is kept: that of a few blocks, in which a job is assigned and accepted.
const KEPT: Duration = Duration::from_secs(60);
/// The most notices.
const MOST: usize = 1024;
/// The most notices of one peer.
const OF_A_PEER: usize = 64;
/// The most notices of one payload.
const OF_A_PAYLOAD: usize = 4;

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
    /// Notes that a peer has a payload, and returns whether there was room for it.
    pub fn add(&self, peer: PeerId, hash: H256, now: Instant) -> bool {
        let mut kept = self.kept.lock();
        kept.retain(|notice| now.saturating_duration_since(notice.at) < KEPT);
        if kept.iter().any(|notice| notice.peer == peer && notice.hash == hash) {
            return true;
        }
        let of_peer = kept.iter().filter(|notice| notice.peer == peer).count();
        let of_payload = kept.iter().filter(|notice| notice.hash == hash).count();
        if kept.len() >= MOST || of_peer >= OF_A_PEER || of_payload >= OF_A_PAYLOAD {
            return false;
        }
        kept.push_back(Notice { peer, hash, at: now });
        drop(kept);
        self.added.notify_waiters();
        true
    }

    /// Returns the peers that have said that they have a payload.
    pub fn peers(&self, hash: &H256) -> Vec<PeerId> {
        let kept = self.kept.lock();
        kept.iter().filter(|notice| notice.hash == *hash).map(|notice| notice.peer).collect()
    }

    /// Waits for the next notice.
    pub async fn changed(&self) {
        self.added.notified().await;
    }
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
        assert!(notices.add(peer, hash(1), now));
        assert!(notices.add(peer, hash(1), now), "again");
        assert_eq!(notices.peers(&hash(1)), [peer]);
        assert_eq!(notices.peers(&hash(2)), []);
        assert!(notices.add(peer, hash(2), now + KEPT));
        assert_eq!(notices.peers(&hash(1)), []);
    }

    #[test]
    fn notices_are_bounded() {
        let (notices, peer, now) = (Notices::default(), PeerId::random(), Instant::now());
        let taken = (0..1_000).filter(|n| notices.add(peer, hash(*n), now)).count();
        assert_eq!(taken, OF_A_PEER);
        let of_one = (0..100).filter(|_| notices.add(PeerId::random(), hash(7_000), now)).count();
        assert_eq!(of_one, OF_A_PAYLOAD);
        for n in 0..10_000 {
            notices.add(PeerId::random(), hash(10_000 + n), now);
        }
        assert_eq!(notices.kept.lock().len(), MOST);
    }

    #[tokio::test]
    async fn new_notice_wakes_those_that_wait() {
        let notices = Notices::default();
        let waiting = notices.changed();
        let mut waiting = std::pin::pin!(waiting);
        assert!(futures::poll!(&mut waiting).is_pending());
        notices.add(PeerId::random(), hash(1), Instant::now());
        waiting.await;
    }
}
