// SPDX-License-Identifier: Apache-2.0
//! Answers the requests of other nodes.

use super::{
    admission::{Admission, Refusal},
    allowance::SERVED,
    notices::Notices,
    outputs::Outputs,
    reputation::{MALFORMED, TOO_MUCH},
    turns::Turns,
    wire::{protocol, Range, Request, MAX_REQUEST_BYTES, MAX_RESPONSE_BYTES, RANGE_BYTES, TIMEOUT},
};
use assay_runtime::opaque::Block;
use assay_worker::Worker;
use codec::Encode;
use futures::{
    channel::oneshot,
    future::BoxFuture,
    stream::{FuturesUnordered, StreamExt},
    FutureExt,
};
use sc_network::{
    config::{IncomingRequest, OutgoingResponse},
    NetworkBackend, PeerId, ReputationChange,
};
use sp_core::H256;
use std::{sync::Arc, time::Instant};

/// The requests that have arrived and are not yet looked at, which takes no time. More are refused.
const MAX_QUEUED: usize = 64;
/// The requests of all peers that wait, are answered, or whose responses are being sent. They hold at
/// most 32 MiB.
const MAX_IN_PROGRESS: usize = 128;
/// The requests that are answered at the same time, each on a thread that may read the disk.
const MAX_ANSWERED: usize = 4;

/// Returns the protocol's configuration for the network, and the end at which requests arrive.
///
/// litep2p uses one limit, the larger one, in both directions, so [`Request::read`] checks the length of
/// requests again.
pub fn config<N: NetworkBackend<Block, H256>>(
    genesis: &H256,
) -> (N::RequestResponseProtocolConfig, async_channel::Receiver<IncomingRequest>) {
    let (sender, receiver) = async_channel::bounded(MAX_QUEUED);
    let config = N::request_response_config(
        protocol(genesis),
        Vec::new(),
        MAX_REQUEST_BYTES as u64,
        MAX_RESPONSE_BYTES as u64,
        TIMEOUT,
        Some(sender),
    );
    (config, receiver)
}

/// Answers requests as long as the node runs.
pub async fn serve(
    requests: async_channel::Receiver<IncomingRequest>,
    worker: Arc<Worker>,
    notices: Arc<Notices>,
) {
    let mut serving = Serving::new(worker, notices);
    loop {
        serving.begin();
        tokio::select! {
            request = requests.recv() => match request {
                Ok(request) => serving.accept(request),
                Err(_) => return,
            },
            Some(answered) = serving.answering.next() => serving.send(answered),
            Some(peer) = serving.sending.next() => serving.admission.end(&peer),
        }
    }
}

/// The end at which a response is awaited.
type Reply = oneshot::Sender<OutgoingResponse>;

/// A request that is answered: its peer, the most bytes that the response could have, and the response,
/// unless answering failed.
type Answered = (PeerId, usize, Result<Vec<u8>, ()>, Reply);

struct Serving {
    worker: Arc<Worker>,
    notices: Arc<Notices>,
    outputs: Arc<Outputs>,
    admission: Admission<PeerId>,
    waiting: Turns<PeerId, (Request, Reply)>,
    answering: FuturesUnordered<BoxFuture<'static, Answered>>,
    sending: FuturesUnordered<BoxFuture<'static, PeerId>>,
}

impl Serving {
    fn new(worker: Arc<Worker>, notices: Arc<Notices>) -> Self {
        Self {
            worker,
            notices,
            outputs: Arc::default(),
            admission: Admission::new(SERVED, MAX_IN_PROGRESS),
            waiting: Turns::new(),
            answering: FuturesUnordered::new(),
            sending: FuturesUnordered::new(),
        }
    }

    /// Looks at a request that has arrived.
    fn accept(&mut self, IncomingRequest { peer, payload, pending_response }: IncomingRequest) {
        let Some(request) = Request::read(&payload) else {
            return refuse(pending_response, vec![MALFORMED]);
        };
        match self.admission.admit(peer, request.max_response_bytes(), Instant::now()) {
            Ok(()) => self.waiting.push(peer, (request, pending_response)),
            Err(Refusal::TooMuch) => refuse(pending_response, vec![TOO_MUCH]),
            Err(Refusal::Busy) => refuse(pending_response, Vec::new()),
        }
    }

    /// Begins to answer the requests whose turn it is.
    fn begin(&mut self) {
        while self.answering.len() < MAX_ANSWERED {
            let Some((peer, (request, reply))) = self.waiting.pop() else { return };
            let (worker, notices) = (self.worker.clone(), self.notices.clone());
            let (outputs, most) = (self.outputs.clone(), request.max_response_bytes());
            let run = move || answer(&worker, &notices, &outputs, peer, request);
            let answering = tokio::task::spawn_blocking(run);
            let answered = async move { (peer, most, answering.await.map_err(|_| ()), reply) };
            self.answering.push(answered.boxed());
        }
    }

    /// Hands a response to the network. Its request is in progress until the response is sent.
    fn send(&mut self, (peer, most, result, reply): Answered) {
        // A longer one cannot be sent: the text of tokens that no known vocabulary has.
        let result = result.map(|bytes| if bytes.len() > most { no_answer() } else { bytes });
        let unused = most - result.as_ref().map_or(0, Vec::len);
        self.admission.return_bytes(&peer, unused);
        let (feedback, sent) = oneshot::channel();
        let response = OutgoingResponse {
            result,
            reputation_changes: Vec::new(),
            sent_feedback: Some(feedback),
        };
        // The peer may be gone by now.
        let _ = reply.send(response);
        let sent = async move {
            // An error means that it cannot be sent any more.
            let _ = tokio::time::timeout(2 * TIMEOUT, sent).await;
            peer
        };
        self.sending.push(sent.boxed());
    }
}

fn refuse(reply: Reply, reputation_changes: Vec<ReputationChange>) {
    // The peer may be gone by now.
    let _ =
        reply.send(OutgoingResponse { result: Err(()), reputation_changes, sent_feedback: None });
}

/// Returns the response of a node that does not have the answer.
fn no_answer() -> Vec<u8> {
    None::<()>.encode()
}

fn answer(
    worker: &Worker,
    notices: &Notices,
    outputs: &Outputs,
    peer: PeerId,
    request: Request,
) -> Vec<u8> {
    match request {
        Request::Payload(hash, offset) => range(worker, &hash, offset).encode(),
        Request::Tokens(job, index) => outputs.page(worker, &job, index).encode(),
        Request::Text(model, tokens) => worker.detokenize(&model, &tokens).encode(),
        Request::Have(hash) => {
            notices.add(peer, hash, Instant::now());
            Some(()).encode()
        }
    }
}

fn range(worker: &Worker, hash: &H256, offset: u32) -> Option<Range> {
    let found = worker.payload_range(hash, offset as usize, RANGE_BYTES).ok().flatten();
    let (length, bytes) = found?;
    Some(Range { length: u32::try_from(length).ok()?, bytes })
}

#[cfg(test)]
mod tests;
