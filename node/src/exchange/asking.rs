// SPDX-License-Identifier: Apache-2.0
//! Asks one peer, within the limits that the peer grants, and dials it once.

use super::{
    allowance::{Allowance, ASKED},
    wire::{Request, TIMEOUT},
};
use codec::Encode;
use parking_lot::Mutex;
use sc_network::{
    service::traits::NetworkService, types::ProtocolName, IfDisconnected, PeerId, RequestFailure,
};
use std::{collections::HashMap, future::Future, sync::Arc, time::Instant};
use tokio::sync::Semaphore;

/// The most peers that are remembered. Those that were asked for nothing lately are forgotten.
const PEERS: usize = 1024;

/// The requests to one peer.
struct Peer {
    /// The places of requests that are in progress.
    places: Semaphore,
    allowance: Mutex<Allowance>,
    /// Held while the peer is dialled. litep2p keeps one request for each peer that it dials, and drops
    /// the first of two without an answer.
    dial: tokio::sync::Mutex<()>,
}

/// The requests to all peers.
#[derive(Default)]
pub struct Asking(Mutex<HashMap<PeerId, Arc<Peer>>>);

impl Asking {
    fn peer(&self, id: PeerId) -> Arc<Peer> {
        let (mut peers, now) = (self.0.lock(), Instant::now());
        if peers.len() >= PEERS && !peers.contains_key(&id) {
            peers.retain(|_, peer| {
                Arc::strong_count(peer) > 1 || !peer.allowance.lock().is_full(now)
            });
        }
        let new = || {
            let allowance = Mutex::new(Allowance::new(&ASKED, now));
            let places = Semaphore::new(ASKED.in_progress);
            Arc::new(Peer { places, allowance, dial: Default::default() })
        };
        peers.entry(id).or_insert_with(new).clone()
    }

    /// Asks a peer, as soon as its limits allow it; `None` if it does not answer within [`TIMEOUT`] from
    /// then on. `send` sends the request over a connection, or dials the peer if it may.
    pub async fn ask<F>(
        &self,
        id: PeerId,
        request: &Request,
        send: impl Fn(IfDisconnected) -> F,
    ) -> Option<Vec<u8>>
    where
        F: Future<Output = Result<Vec<u8>, RequestFailure>>,
    {
        let peer = self.peer(id);
        let _place = peer.places.acquire().await.ok()?;
        let most = request.most();
        loop {
            // The lock must not be held while waiting.
            let taken = peer.allowance.lock().take(most, Instant::now());
            match taken {
                Ok(()) => break,
                Err(wait) => tokio::time::sleep(wait).await,
            }
        }
        let connected_or_dialled = async {
            match send(IfDisconnected::ImmediateError).await {
                Err(RequestFailure::NotConnected) => {
                    let _dial = peer.dial.lock().await;
                    send(IfDisconnected::TryConnect).await
                }
                answer => answer,
            }
        };
        let answer = tokio::time::timeout(TIMEOUT, connected_or_dialled).await;
        let bytes = match answer {
            Ok(Ok(bytes)) => Some(bytes),
            Ok(Err(error)) => {
                log::debug!("{id} does not answer: {error}");
                None
            }
            Err(_) => {
                log::debug!("{id} does not answer in {TIMEOUT:?}");
                None
            }
        };
        let unused = most.saturating_sub(bytes.as_ref().map_or(0, Vec::len));
        peer.allowance.lock().give_back(unused);
        bytes
    }
}

/// Sends a request over the network.
pub async fn send(
    network: &Arc<dyn NetworkService>,
    protocol: &ProtocolName,
    peer: PeerId,
    request: &Request,
    connect: IfDisconnected,
) -> Result<Vec<u8>, RequestFailure> {
    let answer = network.request(peer, protocol.clone(), request.encode(), None, connect).await;
    answer.map(|(bytes, _)| bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_primitives::JobId;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn request() -> Request {
        Request::Tokens(JobId::zero(), 0)
    }

    /// Counts those that are at work, and the most of them at the same time.
    #[derive(Default)]
    struct AtWork {
        now: AtomicUsize,
        most: AtomicUsize,
    }

    impl AtWork {
        async fn work(&self) {
            let now = self.now.fetch_add(1, Ordering::Relaxed) + 1;
            self.most.fetch_max(now, Ordering::Relaxed);
            // All others that can go on do so in the meantime.
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
            self.now.fetch_sub(1, Ordering::Relaxed);
        }

        fn most(&self) -> usize {
            self.most.load(Ordering::Relaxed)
        }
    }

    #[tokio::test]
    async fn peer_is_dialled_once_at_a_time() {
        let (asking, peer, dials) = (Asking::default(), PeerId::random(), &AtWork::default());
        let send = |connect| async move {
            match connect {
                IfDisconnected::ImmediateError => Err(RequestFailure::NotConnected),
                IfDisconnected::TryConnect => {
                    dials.work().await;
                    Ok(vec![1])
                }
            }
        };
        let request = request();
        let ask = (0..8).map(|_| asking.ask(peer, &request, send));
        let answers = futures::future::join_all(ask).await;
        assert_eq!(answers, vec![Some(vec![1]); 8]);
        assert_eq!(dials.most(), 1);
    }

    #[tokio::test]
    async fn connected_peer_is_asked_only_so_much_at_a_time() {
        let (asking, peer, requests) = (Asking::default(), PeerId::random(), AtWork::default());
        let send = |_| async {
            requests.work().await;
            Ok(vec![1])
        };
        let request = request();
        let ask = (0..32).map(|_| asking.ask(peer, &request, send));
        let answers = futures::future::join_all(ask).await;
        assert_eq!(answers, vec![Some(vec![1]); 32]);
        assert_eq!(requests.most(), ASKED.in_progress);
    }

    #[tokio::test]
    async fn peers_that_are_idle_are_forgotten() {
        let asking = Asking::default();
        for _ in 0..3 * PEERS {
            asking.peer(PeerId::random());
        }
        assert!(asking.0.lock().len() <= PEERS);
    }
}
