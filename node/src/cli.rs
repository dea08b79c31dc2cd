// SPDX-License-Identifier: Apache-2.0
//! The command line of the node.

use assay_engine::Model;
use assay_worker::Fault;
use std::{path::PathBuf, sync::OnceLock};

/// Runs a node of the Assay chain.
#[derive(Debug, clap::Parser)]
#[command(after_help = "A development chain with operator and verifiers in one process:\n  \
                  assay-node --dev\n\nThe same with a model of your own:\n  \
                  assay-node --dev --model path/to/model.gguf")]
pub struct Cli {
    /// The subcommand; without one, a node runs.
    #[command(subcommand)]
    pub subcommand: Option<Subcommand>,

    /// The arguments of a node.
    #[command(flatten)]
    pub run: sc_cli::RunCmd,

    /// End the node once the disk of the chain's database has less than this free, before the database
    /// fails, and do not start it with less. 0 turns this off.
    #[arg(long, value_name = "MIB", default_value_t = 128, help_heading = "Disk")]
    pub db_storage_threshold: u32,

    /// The arguments of the engine.
    #[command(flatten)]
    pub engine: EngineArgs,

    /// The models that the arguments name, once they are opened.
    #[arg(skip)]
    pub models: OnceLock<Vec<Model>>,
}

/// The arguments of the engine.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Engine")]
pub struct EngineArgs {
    /// Run and verify jobs; implied by --dev and --model.
    #[arg(long)]
    pub engine: bool,

    /// Do not run or verify jobs, even with --dev.
    #[arg(long, conflicts_with_all = ["engine", "model"])]
    pub no_engine: bool,

    /// Serve the model in this GGUF file instead of the built-in tiny model; may be repeated.
    #[arg(long, value_name = "PATH")]
    pub model: Vec<PathBuf>,

    /// Run all jobs on this number of threads. The default is one less than the number of cores, and
    /// at least one. The threads only take idle cores: on a busy machine jobs are late, which is fined.
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub engine_threads: Option<u16>,

    /// Give each model a cache of this size. All jobs that the node runs share one half, and all jobs
    /// that it verifies the other. A job that does not fit is declined.
    #[arg(long, value_name = "MIB", default_value_t = 1024, value_parser = clap::value_parser!(u32).range(16..))]
    pub engine_memory: u32,

    /// Keep the worker's secret in this file, which is created if it and the worker's store are new.
    /// The default is BASE/chains/ID/worker/secret. A node with another secret cannot reveal its
    /// verdicts, which is fined: back it up. Only the node's user may read it (mode 600).
    #[arg(long, value_name = "FILE")]
    pub worker_secret: Option<PathBuf>,

    /// Cheat as an operator, to see it caught: wrong-token, truncate, wrong-model, ignore-stop,
    /// ignore-choice, ignore-system, wrong-logprob, silent, hide or withhold-output. Or cheat as a verifier:
    /// collude, reject or withhold-verdict. Or crash over each job whose prompt contains MARKER, to see the node survive:
    /// panic:MARKER, abort:MARKER, panic-prepare:MARKER or panic-verify:MARKER. Refused unless the chain is of
    /// type Development.
    #[arg(long, value_name = "FAULT")]
    pub dev_fault: Option<Fault>,
}

/// The subcommands.
#[derive(Debug, clap::Subcommand)]
#[allow(clippy::large_enum_variant, reason = "made once")]
pub enum Subcommand {
    /// Generate, inspect and insert keys.
    #[command(subcommand)]
    Key(sc_cli::KeySubcommand),

    /// Print the specification of a chain.
    ExportChainSpec(sc_cli::ExportChainSpecCmd),

    /// Import a block again and check it.
    CheckBlock(sc_cli::CheckBlockCmd),

    /// Export blocks to a file.
    ExportBlocks(sc_cli::ExportBlocksCmd),

    /// Export the state at a block as a chain specification.
    ExportState(sc_cli::ExportStateCmd),

    /// Import blocks from a file.
    ImportBlocks(sc_cli::ImportBlocksCmd),

    /// Delete the database of a chain.
    PurgeChain(sc_cli::PurgeChainCmd),

    /// Revert the chain to an earlier block.
    Revert(sc_cli::RevertCmd),

    /// Print the best and the finalised block in the database.
    ChainInfo(sc_cli::ChainInfoCmd),
}
