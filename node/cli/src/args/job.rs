// SPDX-License-Identifier: Apache-2.0
//! The arguments of `assay job`.

use super::{check::CheckArgs, id::id, order::OrderArgs};
use crate::{account::AccountArg, amount::Amount};
use assay_primitives::JobId;
use clap::Subcommand;

const EXAMPLES: &str = "\
Examples:
  assay job create \"In the beginning\" --model assay-tiny   order an answer and return at once
  assay job status ID --output                             show the job and its text so far
  assay job raise ID --tip 0.1                             offer more while the job is open
  assay job cancel ID                                      take it back while it is open
  assay job challenge ID                                   have an unaudited output checked, with a bond
  assay job audit ID                                       check the draws of its audit yourself";

/// `assay job`.
#[derive(Subcommand, Debug)]
#[command(after_help = EXAMPLES)]
pub enum JobCommand {
    /// Create a job without waiting for it.
    Create(OrderArgs),
    /// Show a job.
    #[command(
        group = clap::ArgGroup::new("text").args(["output", "wait"]).multiple(true),
        mut_arg("model_file", |arg| arg.requires("text")),
        mut_arg("accept_unaudited", |arg| arg.requires("wait"))
    )]
    Status {
        /// Id of the job.
        #[arg(value_parser = id)]
        id: JobId,
        /// Show the text generated so far too.
        #[arg(long)]
        output: bool,
        /// Watch the job until it ends.
        #[arg(long)]
        wait: bool,
        /// Options about the output.
        #[command(flatten)]
        check: CheckArgs,
    },
    /// Offer more for a job that has no operator yet.
    #[command(group = clap::ArgGroup::new("more").required(true).multiple(true))]
    Raise {
        /// Id of the job.
        #[arg(value_parser = id)]
        id: JobId,
        /// Amount to add to the payment due when an operator accepts the job.
        #[arg(long, group = "more", value_name = "AMOUNT")]
        down: Option<Amount>,
        /// Amount to add to the maximum cost of the tokens.
        #[arg(long, group = "more", value_name = "AMOUNT")]
        cost: Option<Amount>,
        /// Amount to add to the tip.
        #[arg(long, group = "more", value_name = "AMOUNT")]
        tip: Option<Amount>,
        /// Refuse to raise if the job would then have more than this on hold: the payment and the
        /// bounty.
        #[arg(long, value_name = "AMOUNT")]
        max_cost: Option<Amount>,
    },
    /// Cancel a job that has no operator yet. All is refunded, but for the deposit if the operators that
    /// were drawn did not get the prompt.
    Cancel {
        /// Id of the job.
        #[arg(value_parser = id)]
        id: JobId,
    },
    /// Accept an output that is not audited before its challenge window ends.
    Confirm {
        /// Id of the job.
        #[arg(value_parser = id)]
        id: JobId,
    },
    /// Settle a job whose challenge window is over, and earn the bounty.
    Settle {
        /// Id of the job.
        #[arg(value_parser = id)]
        id: JobId,
    },
    /// Move on a job whose deadline has passed, and earn the bounty if that ends the job.
    Expire {
        /// Id of the job.
        #[arg(value_parser = id)]
        id: JobId,
    },
    /// Challenge an output that is not audited: a jury checks it, and whoever is wrong pays.
    ///
    /// For the job's client, and for operators that could verify the output. A bond is put on hold, or
    /// reserved of an operator's stake; the command says how much. If the jury rejects the output, the
    /// job's operator loses its bond and the challenger's returns; a client is refunded and compensated,
    /// another challenger gets a part of the operator's bond. If it accepts, the challenger loses its
    /// bond, which pays the jurors and the operator. If no jury can decide, the bond returns and the job
    /// is paid for. Possible from the delivery, once the job is not drawn for an audit, until it is
    /// settled.
    #[command(visible_alias = "claim")]
    Challenge {
        /// Id of the job.
        #[arg(value_parser = id)]
        id: JobId,
    },
    /// Recompute the draws of a job's audit from block data, and compare them with the record.
    ///
    /// The outputs of the blocks come from their headers, with the authors' proofs; the verifiers from
    /// the stakes at the block before each draw. Exits with 0 if all agrees, and with 5 if anything
    /// differs. Blocks that are older than the node keeps states need an archive node, one that runs
    /// with `--state-pruning archive`.
    Audit {
        /// Id of the job.
        #[arg(value_parser = id)]
        id: JobId,
        /// Block at which the chain still had the job, if it has forgotten it [default: the best one].
        #[arg(long, value_name = "BLOCK")]
        at: Option<u32>,
    },
    /// List the jobs of an account.
    List {
        /// Account whose jobs to list [default: the signer].
        #[arg(long, value_name = "ADDRESS")]
        client: Option<AccountArg>,
    },
}

#[cfg(test)]
mod tests {
    use crate::args::Cli;
    use clap::Parser;

    #[test]
    fn options_about_the_output_need_one() {
        let id = format!("0x{}", "ab".repeat(32));
        let parses = |args: &[&str]| {
            Cli::try_parse_from([&["assay", "job", "status", &id], args].concat()).is_ok()
        };
        assert!(parses(&[]));
        for shown in ["--output", "--wait"] {
            assert!(parses(&[shown, "--model-file", "m.gguf"]), "{shown}");
        }
        assert!(!parses(&["--model-file", "m.gguf"]));
        // Only the end of a job has an exit code that the option changes.
        assert!(parses(&["--wait", "--accept-unaudited"]));
        assert!(!parses(&["--accept-unaudited"]));
        assert!(!parses(&["--output", "--accept-unaudited"]));
        let run = ["assay", "run", "hello", "--accept-unaudited", "--model-file", "m.gguf"];
        assert!(Cli::try_parse_from(run).is_ok());
    }
}
