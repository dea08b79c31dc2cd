// SPDX-License-Identifier: Apache-2.0
//! The path from the arguments of the process to its exit code.

use crate::{args::Cli, commands, exit};
use std::{ffi::OsString, process::ExitCode};

/// Parses the arguments, runs the command that they name, and returns the exit code; see [`exit`].
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args: Vec<OsString> = args.into_iter().collect();
    let cli = match Cli::of_process(&args) {
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
