// SPDX-License-Identifier: Apache-2.0
//! Tells the worker which of its jobs are over, once that is final.

use crate::service::FullClient;
use assay_primitives::{api::AssayApi, JobId};
use assay_runtime::Hash;
use assay_worker::Worker;
use futures::StreamExt;
use sc_client_api::BlockchainEvents;
use sp_api::ProvideRuntimeApi;
use sp_blockchain::HeaderBackend;
use std::sync::Arc;

/// Runs as long as the node does.
pub async fn run(client: Arc<FullClient>, worker: Arc<Worker>) {
    let mut finality = client.finality_notification_stream();
    while let Some(notification) = finality.next().await {
        if let Err(error) = reconcile(&client, &worker, notification.hash) {
            log::error!("the worker cannot be reconciled with the chain: {error}");
        }
    }
}

/// A job is over when neither the finalised block nor the best one has it among the living: what
/// only the best one knows is too new, and what only the finalised one knows may come back.
fn reconcile(client: &FullClient, worker: &Worker, finalised: Hash) -> anyhow::Result<()> {
    // Only these: what comes to the worker in the meantime was not asked about.
    let mut over = worker.jobs();
    if over.is_empty() {
        return Ok(());
    }
    let asked: Vec<JobId> = over.iter().copied().collect();
    for block in [finalised, client.info().best_hash] {
        for live in client.runtime_api().live_jobs(block, asked.clone())? {
            over.remove(&live);
        }
    }
    Ok(worker.forget(&over)?)
}
