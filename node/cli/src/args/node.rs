// SPDX-License-Identifier: Apache-2.0
//! The arguments of `assay node`.

use clap::Subcommand;

/// `assay node`.
#[derive(Subcommand, Debug)]
pub enum NodeCommand {
    /// Show the node's version, chain, engine and models.
    Status {
        /// Wait up to this long for the node to answer.
        #[arg(long, value_name = "SECONDS")]
        wait: Option<u64>,
    },
}
