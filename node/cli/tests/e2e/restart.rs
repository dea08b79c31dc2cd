// SPDX-License-Identifier: Apache-2.0
//! A node that is killed while it works.

use crate::{
    books::{fees, Books},
    cli::{assay, planck},
    network::dev,
    node::Node,
    wait::wait_for,
};
use assay_primitives::JobId;
use assay_runtime::{Hash, RuntimeEvent};
use jsonrpsee::rpc_params;
use sp_keyring::Sr25519Keyring;
use std::time::Duration;

/// The longest that a job may take to begin.
const BEGIN: Duration = Duration::from_secs(120);

#[tokio::test]
async fn killed_node_finishes_its_job_once() {
    let mut node = dev(&["--engine-threads", "1"]).await;
    let before = Books::read(&node).await;
    let args = ["job", "create", "--json", "--max-tokens", "1000", "In the beginning"];
    let created = assay(&node, &args).await.ok();
    let id = created["job"].as_str().unwrap();

    wait_for("the job runs", BEGIN, async || {
        assay(&node, &["job", "status", id, "--json"]).await.ok()["state"] == "running"
    })
    .await;
    node.kill();
    node.restart().await;

    let job = assay(&node, &["job", "status", id, "--wait", "--json"]).await.ok();
    assert_eq!(job["outcome"], "paid", "{job}");
    assert_eq!(job["verdict"], "accept", "{job}");
    assert_eq!(job["finish"], "length", "{job}");
    assert_eq!(job["tokens"], 1000, "{job}");
    assert_eq!(settlements(&node, id.parse().unwrap()).await, 1);

    let after = Books::read(&node).await;
    let fees = fees(&node, before.number, after.number).await;
    let client = Sr25519Keyring::Ferdie.to_account_id();
    let (paid, refunded) = (planck(&job, "paid"), planck(&job, "refunded"));
    assert_eq!(paid + refunded, planck(&created, "held"), "{job}");
    assert_eq!(after.reserved(&client), 0);
    assert_eq!(before.total(&client) - after.total(&client), paid + fees[&client]);
    let burnt = planck(&job, "burnt");
    assert_eq!(before.issuance - after.issuance, fees.values().sum::<u128>() + burnt);
    assert_eq!(node.chain().await.claimable(&client).await.unwrap(), 0);
}

/// Counts how often the chain has settled the job.
async fn settlements(node: &Node, id: JobId) -> usize {
    let chain = node.chain().await;
    let best: assay_cli::chain::Head =
        chain.request("chain_getHeader", rpc_params![]).await.unwrap();
    let mut count = 0;
    for number in 1..=best.number {
        let hash: Hash = chain.request("chain_getBlockHash", rpc_params![number]).await.unwrap();
        let settles = |event: &RuntimeEvent| matches!(event, RuntimeEvent::Jobs(pallet_jobs::Event::JobSettled { job, .. }) if *job == id);
        let events = chain.events(hash).await.unwrap();
        count += events.iter().filter(|record| settles(&record.event)).count();
    }
    count
}
