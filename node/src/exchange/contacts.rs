// SPDX-License-Identifier: Apache-2.0
//! The addresses of operators' nodes that the network was told of lately.

use parking_lot::Mutex;
use sc_network::{Multiaddr, PeerId};
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

/// The time after which the network is told again, because it may have forgotten the addresses.
const AGAIN: Duration = Duration::from_secs(60);
/// The most peers that are remembered.
const MAX_REMEMBERED: usize = 1024;

/// The addresses by peer, each with the time at which the network was told.
#[derive(Default)]
pub struct Contacts(Mutex<HashMap<PeerId, (Instant, Vec<Multiaddr>)>>);

impl Contacts {
    /// Notes that the network is told of a peer's addresses, and returns whether it has to be.
    pub fn is_new(&self, peer: PeerId, addresses: &[Multiaddr], now: Instant) -> bool {
        let mut told = self.0.lock();
        let fresh = |at: Instant| now.saturating_duration_since(at) < AGAIN;
        if told.get(&peer).is_some_and(|(at, known)| fresh(*at) && known == addresses) {
            return false;
        }
        if told.len() >= MAX_REMEMBERED {
            told.retain(|_, (at, _)| fresh(*at));
        }
        if told.len() < MAX_REMEMBERED {
            told.insert(peer, (now, addresses.to_vec()));
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn network_is_told_of_new_addresses_and_again_after_a_while() {
        let (contacts, peer, now) = (Contacts::default(), PeerId::random(), Instant::now());
        let [one, two] =
            [1, 2].map(|n| vec![format!("/ip4/127.0.0.{n}/tcp/30333").parse().unwrap()]);
        assert!(contacts.is_new(peer, &one, now));
        assert!(!contacts.is_new(peer, &one, now));
        assert!(contacts.is_new(peer, &two, now));
        assert!(contacts.is_new(peer, &two, now + AGAIN));
        assert!(contacts.is_new(PeerId::random(), &two, now));
    }

    #[test]
    fn remembered_peers_are_bounded() {
        let (contacts, now) = (Contacts::default(), Instant::now());
        for _ in 0..3 * MAX_REMEMBERED {
            assert!(contacts.is_new(PeerId::random(), &[], now));
        }
        assert_eq!(contacts.0.lock().len(), MAX_REMEMBERED);
    }
}
