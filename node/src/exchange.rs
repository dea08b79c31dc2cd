// SPDX-License-Identifier: Apache-2.0
//! How payloads and tokens travel between nodes: a request-response protocol, by hash and by job.
//! Payloads, and with them the transcripts of outputs, are compared with their hash by who asked.
//! Pages of tokens and their text are what a peer says while a job runs: they are shown as they come,
//! and once the transcript is committed only what hashes to the commitment counts.

use assay_primitives::{FinishReason, JobId, ModelId};
use assay_runtime::opaque::Block;
use assay_worker::{PayloadSource, StreamState, Worker, MAX_PAYLOAD_BYTES};
use codec::{Decode, Encode};
use futures::{stream::FuturesUnordered, StreamExt};
use sc_network::{
    config::{IncomingRequest, OutgoingResponse},
    service::traits::NetworkService,
    types::ProtocolName,
    IfDisconnected, NetworkBackend, PeerId,
};
use sc_network_sync::SyncingService;
use sp_core::H256;
use std::{sync::Arc, time::Duration};

/// A request is a hash, a job and an index, or a model and a page of tokens.
const MAX_REQUEST_BYTES: u64 = 64 + 4 * PAGE_TOKENS as u64;
/// A payload, and what encodes it.
const MAX_RESPONSE_BYTES: u64 = MAX_PAYLOAD_BYTES as u64 + 1024;
/// Dialling, asking, answering.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Requests that wait to be answered; more are refused.
const QUEUE: usize = 64;
/// The most tokens of a page.
const PAGE_TOKENS: usize = 4096;
/// Peers that are asked at once for something.
const ASKED: usize = 8;

/// What a node asks.
#[derive(Debug, Encode, Decode)]
enum Request {
    /// The payload with that hash.
    #[codec(index = 0)]
    Payload(H256),
    /// The tokens of a job, from an index on.
    #[codec(index = 1)]
    Tokens(JobId, u32),
    /// The bytes that tokens of a model stand for, at most a page of them.
    #[codec(index = 2)]
    Text(ModelId, Vec<u32>),
}

/// A part of an output.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Page {
    /// Index of its first token.
    pub index: u32,
    /// The tokens.
    pub tokens: Vec<u32>,
    /// Why the output ends; `None` while more may come.
    pub finish: Option<FinishReason>,
}

impl Page {
    /// What the stream has from `index` on.
    pub fn of(state: &StreamState, index: u32) -> Self {
        let start = (index as usize).min(state.tokens.len());
        let end = start.saturating_add(PAGE_TOKENS).min(state.tokens.len());
        Self {
            index: start as u32,
            tokens: state.tokens[start..end].to_vec(),
            finish: state.finish.filter(|_| end == state.tokens.len()),
        }
    }
}

/// The name of the protocol on the chain with that genesis block.
fn protocol(genesis: &H256) -> ProtocolName {
    format!("/{}/assay/exchange/1", hex::encode(genesis)).into()
}

/// What the network needs to know of the protocol, and where requests come in.
pub fn config<N: NetworkBackend<Block, H256>>(
    genesis: &H256,
) -> (N::RequestResponseProtocolConfig, async_channel::Receiver<IncomingRequest>) {
    let (sender, receiver) = async_channel::bounded(QUEUE);
    let config = N::request_response_config(
        protocol(genesis),
        Vec::new(),
        MAX_REQUEST_BYTES,
        MAX_RESPONSE_BYTES,
        TIMEOUT,
        Some(sender),
    );
    (config, receiver)
}

/// Answers requests as long as the node runs.
pub async fn serve(requests: async_channel::Receiver<IncomingRequest>, worker: Arc<Worker>) {
    while let Ok(IncomingRequest { payload, pending_response, .. }) = requests.recv().await {
        let result = Request::decode(&mut payload.as_slice())
            .map(|request| answer(&worker, request))
            .map_err(|_| ());
        // The peer may be gone by now.
        let _ = pending_response.send(OutgoingResponse {
            result,
            reputation_changes: Vec::new(),
            sent_feedback: None,
        });
    }
}

fn answer(worker: &Worker, request: Request) -> Vec<u8> {
    match request {
        Request::Payload(hash) => worker.payload(&hash).ok().flatten().encode(),
        Request::Tokens(job, index) => local_page(worker, &job, index).encode(),
        Request::Text(model, tokens) => worker.detokenize(&model, &tokens).encode(),
    }
}

