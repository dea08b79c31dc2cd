// SPDX-License-Identifier: Apache-2.0
//! Admits the requests of peers, each within its own limits and all together within the node's.

use super::allowance::{Allowance, Limits};
use std::{collections::HashMap, hash::Hash, time::Instant};

/// The part of the free places that one peer may have in progress: an eighth. So sixteen peers that take
/// all that they can leave a fifth of the places to others, and each other peer has one.
const SHARE: usize = 8;
/// The most peers that are remembered. Those that have asked for nothing lately are forgotten.
const MAX_PEERS: usize = 4096;

/// The reasons for which a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The peer asks for more in a time than its own limits allow.
    TooMuch,
    /// The node has as many requests in progress as it takes, of this peer or of all. That is not the
    /// peer's fault: it may have given up those that are in progress, which nobody tells the node.
    Busy,
}

/// One peer's requests.
struct Account {
    allowance: Allowance,
    in_progress: usize,
}

/// The requests that are in progress.
pub struct Admission<P> {
    limits: Limits,
    /// The requests that are in progress at the same time, of all peers.
    most: usize,
    in_progress: usize,
    accounts: HashMap<P, Account>,
}

impl<P: Copy + Eq + Hash> Admission<P> {
    /// Admits at most `most` requests at the same time, and those of each peer within `limits`.
    pub fn new(limits: Limits, most: usize) -> Self {
        Self { limits, most, in_progress: 0, accounts: HashMap::new() }
    }

    /// Admits a request whose response has at most that many bytes. Each request that is admitted must
    /// be ended with [`end`](Self::end). One that is refused counts as a request, too.
    pub fn admit(&mut self, peer: P, bytes: usize, now: Instant) -> Result<(), Refusal> {
        if !self.accounts.contains_key(&peer) && self.accounts.len() >= MAX_PEERS {
            self.accounts
                .retain(|_, account| account.in_progress > 0 || !account.allowance.is_full(now));
            if self.accounts.len() >= MAX_PEERS {
                return Err(Refusal::Busy);
            }
        }
        let limits = self.limits;
        let new = || Account { allowance: Allowance::new(&limits, now), in_progress: 0 };
        let account = self.accounts.entry(peer).or_insert_with(new);
        account.allowance.take(bytes, now).map_err(|_| Refusal::TooMuch)?;
        let free = self.most.saturating_sub(self.in_progress);
        let share = (free / SHARE).clamp(1, limits.in_progress);
        if free == 0 || account.in_progress >= share {
            account.allowance.return_bytes(bytes);
            return Err(Refusal::Busy);
        }
        account.in_progress += 1;
        self.in_progress += 1;
        Ok(())
    }

    /// Gives back the bytes of a request that is in progress whose response does not have them.
    pub fn return_bytes(&mut self, peer: &P, bytes: usize) {
        if let Some(account) = self.accounts.get_mut(peer) {
            account.allowance.return_bytes(bytes);
        }
    }

    /// Ends a request that was admitted.
    pub fn end(&mut self, peer: &P) {
        if let Some(account) = self.accounts.get_mut(peer) {
            account.in_progress = account.in_progress.saturating_sub(1);
        }
        self.in_progress = self.in_progress.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::allowance::{Rate, SERVED};
    use std::time::Duration;

    const LIMITS: Limits = Limits {
        in_progress: 2,
        requests: Rate { burst: 4, per_second: 1 },
        bytes: Rate { burst: 100, per_second: 10 },
    };

    fn admission(most: usize) -> (Admission<u32>, Instant) {
        (Admission::new(LIMITS, most), Instant::now())
    }

    #[test]
    fn peer_has_only_so_many_requests_in_progress() {
        let (mut admission, now) = admission(32);
        assert_eq!(admission.admit(1, 1, now), Ok(()));
        assert_eq!(admission.admit(1, 1, now), Ok(()));
        assert_eq!(admission.admit(1, 1, now), Err(Refusal::Busy));
        assert_eq!(admission.admit(2, 1, now), Ok(()), "another peer has its own");
        admission.end(&1);
        assert_eq!(admission.admit(1, 1, now), Ok(()));
    }

    #[test]
    fn peer_has_only_so_many_requests_and_bytes_in_a_time() {
        let (mut admission, now) = admission(32);
        for _ in 0..4 {
            assert_eq!(admission.admit(1, 1, now), Ok(()));
            admission.end(&1);
        }
        assert_eq!(admission.admit(1, 1, now), Err(Refusal::TooMuch));
        assert_eq!(admission.admit(1, 1, now + Duration::from_secs(1)), Ok(()));
        assert_eq!(admission.admit(2, 90, now), Ok(()));
        assert_eq!(admission.admit(2, 90, now), Err(Refusal::TooMuch));
        admission.return_bytes(&2, 80);
        assert_eq!(admission.admit(2, 90, now), Ok(()));
    }

    #[test]
    fn peer_that_has_given_up_its_requests_is_not_to_blame() {
        let (mut admission, now) = admission(32);
        for _ in 0..LIMITS.in_progress {
            assert_eq!(admission.admit(1, 1, now), Ok(()));
        }
        assert_eq!(admission.admit(1, 98, now), Err(Refusal::Busy), "it asks again");
        assert_eq!(admission.admit(1, 98, now), Err(Refusal::Busy), "the bytes were given back");
        assert_eq!(admission.admit(1, 1, now), Err(Refusal::TooMuch), "it floods");
    }

    #[test]
    fn one_peer_leaves_room_for_others() {
        let (mut admission, now) = admission(3);
        let flood = (0..100).filter(|_| admission.admit(1, 1, now).is_ok()).count();
        assert_eq!(flood, 1);
        assert_eq!(admission.admit(2, 1, now), Ok(()));
        assert_eq!(admission.admit(3, 1, now), Ok(()));
        assert_eq!(admission.admit(4, 1, now), Err(Refusal::Busy), "that is not its fault");
    }

    #[test]
    fn few_peers_do_not_take_all_places() {
        let now = Instant::now();
        let mut admission = Admission::new(SERVED, 128);
        for peer in 0..16 {
            while admission.admit(peer, 1, now).is_ok() {}
        }
        assert!(admission.in_progress <= 128 * 4 / 5, "{}", admission.in_progress);
        for peer in 16..32 {
            assert_eq!(admission.admit(peer, 1, now), Ok(()));
        }
    }

    #[test]
    fn peers_that_are_idle_are_forgotten() {
        let (mut admission, now) = admission(32);
        admission.admit(u32::MAX, 1, now).unwrap();
        for peer in 0..MAX_PEERS as u32 - 1 {
            admission.admit(peer, 0, now).unwrap();
            admission.end(&peer);
        }
        assert_eq!(admission.admit(MAX_PEERS as u32, 0, now), Err(Refusal::Busy));
        let later = now + Duration::from_secs(60);
        assert_eq!(admission.admit(MAX_PEERS as u32, 0, later), Ok(()));
        assert_eq!(admission.accounts.len(), 2, "one that waits for an answer is not forgotten");
    }
}
