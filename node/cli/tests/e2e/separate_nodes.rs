// SPDX-License-Identifier: Apache-2.0
//! Jobs whose client, operators and validator are on nodes of their own.

use crate::{
    cli::{assay, is_accepted},
    network::{start, Topology},
    node::Node,
    spec::{NodeSpec, OTHERS},
    wait::{wait_for, START},
};
use assay_cli::{
    chain::Head,
    commitment::{commitment, committed},
};
use assay_primitives::Request;
use jsonrpsee::rpc_params;
use serde_json::Value;
use sp_keyring::Sr25519Keyring;

#[tokio::test]
async fn plain_node_serves_a_client() {
    let [client, operator] = start(Topology::Line, [NodeSpec::full(), NodeSpec::dev()]).await;
    let status = client.chain().await.node_status().await.unwrap();
    assert!(!status.engine, "{status:?}");
    assert!(status.workers.is_empty(), "{status:?}");
    follows(&client).await;

    // The client's node cannot count tokens; one with the model can.
    let prompt = "In the beginning";
    let count = count_tokens(&operator, prompt).await;
    let refused = assay(&client, &["run", "--json", prompt]).await;
    refused.fails("tokens_unknown", &["--input-tokens"]);

    let args = ["run", "--max-tokens", "16", "--input-tokens", &count, prompt];
    let said = assay(&client, &args).await;
    assert_eq!(said.code, 0, "{said:?}");

    // The prompt was only with the client's node, the output came to it.
    let jobs = assay(&client, &["job", "list", "--json"]).await.ok();
    let job = &jobs["jobs"][0];
    is_accepted(job);
    let id = job["job"].as_str().unwrap().parse().unwrap();
    let here = client.chain().await.output(&id).await.unwrap().expect("the output is here");
    let there = operator.chain().await.output(&id).await.unwrap().expect("the output is there");
    assert_eq!(here.tokens, there.tokens);
    assert_eq!(here.text, there.text);
    assert_eq!(here.tokens.len(), 16);
    let view = client.chain().await.job(&id).await.unwrap().expect("the job is on the chain");
    let committed =
        committed(&here, &id, commitment(&view.state)).expect("it hashes to the commitment");
    assert_eq!(committed.output, here.tokens);
    assert_eq!(String::from_utf8_lossy(&committed.text), here.text);
    assert!(said.out.starts_with(here.text.trim_end_matches('\n')), "{said:?} is not {here:?}");
}

#[tokio::test]
async fn operators_of_other_nodes_verify() {
    let specs = [
        NodeSpec::validator("Alice"),
        NodeSpec::operators(&["Alice"]),
        NodeSpec::operators(&OTHERS),
    ];
    let [_validator, first, second] = start(Topology::Full, specs).await;
    for (node, count) in [(&first, 1), (&second, OTHERS.len())] {
        let status = node.chain().await.node_status().await.unwrap();
        let workers = status.workers.iter().filter(|key| key.stash.is_some());
        assert_eq!(workers.count(), count, "{status:?}");
    }

    // The other node has neither the request nor the output, and fetches both for its verifiers.
    let alice = Sr25519Keyring::Alice.to_account_id().to_string();
    let run = ["run", "--json", "--max-tokens", "16", "--operator", &alice, "In the beginning"];
    let said = assay(&first, &run).await.accepted();
    assert_eq!((&said["committed"], &said["verified"]), (&true.into(), &true.into()), "{said}");
    let job = said["job"].as_str().unwrap();
    let says = |node: &Node, word| {
        node.log_text().lines().any(|line| line.contains(job) && line.contains(word))
    };
    assert_eq!([&first, &second].map(|node| says(node, "generate of")), [true, false]);
    assert_eq!([&first, &second].map(|node| says(node, "verify of")), [false, true]);
}

#[tokio::test]
async fn job_crosses_a_line() {
    let operators = NodeSpec::all_operators();
    let specs = [NodeSpec::full(), operators, NodeSpec::validator("Alice")];
    let [client, operators, validator] = start(Topology::Line, specs).await;
    follows(&client).await;

    let prompt = "In the beginning";
    let count = count_tokens(&operators, prompt).await;
    let args = ["run", "--json", "--max-tokens", "16", "--input-tokens", &count, prompt];
    let said = assay(&client, &args).await.accepted();
    assert_eq!((&said["committed"], &said["verified"]), (&true.into(), &true.into()), "{said}");
    // The other end of the line knows how it ended.
    let id = said["job"].as_str().unwrap();
    let job = assay(&validator, &["job", "status", id, "--json"]).await.ok();
    assert_eq!(job["outcome"], "paid", "{job}");
}

/// Waits until the node has a neighbour and knows the chain.
pub async fn follows(node: &Node) {
    wait_for("the node follows the chain", START, async || {
        let chain = node.chain().await;
        let health: Value = chain.request("system_health", rpc_params![]).await.unwrap();
        let best: Head = chain.request("chain_getHeader", rpc_params![]).await.unwrap();
        health["peers"] != 0 && health["isSyncing"] == false && best.number > 0
    })
    .await;
}

/// Counts the tokens of a text of ASCII characters with a node that has the model, and does not give
/// it the text: each character is a token of the built-in model, and it adds some to each prompt.
pub async fn count_tokens(node: &Node, text: &str) -> String {
    let chain = node.chain().await;
    let model = chain.node_status().await.unwrap().worker.unwrap().models[0].id;
    let unrelated = "unrelated";
    let payload = chain.submit_request(&Request::text(unrelated), &model).await.unwrap();
    let added = payload.tokens.unwrap() as usize - unrelated.len();
    (text.len() + added).to_string()
}
