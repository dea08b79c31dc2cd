// SPDX-License-Identifier: Apache-2.0
//! An operator's life through the command, and the other things that the command does on a chain.

use crate::{
    cli::{assay, command, planck},
    network::dev,
};
use assay_runtime::{Balance, UNIT};
use serde_json::Value;
use sp_keyring::Sr25519Keyring;
use std::time::Duration;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Command,
    time::timeout,
};

#[tokio::test]
async fn operator_registers_changes_and_leaves() {
    let node = dev(&[]).await;
    let worker = assay(&node, &["key", "new", "--json"]).await.ok();
    let worker = worker["address"].as_str().unwrap();
    let eve = async |args: &[&str]| {
        let mut all = vec!["operator"];
        all.extend(args);
        all.extend(["--suri", "//Eve", "--json"]);
        assay(&node, &all).await
    };

    eve(&["status"]).await.fails("operators.NotOperator", &["assay operator list"]);
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("node.key");
    std::fs::write(&key, "07".repeat(32)).unwrap();
    let key = key.to_str().unwrap();
    let register = ["register", "--node-key", key, "--worker", worker];
    eve(&[&register[..], &["--bond", "1"]].concat())
        .await
        .fails("operators.BondBelowMinimum", &["MinBond", "at least the minimum"]);
    let models = node.chain().await.node_status().await.unwrap().worker.unwrap().models;
    let offer = format!("{},2mASY/20mASY,1024", models[0].name);
    let offer = offer.as_str();
    let address = "/ip4/127.0.0.1/tcp/30333";
    let rest = ["--bond", "2000", "--offer", offer, "--address", address];
    let operator = eve(&[&register[..], &rest].concat()).await.ok();
    assert_eq!(operator["contact"]["addresses"][0], address, "{operator}");
    assert_eq!(planck(&operator, "bonded"), 2_000 * UNIT, "{operator}");
    assert_eq!(operator["offers"][0]["context"], 1_024, "{operator}");
    assert_eq!(operator["offers"][0]["prices"]["outputAsy"], "0.02", "{operator}");

    let operator = eve(&["bond", "1.5"]).await.ok();
    assert_eq!(operator["bondedAsy"], "2001.5", "{operator}");
    let operator = eve(&["concurrency", "3"]).await.ok();
    assert_eq!(operator["concurrency"], 3, "{operator}");
    let operator = eve(&["price", &models[0].name, "2mASY/25mASY"]).await.ok();
    assert_eq!(operator["offers"][0]["prices"]["outputAsy"], "0.025", "{operator}");
    assert_eq!(operator["offers"][0]["context"], 1_024, "{operator}");
    let operator = eve(&["commission", "7.5"]).await.ok();
    assert_eq!(operator["commissionPercent"], "7.5", "{operator}");
    let operator = eve(&["payout", worker]).await.ok();
    assert_eq!(operator["payout"], worker, "{operator}");
    let operator = eve(&["drain"]).await.ok();
    assert_eq!(operator["draining"], true, "{operator}");
    let operator = eve(&["drain", "--undo"]).await.ok();
    assert_eq!(operator["draining"], false, "{operator}");
    let address = "/dns/example.org/tcp/30333";
    let operator = eve(&["addresses", "--node-key", key, address]).await.ok();
    assert_eq!(operator["contact"]["addresses"][0], address, "{operator}");
    let operator = eve(&["models", "--none"]).await.ok();
    assert_eq!(operator["offers"], serde_json::json!([]), "{operator}");
    let operator = eve(&["unbond", "2001.5"]).await.ok();
    assert_eq!(planck(&operator, "bonded"), 0, "{operator}");
    assert_eq!(planck(&operator["unbonding"][0], "amount"), 2_001 * UNIT + UNIT / 2, "{operator}");
    eve(&["withdraw"]).await.fails("operators.NothingToWithdraw", &["unbonding period"]);

    let list = assay(&node, &["operator", "list", "--json"]).await.ok();
    assert_eq!(list["operators"].as_array().map(Vec::len), Some(13), "{list}");
    let claim = assay(&node, &["claim", "--json"]).await.ok();
    assert_eq!(claim["claimed"], "0", "{claim}");
}

#[tokio::test]
async fn job_of_a_named_operator_is_run_by_it_at_its_prices() {
    let node = dev(&[]).await;
    let address = |who: Sr25519Keyring| who.to_account_id().to_string();
    let (bob, eve) = (address(Sr25519Keyring::Bob), address(Sr25519Keyring::Eve));
    let run = ["run", "--json", "--max-tokens", "8", "In the beginning", "--operator"];
    let stranger = assay(&node, &[&run[..], &[&eve]].concat()).await;
    stranger.fails("operators.NotOperator", &[&eve, "assay operator list"]);

    // More than the others ask.
    let price = ["operator", "price", "assay-tiny", "1mASY/15mASY", "--suri", "//Bob", "--json"];
    let operator = assay(&node, &price).await.ok();
    assert_eq!(operator["stash"], bob, "{operator}");
    let job = assay(&node, &[&run[..], &[&bob]].concat()).await.ok();
    assert_eq!(job["operator"], bob, "{job}");
    assert_eq!(job["outcome"], "paid", "{job}");
    let tokens = Balance::from(job["tokens"].as_u64().unwrap());
    let read = Balance::from(job["inputTokens"].as_u64().unwrap());
    assert_eq!(planck(&job, "paid"), (read + tokens * 15) * (UNIT / 1_000), "{job}");
}

