// SPDX-License-Identifier: Apache-2.0
//! What can be typed.

mod operator;

pub use operator::{AddressArg, DelegateCommand, OfferArg, OperatorCommand, Percent};

use crate::{account::AccountArg, amount::Amount, key::Scheme};
use assay_primitives::{job::Sampling, BlockNumber, JobId, ModelId};
use clap::{Args, Parser, Subcommand, ValueHint};
use clap_complete::Shell;
use sp_core::H256;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  assay run \"In the beginning\"              buy an answer and watch it come
  assay run --max-tokens 200 - < prompt.txt  read the prompt from standard input
  assay job list                             your jobs
  assay job status ID --wait                 go on watching a job
  assay transfer 1Bg...AMH 2.5               send money, here to an Assay address
  assay operator list                        who serves which model for how much

Exit codes: 0 done, 1 an error, 2 wrong usage, 3 the job ended without an accepted output,
130 interrupted.";

/// Buy text from a language model and be certain that it is what the model says.
#[derive(Parser, Debug)]
#[command(name = "assay", version, propagate_version = true, after_help = EXAMPLES)]
pub struct Cli {
    /// What every command takes.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What every command takes.
#[derive(Args, Debug, Clone)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// The node's WebSocket address.
    #[arg(
        long,
        global = true,
        env = "ASSAY_URL",
        default_value = "ws://127.0.0.1:9944",
        value_hint = ValueHint::Url
    )]
    pub url: String,
    /// Sign with this key: a mnemonic, a hex seed, or a path like //Alice. The environment variable
    /// ASSAY_SURI does the same and is not seen by other users of the machine. A development chain
    /// has //Ferdie for it.
    #[arg(long, global = true, value_name = "SECRET", conflicts_with = "key_file")]
    pub suri: Option<String>,
    /// Sign with the key in this file, as `assay key new --out` writes it.
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub key_file: Option<PathBuf>,
    /// The scheme of the key that signs; that of the key file by default, else sr25519.
    #[arg(long, global = true, value_enum)]
    pub scheme: Option<Scheme>,
    /// Write one JSON object as the last line of standard output.
    #[arg(long, global = true)]
    pub json: bool,
}

/// The commands.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Buy an answer, watch it come, and see it verified and paid.
    Run(RunArgs),
    /// Create jobs and look after them.
    #[command(subcommand)]
    Job(JobCommand),
    /// Run models for others: stake, offers, keys, commission.
    #[command(subcommand)]
    Operator(OperatorCommand),
    /// Send money to an account.
    Transfer {
        /// To whom: an SS58 address, or an Assay address that was registered.
        #[arg(value_name = "ADDRESS")]
        to: AccountArg,
        /// How much.
        amount: Amount,
    },
    /// Register the Assay address of a secp256k1 key, and look addresses up.
    #[command(subcommand)]
    Address(AddressCommand),
    /// Put money behind an operator, and share in what it earns and loses.
    #[command(subcommand)]
    Delegate(DelegateCommand),
    /// Withdraw what could not be paid out when it was due.
    Claim,
    /// Make and inspect keys.
    #[command(subcommand)]
    Key(KeyCommand),
    /// Look at model files, and convert them.
    #[command(subcommand)]
    Model(ModelCommand),
    /// Look at a node.
    #[command(subcommand)]
    Node(NodeCommand),
    /// Print a shell's completions.
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Print the manual page, or write those of all commands.
    Man {
        /// Write one page for each command into this folder.
        #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath)]
        dir: Option<PathBuf>,
    },
}

/// `assay model`. Needs no node.
#[derive(Subcommand, Debug)]
pub enum ModelCommand {
    /// Check a GGUF file as the engine would, and show what it is and its id on the chain.
    Show {
        /// The file.
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
    },
    /// Convert a GGUF file of any type into one that the engine runs, with an id of its own.
    ///
    /// Matrices become Q8_0 by one published rule, so that everybody who converts the same file gets
    /// the same id; those in Q8_0 and Q4_0 stay as they are. Norms and biases become F32.
    Import {
        /// The file to convert.
        #[arg(value_hint = ValueHint::FilePath)]
        from: PathBuf,
        /// Where to; a file that is there is replaced.
        #[arg(value_hint = ValueHint::FilePath)]
        to: PathBuf,
        /// Make the matrices Q4_0, those in Q8_0 among them: half the memory, less like the original.
        #[arg(long = "q4-0")]
        q4_0: bool,
    },
}

