// SPDX-License-Identifier: Apache-2.0
//! Verifiers that cheat or fail, and the cost of that to each party.
//!
//! The draws are certain: all operators but the job's and three others drain until the committee is
//! drawn. Those that cheat are on a node of their own.

use crate::{
    books::{signed, Books, Changes},
    cli::{assay, planck},
    network::{dev, start, Topology},
    node::Node,
    root::{as_root, drain, settings},
    spec::NodeSpec,
    wait::wait_for,
};
use assay_runtime::{
    parameters::{dynamic_params::verification, RuntimeParameters},
    presets::{worker_of, DEVELOPMENT_OPERATORS},
    UNIT,
};
use serde_json::Value;
use sp_keyring::Sr25519Keyring::{self, Alice, Bob, Charlie, Dave, EveStash, Ferdie};
use sp_runtime::Permill;
use std::time::Duration;

/// The operator of each job.
const OPERATOR: Sr25519Keyring = Alice;
/// The committee of each job.
const COMMITTEE: [Sr25519Keyring; 3] = [Bob, Charlie, Dave];
/// The jurors out of the eight others: an odd number.
const JURORS: usize = 7;
/// The tokens of each job.
const TOKENS: &str = "16";
/// The longest that it may take until a committee is drawn, on a busy machine.
const DRAWN: Duration = Duration::from_secs(240);

/// Returns the operators that are neither the job's nor on its committee.
fn others() -> impl Iterator<Item = Sr25519Keyring> {
    DEVELOPMENT_OPERATORS.into_iter().filter(|who| *who != OPERATOR && !COMMITTEE.contains(who))
}

/// Starts a chain whose operators are honest, but for these, which have a node of their own.
async fn with_cheats(cheats: &[&str], fault: &str) -> [Node; 2] {
    let cheating = NodeSpec::operators(cheats).with(&["--dev-fault", fault]);
    start(Topology::Full, [NodeSpec::validator_without(cheats), cheating]).await
}

/// Orders a job, lets `open` be drawn from when its committee is, and returns the job when it is over, with
/// the changes of balances.
async fn audit(node: &Node, open: impl IntoIterator<Item = Sr25519Keyring>) -> (Value, Changes) {
    as_root(node, drain(others(), true)).await;
    let before = Books::read(node).await;
    let operator = OPERATOR.to_account_id().to_string();
    let order = ["job", "create", "--json", "--max-tokens", TOKENS, "--down", "0.5"];
    // Four operators are too few for a job that requires verification.
    let rest = ["--verification", "if-possible", "--operator", &operator, "In the beginning"];
    let created = assay(node, &[&order[..], &rest].concat()).await.ok();
    let id = created["job"].as_str().unwrap();
    let mut committee = Vec::new();
    wait_for("the committee is drawn", DRAWN, async || {
        let job = assay(node, &["job", "status", id, "--json"]).await.ok();
        let all = job["committee"].as_array().into_iter().flatten();
        committee = all.map(|who| who.as_str().unwrap().to_owned()).collect();
        !committee.is_empty()
    })
    .await;
    as_root(node, drain(open, false)).await;
    let mut expected = COMMITTEE.map(|who| who.to_account_id().to_string());
    expected.sort();
    committee.sort();
    assert_eq!(committee, expected);
    let mut job = assay(node, &["job", "status", id, "--wait", "--json"]).await.json();
    job["held"] = created["held"].clone();
    (job, Changes::since(node, &before).await)
}

/// Asserts that the job was accepted by so many verifiers, and that its client has paid for it and nobody
/// keeps what goes to the fund. Returns what the job paid, and what is left of that for operator and
/// committee.
fn paid(job: &Value, changes: &mut Changes, verifiers: usize) -> (i128, i128) {
    assert_eq!(job["outcome"], "paid", "{job}");
    assert_eq!(job["verdict"], "accept", "{job}");
    assert_eq!(job["verifiers"], verifiers, "{job}");
    assert_eq!(job["slashed"], "0", "{job}");
    let [paid, burnt, fund, refunded, held] =
        ["paid", "burnt", "fund", "refunded", "held"].map(|field| signed(planck(job, field)));
    assert_eq!(paid + refunded, held, "{job}");
    assert_eq!(changes.of(Ferdie), -paid, "{job}");
    assert_eq!(changes.of_fund(), fund, "{job}");
    (paid, paid - burnt - fund)
}

/// Returns the bond of a verifier of a job that is worth so much.
fn bond(reward: i128) -> i128 {
    (2 * reward).max(signed(UNIT))
}

#[tokio::test]
async fn verifier_that_rejects_an_honest_output_loses_its_bond() {
    let [node, _cheat] = with_cheats(&["Dave"], "reject").await;
    let (job, mut changes) = audit(&node, others()).await;
    let (reward, earned) = paid(&job, &mut changes, 2 + JURORS);
    assert_eq!(changes.of(Dave), -bond(reward));
    let operator = changes.of(OPERATOR);
    let fee = changes.gain_of_each(2 + JURORS);
    // The jurors are paid out of Dave's bond, and the operator has half of the rest.
    let jurors = fee * JURORS as i128;
    let half = ((bond(reward) - jurors) / 2).min(reward);
    assert_eq!(operator, earned - 2 * fee + half);
}

