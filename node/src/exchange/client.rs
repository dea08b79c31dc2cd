// SPDX-License-Identifier: Apache-2.0
//! Asks other nodes.

use super::{
    page::{Page, PAGE_TOKENS},
    wire::{protocol, Request},
};
use assay_primitives::{JobId, ModelId};
use assay_runtime::opaque::Block;
use codec::{Decode, Encode};
use futures::{stream, FutureExt, StreamExt};
use rand::seq::SliceRandom;
use sc_network::{service::traits::NetworkService, types::ProtocolName, IfDisconnected, PeerId};
use sc_network_sync::SyncingService;
use sp_core::H256;
use std::{future::Future, pin::pin, sync::Arc, time::Duration};

/// The peers that are asked at the same time.
const ASKED: usize = 8;
/// The time for which the peer that should have a payload is waited for before others are asked too.
const FIRST: Duration = Duration::from_secs(2);

/// The side of the exchange that asks other nodes.
#[derive(Clone)]
pub struct Exchange {
    network: Arc<dyn NetworkService>,
    sync: Arc<SyncingService<Block>>,
    protocol: ProtocolName,
}

impl Exchange {
    /// Makes the exchange of the chain with that genesis block.
    pub fn new(
        network: Arc<dyn NetworkService>,
        sync: Arc<SyncingService<Block>>,
        genesis: &H256,
    ) -> Self {
        Self { network, sync, protocol: protocol(genesis) }
    }

    /// Returns the peer id of this node.
    pub fn peer_id(&self) -> PeerId {
        self.network.local_peer_id()
    }

    /// Asks for the payload with that hash, first the peer that should have it and then others. An
    /// answer with another hash is ignored.
    pub async fn payload(&self, hash: H256, peer: &[u8]) -> Option<Vec<u8>> {
        let good = |payload: &Vec<u8>| sp_crypto_hashing::blake2_256(payload) == hash.0;
        let first = PeerId::from_bytes(peer).ok().filter(|peer| *peer != self.peer_id());
        let named = async {
            let answer = self.ask::<Vec<u8>>(first?, Request::Payload(hash)).await;
            answer.filter(good)
        };
        let mut named = pin!(named.fuse());
        match tokio::time::timeout(FIRST, &mut named).await {
            Ok(Some(payload)) => return Some(payload),
            Ok(None) => return self.ask_all(|| Request::Payload(hash), good).await,
            Err(_) => {}
        }
        // The named peer may still answer, and others are asked at the same time.
        let mut others = pin!(self.ask_all(|| Request::Payload(hash), good).fuse());
        futures::select! {
            payload = named => match payload {
                Some(payload) => Some(payload),
                None => others.await,
            },
            payload = others => match payload {
                Some(payload) => Some(payload),
                None => named.await,
            },
        }
    }

    /// Asks for the page at `index` of a job's output, which has at most `most` tokens.
    pub async fn page(&self, job: JobId, index: u32, most: u32) -> Option<Page> {
        let good = |page: &Page| page.answers(index, most);
        self.ask_all(|| Request::Tokens(job, index), good).await
    }

    /// Asks for the bytes of the text of tokens; `None` if no peer has the model, or if the text exceeds
    /// `most` bytes.
    pub async fn text(&self, model: ModelId, tokens: &[u32], most: usize) -> Option<Vec<u8>> {
        let mut text = Vec::new();
        for part in tokens.chunks(PAGE_TOKENS) {
            let request = || Request::Text(model, part.to_vec());
            let good = |bytes: &Vec<u8>| text.len().saturating_add(bytes.len()) <= most;
            let bytes = self.ask_all(request, good).await?;
            text.extend(bytes);
        }
        Some(text)
    }

    /// Asks all peers, some at a time and in random order, until one has a good answer.
    async fn ask_all<T: Decode>(
        &self,
        request: impl Fn() -> Request,
        good: impl Fn(&T) -> bool,
    ) -> Option<T> {
        let peers = self.sync.peers_info().await.unwrap_or_default();
        let mut peers: Vec<PeerId> = peers.into_iter().map(|(peer, _)| peer).collect();
        // The order is random so that silent peers are not the first in every attempt.
        peers.shuffle(&mut rand::rng());
        first_good(peers, |peer| self.ask::<T>(peer, request()), good).await
    }

    async fn ask<T: Decode>(&self, peer: PeerId, request: Request) -> Option<T> {
        let response = self
            .network
            .request(
                peer,
                self.protocol.clone(),
                request.encode(),
                None,
                IfDisconnected::TryConnect,
            )
            .await;
        match response {
            Ok((bytes, _)) => Option::<T>::decode(&mut bytes.as_slice()).ok().flatten(),
            Err(error) => {
                log::debug!("{peer} does not answer: {error}");
                None
            }
        }
    }
}

/// Returns the first good answer of the peers, of which [`ASKED`] are asked at a time.
async fn first_good<P, T, F: Future<Output = Option<T>>>(
    peers: Vec<P>,
    ask: impl Fn(P) -> F,
    good: impl Fn(&T) -> bool,
) -> Option<T> {
    let mut answers = pin!(stream::iter(peers).map(ask).buffer_unordered(ASKED));
    while let Some(answer) = answers.next().await {
        if let Some(answer) = answer.filter(&good) {
            return Some(answer);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn all_peers_are_asked_until_one_answers() {
        let asked = std::cell::Cell::new(0);
        let ask = |peer: usize| {
            asked.set(asked.get() + 1);
            async move { Some(peer) }
        };
        let found = first_good((0..50).collect(), ask, |peer| *peer == 49).await;
        assert_eq!((found, asked.get()), (Some(49), 50));
        assert_eq!(first_good((0..50).collect(), ask, |_| false).await, None);
    }

    #[tokio::test]
    async fn silent_peers_do_not_delay_the_others() {
        let ask = |peer: usize| async move {
            if peer < ASKED - 1 {
                std::future::pending::<()>().await;
            }
            Some(peer)
        };
        assert_eq!(first_good((0..50).collect(), ask, |peer| *peer == 49).await, Some(49));
    }
}
