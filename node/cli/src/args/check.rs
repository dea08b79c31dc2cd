// SPDX-License-Identifier: Apache-2.0
//! The options that say which output of a job is good enough.

use clap::{Args, ValueHint};
use std::path::PathBuf;

/// Options of `assay run` and `assay job status`.
#[derive(Args, Debug, Clone, Default)]
pub struct CheckArgs {
    /// Exit with 0 instead of 4 if the job was paid but not drawn for an audit.
    #[arg(long)]
    pub accept_unaudited: bool,
    /// Compare the text with its tokens by this file of the model, or by the fetched model of this name. The
    /// built-in model needs none, and a node that has the model compares them too.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub model_file: Option<PathBuf>,
}