#[tokio::test]
async fn delegation_stands_behind_an_operator_and_is_taken_back() {
    let node = dev(&[]).await;
    let list = assay(&node, &["operator", "list", "--json"]).await.ok();
    let operator = list["operators"][0]["stash"].as_str().unwrap();
    let delegate = async |args: &[&str]| {
        let mut all = vec!["delegate"];
        all.extend(args);
        all.extend(["--suri", "//Eve", "--json"]);
        assay(&node, &all).await
    };

    let none = delegate(&["status"]).await.ok();
    assert_eq!(none["delegations"], serde_json::json!([]), "{none}");
    delegate(&["add", operator, "1uASY"])
        .await
        .fails("operators.DelegationBelowMinimum", &["MinDelegation", "at least the minimum"]);
    delegate(&["remove", operator, "--all"])
        .await
        .fails("operators.NotDelegator", &["no delegation"]);
    let added = delegate(&["add", operator, "12.5"]).await.ok();
    assert_eq!(added["delegations"][0]["operator"], operator, "{added}");
    assert_eq!(added["delegations"][0]["worthAsy"], "12.5", "{added}");
    let status = assay(&node, &["operator", "status", operator, "--json"]).await.ok();
    assert_eq!(planck(&status, "delegated"), UNIT * 25 / 2, "{status}");
    assert_eq!(status["delegators"], 1, "{status}");

    let removed = delegate(&["remove", operator, "2.5"]).await.ok();
    assert_eq!(removed["delegations"][0]["worthAsy"], "10", "{removed}");
    assert_eq!(removed["delegations"][0]["unbonding"][0]["amountAsy"], "2.5", "{removed}");
    delegate(&["withdraw", operator])
        .await
        .fails("operators.NothingToWithdraw", &["unbonding period"]);
}

#[tokio::test]
async fn open_job_is_raised_and_cancelled() {
    let node = dev(&[]).await;
    // Open until that block.
    let args = ["job", "create", "--json", "--not-before", "1000", "--tip", "1", "hello"];
    let created = assay(&node, &args).await.ok();
    let id = created["job"].as_str().unwrap();
    let job = assay(&node, &["job", "status", id, "--json"]).await.ok();
    assert_eq!(job["state"], "open", "{job}");

    let raise = ["job", "raise", id, "--tip", "0.5", "--json", "--max-cost"];
    let held = planck(&created, "held") + UNIT / 2;
    let [less, enough] = [held - 1, held].map(|amount| format!("{amount}planck"));
    let refused = assay(&node, &[&raise[..], &[&less]].concat()).await;
    refused.fails("max_cost_exceeded", &["--max-cost allows"]);
    let raised = assay(&node, &[&raise[..], &[&enough]].concat()).await.ok();
    assert_eq!(planck(&raised, "tip"), UNIT * 3 / 2, "{raised}");
    let stranger = assay(&node, &["job", "cancel", id, "--json", "--suri", "//Eve"]).await;
    stranger.fails("jobs.NotTheClient", &["job's client"]);
    let early = assay(&node, &["job", "expire", id, "--json", "--suri", "//Eve"]).await;
    early.fails("jobs.NotDue", &["not yet over"]);
    let settled = assay(&node, &["job", "settle", id, "--json"]).await;
    settled.fails("jobs.JobNotDelivered", &["not delivered"]);
    let confirmed = assay(&node, &["job", "confirm", id, "--json"]).await;
    confirmed.fails("jobs.JobNotDelivered", &["not delivered"]);

    let job = assay(&node, &["job", "cancel", id, "--json"]).await.ok();
    assert_eq!(job["outcome"], "cancelled", "{job}");
    assert_eq!(planck(&job, "refunded"), planck(&created, "held") + UNIT / 2, "{job}");
    assert_eq!(planck(&job, "paid"), 0, "{job}");
    let ended = assay(&node, &["job", "status", id, "--wait", "--json"]).await;
    assert_eq!(ended.code, 3, "{ended:?}");
    let late = assay(&node, &["job", "cancel", id, "--json"]).await;
    late.fails("jobs.JobNotOpen", &["not open"]);
}

#[tokio::test]
async fn interrupted_run_leaves_its_job() {
    let node = dev(&[]).await;
    let args = ["run", "--json", "--not-before", "1000", "hello"];
    let mut run = command(&node, &args).spawn().unwrap();
    let mut lines = BufReader::new(run.stderr.take().unwrap()).lines();
    let mut next =
        async || timeout(Duration::from_secs(120), lines.next_line()).await.unwrap().unwrap();
    // The id is known before the job is.
    let sent = next().await.expect("it names the job");
    let created = next().await.expect("it names the job");
    assert!(sent.contains("sent to") && created.contains("created in block"), "{sent} {created}");

    let pid = run.id().expect("it runs").to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().await.unwrap().success());
    let advice = next().await.expect("it names the job again");
    let output = run.wait_with_output().await.unwrap();
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    let object: Value = serde_json::from_slice(&output.stdout).unwrap();
    let id = object["job"].as_str().unwrap();
    for line in [sent, created, advice] {
        assert!(line.contains(id), "{line} {object}");
    }
    let job = assay(&node, &["job", "status", id, "--json"]).await.ok();
    assert_eq!(job["state"], "open", "{job}");
}
