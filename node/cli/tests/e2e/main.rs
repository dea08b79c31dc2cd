// SPDX-License-Identifier: Apache-2.0
//! End-to-end tests: the real `assay` against the real `assay-node`, each with a chain of its own in
//! a temporary folder and on free ports of the loopback interface. [`network`] starts the nodes.
//!
//! They need the node's binary beside the command's: `cargo build --release --workspace` builds
//! both, and `./scripts/test.sh e2e` does all of it. When a test fails, the log of each of its nodes
//! is kept, and the test prints where.

mod addresses;
mod audit;
mod backup;
mod bad_input;
mod books;
mod challenge;
mod cli;
mod config;
mod connection;
mod delivery;
mod dishonest;
mod examples;
mod honest;
mod http;
mod identity;
mod keys;
mod kills;
mod models;
mod monitoring;
mod network;
mod node;
mod npm;
mod operator_page;
mod operators;
mod page;
mod panics;
mod parallel;
mod place;
mod port;
mod prometheus;
mod proxy;
mod restart;
mod restore;
mod routing;
mod rpc;
mod sending;
mod separate_nodes;
mod setup;
mod slow;
mod spec;
mod standing;
mod terminal;
mod topologies;
mod wait;
