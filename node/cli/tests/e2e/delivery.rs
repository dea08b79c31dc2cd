// SPDX-License-Identifier: Apache-2.0
//! Requests, tokens and transcripts reach the nodes that need them across a network in which each node
//! is connected to its neighbours alone.

use crate::{
    cli::{assay, is_accepted},
    network::{start, Topology},
    node::Node,
    separate_nodes::{count_tokens, follows},
    spec::{NodeSpec, OTHERS},
    topologies::peers,
    wait::wait_for,
};
use serde_json::Value;
use std::{collections::BTreeSet, time::Duration};

const PROMPT: &str = "In the beginning";
/// The operator that runs the jobs. It has a node of its own.
const ALICE: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
/// The time in which a job is accepted, and in which it is settled, on a busy machine.
const LIMIT: Duration = Duration::from_secs(240);

/// Starts a line with the client's node at one end and the validator at the other. No two of the nodes
/// with an engine are neighbours, and neither is the client's.
async fn line() -> [Node; 6] {
    let told = "-lassay_node::exchange=debug";
    let specs = [
        NodeSpec::full().with(&[told]),
        NodeSpec::full(),
        NodeSpec::operators(&["Alice"]),
        NodeSpec::full(),
        NodeSpec::operators(&OTHERS),
        NodeSpec::validator("Alice"),
    ];
    let nodes = start(Topology::Line, specs).await;
    follows(&nodes[0]).await;
    nodes
}

/// Asserts that each node of a line has its neighbours as peers and nobody else.
async fn is_line(nodes: &[Node]) {
    for (index, node) in nodes.iter().enumerate() {
        let linked = (0..nodes.len()).filter(|other| Topology::Line.links(index, *other));
        let linked: BTreeSet<_> = linked.map(|other| nodes[other].peer_id().to_string()).collect();
        assert_eq!(peers(node).await, linked);
    }
}

/// Sets the contact of an operator on the chain.
async fn set_contact(through: &Node, operator: &str, node: &Node) {
    let (key, address) = (node.network_key(), node.listens());
    let key = key.to_str().expect("the folder's name is text");
    let args = ["operator", "addresses", "--json", "--suri", operator, "--node-key", key, &address];
    let view = assay(through, &args).await.ok();
    assert_eq!(view["contact"]["peerId"], node.peer_id(), "{view}");
}

#[tokio::test]
async fn line_of_six_delivers_by_the_contacts_of_operators() {
    let nodes = line().await;
    let [client, _, first, ..] = &nodes;
    set_contact(client, "//Alice", first).await;

    let count = count_tokens(first, PROMPT).await;
    let order = ["--json", "--operator", ALICE, "--input-tokens", &count, PROMPT];
    let run = [&["run", "--max-tokens", "16"], &order[..]].concat();
    let said = assay(client, &run).await.accepted();
    assert_eq!((&said["committed"], &said["verified"]), (&true.into(), &true.into()), "{said}");
    // The client's node has pushed the request and shows the output.
    let id = said["job"].as_str().unwrap();
    let told = |line: &str| line.contains("is told of the request") && line.contains(id);
    assert!(client.log_text().lines().any(told), "the operator's node was not told");
    let output = client.chain().await.output(&id.parse().unwrap()).await.unwrap();
    assert_eq!(output.expect("the output is here").tokens.len(), 16);

    // Tokens of a job that runs come from the operator's node as well.
    let long = ["job", "create", "--max-tokens", "1500", "--temperature", "0"];
    let long = [&long[..], &order].concat();
    let created = assay(client, &long).await.ok();
    let id = created["job"].as_str().unwrap().parse().unwrap();
    wait_for("tokens come before the transcript", LIMIT, async || {
        let output = client.chain().await.output(&id).await.unwrap();
        output.is_some_and(|output| output.transcript.is_none() && !output.tokens.is_empty())
    })
    .await;
    is_line(&nodes).await;
}

#[tokio::test]
async fn line_of_six_delivers_through_the_dht_after_the_client_has_gone() {
    let mut nodes = line().await;
    let count = count_tokens(&nodes[2], PROMPT).await;
    let order = ["--json", "--operator", ALICE, "--input-tokens", &count, PROMPT];
    let create = [&["job", "create", "--max-tokens", "64"], &order[..]].concat();
    let created = assay(&nodes[0], &create).await.ok();
    let id = created["job"].as_str().unwrap().to_string();
    let validator = 5;
    let args = ["job", "status", id.as_str(), "--json"];
    wait_for("the job is accepted", LIMIT, async || {
        let job = assay(&nodes[validator], &args).await.ok();
        job["state"] != "open" && job["state"] != "assigned"
    })
    .await;
    nodes[0].kill();

    // Alice has no contact, and the nodes with an engine are not peers. So the verifiers, all on the other
    // one, find the request and the transcript through the DHT alone.
    let mut ended = Value::Null;
    wait_for("the job is settled", LIMIT, async || {
        ended = assay(&nodes[validator], &args).await.ok();
        ended["state"] == "settled"
    })
    .await;
    is_accepted(&ended);
    assert_eq!(ended["outcome"], "paid", "{ended}");
    is_line(&nodes[1..]).await;
}
