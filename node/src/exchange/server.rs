// SPDX-License-Identifier: Apache-2.0
//! Answers the requests of other nodes.

use super::{
    page::local_page,
    wire::{protocol, Request, MAX_REQUEST_BYTES, MAX_RESPONSE_BYTES, TIMEOUT},
};
use assay_runtime::opaque::Block;
use assay_worker::Worker;
use codec::{Decode, Encode};
use futures::StreamExt;
use sc_network::{
    config::{IncomingRequest, OutgoingResponse},
    NetworkBackend,
};
use sp_core::H256;
use std::sync::Arc;

/// The requests that wait to be answered; more are refused.
const QUEUE: usize = 64;
/// The requests that are answered at the same time, each on a thread that may read the disk.
const ANSWERED: usize = 4;

/// Returns the protocol's configuration for the network, and the end at which requests arrive.
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
