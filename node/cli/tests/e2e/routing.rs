// SPDX-License-Identifier: Apache-2.0
//! Operators on nodes of their own: jobs are drawn by score, and those of an operator that dies go to
//! others.

use crate::{
    cli::{assay, planck},
    network::{start, Topology},
    node::Node,
    spec::NodeSpec,
    wait::wait_for,
};
use serde_json::Value;
use sp_keyring::Sr25519Keyring;
use std::{collections::BTreeMap, time::Duration};

/// The one with nearly all the stake.
const LARGE: Sr25519Keyring = Sr25519Keyring::Dave;
/// The others, by the nodes that have their keys.
const SMALL: [&[&str]; 3] = [
    &["Alice", "AliceStash", "EveStash", "One"],
    &["Bob", "BobStash", "FerdieStash", "Two"],
    &["Charlie", "CharlieStash", "DaveStash"],
];

/// The longest that a few jobs, or a few epochs of routing, can take.
const LONG: Duration = Duration::from_secs(400);

/// Returns the part of the draws that each operator wins, in percent, by its stash.
async fn draw_percents(node: &Node) -> BTreeMap<String, f64> {
    let said = assay(node, &["operator", "allocation", "assay-tiny", "--json"]).await.ok();
    let all = said["allocations"].as_array().expect("a list");
    all.iter()
        .map(|next| {
            let percent = next["drawPercent"].as_str().and_then(|text| text.parse().ok());
            (next["operator"].as_str().expect("a stash").to_string(), percent.expect("a number"))
        })
        .collect()
}

/// Returns the operator's allocation, with each factor.
async fn allocation(node: &Node, stash: &str) -> Value {
    let args = ["operator", "allocation", "assay-tiny", stash, "--json"];
    assay(node, &args).await.ok()["allocations"][0].clone()
}

/// Orders a job that an operator has 20 blocks for, and returns its id. Beside Dave the operators hold too
/// little stake for jobs that require verification.
async fn order(node: &Node, tokens: &str) -> String {
    let args = ["job", "create", "--json", "--max-tokens", tokens, "--deadline", "20"];
    let check = ["--verification", "if-possible"];
    let prompt = ["--down", "0.5", "--suri", "//Eve", "In the beginning"];
    let args: Vec<&str> = args.into_iter().chain(check).chain(prompt).collect();
    assay(node, &args).await.ok()["job"].as_str().expect("an id").to_string()
}

async fn status(node: &Node, job: &str) -> Value {
    assay(node, &["job", "status", job, "--json"]).await.ok()
}

/// Waits until the job has an operator, and returns its stash.
async fn operator_of(node: &Node, job: &str) -> String {
    let mut stash = None;
    wait_for("the job is assigned", LONG, async || {
        stash = status(node, job).await["operator"].as_str().map(ToString::to_string);
        stash.is_some()
    })
    .await;
    stash.expect("it was waited for")
}

/// Waits until the job is over, and returns it.
async fn settled(node: &Node, job: &str) -> Value {
    let mut last = Value::Null;
    wait_for("the job is over", LONG, async || {
        last = status(node, job).await;
        last["state"] == "settled"
    })
    .await;
    last
}

#[tokio::test]
async fn jobs_follow_scores_and_leave_an_operator_that_dies() {
    let [alice, bob, charlie] = SMALL.map(NodeSpec::operators);
    let dave = NodeSpec::operators(&["Dave"]);
    let specs = [alice, bob, charlie, dave, NodeSpec::validator("Alice")];
    let [node, _bob, _charlie, mut large, _validator] = start(Topology::Full, specs).await;
    let node = &node;
    let dave = LARGE.to_account_id().to_string();

    // Dave stakes 950,000, the others keep 5,000 each.
    assay(node, &["operator", "bond", "850000", "--suri", "//Dave", "--json"]).await.ok();
    for name in SMALL.concat() {
        let suri = match name.strip_suffix("Stash") {
            Some(owner) => format!("//{owner}//stash"),
            None => format!("//{name}"),
        };
        let args = ["operator", "unbond", "95000", "--suri", &suri, "--json"];
        assay(node, &args).await.ok();
    }
    // Operators of equal stake may differ by the heartbeats of the first epoch that they missed.
    wait_for("scores follow the stakes", LONG, async || {
        let percents = draw_percents(node).await;
        percents.len() == 12 && percents[&dave] > 85.0
    })
    .await;
    let mut given = BTreeMap::<String, u32>::new();
    for _ in 0..4 {
        // As many as Dave has slots for, and one is left.
        let jobs = [order(node, "40").await, order(node, "40").await, order(node, "40").await];
        for job in jobs {
            let ended = settled(node, &job).await;
            assert_eq!(ended["outcome"], "paid", "{ended}");
            assert_eq!(ended["attempts"], 1, "{ended}");
            let operator = ended["operator"].as_str().expect("a stash").to_string();
            *given.entry(operator).or_default() += 1;
        }
    }
    // With nine of ten draws, six or fewer of twelve have a probability below 1 in 1,000.
    assert!(given.get(&dave).is_some_and(|count| *count > 6), "{given:?}");
    // His speed is computed in the next epoch, from the jobs that committees have accepted.
    wait_for("Dave's speed is known", LONG, async || {
        allocation(node, &dave).await["tokensPerSecond"] != "0.000"
    })
    .await;

    // A job of Dave's, who dies when he has begun with it.
    let mut job = order(node, "400").await;
    while operator_of(node, &job).await != dave {
        job = order(node, "400").await;
    }
    wait_for("Dave runs it", LONG, async || status(node, &job).await["state"] == "running").await;
    large.kill();
    let before = status(node, &job).await;
    assert_eq!(before["state"], "running", "he has not delivered it: {before}");
    let client = Sr25519Keyring::Eve.to_account_id();
    let ended = settled(node, &job).await;
    assert_eq!(ended["outcome"], "paid", "{ended}");
    assert_eq!(ended["attempts"], 2, "{ended}");
    assert_ne!(ended["operator"], dave.as_str(), "{ended}");
    // Held once, paid once: the down payment came back out of Dave's bond.
    let held: u128 = ["down", "cost", "tip"].iter().map(|part| planck(&ended, part)).sum();
    // The bounty and the deposit.
    let beside = assay_runtime::MILLI_UNIT * 110;
    assert_eq!(planck(&ended, "paid") + planck(&ended, "refunded"), held + beside, "{ended}");
    let books = crate::books::Books::read(node).await;
    let open = books.reserved(&client);
    assert_eq!(open, 0, "nothing of the client's is on hold any more");

    // Within an epoch he is drawn for nothing any more.
    wait_for("Dave counts as silent", LONG, async || {
        allocation(node, &dave).await["drawable"] == false
    })
    .await;
    let mut jobs = Vec::new();
    for _ in 0..4 {
        jobs.push(order(node, "8").await);
    }
    for job in jobs {
        assert_ne!(operator_of(node, &job).await, dave);
        let ended = settled(node, &job).await;
        assert_eq!((&ended["outcome"], &ended["attempts"]), (&"paid".into(), &1.into()), "{ended}");
    }

    // He comes back by himself.
    large.restart().await;
    wait_for("Dave is drawn again", LONG, async || {
        allocation(node, &dave).await["drawable"] == true
    })
    .await;
}
