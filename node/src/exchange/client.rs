// SPDX-License-Identifier: Apache-2.0
//! Asks other nodes.

use super::{
    asking::{send, Asking},
    contacts::Contacts,
    directory::{Directory, Operator},
    flights::Flights,
    notices::Notices,
    page::Page,
    providers,
    reputation::MALFORMED,
    search::MAX_ASKED,
    server::serve,
    wire::{protocol, Request, TEXT_TOKENS},
};
use crate::client::Parts;
use assay_primitives::{JobId, ModelId};
use assay_runtime::opaque::Block;
use assay_worker::Worker;
use codec::{Decode, DecodeAll, Encode};
use futures::{stream, StreamExt};
use rand::seq::SliceRandom;
use sc_network::{
    config::IncomingRequest, service::traits::NetworkService, types::ProtocolName, Multiaddr,
    PeerId, ReputationChange,
};
use sc_network_sync::SyncingService;
use sp_core::{bounded::BoundedVec, H256};
use std::{future::Future, pin::pin, sync::Arc, time::Instant};

/// The side of the exchange that asks other nodes.
#[derive(Clone)]
pub struct Exchange {
    network: Arc<dyn NetworkService>,
    sync: Arc<SyncingService<Block>>,
    protocol: ProtocolName,
    asking: Arc<Asking>,
    /// The fetches of payloads that are under way.
    pub(super) flights: Arc<Flights>,
    /// The peers that have said that they have a payload.
    pub(super) notices: Arc<Notices>,
    /// The contacts of operators.
    pub(super) directory: Arc<Directory>,
    /// The addresses that the network knows.
    contacts: Arc<Contacts>,
    /// Whether any peer is asked for the tokens of an operator without a contact.
    asks_any_peer: bool,
}

impl Exchange {
    /// Makes the exchange of a node. On a chain for development, where operators need no contact, any peer
    /// is asked for the tokens of one that has none.
    pub fn new(
        network: Arc<dyn NetworkService>,
        sync: Arc<SyncingService<Block>>,
        parts: &Parts,
        development: bool,
    ) -> Self {
        Self {
            network,
            sync,
            protocol: protocol(&parts.genesis()),
            asking: Arc::default(),
            flights: Arc::default(),
            notices: Arc::default(),
            directory: Arc::new(Directory::new(parts.client.clone())),
            contacts: Arc::default(),
            asks_any_peer: development,
        }
    }

    /// Answers the requests of other nodes as long as the node runs.
    pub fn serve(
        &self,
        requests: async_channel::Receiver<IncomingRequest>,
        worker: Arc<Worker>,
    ) -> impl Future<Output = ()> {
        serve(requests, worker, self.notices.clone())
    }

    /// Returns the peer id of this node.
    pub fn peer_id(&self) -> PeerId {
        self.network.local_peer_id()
    }

    /// Asks the operator of a job for the page at `index` of its output, which has at most `most` tokens.
    pub async fn page(&self, job: JobId, index: u32, most: u32) -> Option<Page> {
        let request = Request::Tokens(job, index);
        self.ask_operator(job, &request, |page: &Page| page.answers(index, most)).await
    }

    /// Asks the operator of a job for the bytes of the text of tokens; `None` if it does not have the
    /// model, or if the text exceeds `most` bytes.
    pub async fn text(
        &self,
        job: JobId,
        model: ModelId,
        tokens: &[u32],
        most: usize,
    ) -> Option<Vec<u8>> {
        let mut text = Vec::new();
        for part in tokens.chunks(TEXT_TOKENS as usize) {
            let request = Request::Text(model, BoundedVec::truncate_from(part.to_vec()));
            let left = most.saturating_sub(text.len());
            let good = |bytes: &Vec<u8>| bytes.len() <= left;
            text.extend(self.ask_operator(job, &request, good).await?);
        }
        Some(text)
    }

