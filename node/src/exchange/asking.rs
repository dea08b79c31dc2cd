// SPDX-License-Identifier: Apache-2.0
//! Asks one peer, within the limits that the peer grants, and dials it once.

use super::{
    allowance::{Allowance, ASKED},
    wire::{Request, TIMEOUT},
};
use parking_lot::Mutex;
use sc_network::{
    service::traits::NetworkService, types::ProtocolName, IfDisconnected, PeerId, RequestFailure,
};
use std::{
    collections::HashMap,
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    sync::Semaphore,
    time::{sleep, timeout},
};

/// The most peers that are remembered. Those that were asked for nothing lately are forgotten.
const MAX_PEERS: usize = 1024;
/// The time between two attempts over a connection to a peer that another request dials. The network does
/// not tell when such a connection is there.
const DIALLING: Duration = Duration::from_millis(100);
/// The time after which the network has ended a request, answered or not. Dialling has a time of its own.
const GONE: Duration = Duration::from_secs(3 * TIMEOUT.as_secs());

/// The requests to one peer.
struct Peer {
    /// The places of requests that are in progress.
    places: Arc<Semaphore>,
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
        if peers.len() >= MAX_PEERS && !peers.contains_key(&id) {
            peers.retain(|_, peer| {
                Arc::strong_count(peer) > 1 || !peer.allowance.lock().is_full(now)
            });
        }
        let new = || {
            let allowance = Mutex::new(Allowance::new(&ASKED, now));
            let places = Arc::new(Semaphore::new(ASKED.in_progress));
            Arc::new(Peer { places, allowance, dial: Default::default() })
        };
        peers.entry(id).or_insert_with(new).clone()
    }

    /// Asks a peer, as soon as its limits allow it; `None` if it does not answer within [`TIMEOUT`] from
    /// then on. `send` sends the request over a connection, or dials the peer if it may.
    ///
    /// A request that was sent goes on when the caller no longer waits for it, as it does at the peer. It
    /// keeps its place until it ends. One that waits for a connection ends with the caller.
    pub async fn ask<F>(
        &self,
        id: PeerId,
        request: &Request,
        send: impl Fn(IfDisconnected) -> F + Send + Sync + 'static,
    ) -> Option<Vec<u8>>
    where
        F: Future<Output = Result<Vec<u8>, RequestFailure>> + Send + 'static,
    {
        let peer = self.peer(id);
        let place = peer.places.clone().acquire_owned().await.ok()?;
        let most = request.max_response_bytes();
        loop {
            // The lock must not be held while waiting.
            let taken = peer.allowance.lock().take(most, Instant::now());
            match taken {
                Ok(()) => break,
                Err(wait) => sleep(wait).await,
            }
        }
        let caller = Arc::new(());
        let wanted = Arc::downgrade(&caller);
        let asking = tokio::spawn(async move {
            let is_wanted = || wanted.strong_count() > 0;
            let answer = timeout(GONE, send_or_dial(&peer.dial, is_wanted, send)).await;
            let bytes = match answer {
                Ok(Ok(bytes)) => Some(bytes),
                Ok(Err(error)) => {
                    log::debug!("{id} does not answer: {error}");
                    None
                }
                Err(_) => None,
            };
            let unused = most.saturating_sub(bytes.as_ref().map_or(0, Vec::len));
            peer.allowance.lock().return_bytes(unused);
            drop(place);
            bytes
        });
        match timeout(TIMEOUT, asking).await {
            Ok(answer) => answer.ok().flatten(),
            Err(_) => {
                log::debug!("{id} does not answer in {TIMEOUT:?}");
                None
            }
        }
    }
}

/// Sends a request over a connection. If there is none, dials the peer, unless it is being dialled or the
/// answer is no longer wanted.
async fn send_or_dial<F>(
    dial: &tokio::sync::Mutex<()>,
    is_wanted: impl Fn() -> bool,
    send: impl Fn(IfDisconnected) -> F,
) -> Result<Vec<u8>, RequestFailure>
where
    F: Future<Output = Result<Vec<u8>, RequestFailure>>,
{
    loop {
        match send(IfDisconnected::ImmediateError).await {
            Err(RequestFailure::NotConnected) if is_wanted() => {}
            answer => return answer,
        }
        // The one that dials holds the lock until it is answered, and the connection is there before.
        tokio::select! {
            _dial = dial.lock() => return send(IfDisconnected::TryConnect).await,
            () = sleep(DIALLING) => {}
        }
    }
}

