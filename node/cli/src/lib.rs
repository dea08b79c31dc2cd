// SPDX-License-Identifier: Apache-2.0
//! The command `assay`: buys text on the chain, watches over jobs, and manages operators. All of it
//! goes through the RPC of a node; keys stay here.
//!
//! - [`args`]: what can be typed.
//! - [`chain`]: a node's RPC, typed reads of the state, signed extrinsics and how they ended.
//! - [`order`] and [`follow`]: a job from the prompt to its end.
//! - [`commands`]: one file for each command.
//! - [`view`]: how things are shown, as JSON and as text.
//!
//! With `--json` the last line of standard output is one JSON object, also for an error.

pub mod account;
pub mod allowed;
pub mod amount;
pub mod args;
pub mod chain;
pub mod commands;
pub mod contact;
pub mod exit;
pub mod follow;
pub mod funds;
pub mod key;
pub mod offers;
pub mod order;
pub mod out;
pub mod proof;
pub mod session;
pub mod text;
pub mod view;

use args::Cli;
use clap::Parser;
use std::{ffi::OsString, process::ExitCode};

/// Parses the arguments, does what they say, and gives the exit code; see [`exit`].
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args: Vec<OsString> = args.into_iter().collect();
    let cli = match Cli::try_parse_from(&args) {
        Ok(cli) => cli,
        Err(error) => return exit::usage(&error, args.iter().any(|arg| arg == "--json")),
    };
    let json = cli.global.json;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().worker_threads(2).build();
    let result = runtime
        .map_err(anyhow::Error::from)
        .and_then(|runtime| runtime.block_on(commands::dispatch(cli)));
    match result {
        Ok(exit) => exit.into(),
        Err(error) => exit::failure(&error, json),
    }
}
