// SPDX-License-Identifier: Apache-2.0
//! The commands, and the options that every command takes.

use super::{
    address::AddressCommand, delegate::DelegateCommand, job::JobCommand, key::KeyCommand,
    model::ModelCommand, node::NodeCommand, operator::OperatorCommand, run::RunArgs,
};
use crate::{account::AccountArg, amount::Amount, key::Scheme};
use clap::{Args, Parser, Subcommand, ValueHint};
use clap_complete::Shell;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  assay run \"In the beginning\"               buy an answer and watch it arrive
  assay run --max-tokens 200 - < prompt.txt  read the prompt from standard input
  assay job list                             list your jobs
  assay job status ID --wait                 watch a job until it ends
  assay transfer 1Bg...AMH 2.5               send money, here to an Assay address
  assay operator list                        list operators, their models and prices

Exit codes: 0 success, 1 error, 2 wrong usage, 3 the job ended without an accepted output,
130 interrupted.";

/// Buy text from a language model and be certain that the named model wrote it.
#[derive(Parser, Debug)]
#[command(name = "assay", version, propagate_version = true, after_help = EXAMPLES)]
pub struct Cli {
    /// Options that every command takes.
    #[command(flatten)]
    pub global: Global,
    /// The command to run.
    #[command(subcommand)]
    pub command: Command,
}

/// Options that every command takes.
#[derive(Args, Debug, Clone)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// WebSocket address of the node.
    #[arg(
        long,
        global = true,
        env = "ASSAY_URL",
        default_value = "ws://127.0.0.1:9944",
        value_hint = ValueHint::Url
    )]
    pub url: String,
    /// Sign with this key: a mnemonic, a hex seed, or a path like //Alice. Other users of the machine
    /// can read arguments, but not the environment variable ASSAY_SURI, which has the same effect. On
    /// a development chain the default is //Ferdie.
    #[arg(long, global = true, value_name = "SECRET", conflicts_with = "key_file")]
    pub suri: Option<String>,
    /// Sign with the key in this file, as written by `assay key new --out`.
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub key_file: Option<PathBuf>,
    /// Scheme of the key that signs [default: that of the key file, otherwise sr25519].
    #[arg(long, global = true, value_enum)]
    pub scheme: Option<Scheme>,
    /// Write one JSON object as the last line of standard output.
    #[arg(long, global = true)]
    pub json: bool,
}

/// The commands.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Buy an answer, watch it arrive, and see it verified and paid.
    Run(RunArgs),
    /// Create and manage jobs.
    #[command(subcommand)]
    Job(JobCommand),
    /// Run models for others: stake, offers, keys, commission.
    #[command(subcommand)]
    Operator(OperatorCommand),
    /// Send money to an account.
    Transfer {
        /// Recipient: an SS58 address, or a registered Assay address.
        #[arg(value_name = "ADDRESS")]
        to: AccountArg,
        /// Amount to send, like 2.5 or 10mASY.
        amount: Amount,
    },
    /// Register the Assay address of a secp256k1 key, and look addresses up.
    #[command(subcommand)]
    Address(AddressCommand),
    /// Delegate stake to an operator, and share its earnings and losses.
    #[command(subcommand)]
    Delegate(DelegateCommand),
    /// Withdraw payments that could not be made when they were due.
    Claim,
    /// Create and inspect keys.
    #[command(subcommand)]
    Key(KeyCommand),
    /// Inspect and convert model files.
    #[command(subcommand)]
    Model(ModelCommand),
    /// Inspect a node.
    #[command(subcommand)]
    Node(NodeCommand),
    /// Print the completion script of a shell.
    Completions {
        /// The shell to complete for.
        shell: Shell,
    },
    /// Print the manual page, or write the pages of all commands.
    Man {
        /// Write one page per command into this folder.
        #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath)]
        dir: Option<PathBuf>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn arguments_are_consistent() {
        Cli::command().debug_assert();
    }
}
