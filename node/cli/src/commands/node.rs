// SPDX-License-Identifier: Apache-2.0
//! `assay node`.

use crate::{
    args::{Global, NodeCommand},
    chain::{is_busy, is_lost, Chain, Head},
    exit::Exit,
    fault::Fault,
    out,
    progress::Progress,
    settings::Settings,
    trust,
    view::count,
};
use anyhow::Result;
use assay_rpc::{NodeStatus, StoreStatus};
use jsonrpsee::rpc_params;
use serde::Deserialize;
use serde_json::json;
use std::{cell::Cell, time::Duration};
use tokio::time::{interval, timeout, MissedTickBehavior};

/// The interval between two attempts to connect.
const RETRY: Duration = Duration::from_millis(250);

/// The node's answer to `system_health`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Health {
    peers: u64,
    is_syncing: bool,
}

/// Runs the command.
pub async fn dispatch(global: &Global, command: NodeCommand) -> Result<Exit> {
    let NodeCommand::Status { wait } = command;
    let settings = Settings::of(global)?;
    let chain = match wait {
        Some(seconds) => connect_within(&settings.url, Duration::from_secs(seconds)).await?,
        None => Chain::connect(&settings.url).await?,
    };
    trust::ensure(&settings, &chain)?;
    let node = chain.node_status().await?;
    let health: Health = chain.request("system_health", rpc_params![]).await?;
    let best: Head = chain.request("chain_getHeader", rpc_params![]).await?;
    if global.json {
        let mut object = json!(node);
        object["chain"] = json!(chain.name);
        object["genesis"] = json!(chain.genesis);
        object["specVersion"] = json!(chain.version.spec_version);
        object["best"] = json!(best.number);
        object["peers"] = json!(health.peers);
        object["syncing"] = json!(health.is_syncing);
        out::object(&object)?;
    } else {
        out::pairs(&rows(&chain, &node, &health, best.number))?;
    }
    Ok(Exit::Done)
}

/// Tries to connect until the node answers. An answer from a node that this command cannot work with
/// is an error at once.
async fn connect_within(url: &str, time: Duration) -> Result<Chain> {
    let _progress = Progress::new(format!("waiting for the node at {url}"));
    let mut tick = interval(RETRY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let last = Cell::new(None);
    let tries = async {
        loop {
            tick.tick().await;
            match Chain::connect(url).await {
                Err(error) if is_lost(&error) => last.set(Some(error)),
                done => break done,
            }
        }
    };
    timeout(time, tries).await.unwrap_or_else(|_| {
        let seconds = time.as_secs();
        Err(match last.take().filter(is_busy) {
            Some(busy) => busy.context(format!("no connection within {seconds} s")),
            None => Fault::error(
                "node_unreachable",
                format!("no node answered at {url} within {seconds} s; see its log"),
            ),
        })
    })
}

/// Tells whether the node's store is healthy, and otherwise why it is not.
fn store(store: &StoreStatus) -> String {
    let free = store.free_bytes.map(|free| format!(", {} MiB free", free >> 20));
    let pending = Some(store.pending).filter(|pending| *pending > 0);
    let pending = pending.map(|pending| format!(", {} not on disk yet", count(pending, "change")));
    let state = store.error.as_deref().unwrap_or("healthy");
    format!("{state}{}{}", pending.unwrap_or_default(), free.unwrap_or_default())
}

fn rows(
    chain: &Chain,
    node: &NodeStatus,
    health: &Health,
    best: u32,
) -> Vec<(&'static str, String)> {
    let mut rows = vec![
        ("Version", node.version.clone()),
        ("Chain", format!("{}, runtime {}", chain.name, chain.version.spec_version)),
        ("Peer id", node.peer_id.clone()),
        ("Peers", health.peers.to_string()),
        ("Best block", format!("{best}{}", if health.is_syncing { ", syncing" } else { "" })),
    ];
    rows.push(("Store", store(&node.store)));
    let Some(worker) = &node.worker else {
        rows.push(("Engine", "none".into()));
        return rows;
    };
    let load = format!(
        "{}, {} open, {} waiting",
        count(worker.threads, "thread"),
        worker.open,
        worker.waiting
    );
    rows.push(("Engine", load));
    rows.extend(worker.models.iter().map(|model| {
        let kind =
            format!("{} {}, context {}", model.architecture, model.quantisation, model.context);
        ("Model", format!("{}, {kind}, {:?}", model.name, model.id))
    }));
    for key in &node.workers {
        let operator = match &key.stash {
            Some(stash) => format!("{} of operator {stash}", key.key),
            None => format!("{}, not used by an operator", key.key),
        };
        rows.push(("Worker key", operator));
    }
    rows.extend(worker.fault.iter().map(|fault| ("Fault", fault.clone())));
    rows
}
