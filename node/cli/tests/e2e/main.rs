// SPDX-License-Identifier: Apache-2.0
//! End-to-end tests: the real `assay` against the real `assay-node`, each with a chain of its own in
//! a temporary folder and on free ports of the loopback interface. [`network`] starts the nodes.
//!
//! They need the node's binary beside the command's: `cargo build --release --workspace` builds
//! both, and `./scripts/test.sh e2e` does all of it. When a test fails, the log of each of its nodes
//! is kept, and the test prints where.

mod addresses;
mod bad_input;
mod books;
mod cli;
mod dishonest;
mod examples;
mod honest;
mod identity;
mod models;
mod network;
mod node;
mod npm;
mod operators;
mod place;
mod port;
mod restart;
mod routing;
mod rpc;
mod separate_nodes;
mod setup;
mod spec;
mod topologies;
mod wait;
