// SPDX-License-Identifier: Apache-2.0
//! Operators that let no verifier have the request and the transcript.

use crate::{
    books::{signed, Books, Changes},
    cli::{assay, planck},
    network::{start, Topology},
    root::{as_root, settings},
    separate_nodes::follows,
    spec::NodeSpec,
};
use assay_primitives::Request;
use assay_runtime::{
    parameters::{dynamic_params::verification, RuntimeParameters},
    MICRO_UNIT,
};
use codec::Encode;
use serde_json::Value;
use sp_keyring::Sr25519Keyring::{Alice, Ferdie};

const PROMPT: &str = "In the beginning";
/// The fewest blocks in which an operator can publish.
const PRODUCE: u32 = 20;

/// Runs a job on the node of Alice, which serves the client as well. All other operators verify.
/// Returns it with the changes of balances and the length of request and transcript.
async fn run(fault: &str) -> (Value, Changes, usize) {
    let validator = NodeSpec::validator_without(&["Alice"]);
    let cheat = NodeSpec::operators(&["Alice"]).with(&["--dev-fault", fault]);
    let [validator, cheat] = start(Topology::Full, [validator, cheat]).await;
    let window =
        verification::Parameters::ProduceWindow(verification::ProduceWindow, Some(PRODUCE));
    let window = RuntimeParameters::Verification(window);
    as_root(&validator, vec![settings(vec![window])]).await;
    follows(&cheat).await;
    let before = Books::read(&validator).await;
    let alice = Alice.to_account_id().to_string();
    let order =
        ["run", "--json", "--max-tokens", "16", "--down", "0.5", "--operator", &alice, PROMPT];
    let job = assay(&cheat, &order).await.json();
    let changes = Changes::since(&validator, &before).await;
    let output = cheat.chain().await.output(&job["job"].as_str().unwrap().parse().unwrap()).await;
    let transcript = output.unwrap().expect("it is here").transcript.expect("it is here");
    let length = Request::text(PROMPT).encode().len() + transcript.len();
    (job, changes, length)
}

#[tokio::test]
async fn output_that_nobody_can_fetch_is_published_and_paid() {
    let (job, mut changes, length) = run("hide").await;
    assert_eq!(job["outcome"], "paid", "{job}");
    assert_eq!(job["verdict"], "accept", "{job}");
    // The committee and the first jury could not vote; of eight others seven are the next jury.
    assert_eq!(job["verifiers"], 7, "{job}");
    let [paid, burnt, fund, refunded, held] =
        ["paid", "burnt", "fund", "refunded", "held"].map(|field| signed(planck(&job, field)));
    assert_eq!(paid + refunded, held, "{job}");
    assert_eq!(changes.of(Ferdie), -paid, "{job}");
    assert_eq!(changes.of_fund(), fund, "{job}");
    // The operator pays no committee, and for each byte that it publishes.
    let published = signed(length as u128 * MICRO_UNIT);
    assert_eq!(changes.of(Alice), paid - burnt - fund - published, "{job}");
    changes.are_all();
}

#[tokio::test]
async fn output_that_is_not_published_either_is_withheld_and_slashed() {
    let (job, mut changes, _) = run("withhold-output").await;
    assert_eq!(job["outcome"], "slashed", "{job}");
    assert_eq!(job["verdict"], "withheld", "{job}");
    assert_eq!(job["verifiers"], 0, "{job}");
    let [slashed, refunded, held, down] =
        ["slashed", "refunded", "held", "down"].map(|field| signed(planck(&job, field)));
    assert!(slashed > 0, "{job}");
    assert_eq!(refunded, held + slashed / 20, "{job}");
    assert_eq!(changes.of(Ferdie), refunded - held, "{job}");
    assert_eq!(changes.of(Alice), down * 95 / 100 - slashed, "{job}");
    changes.are_all();
}
