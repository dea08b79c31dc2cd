// SPDX-License-Identifier: Apache-2.0
//! The node of the Assay chain.

mod chain_spec;
mod cli;
mod command;
mod exchange;
mod host;
mod models;
mod reconcile;
mod rpc;
mod service;
mod worker_keys;

fn main() -> sc_cli::Result<()> {
    command::run()
}
