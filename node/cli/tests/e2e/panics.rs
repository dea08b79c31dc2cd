// SPDX-License-Identifier: Apache-2.0
//! Jobs that make the engine panic or end the node's process.

use crate::{
    cli::{assay, Said},
    network::dev,
    node::Node,
    slow::slow_model,
    wait::wait_for,
};
use serde_json::Value;
use std::{fs, os::unix::process::ExitStatusExt, time::Duration};

/// The longest that a job may take to reach the engine.
const BEGIN: Duration = Duration::from_secs(180);
const GOOD: &str = "In the beginning";
const BAD: &str = "In the beginning was CRASH";

/// The deadline of a job that nobody delivers, in blocks. One that is delivered gets the command's own, which
/// a busy machine keeps.
const SOON: [&str; 2] = ["--deadline", "12"];

/// Runs a job of that client to its end.
async fn run(node: &Node, client: &str, prompt: &[&str]) -> Said {
    let args = ["run", "--json", "--max-tokens", "16", "--suri", client];
    assay(node, &[&args, prompt].concat()).await
}

/// Asserts that a job was accepted by its verifiers and paid.
fn is_paid(said: &Said) {
    let job = said.accepted();
    assert_eq!(job["outcome"], "paid", "{job}");
}

/// Asserts that a job ended without an output, and that its client got everything back.
fn is_refunded(job: &Value) {
    assert_eq!((&job["paid"], &job["verdict"]), (&"0".into(), &"none".into()), "{job}");
    assert_eq!(job["output"], Value::Null, "{job}");
}

#[tokio::test]
async fn job_that_panics_is_refunded_and_those_beside_it_are_paid() {
    let node = dev(&["--dev-fault", "panic:CRASH"]).await;
    let (bad, good, other) = tokio::join!(
        run(&node, "//Ferdie", &[SOON[0], SOON[1], BAD]),
        run(&node, "//Eve", &[GOOD]),
        run(&node, "//Eve//stash", &[GOOD]),
    );
    is_paid(&good);
    is_paid(&other);
    assert_eq!(bad.code, 3, "{bad:?}");
    let job = bad.json();
    is_refunded(&job);
    // The node goes on, and serves the same client.
    is_paid(&run(&node, "//Ferdie", &[GOOD]).await);
    let log = node.log_text();
    let id = job["job"].as_str().expect("an id");
    let panicked = format!("generate of job {id} panicked and is not tried again: an injected");
    assert_eq!(log.matches(&panicked).count(), 1, "{log}");
    assert_eq!(log.matches("Assay Node").count(), 1, "the node was not started again: {log}");
}

#[tokio::test]
async fn job_that_ends_the_process_twice_is_given_up_and_others_are_paid() {
    let mut node = dev(&["--dev-fault", "abort:CRASH"]).await;
    let args = ["job", "create", "--json", "--max-tokens", "16", SOON[0], SOON[1], BAD];
    let created = assay(&node, &args).await.ok();
    let id = created["job"].as_str().expect("an id");
    for _ in 0..2 {
        let status = node.ended(BEGIN).await;
        assert_eq!(status.signal(), Some(6), "{status}");
        node.start_again();
    }
    node.ready().await;
    is_paid(&run(&node, "//Eve", &[GOOD]).await);
    let said = assay(&node, &["job", "status", id, "--wait", "--json"]).await;
    is_refunded(&said.json());
    let log = node.log_text();
    let given_up = format!(
        "generate of job {id} is not tried again: it was in progress at 2 deaths of the node"
    );
    assert_eq!(log.matches(&given_up).count(), 1, "{log}");
    assert_eq!(log.matches("Assay Node").count(), 3, "it died twice: {log}");
}

#[tokio::test]
async fn node_that_is_told_to_end_during_a_job_suspects_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("slow.gguf");
    fs::write(&path, slow_model()).unwrap();
    let mut node = dev(&["--model", path.to_str().unwrap(), "--engine-threads", "1"]).await;
    let args = ["job", "create", "--json", "--max-tokens", "4000", GOOD];
    let created = assay(&node, &args).await.ok();
    let id = created["job"].as_str().expect("an id");
    let generation = format!("generate-{}", id.trim_start_matches("0x"));
    wait_for("the job runs", BEGIN, async || node.marks().contains(&generation)).await;
    let status = node.stop().await;
    assert!(status.success(), "{status}");
    let log = node.log_text();
    assert!(!log.contains(&format!("generate of job {id}: ")), "it was in progress: {log}");
    assert_eq!(node.marks(), [""; 0]);
    node.restart().await;
    assert!(!node.log_text().contains("when the node died"), "{}", node.log_text());
}