    /// Tells an operator's node that this node has a payload, and returns whether it has taken note.
    pub async fn send_notice(
        &self,
        operator: PeerId,
        addresses: Vec<Multiaddr>,
        hash: H256,
    ) -> bool {
        self.add_addresses(operator, addresses);
        self.ask::<()>(operator, &Request::Have(hash)).await.is_some()
    }

    /// Returns the peer id of the operator's node of a job, with which it can be dialled; `None` if it is
    /// not known or is this node.
    pub(super) async fn operator(&self, job: JobId) -> Option<PeerId> {
        match self.directory.operator(job).await {
            Operator::At(peer, addresses) if peer != self.peer_id() => {
                self.add_addresses(peer, addresses);
                Some(peer)
            }
            _ => None,
        }
    }

    /// Asks a peer; `None` if it does not have the answer, or does not answer.
    pub(super) async fn ask<T: Decode>(&self, peer: PeerId, request: &Request) -> Option<T> {
        let (network, protocol) = (self.network.clone(), self.protocol.clone());
        let sent = request.encode();
        let send =
            move |connect| send(network.clone(), protocol.clone(), peer, sent.clone(), connect);
        let bytes = self.asking.ask(peer, request, send).await?;
        match Option::<T>::decode_all(&mut bytes.as_slice()) {
            Ok(answer) => answer,
            Err(error) => {
                log::debug!("{peer} sends a malformed answer: {error}");
                self.report(peer, MALFORMED);
                None
            }
        }
    }

    /// Changes the reputation of a peer.
    pub(super) fn report(&self, peer: PeerId, change: ReputationChange) {
        self.network.report_peer(peer, change);
    }

    /// Returns the peers with which this node follows the chain, in random order, so that silent ones are
    /// not the first in every attempt.
    pub(super) async fn peers(&self) -> Vec<PeerId> {
        let peers = self.sync.peers_info().await.unwrap_or_default();
        let mut peers: Vec<PeerId> = peers.into_iter().map(|(peer, _)| peer).collect();
        peers.shuffle(&mut rand::rng());
        peers
    }

    /// Returns the nodes that provide a payload through the DHT.
    pub(super) async fn providers(&self, hash: &H256) -> Vec<PeerId> {
        providers::providers(&self.network, hash).await
    }

    /// Says in the DHT that this node has a payload.
    pub(super) fn provide(&self, hash: &H256) {
        providers::provide(&self.network, hash);
    }

    /// Stops saying so.
    pub(super) fn stop_providing(&self, hash: &H256) {
        providers::stop_providing(&self.network, hash);
    }

    fn add_addresses(&self, peer: PeerId, addresses: Vec<Multiaddr>) {
        if self.contacts.is_new(peer, &addresses, Instant::now()) {
            for address in addresses {
                self.network.add_known_address(peer, address);
            }
        }
    }

    /// Asks the operator of a job, and nobody else unless it has no contact on a chain for development.
    async fn ask_operator<T: Decode>(
        &self,
        job: JobId,
        request: &Request,
        good: impl Fn(&T) -> bool,
    ) -> Option<T> {
        match self.directory.operator(job).await {
            Operator::At(peer, addresses) if peer != self.peer_id() => {
                self.add_addresses(peer, addresses);
                self.ask::<T>(peer, request).await.filter(good)
            }
            Operator::Unlisted if self.asks_any_peer => {
                first_good(self.peers().await, |peer| self.ask::<T>(peer, request), good).await
            }
            _ => None,
        }
    }
}

/// Returns the first good answer of the peers, of which [`MAX_ASKED`] are asked at a time.
async fn first_good<P, T, F: Future<Output = Option<T>>>(
    peers: Vec<P>,
    ask: impl Fn(P) -> F,
    good: impl Fn(&T) -> bool,
) -> Option<T> {
    let mut answers = pin!(stream::iter(peers).map(ask).buffer_unordered(MAX_ASKED));
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
            if peer < MAX_ASKED - 1 {
                std::future::pending::<()>().await;
            }
            Some(peer)
        };
        assert_eq!(first_good((0..50).collect(), ask, |peer| *peer == 49).await, Some(49));
    }
}