#[tokio::test]
async fn committee_that_colludes_is_contradicted_by_a_second_look() {
    let cheats = ["Alice", "Bob", "Charlie", "Dave"];
    let [node, _cheats] = with_cheats(&cheats, "collude").await;
    let all = Some(Permill::from_percent(100));
    let looks = verification::Parameters::SecondLooks(verification::SecondLooks, all);
    let looks = RuntimeParameters::Verification(looks);
    as_root(&node, vec![settings(vec![looks])]).await;
    let (job, mut changes) = audit(&node, others()).await;
    assert_eq!(job["outcome"], "slashed", "{job}");
    assert_eq!(job["verdict"], "reject", "{job}");
    assert_eq!(job["verifiers"], JURORS, "{job}");
    let [slashed, refunded, held, down] =
        ["slashed", "refunded", "held", "down"].map(|field| signed(planck(&job, field)));
    // The operator keeps what it got at its acceptance.
    assert_eq!(changes.of(OPERATOR), down * 95 / 100 - slashed, "{job}");
    let reward = slashed / 20;
    for verifier in COMMITTEE {
        assert_eq!(changes.of(verifier), -bond(reward), "{job}");
    }
    // The client gets its loss out of the bond of the operator, and once more out of those of the committee.
    assert_eq!(refunded, held + reward, "{job}");
    assert_eq!(changes.of(Ferdie), 2 * reward, "{job}");
    changes.gain_of_each(JURORS);
}

#[tokio::test]
async fn verifier_that_never_commits_loses_a_twentieth_and_its_seat() {
    let specs = [NodeSpec::validator_without(&["Dave"]), NodeSpec::operators(&["Dave"])];
    let [node, mut absent] = start(Topology::Full, specs).await;
    // An operator that has answered once is drawn for some epochs after its node has died.
    let worker = worker_of(Dave);
    wait_for("Dave's heartbeat is in a block", DRAWN, async || {
        node.chain().await.account(&worker).await.unwrap().nonce > 0
    })
    .await;
    absent.kill();
    // One other can take the seat, and a second look cannot be held.
    let (job, mut changes) = audit(&node, [EveStash]).await;
    let (reward, earned) = paid(&job, &mut changes, 3);
    assert_eq!(changes.of(Dave), -bond(reward) / 20);
    let operator = changes.of(OPERATOR);
    assert_eq!(operator, earned - 3 * changes.gain_of_each(3));
}

#[tokio::test]
async fn verifier_that_never_reveals_loses_its_bond() {
    let [node, _cheat] = with_cheats(&["Dave"], "withhold-verdict").await;
    let (job, mut changes) = audit(&node, others()).await;
    let (reward, earned) = paid(&job, &mut changes, 2 + JURORS);
    assert_eq!(changes.of(Dave), -bond(reward));
    let operator = changes.of(OPERATOR);
    // The bond is burnt and the fund is empty, so that nobody pays the jurors.
    assert_eq!(operator, earned - 2 * changes.gain_of_each(2));
}

#[tokio::test]
async fn too_few_verifiers_leave_an_output_unverified_and_unpaid() {
    let node = dev(&["--dev-fault", "wrong-token"]).await;
    let absent = DEVELOPMENT_OPERATORS.into_iter().filter(|who| ![OPERATOR, Bob].contains(who));
    as_root(&node, drain(absent, true)).await;
    let before = Books::read(&node).await;
    let operator = OPERATOR.to_account_id().to_string();
    let run = ["run", "--json", "--max-tokens", TOKENS, "--down", "0.5", "--operator", &operator];
    let rest = ["--verification", "if-possible", "In the beginning"];
    let said = assay(&node, &[&run[..], &rest].concat()).await;
    assert_eq!(said.code, 3, "{said:?}");
    let job = said.json();
    assert_eq!(job["outcome"], "unverified", "{job}");
    assert_eq!(job["verdict"], "undecided", "{job}");
    assert_eq!((&job["verified"], &job["slashed"]), (&false.into(), &"0".into()), "{job}");
    let [paid, refunded, held] =
        ["paid", "refunded", "held"].map(|field| signed(planck(&job, field)));
    // Nothing but the down payment, of which a twentieth is burnt.
    assert_eq!(paid, signed(UNIT / 2), "{job}");
    assert_eq!(paid + refunded, held, "{job}");
    let mut changes = Changes::since(&node, &before).await;
    assert_eq!(changes.of(Ferdie), -paid, "{job}");
    assert_eq!(changes.of(OPERATOR), paid * 95 / 100, "{job}");
    changes.are_all();
}