/// What this node itself has of a job's output.
pub fn local_page(worker: &Worker, job: &JobId, index: u32) -> Option<Page> {
    if let Some(stream) = worker.stream(job) {
        return Some(Page::of(&stream.state(), index));
    }
    let transcript = worker.output(job)?;
    let state = StreamState {
        tokens: transcript.output,
        bytes: Vec::new(),
        finish: Some(transcript.finish),
    };
    Some(Page::of(&state, index))
}

/// Asks other nodes.
#[derive(Clone)]
pub struct Exchange {
    network: Arc<dyn NetworkService>,
    sync: Arc<SyncingService<Block>>,
    protocol: ProtocolName,
}

impl Exchange {
    /// On the chain with that genesis block.
    pub fn new(
        network: Arc<dyn NetworkService>,
        sync: Arc<SyncingService<Block>>,
        genesis: &H256,
    ) -> Self {
        Self { network, sync, protocol: protocol(genesis) }
    }

    /// This node's name in the network.
    pub fn peer_id(&self) -> PeerId {
        self.network.local_peer_id()
    }

    /// The payload with that hash, from the peer that should have it or from any other. What hashes
    /// to something else counts as no answer.
    pub async fn payload(&self, hash: H256, peer: &[u8]) -> Option<Vec<u8>> {
        let good = |payload: &Vec<u8>| sp_crypto_hashing::blake2_256(payload) == hash.0;
        let first = PeerId::from_bytes(peer).ok().filter(|peer| *peer != self.peer_id());
        if let Some(peer) = first {
            let answer = self.ask::<Vec<u8>>(peer, Request::Payload(hash)).await;
            if let Some(payload) = answer.filter(good) {
                return Some(payload);
            }
        }
        self.ask_all(|| Request::Payload(hash), good).await
    }

    /// What any peer has of a job's output from `index` on.
    pub async fn page(&self, job: JobId, index: u32) -> Option<Page> {
        self.ask_all(|| Request::Tokens(job, index), |_| true).await
    }

    /// What the tokens stand for, by any peer that has the model.
    pub async fn text(&self, model: ModelId, tokens: &[u32]) -> Option<Vec<u8>> {
        let mut text = Vec::new();
        for part in tokens.chunks(PAGE_TOKENS) {
            let request = || Request::Text(model, part.to_vec());
            text.extend(self.ask_all::<Vec<u8>>(request, |_| true).await?);
        }
        Some(text)
    }

    async fn ask_all<T: Decode>(
        &self,
        request: impl Fn() -> Request,
        good: impl Fn(&T) -> bool,
    ) -> Option<T> {
        let peers = self.sync.peers_info().await.unwrap_or_default();
        let mut answers: FuturesUnordered<_> =
            peers.into_iter().take(ASKED).map(|(peer, _)| self.ask::<T>(peer, request())).collect();
        while let Some(answer) = answers.next().await {
            if let Some(answer) = answer.filter(&good) {
                return Some(answer);
            }
        }
        None
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

/// The exchange as the worker's threads use it.
pub struct NetworkSource {
    /// Who asks.
    pub exchange: Exchange,
    /// Where the asking runs.
    pub runtime: tokio::runtime::Handle,
}

impl PayloadSource for NetworkSource {
    fn fetch(&self, hash: H256, peer: &[u8]) -> Option<Vec<u8>> {
        self.runtime.block_on(self.exchange.payload(hash, peer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_has_what_follows_the_index() {
        let mut state = StreamState { tokens: vec![1, 2, 3], ..Default::default() };
        assert_eq!(Page::of(&state, 1).tokens, [2, 3]);
        assert_eq!(Page::of(&state, 9), Page { index: 3, ..Default::default() });
        state.finish = Some(FinishReason::Length);
        assert_eq!(Page::of(&state, 3).finish, Some(FinishReason::Length));
    }

    #[test]
    fn long_output_comes_in_pages_and_ends_with_the_last() {
        let state = StreamState {
            tokens: (0..PAGE_TOKENS as u32 + 1).collect(),
            finish: Some(FinishReason::EndToken),
            ..Default::default()
        };
        let first = Page::of(&state, 0);
        assert_eq!((first.tokens.len(), first.finish), (PAGE_TOKENS, None));
        let last = Page::of(&state, PAGE_TOKENS as u32);
        assert_eq!((last.tokens.len(), last.finish), (1, Some(FinishReason::EndToken)));
    }

    #[test]
    fn requests_fit_the_limit() {
        for request in [
            Request::Tokens(JobId::repeat_byte(255), u32::MAX),
            Request::Text(ModelId::repeat_byte(255), vec![u32::MAX; PAGE_TOKENS]),
        ] {
            assert!(request.encoded_size() as u64 <= MAX_REQUEST_BYTES);
        }
    }
}
