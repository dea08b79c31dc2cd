// SPDX-License-Identifier: Apache-2.0
//! The command line.

use assay_engine::Model;
use assay_worker::Fault;
use std::{path::PathBuf, sync::OnceLock};

/// Runs a node of the Assay chain.
#[derive(Debug, clap::Parser)]
#[command(after_help = "A development chain with operator and verifiers in one process:\n  \
                  assay-node --dev\n\nThe same with a model of your own:\n  \
                  assay-node --dev --model path/to/model.gguf")]
pub struct Cli {
    /// What else to do than run a node.
    #[command(subcommand)]
    pub subcommand: Option<Subcommand>,

    /// How to run it.
    #[command(flatten)]
    pub run: sc_cli::RunCmd,

    /// Whether and how it runs jobs.
    #[command(flatten)]
    pub engine: EngineArgs,

    /// The models that it names, once they are opened.
    #[arg(skip)]
    pub models: OnceLock<Vec<Model>>,
}

/// Whether and how the node runs and verifies jobs.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Engine")]
pub struct EngineArgs {
    /// Run and verify jobs. On with --dev and with --model.
    #[arg(long)]
    pub engine: bool,

    /// Do not run jobs, though --dev would.
    #[arg(long, conflicts_with_all = ["engine", "model"])]
    pub no_engine: bool,

    /// A GGUF file to serve; may be given several times. The built-in tiny model by default.
    #[arg(long, value_name = "PATH")]
    pub model: Vec<PathBuf>,

    /// Threads that all jobs share. By default one fewer than there are cores, and at least one. They
    /// only take cores that nothing else wants: on a busy machine jobs are late, which is fined.
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub engine_threads: Option<u16>,

    /// MiB of each model's cache: half is for all jobs that it runs, half for all that it re-checks. A
    /// job that does not fit is declined.
    #[arg(long, value_name = "MIB", default_value_t = 1024, value_parser = clap::value_parser!(u32).range(16..))]
    pub engine_memory: u32,

    /// Cheat as an operator, to see it caught: wrong-token, truncate, wrong-model or silent. Only on
    /// chains of type Development.
    #[arg(long, value_name = "FAULT")]
    pub dev_fault: Option<Fault>,
}

/// What else the binary does.
#[derive(Debug, clap::Subcommand)]
#[allow(clippy::large_enum_variant, reason = "made once")]
pub enum Subcommand {
    /// Make, inspect and insert keys.
    #[command(subcommand)]
    Key(sc_cli::KeySubcommand),

    /// Print a chain's specification.
    ExportChainSpec(sc_cli::ExportChainSpecCmd),

    /// Check blocks.
    CheckBlock(sc_cli::CheckBlockCmd),

    /// Write blocks to a file.
    ExportBlocks(sc_cli::ExportBlocksCmd),

    /// Write the state of a block as a chain specification.
    ExportState(sc_cli::ExportStateCmd),

    /// Read blocks from a file.
    ImportBlocks(sc_cli::ImportBlocksCmd),

    /// Remove the whole chain.
    PurgeChain(sc_cli::PurgeChainCmd),

    /// Go back to an earlier block.
    Revert(sc_cli::RevertCmd),

    /// Print what the database knows of the chain.
    ChainInfo(sc_cli::ChainInfoCmd),
}
