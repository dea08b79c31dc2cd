// SPDX-License-Identifier: Apache-2.0
//! Requests as they arrive from peers, answered by a worker with a store of its own.

use super::*;
use crate::exchange::page::{Page, PAGE_TOKENS};
use assay_primitives::{worker::Transcript, FinishReason, JobId, ModelId};
use assay_worker::{SpaceLimits, SupportedRequest, WorkerConfig};
use codec::DecodeAll;
use std::time::Duration;

struct Served {
    requests: async_channel::Sender<IncomingRequest>,
    worker: Arc<Worker>,
    _dir: tempfile::TempDir,
}

/// Serves with a worker that has no models.
fn served() -> Served {
    let dir = tempfile::tempdir().unwrap();
    let config = WorkerConfig {
        dir: dir.path().into(),
        secret: None,
        space: SpaceLimits::default(),
        models: Vec::new(),
        threads: 1,
        gate: Arc::default(),
        memory_bytes: 1 << 20,
        block_time: Duration::from_secs(3),
        fault: None,
    };
    let worker = Arc::new(Worker::start(config, None).unwrap());
    let (requests, receiver) = async_channel::bounded(MAX_QUEUED);
    tokio::spawn(serve(receiver, worker.clone(), Arc::default()));
    Served { requests, worker, _dir: dir }
}

impl Served {
    async fn ask(&self, peer: PeerId, payload: Vec<u8>) -> oneshot::Receiver<OutgoingResponse> {
        let (pending_response, response) = oneshot::channel();
        self.requests.send(IncomingRequest { peer, payload, pending_response }).await.unwrap();
        response
    }

    async fn answer(&self, payload: Vec<u8>) -> OutgoingResponse {
        self.ask(PeerId::random(), payload).await.await.unwrap()
    }
}

fn a_request() -> Vec<u8> {
    Request::Tokens(JobId::zero(), 0).encode()
}

#[tokio::test]
async fn payload_is_served_in_ranges() {
    let served = served();
    let text: Vec<u8> = (0..RANGE_BYTES + 3).map(|n| n as u8).collect();
    let payload = assay_primitives::Request::text(text).encode();
    let request = SupportedRequest::read(&payload).unwrap();
    let hash = served.worker.put_request(&request).unwrap();
    let (peer, mut whole) = (PeerId::random(), Vec::new());
    while whole.len() < payload.len() {
        let request = Request::Payload(hash, whole.len() as u32).encode();
        let bytes = served.ask(peer, request).await.await.unwrap().result.unwrap();
        assert!(bytes.len() <= MAX_RESPONSE_BYTES);
        let range = Option::<Range>::decode_all(&mut bytes.as_slice()).unwrap().unwrap();
        assert!(range.answers(whole.len() as u32), "{} of {}", range.bytes.len(), range.length);
        whole.extend(range.bytes);
    }
    assert!(whole == payload);
    let beyond = Request::Payload(hash, u32::MAX).encode();
    assert_eq!(served.answer(beyond).await.result, Ok(no_answer()));
}

#[tokio::test]
async fn output_is_served_in_pages() {
    let (served, job) = (served(), JobId::repeat_byte(7));
    let transcript = Transcript {
        job,
        input: vec![1; 100],
        output: (0..PAGE_TOKENS as u32 + 3).collect(),
        text: b"text".to_vec(),
        finish: FinishReason::EndToken,
        salt: H256::zero(),
        logprobs: Default::default(),
    };
    served.worker.keep_output(&job, &transcript.encode()).unwrap();
    let (mut tokens, mut finish) = (Vec::new(), None);
    while finish.is_none() {
        let request = Request::Tokens(job, tokens.len() as u32);
        let bytes = served.answer(request.encode()).await.result.unwrap();
        assert!(bytes.len() <= request.max_response_bytes());
        let page = Option::<Page>::decode_all(&mut bytes.as_slice()).unwrap().unwrap();
        assert!(page.answers(tokens.len() as u32, u32::MAX) && !page.tokens.is_empty());
        tokens.extend(page.tokens);
        finish = page.finish;
    }
    assert_eq!((tokens, finish), (transcript.output, Some(transcript.finish)));
}

#[tokio::test]
async fn malformed_request_costs_reputation() {
    let served = served();
    let long = vec![1; MAX_REQUEST_BYTES + 1];
    let trailing = [a_request(), vec![0]].concat();
    let tokens = (2u8, ModelId::zero(), vec![1u32; 1025]).encode();
    for payload in [long, trailing, tokens] {
        let response = served.answer(payload).await;
        assert_eq!(response.result, Err(()));
        assert_eq!(response.reputation_changes, [MALFORMED]);
    }
}

#[tokio::test]
async fn peer_that_floods_is_refused_and_others_are_served() {
    let served = served();
    let flooder = PeerId::random();
    // Responses whose sending is not confirmed stay in progress, as those to a peer that does not read.
    let mut unread = Vec::new();
    for _ in 0..SERVED.in_progress {
        let response = served.ask(flooder, a_request()).await.await.unwrap();
        assert_eq!((response.result, response.reputation_changes.len()), (Ok(no_answer()), 0));
        unread.push(response.sent_feedback.unwrap());
    }
    // It may have given those up, so more of them cost no reputation, unless they are a flood.
    let response = served.ask(flooder, a_request()).await.await.unwrap();
    assert_eq!((response.result, response.reputation_changes), (Err(()), Vec::new()));
    let mut refused = Vec::new();
    for _ in 0..2 * SERVED.requests.burst {
        let response = served.ask(flooder, a_request()).await.await.unwrap();
        assert_eq!(response.result, Err(()));
        refused.extend(response.reputation_changes);
    }
    assert!(!refused.is_empty() && refused.iter().all(|change| *change == TOO_MUCH));
    let other = served.answer(a_request()).await;
    assert_eq!((other.result, other.reputation_changes.len()), (Ok(no_answer()), 0));
    // Once a response is sent, the flooder has room again.
    for feedback in unread {
        feedback.send(()).unwrap();
    }
    while served.ask(flooder, a_request()).await.await.unwrap().result.is_err() {}
}

#[tokio::test]
async fn notice_of_a_payload_is_taken() {
    let served = served();
    let response = served.answer(Request::Have(H256::repeat_byte(1)).encode()).await;
    assert_eq!(response.result, Ok(Some(()).encode()));
}