/// `assay run` and `assay job create`.
#[derive(Args, Debug, Clone)]
pub struct RunArgs {
    /// The prompt; `-` reads it from standard input.
    pub prompt: String,
    /// The model, by its id (or the beginning of it) or its name. Needed where there are several.
    #[arg(long, short, value_name = "ID|NAME")]
    pub model: Option<String>,
    /// The most tokens to generate.
    #[arg(long, short = 'n', default_value_t = 64, value_name = "TOKENS")]
    pub max_tokens: u32,
    /// How tokens are chosen.
    #[command(flatten)]
    pub sampling: SamplingArgs,
    /// Only this operator may run it, by its stash. Can be given several times, for any of them. Others
    /// verify it all the same.
    #[arg(long = "operator", value_name = "ADDRESS")]
    pub operators: Vec<AccountArg>,
    /// Paid on top when the output is accepted.
    #[arg(long, default_value = "0", value_name = "AMOUNT")]
    pub tip: Amount,
    /// Paid as soon as an operator accepts.
    #[arg(long, default_value = "0", value_name = "AMOUNT")]
    pub down: Amount,
    /// Blocks within which an operator must be found, and that it then has to deliver.
    #[arg(long, default_value_t = 200, value_name = "BLOCKS")]
    pub deadline: BlockNumber,
    /// Do not begin before this block.
    #[arg(long, default_value_t = 0, hide_default_value = true, value_name = "BLOCK")]
    pub not_before: BlockNumber,
    /// Length of the prompt in tokens; only where the node does not have the model to count them.
    #[arg(long, value_name = "TOKENS")]
    pub input_tokens: Option<u32>,
}

/// How tokens are chosen.
#[derive(Args, Debug, Clone)]
pub struct SamplingArgs {
    /// 0 always takes the likeliest token; up to 100.
    #[arg(long, default_value = "0", value_parser = temperature)]
    pub temperature: Fixed,
    /// Choose among this many likeliest tokens; 0 is all.
    #[arg(long, default_value_t = 0)]
    pub top_k: u32,
    /// Choose among the likeliest tokens whose probabilities sum to this.
    #[arg(long, default_value = "1", value_parser = top_p)]
    pub top_p: Fixed,
    /// The seed: the same prompt, seed and options give the same answer. Random by default.
    #[arg(long)]
    pub seed: Option<u64>,
}

impl SamplingArgs {
    /// As the chain has it.
    pub fn sampling(&self) -> Sampling {
        Sampling { temperature: self.temperature.0, top_k: self.top_k, top_p: self.top_p.0 }
    }
}

/// A number with 16 fractional bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fixed(pub u32);

fn fixed(text: &str, max: f64) -> Result<Fixed, String> {
    let number: f64 = text.parse().map_err(|_| format!("'{text}' is no number"))?;
    if !(0.0..=max).contains(&number) {
        return Err(format!("{text} is not between 0 and {max}"));
    }
    // In range: at most 100 * 2^16.
    Ok(Fixed((number * f64::from(Sampling::ONE)).round() as u32))
}

fn temperature(text: &str) -> Result<Fixed, String> {
    fixed(text, 100.0)
}

fn top_p(text: &str) -> Result<Fixed, String> {
    match fixed(text, 1.0)? {
        Fixed(0) => Err("no token is left at 0; 1 is all of them".into()),
        some => Ok(some),
    }
}

