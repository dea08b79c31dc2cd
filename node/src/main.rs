// SPDX-License-Identifier: Apache-2.0
//! The node of the Assay chain.

#![allow(clippy::result_large_err, reason = "the SDK's errors are large")]

mod blocks_first;
mod chain_spec;
mod cli;
mod client;
mod command;
mod exchange;
mod failure;
mod models;
mod operator_metrics;
mod orders;
mod ports;
mod reconcile;
mod rpc;
mod service;
mod serving;
mod worker_keys;

use std::process::ExitCode;

fn main() -> ExitCode {
    command::run()
}
