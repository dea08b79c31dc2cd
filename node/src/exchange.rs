// SPDX-License-Identifier: Apache-2.0
//! How payloads and tokens travel between nodes: a request-response protocol, by hash and by job.
//! Payloads, and with them the transcripts of outputs, are compared with their hash by who asked.
//! Pages of tokens and their text are what a peer says while a job runs: they are shown as they come,
//! and once the transcript is committed only what hashes to the commitment counts.

use assay_primitives::{FinishReason, JobId, ModelId};
use assay_runtime::opaque::Block;
use assay_worker::{PayloadSource, StreamState, Worker, MAX_PAYLOAD_BYTES};
use codec::{Decode, Encode};
use futures::{stream, FutureExt, StreamExt};
use rand::seq::SliceRandom;
use sc_network::{
    config::{IncomingRequest, OutgoingResponse},
    service::traits::NetworkService,
    types::ProtocolName,
    IfDisconnected, NetworkBackend, PeerId,
};
use sc_network_sync::SyncingService;
use sp_core::H256;
use std::{future::Future, pin::pin, sync::Arc, time::Duration};

/// A request is a hash, a job and an index, or a model and a page of tokens.
const MAX_REQUEST_BYTES: u64 = 64 + 4 * PAGE_TOKENS as u64;
/// A payload, and what encodes it.
const MAX_RESPONSE_BYTES: u64 = MAX_PAYLOAD_BYTES as u64 + 1024;
/// Dialling, asking, answering.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Requests that wait to be answered; more are refused.
const QUEUE: usize = 64;
/// Requests that are answered at the same time, each on a thread that may read the disk.
const ANSWERED: usize = 4;
/// The most tokens of a page.
pub const PAGE_TOKENS: usize = 4096;
/// Peers that are asked at once for something.
const ASKED: usize = 8;
/// How long the peer that should have a payload is waited for before others are asked, too.
const FIRST: Duration = Duration::from_secs(2);
/// The longest that a payload is looked for at a time.
const LOOK: Duration = Duration::from_secs(30);

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

    /// Whether it can be the page that was asked for, of an output of at most `most` tokens.
    fn answers(&self, index: u32, most: u32) -> bool {
        let count = self.tokens.len();
        let left = most.checked_sub(index);
        self.index == index
            && count <= PAGE_TOKENS
            && left.is_some_and(|left| count <= left as usize)
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
    requests
        .for_each_concurrent(ANSWERED, |IncomingRequest { payload, pending_response, .. }| {
            let worker = worker.clone();
            let answering = tokio::task::spawn_blocking(move || {
                let request = Request::decode(&mut payload.as_slice()).map_err(|_| ())?;
                Ok(answer(&worker, request))
            });
            async move {
                let result = answering.await.unwrap_or(Err(()));
                // The peer may be gone by now.
                let _ = pending_response.send(OutgoingResponse {
                    result,
                    reputation_changes: Vec::new(),
                    sent_feedback: None,
                });
            }
        })
        .await;
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
        return Some(stream.read(|state| Page::of(state, index)));
    }
    let transcript = worker.output(job)?;
    let state = StreamState { tokens: transcript.output, finish: Some(transcript.finish) };
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
        // It may yet answer; so may others.
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

    /// What any peer has of a job's output of at most `most` tokens, from `index` on.
    pub async fn page(&self, job: JobId, index: u32, most: u32) -> Option<Page> {
        let good = |page: &Page| page.answers(index, most);
        self.ask_all(|| Request::Tokens(job, index), good).await
    }

    /// What the tokens stand for, by any peer that has the model; `None` beyond `most` bytes.
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

    /// Asks all peers, some at a time and in any order, until one has a good answer.
    async fn ask_all<T: Decode>(
        &self,
        request: impl Fn() -> Request,
        good: impl Fn(&T) -> bool,
    ) -> Option<T> {
        let peers = self.sync.peers_info().await.unwrap_or_default();
        let mut peers: Vec<PeerId> = peers.into_iter().map(|(peer, _)| peer).collect();
        // Those who do not answer are not the first in each attempt.
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

/// The first good answer of any of them, of which [`ASKED`] are asked at a time.
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

/// The exchange as the worker's threads use it.
pub struct NetworkSource {
    /// Who asks.
    pub exchange: Exchange,
    /// Where the asking runs.
    pub runtime: tokio::runtime::Handle,
}

impl PayloadSource for NetworkSource {
    fn fetch(&self, hash: H256, peer: &[u8]) -> Option<Vec<u8>> {
        let look = async { tokio::time::timeout(LOOK, self.exchange.payload(hash, peer)).await };
        self.runtime.block_on(look).ok().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_has_what_follows_the_index() {
        let mut state = StreamState { tokens: vec![1, 2, 3], finish: None };
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
        };
        let first = Page::of(&state, 0);
        assert_eq!((first.tokens.len(), first.finish), (PAGE_TOKENS, None));
        let last = Page::of(&state, PAGE_TOKENS as u32);
        assert_eq!((last.tokens.len(), last.finish), (1, Some(FinishReason::EndToken)));
    }

    #[test]
    fn page_that_cannot_be_the_answer_is_none() {
        let page = |index, count| Page { index, tokens: vec![1; count], finish: None };
        assert!(page(4, 6).answers(4, 10) && page(4, 0).answers(4, 4));
        assert!(!page(4, 7).answers(4, 10), "more tokens than the job may have");
        assert!(!page(5, 1).answers(4, 10), "from another index");
        assert!(!page(4, 0).answers(4, 3), "beyond the end");
        assert!(page(0, PAGE_TOKENS).answers(0, u32::MAX));
        assert!(!page(0, PAGE_TOKENS + 1).answers(0, u32::MAX), "more than a page");
    }

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
    async fn peers_that_are_silent_do_not_hold_up_the_others() {
        let ask = |peer: usize| async move {
            if peer < ASKED - 1 {
                std::future::pending::<()>().await;
            }
            Some(peer)
        };
        assert_eq!(first_good((0..50).collect(), ask, |peer| *peer == 49).await, Some(49));
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
