// SPDX-License-Identifier: Apache-2.0
//! Operators that cheat, each in its way.

use crate::{
    books::{fees, Books},
    cli::{assay, planck},
    node::{places, Node},
};
use assay_runtime::{presets::DEVELOPMENT_OPERATORS, AccountId};
use serde_json::Value;
use sp_keyring::Sr25519Keyring;

/// Runs a job on a chain whose operators cheat; asserts what holds however they do it. It is over
/// when so many of them had it, each of which loses as much as the last.
async fn is_caught(fault: &str, attempts: u32) -> Value {
    let node = Node::dev(&["--dev-fault", fault]).await;
    let before = Books::read(&node).await;
    let args = ["run", "--json", "--max-tokens", "16", "--deadline", "10", "In the beginning"];
    let said = assay(&node, &args).await;
    assert_eq!(said.code, 3, "{said:?}");
    let job = said.json();
    let after = Books::read(&node).await;

    // The client has all back, and half of what each loses beyond that: only the fee is gone.
    let client = Sr25519Keyring::Ferdie.to_account_id();
    let fees = fees(&node, before.number, after.number).await;
    let held = planck(&job, "held");
    let compensation = u128::from(attempts) * (planck(&job, "refunded") - held);
    assert_eq!(planck(&job, "paid"), 0, "{job}");
    assert_eq!(after.reserved(&client), 0);
    assert_eq!(after.total(&client) + fees[&client], before.total(&client) + compensation);
    // The operators have lost what the settlement says, if they earned nothing else.
    let slashed = planck(&job, "slashed");
    assert!(slashed > 0, "{job}");
    let lost = |who: &AccountId| before.total(who).saturating_sub(after.total(who));
    let operators = DEVELOPMENT_OPERATORS.map(|who| who.to_account_id());
    let last = operators.iter().find(|who| job["operator"] == who.to_string()).unwrap();
    assert_eq!(lost(last), slashed, "{job}");
    let all = operators.iter().filter(|who| lost(who) == slashed).count();
    assert_eq!(all, attempts as usize, "{job}");
    job
}

/// The same for cheats that deliver something: the committee rejects it.
async fn is_rejected(fault: &str) {
    let _place = places(1).await;
    let job = is_caught(fault, 1).await;
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
    let job = is_caught("silent", 3).await;
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
