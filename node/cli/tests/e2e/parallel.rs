// SPDX-License-Identifier: Apache-2.0
//! Several commands at once that sign with one key.

use crate::{
    books::{fees, Books},
    cli::{command, Said},
    network::dev,
    node::Node,
};
use assay_runtime::UNIT;
use serde_json::Value;
use sp_keyring::Sr25519Keyring;
use std::collections::BTreeSet;
use tempfile::TempDir;
use tokio::task::JoinSet;

const COUNT: usize = 8;

/// Runs commands at the same time. With `apart` they do not know of each other, as on machines of their
/// own: none waits for its turn.
async fn at_once(node: &Node, all: &[Vec<String>], apart: bool) -> Vec<Said> {
    let mut running = JoinSet::new();
    for args in all {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let mut command = command(node, &args);
        let state: Option<TempDir> = apart.then(|| tempfile::tempdir().unwrap());
        if let Some(state) = &state {
            command.env("XDG_STATE_HOME", state.path());
        }
        running.spawn(async move {
            let output = command.output().await.unwrap();
            drop(state);
            let text = |bytes| String::from_utf8(bytes).unwrap();
            let code = output.status.code().expect("it was not killed");
            Said { code, out: text(output.stdout), err: text(output.stderr) }
        });
    }
    running.join_all().await
}

/// Asserts that transfers of different amounts at the same time all arrive, each once.
async fn transfers_arrive_once(apart: bool) {
    let node = dev(&[]).await;
    let [client, receiver] =
        [Sr25519Keyring::Ferdie, Sr25519Keyring::Eve].map(|key| key.to_account_id());
    let before = Books::read(&node).await;
    // Powers of two: a sum tells which have arrived, and how often.
    let transfer = |index: usize| {
        let amount = format!("{}mASY", 1 << index);
        ["transfer", "--json", &receiver.to_string(), &amount].map(String::from).into()
    };
    let all: Vec<Vec<String>> = (0..COUNT).map(transfer).collect();
    for said in at_once(&node, &all, apart).await {
        said.ok();
    }
    let after = Books::read(&node).await;
    let sum = ((1 << COUNT) - 1) * UNIT / 1_000;
    assert_eq!(after.total(&receiver) - before.total(&receiver), sum);
    let fees = fees(&node, before.number, after.number).await;
    assert_eq!(before.total(&client) - after.total(&client), sum + fees[&client]);
}

#[tokio::test]
async fn transfers_at_once_all_arrive_once() {
    transfers_arrive_once(false).await;
}

#[tokio::test]
async fn transfers_from_several_machines_all_arrive_once() {
    transfers_arrive_once(true).await;
}

/// Orders jobs at the same time, asserts that each exists once, and returns the results.
async fn jobs_are_created_once(apart: bool) -> Vec<Said> {
    let node = dev(&[]).await;
    let create = |index: usize| {
        // The prompts differ and have one length, so that the extrinsics have one priority in the pool.
        let prompt = format!("prompt {index}");
        ["job", "create", "--json", "--not-before", "1000", &prompt].map(String::from).into()
    };
    let all: Vec<Vec<String>> = (0..COUNT).map(create).collect();
    let created = at_once(&node, &all, apart).await;
    let ids: BTreeSet<String> =
        created.iter().map(|said| said.ok()["job"].as_str().unwrap().to_string()).collect();
    assert_eq!(ids.len(), COUNT, "{created:?}");
    let jobs = crate::cli::assay(&node, &["job", "list", "--json"]).await.ok();
    let listed = jobs["jobs"].as_array().unwrap().iter();
    let listed: BTreeSet<String> =
        listed.map(|job: &Value| job["job"].as_str().unwrap().to_string()).collect();
    assert_eq!(listed, ids);
    created
}

#[tokio::test]
async fn jobs_at_once_are_created_once_and_their_ids_known_before() {
    for said in jobs_are_created_once(false).await {
        let job = said.json();
        let sent =
            said.err.lines().find(|line| line.contains("sent to")).expect("it names the job");
        assert!(sent.contains(job["job"].as_str().unwrap()), "{said:?}");
    }
}

#[tokio::test]
async fn jobs_from_several_machines_are_created_once() {
    jobs_are_created_once(true).await;
}
