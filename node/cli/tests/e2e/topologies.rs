// SPDX-License-Identifier: Apache-2.0
//! Networks have the links that they are asked for, and the chain crosses them.

use crate::{
    network::{start, Topology},
    node::Node,
    spec::NodeSpec,
    wait::wait_for,
};
use assay_cli::chain::Head;
use assay_runtime::Hash;
use jsonrpsee::rpc_params;
use serde::Deserialize;
use std::{collections::BTreeSet, time::Duration};

/// A few blocks, and the time in which neighbours find each other on a busy machine.
const LIMIT: Duration = Duration::from_secs(120);
/// The height at which finalised blocks are compared.
const HEIGHT: u32 = 3;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Peer {
    peer_id: String,
}

/// Returns the peer ids of the nodes with which a node follows the chain.
pub async fn peers(node: &Node) -> BTreeSet<String> {
    let peers: Vec<Peer> = node.chain().await.request("system_peers", rpc_params![]).await.unwrap();
    peers.into_iter().map(|peer| peer.peer_id).collect()
}

async fn finalised_height(node: &Node) -> u32 {
    let chain = node.chain().await;
    let hash: Hash = chain.request("chain_getFinalizedHead", rpc_params![]).await.unwrap();
    let head: Head = chain.request("chain_getHeader", rpc_params![hash]).await.unwrap();
    head.number
}

async fn block(node: &Node, number: u32) -> Hash {
    node.chain().await.request("chain_getBlockHash", rpc_params![number]).await.unwrap()
}

/// Asserts that the nodes have the links and no others, and that all finalise the same chain.
async fn is_as_asked<const N: usize>(topology: Topology, specs: [NodeSpec; N]) {
    let nodes = start(topology, specs).await;
    let expected: Vec<BTreeSet<String>> = (0..N)
        .map(|index| {
            let linked =
                nodes.iter().enumerate().filter(|(other, _)| topology.links(index, *other));
            linked.map(|(_, node)| node.peer_id().to_string()).collect()
        })
        .collect();
    for (node, expected) in nodes.iter().zip(&expected) {
        wait_for("the neighbours are connected", LIMIT, async || peers(node).await == *expected)
            .await;
    }
    let mut hashes = BTreeSet::new();
    for node in &nodes {
        wait_for("blocks are final", LIMIT, async || finalised_height(node).await >= HEIGHT).await;
        hashes.insert(block(node, HEIGHT).await);
    }
    assert_eq!(hashes.len(), 1, "{hashes:?}");
    // Nobody has been found in the meantime.
    for (node, expected) in nodes.iter().zip(&expected) {
        assert_eq!(peers(node).await, *expected);
    }
}

#[tokio::test]
async fn line_of_three_nodes_follows_its_first() {
    let full = NodeSpec::full;
    is_as_asked(Topology::Line, [NodeSpec::validator("Alice"), full(), full()]).await;
}

#[tokio::test]
async fn star_of_four_nodes_follows_a_leaf() {
    let full = NodeSpec::full;
    is_as_asked(Topology::Star, [full(), NodeSpec::validator("Alice"), full(), full()]).await;
}

#[tokio::test]
async fn three_validators_finalise_together() {
    let validator = |name| NodeSpec::validator(name).on_chain("local");
    is_as_asked(Topology::Full, ["Alice", "Bob", "Charlie"].map(validator)).await;
}
