// SPDX-License-Identifier: Apache-2.0
//! Clients that call what costs a node most: prompts to keep and to tokenise, outputs to look for at other
//! nodes, subscriptions to jobs that there are and that there are not.

use crate::count::{ticks, Count};
use anyhow::{Context, Result};
use assay_primitives::Request;
use codec::Encode;
use futures::{future::join_all, stream::FuturesUnordered, FutureExt, StreamExt};
use jsonrpsee::{
    core::client::{ClientT, SubscriptionClientT},
    rpc_params,
    ws_client::{WsClient, WsClientBuilder},
};
use rand::{random, Rng};
use serde_json::Value;
use sp_core::H256;

/// The bytes of a prompt.
const PROMPT: usize = 64 << 10;
/// The calls of a connection that wait for their answers.
const OPEN: usize = 64;
/// The most subscriptions that a connection asks the node for.
const SUBSCRIPTIONS: usize = 1_000;

/// Floods until the process is killed.
pub async fn flood(url: &str, rate: u32, connections: u32) -> Result<()> {
    let client = WsClientBuilder::default().build(url).await.context("the node does not answer")?;
    let status: Value = client.request("assay_nodeStatus", rpc_params![]).await?;
    let model: Option<H256> = serde_json::from_value(status["worker"]["models"][0]["id"].clone())?;
    let count = Count::default();
    let all = join_all((0..connections).map(|_| connection(url, rate, connections, model, &count)));
    tokio::select! {
        _ = all => {}
        () = count.print() => {}
    }
    Ok(())
}

/// Calls at its part of the rate, and connects again whenever the node hangs up.
async fn connection(url: &str, rate: u32, parts: u32, model: Option<H256>, count: &Count) {
    let mut ticks = ticks(rate, parts);
    loop {
        ticks.tick().await;
        match WsClientBuilder::default().build(url).await {
            Ok(client) => calls(&client, &mut ticks, model, count).await,
            Err(_) => count.add(false),
        }
    }
}

/// Calls until the connection ends.
async fn calls(
    client: &WsClient,
    ticks: &mut tokio::time::Interval,
    model: Option<H256>,
    count: &Count,
) {
    let mut open = FuturesUnordered::new();
    let mut subscriptions = Vec::new();
    while client.is_connected() {
        tokio::select! {
            _ = ticks.tick(), if open.len() < OPEN => {}
            Some(answered) = open.next() => {
                count.add(answered);
                continue;
            }
        }
        match rand::rng().random_range(0..4) {
            0 => {
                let mut prompt = vec![b'a'; PROMPT];
                prompt[..32].copy_from_slice(&random::<[u8; 32]>());
                let request = Request::text(prompt).encode();
                let params = rpc_params![format!("0x{}", hex::encode(request)), model];
                let call = client.request::<Value, _>("assay_submitPayload", params);
                open.push(call.map(|answer| answer.is_ok()).boxed());
            }
            1 => {
                let params = rpc_params![H256(random())];
                let call = client.request::<Value, _>("assay_output", params);
                open.push(call.map(|answer| answer.is_ok()).boxed());
            }
            2 if subscriptions.len() < SUBSCRIPTIONS => {
                let answer = client
                    .subscribe::<Value, _>(
                        "assay_subscribeOutput",
                        rpc_params![H256(random()), 0],
                        "assay_unsubscribeOutput",
                    )
                    .await;
                count.add(answer.is_ok());
                subscriptions.extend(answer);
            }
            _ => {
                let call = client.request::<Value, _>("assay_nodeStatus", rpc_params![]);
                open.push(call.map(|answer| answer.is_ok()).boxed());
            }
        }
    }
}