/// `assay job`.
#[derive(Subcommand, Debug)]
pub enum JobCommand {
    /// Create a job and leave it to run.
    Create(RunArgs),
    /// Show a job.
    Status {
        /// The job.
        #[arg(value_parser = hash)]
        id: JobId,
        /// Show what it has generated too.
        #[arg(long)]
        output: bool,
        /// Watch it until it is over.
        #[arg(long)]
        wait: bool,
    },
    /// Offer more for a job that no operator was found for yet.
    #[command(group = clap::ArgGroup::new("more").required(true).multiple(true))]
    Raise {
        /// The job.
        #[arg(value_parser = hash)]
        id: JobId,
        /// Added to what is paid on acceptance by an operator.
        #[arg(long, group = "more", value_name = "AMOUNT")]
        down: Option<Amount>,
        /// Added to the most that the tokens may cost.
        #[arg(long, group = "more", value_name = "AMOUNT")]
        cost: Option<Amount>,
        /// Added to what is paid on top.
        #[arg(long, group = "more", value_name = "AMOUNT")]
        tip: Option<Amount>,
    },
    /// Withdraw a job that no operator was found for yet: all is refunded.
    Cancel {
        /// The job.
        #[arg(value_parser = hash)]
        id: JobId,
    },
    /// Accept an output that is not audited before its challenge window ends.
    Confirm {
        /// The job.
        #[arg(value_parser = hash)]
        id: JobId,
    },
    /// Pay for an output whose challenge window is over; earns the bounty.
    Settle {
        /// The job.
        #[arg(value_parser = hash)]
        id: JobId,
    },
    /// Move a job on whose deadline has passed; earns the bounty if that ends it.
    Expire {
        /// The job.
        #[arg(value_parser = hash)]
        id: JobId,
    },
    /// List the jobs of an account.
    List {
        /// The account; the signer's by default.
        #[arg(long, value_name = "ADDRESS")]
        client: Option<AccountArg>,
    },
}

/// `assay address`.
#[derive(Subcommand, Debug)]
pub enum AddressCommand {
    /// Let money be sent to the signer's Assay address from now on; holds a deposit.
    Register,
    /// Undo that; the deposit returns.
    Unregister,
    /// Show an Assay address and its account.
    Show {
        /// One of the two; the signer's by default.
        #[arg(value_name = "ADDRESS")]
        who: Option<AccountArg>,
    },
}

/// `assay key`.
#[derive(Subcommand, Debug)]
pub enum KeyCommand {
    /// Make a new key and print its mnemonic, or keep it in a file.
    New {
        /// Write the mnemonic into this new file, readable by you alone, instead of printing it.
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        out: Option<PathBuf>,
    },
    /// Show the addresses and the public key of a secret or of an address.
    Inspect {
        /// A secret or an address; by default what --suri, --key-file or ASSAY_SURI names.
        #[arg(value_name = "SECRET|ADDRESS")]
        what: Option<String>,
    },
}

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

/// Reads a hash of 32 bytes, with or without `0x`.
pub fn hash(text: &str) -> Result<H256, String> {
    hex::decode(text.trim_start_matches("0x"))
        .ok()
        .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok())
        .map(ModelId::from)
        .ok_or_else(|| format!("'{text}' is no id; one is 0x and 64 hexadecimal digits"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn arguments_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn temperature_has_16_fractional_bits() {
        assert_eq!(temperature("0"), Ok(Fixed(0)));
        assert_eq!(temperature("0.8"), Ok(Fixed(52_429)));
        assert_eq!(temperature("100"), Ok(Fixed(100 << 16)));
        for bad in ["-0.1", "100.1", "NaN", "warm", "inf"] {
            assert!(temperature(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn top_p_refuses_zero() {
        assert_eq!(top_p("1"), Ok(Fixed(1 << 16)));
        assert!(top_p("0").is_err());
        assert!(top_p("1.01").is_err());
    }

    #[test]
    fn hash_is_32_bytes() {
        let digits = "ab".repeat(32);
        assert_eq!(hash(&digits), hash(&format!("0x{digits}")));
        assert!(hash("0xab").is_err());
        assert!(hash("zz").is_err());
    }
}
