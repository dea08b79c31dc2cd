// SPDX-License-Identifier: Apache-2.0
//! End-to-end tests: the real `assay` against the real `assay-node`, each with a chain of its own in
//! a temporary folder and on free ports of the loopback interface.
//!
//! They need the node's binary beside the command's: `cargo build --release --workspace` builds
//! both, and `./scripts/test.sh e2e` does all of it. When a test fails, the log of each of its nodes
//! is kept and named.

mod addresses;
mod bad_input;
mod books;
mod cli;
mod dishonest;
mod honest;
mod models;
mod node;
mod operators;
mod polkadot_js;
mod restart;
mod routing;
mod second_node;
