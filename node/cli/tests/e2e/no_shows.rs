// SPDX-License-Identifier: Apache-2.0
//! Operators that do not answer, decline, or accept and do not deliver. Verifiers that do not show up are in
//! `verifiers.rs`.

use crate::{
    books::{signed, Books, Changes},
    cli::{assay, planck},
    network::{alone, start, Topology},
    root::{as_root, drain},
    separate_nodes::follows,
    spec::NodeSpec,
    wait::wait_for,
};
use assay_runtime::MILLI_UNIT;
use sp_keyring::Sr25519Keyring::{Alice, Bob, Dave, Ferdie};
use std::time::Duration;

const PROMPT: &str = "In the beginning";
/// The longest that it may take until a job is assigned, on a busy machine.
const ASSIGNED: Duration = Duration::from_secs(240);

#[tokio::test]
async fn late_operator_is_fined_and_another_one_delivers() {
    let validator = NodeSpec::validator_without(&["Alice"]);
    let silent = NodeSpec::operators(&["Alice"]).with(&["--dev-fault", "silent"]);
    let [node, _silent] = start(Topology::Full, [validator, silent]).await;
    let [alice, bob] = [Alice, Bob].map(|who| who.to_account_id().to_string());
    let before = Books::read(&node).await;
    // So late that Alice alone can be drawn when it opens.
    let opens = (before.number + 8).to_string();
    let order = ["job", "create", "--json", "--max-tokens", "16", "--down", "0.5"];
    let times = ["--not-before", &opens, "--deadline", "8"];
    let rest = ["--operator", &alice, "--operator", &bob, PROMPT];
    let created = assay(&node, &[&order[..], &times, &rest].concat()).await.ok();
    let id = created["job"].as_str().unwrap();
    as_root(&node, drain([Bob], true)).await;
    wait_for("Alice has the job", ASSIGNED, async || {
        assay(&node, &["job", "status", id, "--json"]).await.ok()["operator"] == alice.as_str()
    })
    .await;
    // Bob can be drawn now, and Alice for no seat of his committee.
    as_root(&node, [drain([Bob], false), drain([Alice], true)].concat()).await;
    let job = assay(&node, &["job", "status", id, "--wait", "--json"]).await.accepted();
    let mut changes = Changes::since(&node, &before).await;
    assert_eq!(job["outcome"], "paid", "{job}");
    assert_eq!((&job["attempts"], &job["operator"]), (&2.into(), &bob.into()), "{job}");
    assert_eq!(job["tokens"], 16, "the most that it can pay is what it has paid: {job}");
    let [paid, burnt, fund, down] =
        ["paid", "burnt", "fund", "down"].map(|field| signed(planck(&job, field)));
    assert_eq!(changes.of(Ferdie), -paid, "{job}");
    assert_eq!(changes.of_fund(), fund, "{job}");
    // She returns all of the down payment, of which she got 95 %, and loses a fifth of a bond of 20 times
    // what the job can pay.
    assert_eq!(changes.of(Alice), -down * 5 / 100 - 4 * paid, "{job}");
    // Three verifiers have a fee each; the jury of a second look finds the fund empty.
    let rest = changes.of(Bob);
    assert_eq!(rest, paid - burnt - fund - 3 * changes.gain_of_each(3), "{job}");
}

#[tokio::test]
async fn job_of_an_operator_that_does_not_answer_expires() {
    // Nobody has Dave's key.
    let node = alone(NodeSpec::validator_without(&["Dave"])).await;
    let before = Books::read(&node).await;
    let dave = Dave.to_account_id().to_string();
    let run = ["run", "--json", "--deadline", "5", "--down", "0.5", "--operator", &dave, PROMPT];
    let said = assay(&node, &run).await;
    assert_eq!(said.code, 3, "{said:?}");
    let job = said.json();
    assert_eq!(job["outcome"], "expired", "{job}");
    assert_eq!(planck(&job, "refunded"), planck(&job, "held"), "{job}");
    Changes::since(&node, &before).await.are_all();
}

#[tokio::test]
async fn deposit_for_a_prompt_of_another_length_is_burnt_when_three_decline() {
    // A node without the model does not count the tokens.
    let specs = [NodeSpec::validator("Alice"), NodeSpec::all_operators()];
    let [node, operators] = start(Topology::Full, specs).await;
    follows(&operators).await;
    let before = Books::read(&node).await;
    let run =
        ["run", "--json", "--max-tokens", "16", "--down", "0.5", "--input-tokens", "99", PROMPT];
    let said = assay(&node, &run).await;
    assert_eq!(said.code, 3, "{said:?}");
    let job = said.json();
    assert_eq!(job["outcome"], "expired", "{job}");
    assert_eq!(job["attempts"], 3, "{job}");
    let deposit = MILLI_UNIT * 100;
    assert_eq!(planck(&job, "burnt"), deposit, "{job}");
    assert_eq!(planck(&job, "refunded"), planck(&job, "held") - deposit, "{job}");
    let mut changes = Changes::since(&node, &before).await;
    assert_eq!(changes.of(Ferdie), -signed(deposit), "{job}");
    changes.are_all();
}