/// Sends the bytes of a request over the network.
pub async fn send(
    network: Arc<dyn NetworkService>,
    protocol: ProtocolName,
    peer: PeerId,
    request: Vec<u8>,
    connect: IfDisconnected,
) -> Result<Vec<u8>, RequestFailure> {
    let answer = network.request(peer, protocol, request, None, connect).await;
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
        fn shared() -> Arc<Self> {
            Arc::default()
        }

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
        let (asking, peer, dials) = (Asking::default(), PeerId::random(), AtWork::shared());
        let at_work = dials.clone();
        let send = move |connect| {
            let dials = at_work.clone();
            async move {
                match connect {
                    IfDisconnected::ImmediateError => Err(RequestFailure::NotConnected),
                    IfDisconnected::TryConnect => {
                        dials.work().await;
                        Ok(vec![1])
                    }
                }
            }
        };
        let request = request();
        let ask = (0..8).map(|_| asking.ask(peer, &request, send.clone()));
        let answers = futures::future::join_all(ask).await;
        assert_eq!(answers, vec![Some(vec![1]); 8]);
        assert_eq!(dials.most(), 1);
    }

    #[tokio::test]
    async fn connected_peer_is_asked_only_so_much_at_a_time() {
        let (asking, peer, requests) = (Asking::default(), PeerId::random(), AtWork::shared());
        let at_work = requests.clone();
        let send = move |_| {
            let at_work = at_work.clone();
            async move {
                at_work.work().await;
                Ok(vec![1])
            }
        };
        let request = request();
        let ask = (0..32).map(|_| asking.ask(peer, &request, send.clone()));
        let answers = futures::future::join_all(ask).await;
        assert_eq!(answers, vec![Some(vec![1]); 32]);
        assert_eq!(requests.most(), ASKED.in_progress);
    }

    #[tokio::test]
    async fn request_that_nobody_waits_for_keeps_its_place_until_it_ends() {
        let (asking, id, request) = (Asking::default(), PeerId::random(), request());
        let answers = Arc::new(Semaphore::new(0));
        let waiting = answers.clone();
        let send = move |_| {
            let waiting = waiting.clone();
            async move {
                waiting.acquire().await.unwrap().forget();
                Ok(vec![1])
            }
        };
        for _ in 0..ASKED.in_progress {
            let asked = asking.ask(id, &request, send.clone());
            assert!(futures::poll!(std::pin::pin!(asked)).is_pending());
        }
        let peer = asking.peer(id);
        assert_eq!(peer.places.available_permits(), 0);
        answers.add_permits(ASKED.in_progress);
        let _all = peer.places.acquire_many(ASKED.in_progress as u32).await.unwrap();
        let rest = ASKED.bytes.burst as usize - ASKED.in_progress;
        let left = peer.allowance.lock().take(rest, Instant::now());
        assert_eq!(left, Ok(()), "what the responses did not have is given back");
    }

    #[tokio::test]
    async fn peer_is_not_dialled_for_nobody() {
        let (asking, id, request) = (Asking::default(), PeerId::random(), request());
        let dials = Arc::new(AtomicUsize::new(0));
        let dialled = dials.clone();
        let send = move |connect| {
            if connect == IfDisconnected::TryConnect {
                dialled.fetch_add(1, Ordering::Relaxed);
            }
            async { Err(RequestFailure::NotConnected) }
        };
        let peer = asking.peer(id);
        let dial = peer.dial.lock().await;
        for _ in 0..ASKED.in_progress {
            let asked = asking.ask(id, &request, send.clone());
            assert!(futures::poll!(std::pin::pin!(asked)).is_pending());
        }
        let _all = peer.places.acquire_many(ASKED.in_progress as u32).await.unwrap();
        drop(dial);
        assert_eq!(dials.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn request_goes_over_the_connection_that_another_has_made() {
        let (asking, id, request) = (Asking::default(), PeerId::random(), request());
        let connected = Arc::new(AtomicUsize::new(0));
        let state = connected.clone();
        let send = move |connect| {
            let connected = state.load(Ordering::Relaxed) > 0;
            async move {
                match connect {
                    _ if connected => Ok(vec![1]),
                    IfDisconnected::ImmediateError => Err(RequestFailure::NotConnected),
                    // Its answer takes long.
                    IfDisconnected::TryConnect => std::future::pending().await,
                }
            }
        };
        let first = asking.ask(id, &request, send.clone());
        let second = asking.ask(id, &request, send);
        let (mut first, mut second) = (std::pin::pin!(first), std::pin::pin!(second));
        for _ in 0..10 {
            assert!(futures::poll!(&mut first).is_pending());
            assert!(futures::poll!(&mut second).is_pending());
            tokio::task::yield_now().await;
        }
        connected.store(1, Ordering::Relaxed);
        assert_eq!(second.await, Some(vec![1]));
    }

    #[tokio::test]
    async fn peers_that_are_idle_are_forgotten() {
        let asking = Asking::default();
        for _ in 0..3 * MAX_PEERS {
            asking.peer(PeerId::random());
        }
        assert!(asking.0.lock().len() <= MAX_PEERS);
    }
}
