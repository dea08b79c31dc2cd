// SPDX-License-Identifier: Apache-2.0
//! Operators that cheat, each in its way.

use crate::{
    books::{fees, Books},
    cli::{assay, planck},
    network::dev,
    node::Node,
    spec::NodeSpec,
};
use assay_runtime::{presets::DEVELOPMENT_OPERATORS, AccountId};
use serde_json::Value;
use sp_keyring::Sr25519Keyring;

/// Runs a job on a chain whose operators cheat, asserts all that holds for every way to cheat, and
/// returns the job. It ends with the last of `attempts` operators, each of which loses the same.
async fn is_caught(fault: &str, attempts: u32) -> Value {
    let node = dev(&["--dev-fault", fault]).await;
    let before = Books::read(&node).await;
    let args = ["run", "--json", "--max-tokens", "16", "--deadline", "10", "In the beginning"];
    let said = assay(&node, &args).await;
    assert_eq!(said.code, 3, "{said:?}");
    let job = said.json();
    assert_eq!(job["verified"], false, "{job}");
    let after = Books::read(&node).await;

    // The client gets all back, and of a rejected operator's bond what the output would have cost: it has
    // paid the fee alone.
    let client = Sr25519Keyring::Ferdie.to_account_id();
    let fees = fees(&node, before.number, after.number).await;
    let held = planck(&job, "held");
    let compensation = planck(&job, "refunded") - held;
    assert_eq!(planck(&job, "paid"), 0, "{job}");
    assert_eq!(after.reserved(&client), 0);
    assert_eq!(after.total(&client) + fees[&client], before.total(&client) + compensation);
    // The operators have lost the slash of the settlement, as they have earned nothing else.
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

/// Asserts the same of operators that deliver something, which committee and jury reject.
async fn is_rejected(fault: &str) {
    let job = is_caught(fault, 1).await;
    assert_eq!(job["outcome"], "slashed", "{job}");
    assert_eq!(job["verdict"], "reject", "{job}");
    // Twelve operators without the one that is judged and its committee are eight, so seven jurors.
    assert_eq!(job["verifiers"], 10, "{job}");
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
    let job = is_caught("silent", 3).await;
    assert_eq!(job["outcome"], "refunded", "{job}");
    assert_eq!(job["verdict"], "none", "{job}");
    assert_eq!(job["output"], Value::Null, "{job}");
}

#[tokio::test]
async fn fault_is_refused_where_money_is_real() {
    let spec = NodeSpec::full().on_chain("local").with(&["--alice", "--dev-fault", "wrong-token"]);
    let log = Node::refused(spec).await;
    assert!(log.contains("--dev-fault"), "{log}");
    assert!(log.contains("Development"), "{log}");
}
