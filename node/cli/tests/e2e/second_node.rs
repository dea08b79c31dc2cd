// SPDX-License-Identifier: Apache-2.0
//! More nodes than one: a plain full node as the client's, and operators on nodes of their own.

use crate::{
    cli::assay,
    node::{places, wait_for, Node, START},
};
use assay_cli::proof::{committed, proven};
use jsonrpsee::rpc_params;
use serde_json::Value;

#[tokio::test]
async fn plain_node_serves_a_client() {
    let _places = places(2).await;
    let operator = Node::dev(&[]).await;
    let address = operator.address().await;
    let client = Node::start(&["--chain", "dev", "--bootnodes", &address]).await;
    let status = client.chain().await.node_status().await.unwrap();
    assert!(!status.engine, "{status:?}");
    assert!(status.workers.is_empty(), "{status:?}");
    wait_for("the client's node follows the chain", START, async || {
        let chain = client.chain().await;
        let health: Value = chain.request("system_health", rpc_params![]).await.unwrap();
        let best: assay_cli::chain::Head =
            chain.request("chain_getHeader", rpc_params![]).await.unwrap();
        health["peers"] != 0 && health["isSyncing"] == false && best.number > 0
    })
    .await;

    // The client's node cannot count tokens; one with the model can.
    let prompt = "In the beginning";
    let model = operator.chain().await.node_status().await.unwrap().worker.unwrap().models[0].id;
    let payload = operator.chain().await.submit_payload(b"unrelated", &model).await.unwrap();
    let extra = payload.tokens.unwrap() - 9;
    let count = (prompt.len() as u32 + extra).to_string();
    let refused = assay(&client, &["run", "--json", prompt]).await;
    refused.fails("tokens_unknown", &["--input-tokens"]);

    let args = ["run", "--max-tokens", "16", "--input-tokens", &count, prompt];
    let said = assay(&client, &args).await;
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.out.contains("Accept by 3 verifiers"), "{said:?}");

    // The prompt was only with the client's node, the output came to it.
    let jobs = assay(&client, &["job", "list", "--json"]).await.ok();
    let id = jobs["jobs"][0]["job"].as_str().unwrap().parse().unwrap();
    let here = client.chain().await.output(&id).await.unwrap().expect("the output is here");
    let there = operator.chain().await.output(&id).await.unwrap().expect("the output is there");
    assert_eq!(here.tokens, there.tokens);
    assert_eq!(here.text, there.text);
    assert_eq!(here.tokens.len(), 16);
    let view = client.chain().await.job(&id).await.unwrap().expect("the job is on the chain");
    let proven = proven(&here, committed(&view.state)).expect("it hashes to the commitment");
    assert_eq!(proven.output, here.tokens);
    assert_eq!(String::from_utf8_lossy(&proven.text), here.text);
    assert!(said.out.starts_with(here.text.trim_end_matches('\n')), "{said:?} is not {here:?}");
}

#[tokio::test]
async fn operators_of_other_nodes_verify() {
    let _places = places(2).await;
    let validator = Node::dev(&["--no-engine"]).await;
    let first = Node::of_operators(&["Alice", "Bob"], &validator).await;
    let second = Node::of_operators(&["Charlie", "Dave"], &validator).await;
    for node in [&first, &second] {
        let status = node.chain().await.node_status().await.unwrap();
        assert_eq!(
            status.workers.iter().filter(|key| key.stash.is_some()).count(),
            2,
            "{status:?}"
        );
    }

    // Three of the four operators are the committee, so both nodes have a verifier: the one that did
    // not run the job has neither the prompt nor the output, and fetches both.
    let said =
        assay(&first, &["run", "--json", "--max-tokens", "16", "In the beginning"]).await.ok();
    assert_eq!(said["verdict"], "accept", "{said}");
    assert_eq!(said["verifiers"], 3, "{said}");
    assert_eq!(said["proven"], true, "{said}");
    let job = said["job"].as_str().unwrap();
    let accepted = format!("verify of job {job}: accept");
    let generated = format!("generate of job {job}: ");
    let logs = [first.log_text(), second.log_text()];
    assert!(logs.iter().all(|log| log.contains(&accepted)), "{logs:?}");
    assert_eq!(logs.iter().filter(|log| log.contains(&generated)).count(), 1, "{logs:?}");
}
