// SPDX-License-Identifier: Apache-2.0
//! `assay`: the command for users.

use std::process::ExitCode;

fn main() -> ExitCode {
    assay_cli::run(std::env::args_os())
}
