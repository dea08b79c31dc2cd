// SPDX-License-Identifier: Apache-2.0
//! Floods a node, for the benchmark that shows that its jobs go on all the same.
//!
//! ```text
//! flood rpc ws://127.0.0.1:9944 --rate 200 --connections 20
//! flood peers /ip4/127.0.0.1/tcp/30333/p2p/12D3… --protocol /GENESIS/assay/exchange/2 --rate 200 --peers 4
//! ```
//!
//! It goes on until it is killed, and prints every ten seconds how much it has sent and how much of that
//! was refused.

mod count;
mod peers;
mod rpc;

use anyhow::Result;
use clap::{Parser, Subcommand};
use litep2p::types::multiaddr::Multiaddr;

#[derive(Parser)]
#[command(about = "Flood a node with requests")]
struct Options {
    #[command(subcommand)]
    door: Door,
}

/// The door at which the node is flooded.
#[derive(Subcommand)]
enum Door {
    /// Calls Assay's RPC methods.
    Rpc {
        /// The node's RPC.
        url: String,
        /// Calls a second, of all connections together.
        #[arg(long, default_value_t = 200)]
        rate: u32,
        /// Connections.
        #[arg(long, default_value_t = 20)]
        connections: u32,
    },
    /// Sends requests as other nodes do.
    Peers {
        /// The node's address with its peer id.
        address: Multiaddr,
        /// The name of the protocol.
        #[arg(long)]
        protocol: String,
        /// Requests a second, of all peers together.
        #[arg(long, default_value_t = 200)]
        rate: u32,
        /// Peers.
        #[arg(long, default_value_t = 4)]
        peers: u32,
    },
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    match Options::parse().door {
        Door::Rpc { url, rate, connections } => rpc::flood(&url, rate, connections).await,
        Door::Peers { address, protocol, rate, peers } => {
            peers::flood(address, protocol, rate, peers).await
        }
    }
}
