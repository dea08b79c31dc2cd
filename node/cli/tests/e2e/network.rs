// SPDX-License-Identifier: Apache-2.0
//! Networks of nodes.
//!
//! Ports and network keys are chosen before any node starts, so each is told at its start which its
//! neighbours are. Blocks, transactions and votes go to these and to nobody else:
//!
//! - `--reserved-nodes` names the neighbours, and `--reserved-only` refuses all others. Both ends of
//!   a link name each other.
//! - `--no-mdns` turns discovery in the local network off, and no node has boot nodes.
//!
//! Requests are not bound to the links. Neither backend of sc-network 0.60 keeps a node that has
//! `--reserved-only` from hearing of others in the DHT through its neighbours, so a request to one of
//! these may dial it.

use crate::{node::Node, place, setup::Setup, spec::NodeSpec};

/// The links between the nodes of a network.
#[derive(Clone, Copy, Debug)]
pub enum Topology {
    /// Each node is linked to the one before it and the one after it.
    Line,
    /// The first node is linked to each of the others.
    Star,
    /// Every node is linked to every other.
    Full,
}

impl Topology {
    /// Tells whether there is a link between two nodes, by their indices.
    pub fn links(self, one: usize, other: usize) -> bool {
        match self {
            Self::Line => one.abs_diff(other) == 1,
            Self::Star => (one == 0) != (other == 0),
            Self::Full => one != other,
        }
    }
}

/// Starts a development chain in one process and waits until it answers.
pub async fn dev(options: &[&str]) -> Node {
    alone(NodeSpec::dev().with(options)).await
}

/// Starts a node without neighbours and waits until it answers.
pub async fn alone(spec: NodeSpec) -> Node {
    let [node] = start(Topology::Full, [spec]).await;
    node
}

/// Starts nodes with these links and waits until each of them answers. They are in the order of
/// their specifications.
pub async fn start<const N: usize>(topology: Topology, specs: [NodeSpec; N]) -> [Node; N] {
    let mut places = place::take(N).await;
    let mut setups = specs.map(Setup::new);
    let addresses = setups.each_ref().map(Setup::address);
    for (index, setup) in setups.iter_mut().enumerate() {
        for (other, address) in addresses.iter().enumerate() {
            if topology.links(index, other) {
                setup.link(address);
            }
        }
    }
    let mut nodes = setups.map(|setup| Node::start(setup, places.next()));
    for node in &mut nodes {
        node.ready().await;
    }
    nodes
}
