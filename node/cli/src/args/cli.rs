// SPDX-License-Identifier: Apache-2.0
//! The commands, and the options that every command takes.

use super::{
    address::AddressCommand, config::ConfigCommand, conversation::ConversationArgs,
    delegate::DelegateCommand, job::JobCommand, key::KeyCommand, model::ModelCommand,
    node::NodeCommand, operator::OperatorCommand, run::RunArgs,
};
use crate::{
    account::AccountArg,
    amount::Amount,
    key::{KeyOptions, Scheme},
    node_url,
};
use clap::{
    builder::Resettable, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueHint,
};
use clap_complete::Shell;
use std::{
    env,
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
};

const EXAMPLES: &str = "\
Examples:
  assay run \"In the beginning\"               buy an answer and watch it arrive
  assay run --max-tokens 200 - < prompt.txt  read the prompt from standard input
  assay chat --system \"Be brief.\"            talk with a model that answers messages
  assay job list                             list your jobs
  assay job status ID --wait                 watch a job until it ends
  assay transfer 1Bg...AMH 2.5               send money, here to an Assay address
  assay operator list                        list operators, their models and prices

Exit codes: 0 success, 1 error, 2 wrong usage, 3 the job ended without an accepted output,
4 the job was paid but not audited (--accept-unaudited makes it 0), 5 the chain's record of an
audit is wrong, 130 interrupted.";

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
    /// WebSocket address of the node [default: that of the network in `assay config`, otherwise
    /// ws://127.0.0.1:9944].
    #[arg(
        long,
        global = true,
        env = "ASSAY_URL",
        value_hint = ValueHint::Url,
        value_parser = node_url::check
    )]
    pub url: Option<String>,
    /// Network whose settings in `assay config` are used [default: the one set there].
    #[arg(long, global = true, env = "ASSAY_NETWORK", value_name = "NAME")]
    pub network: Option<String>,
    /// Sign with the key in this file, as written by `assay key new --out` [default: the environment
    /// variable ASSAY_KEY_FILE, otherwise the file set in `assay config`].
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub key_file: Option<PathBuf>,
    /// Read the passphrase of an encrypted key file from this file, instead of asking for it.
    #[arg(
        long,
        global = true,
        env = "ASSAY_PASSPHRASE_FILE",
        value_name = "FILE",
        value_hint = ValueHint::FilePath
    )]
    pub passphrase_file: Option<PathBuf>,
    /// Sign with a public key for development, like //Alice [default on a development chain:
    /// //Ferdie].
    #[arg(long, global = true, value_name = "PATH", conflicts_with = "key_file")]
    pub suri: Option<String>,
    /// Scheme of the key that signs [default: that of the key file, otherwise sr25519].
    #[arg(long, global = true, value_enum)]
    pub scheme: Option<Scheme>,
    /// Write one JSON object as the last line of standard output.
    #[arg(long, global = true)]
    pub json: bool,
}

impl Cli {
    /// Parses the arguments of the process. An environment variable that is empty counts as unset.
    pub fn of_process(args: &[OsString]) -> Result<Self, clap::Error> {
        let mut command = with_negative_numbers(Self::command()).mut_args(|arg| {
            let is_empty = |name: &OsStr| env::var_os(name).is_some_and(|value| value.is_empty());
            match arg.get_env().is_some_and(is_empty) {
                true => arg.env(Resettable::Reset),
                false => arg,
            }
        });
        let matches = command.try_get_matches_from_mut(args)?;
        Self::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
    }
}

/// Lets every value be a negative number, so that the value is refused and not taken for an option.
fn with_negative_numbers(command: clap::Command) -> clap::Command {
    let names: Vec<_> = command.get_subcommands().map(|sub| sub.get_name().to_string()).collect();
    let command = command.mut_args(|arg| match arg.get_action().takes_values() {
        true => arg.allow_negative_numbers(true),
        false => arg,
    });
    names
        .into_iter()
        .fold(command, |command, name| command.mut_subcommand(name, with_negative_numbers))
}

impl Global {
    /// Returns the options that name the key, with the key file of the configuration.
    pub fn key_options<'a>(&'a self, configured: Option<&'a Path>) -> KeyOptions<'a> {
        KeyOptions {
            scheme: self.scheme,
            suri: self.suri.as_deref(),
            key_file: self.key_file.as_deref(),
            passphrase_file: self.passphrase_file.as_deref(),
            configured,
        }
    }
}

/// The commands.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Buy an answer, watch it arrive, and see it verified and paid.
    Run(RunArgs),
    /// Talk with a model: each answer is a job, whose price is shown first.
    Chat(ConversationArgs),
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
    /// Show and change settings: node, key file, limit of costs, pinned genesis block.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Create and inspect keys.
    #[command(subcommand)]
    Key(KeyCommand),
    /// Fetch, inspect and convert model files.
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

    #[test]
    fn arguments_are_consistent() {
        Cli::command().debug_assert();
        with_negative_numbers(Cli::command()).debug_assert();
    }

    #[test]
    fn negative_number_is_refused_by_the_name_of_its_option() {
        for (option, words) in [
            ("--max-tokens", "-5 is not in 0..=4294967295"),
            ("-n", "-5 is not in 0..=4294967295"),
            ("--tip", "'-5' is not a valid amount"),
            ("--temperature", "-5 is not between 0 and 100"),
            ("--top-p", "-5 is not between 0 and 1"),
            ("--seed", "'-5' is not a number from 0 to 18446744073709551615"),
            ("--deadline", "-5 is not in 0..="),
        ] {
            let args = ["assay", "run", "x", option, "-5"].map(OsString::from);
            let error = Cli::of_process(&args).unwrap_err().to_string();
            assert!(error.contains("invalid value '-5' for '--"), "{error}");
            assert!(error.contains(words), "{error}");
        }
        for args in [
            &["assay", "operator", "bond", "-5"][..],
            &["assay", "delegate", "add", "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY", "-5"],
        ] {
            let args: Vec<_> = args.iter().map(OsString::from).collect();
            let error = Cli::of_process(&args).unwrap_err().to_string();
            assert!(error.contains("'-5' is not a valid amount"), "{error}");
        }
    }
}
