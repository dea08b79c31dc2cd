// SPDX-License-Identifier: Apache-2.0
//! Tells the worker which of its jobs are over, once that is final.

use crate::client::FullClient;
use assay_primitives::{api::AssayApi, JobId};
use assay_runtime::Hash;
use assay_worker::Worker;
use futures::StreamExt;
use sc_client_api::BlockchainEvents;
use sp_api::ProvideRuntimeApi;
use sp_blockchain::HeaderBackend;
use std::sync::Arc;

/// The most jobs that one call asks about, so that none takes long.
const ASKED: usize = 1_024;

/// Reconciles the worker with every finalised block, as long as the node runs.
pub async fn run(client: Arc<FullClient>, worker: Arc<Worker>) {
    let mut finality = client.finality_notification_stream();
    while let Some(notification) = finality.next().await {
        if let Err(error) = reconcile(&client, &worker, notification.hash) {
            log::error!("the worker cannot be reconciled with the chain: {error}");
        }
    }
}

/// Drops the jobs that neither the finalised block nor the best block lists as live. A job that only
/// the best block lists is too new to be over, and one that only the finalised block lists may return
/// with a reorganisation.
fn reconcile(client: &FullClient, worker: &Worker, finalised: Hash) -> anyhow::Result<()> {
    // The chain is asked about these only, so jobs that the worker gets in the meantime stay.
    let mut over = worker.jobs();
    if over.is_empty() {
        return Ok(());
    }
    let asked: Vec<JobId> = over.iter().copied().collect();
    for block in [finalised, client.info().best_hash] {
        for asked in asked.chunks(ASKED) {
            for live in client.runtime_api().live_jobs(block, asked.to_vec())? {
                over.remove(&live);
            }
        }
    }
    worker.forget(&over);
    Ok(())
}
