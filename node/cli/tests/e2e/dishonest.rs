// SPDX-License-Identifier: Apache-2.0
//! Operators that cheat, each in its way.

use crate::{
    books::{fees, Books},
    cli::{assay, planck},
    node::{places, Node},
};
use assay_runtime::presets::DEVELOPMENT_OPERATORS;
use serde_json::Value;
use sp_keyring::Sr25519Keyring;

/// Runs a job on a chain whose operators cheat; asserts what holds however they do it.
async fn is_caught(fault: &str) -> Value {
    let node = Node::dev(&["--dev-fault", fault]).await;
    let before = Books::read(&node).await;
    let args = ["run", "--json", "--max-tokens", "16", "--deadline", "10", "In the beginning"];
    let said = assay(&node, &args).await;
    assert_eq!(said.code, 3, "{said:?}");
    let job = said.json();
    let after = Books::read(&node).await;

    // The client has all back, and half of what is slashed beyond that: only the fee is gone.
    let client = Sr25519Keyring::Ferdie.to_account_id();
    let fees = fees(&node, before.number, after.number).await;
    let held = planck(&job, "held");
    let compensation = planck(&job, "refunded") - held;
    assert_eq!(planck(&job, "paid"), 0, "{job}");
    assert_eq!(after.reserved(&client), 0);
    assert_eq!(after.total(&client) + fees[&client], before.total(&client) + compensation);
    // The operator has lost what the settlement says, if it earned nothing else.
    let slashed = planck(&job, "slashed");
    assert!(slashed > 0, "{job}");
    let operator = DEVELOPMENT_OPERATORS
        .map(|who| who.to_account_id())
        .into_iter()
        .find(|who| job["operator"] == who.to_string())
        .unwrap();
    assert_eq!(before.total(&operator) - after.total(&operator), slashed);
    job
}

/// The same for cheats that deliver something: the committee rejects it.
async fn is_rejected(fault: &str) {
    let _place = places(1).await;
    let job = is_caught(fault).await;
    assert_eq!(job["outcome"], "slashed", "{job}");
    assert_eq!(job["verdict"], "reject", "{job}");
    assert_eq!(job["verifiers"], 3, "{job}");
}

#[tokio::test]
async fn wrong_token_is_rejected_and_slashed() {
    is_rejected("wrong-token").await;
}

#[tokio::test]
async fn truncated_output_is_rejected_and_slashed() {
    is_rejected("truncate").await;
}

#[tokio::test]
async fn wrong_model_is_rejected_and_slashed() {
    is_rejected("wrong-model").await;
}

#[tokio::test]
async fn silent_operator_is_slashed() {
    let _place = places(1).await;
    let job = is_caught("silent").await;
    assert_eq!(job["outcome"], "refunded", "{job}");
    assert_eq!(job["verdict"], "none", "{job}");
    assert_eq!(job["output"], Value::Null, "{job}");
}

#[tokio::test]
async fn fault_is_refused_where_money_is_real() {
    let _place = places(1).await;
    let key = "01".repeat(32);
    let args = ["--chain", "local", "--alice", "--node-key", &key, "--dev-fault", "wrong-token"];
    let mut node = Node::spawn(&args, crate::node::free_port());
    assert!(!node.ended().await.success());
    let log = node.log_text();
    assert!(log.contains("--dev-fault"), "{log}");
    assert!(log.contains("Development"), "{log}");
}
