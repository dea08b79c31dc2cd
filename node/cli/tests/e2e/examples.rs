// SPDX-License-Identifier: Apache-2.0
//! The standard JavaScript clients, unpatched, as the examples for dApps use them.

use crate::{books::Books, cli::assay, network::dev, npm::example};
use assay_cli::key::{Key, Scheme};
use assay_runtime::UNIT;

#[tokio::test]
async fn polkadot_js_sends_a_transfer() {
    let node = dev(&[]).await;
    let seed = "//polkadot-js";
    let said = example("transfer.mjs", &[&node.url(), seed]).await;
    assert_eq!(said["free"], (5 * UNIT).to_string(), "{said}");
    assert_eq!(said["operators"], 12, "{said}");
    assert_eq!(said["specName"], "assay", "{said}");
    let account = Key::from_suri(Scheme::Sr25519, seed).unwrap().account();
    assert_eq!(said["to"], account.to_string());
    assert_eq!(Books::read(&node).await.free(&account), 5 * UNIT);
}

/// Asserts that an example buys an answer, and prints what the chain and the node know of it.
async fn buys_an_answer(name: &str) {
    let node = dev(&[]).await;
    let said = example(name, &[&node.url(), "And God said"]).await;
    assert_eq!(said["verdict"], "Accepted", "{said}");
    assert_eq!(said["outcome"], "Paid", "{said}");
    let id = said["job"].as_str().expect("it has a job");
    let job = assay(&node, &["job", "status", id, "--output", "--json"]).await.ok();
    assert_eq!(job["outcome"], "paid", "{job}");
    assert_eq!(said["output"], job["output"], "{job}");
    assert_eq!(said["paid"], job["paid"], "{job}");
}

#[tokio::test]
async fn polkadot_js_buys_an_answer() {
    buys_an_answer("polkadot-js.mjs").await;
}

#[tokio::test]
async fn polkadot_api_buys_an_answer() {
    buys_an_answer("polkadot-api.mjs").await;
}
