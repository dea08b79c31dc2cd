// SPDX-License-Identifier: Apache-2.0
//! The arguments that order a job.

use super::{chat::ChatArgs, choice::ChoiceArgs, sampling::SamplingArgs};
use crate::{account::AccountArg, amount::Amount};
use assay_primitives::{BlockNumber, Verification};
use clap::{Args, ValueEnum};

/// Whether a job runs where too few operators can check it.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum VerificationArg {
    /// The job waits until enough operators can check it, or expires.
    Required,
    /// The job runs nevertheless; it is not paid if an audit cannot be held.
    IfPossible,
}

impl From<VerificationArg> for Verification {
    fn from(arg: VerificationArg) -> Self {
        match arg {
            VerificationArg::Required => Self::Required,
            VerificationArg::IfPossible => Self::IfPossible,
        }
    }
}

/// Arguments of `assay run` and `assay job create`.
#[derive(Args, Debug, Clone)]
pub struct OrderArgs {
    /// The prompt; `-` reads it from standard input.
    pub prompt: String,
    /// Model to run, by its name, its id, or the beginning of its id. Required if operators serve
    /// more than one.
    #[arg(long, short, value_name = "ID|NAME")]
    pub model: Option<String>,
    /// Maximum number of tokens to generate.
    #[arg(long, short = 'n', default_value_t = 64, value_name = "TOKENS")]
    pub max_tokens: u32,
    /// Options of a chat.
    #[command(flatten)]
    pub chat: ChatArgs,
    /// End the output where it completes this text, which is paid and not shown. Repeat the option for up
    /// to 16 texts.
    #[arg(long = "stop", value_name = "TEXT", allow_hyphen_values = true)]
    pub stops: Vec<String>,
    /// Options of the sampling.
    #[command(flatten)]
    pub sampling: SamplingArgs,
    /// Options that make some tokens more or less likely.
    #[command(flatten)]
    pub choice: ChoiceArgs,
    /// Let only this operator run the job, named by its stash. Repeat the option to allow several;
    /// the verifiers are drawn from all operators in any case.
    #[arg(long = "operator", value_name = "ADDRESS")]
    pub operators: Vec<AccountArg>,
    /// Extra payment when the output is accepted.
    #[arg(long, default_value = "0", value_name = "AMOUNT")]
    pub tip: Amount,
    /// Payment due as soon as an operator accepts the job.
    #[arg(long, default_value = "0", value_name = "AMOUNT")]
    pub down: Amount,
    /// Have the output checked for certain by a committee, which you pay in addition: at most three fees,
    /// each 10 % of the cost or 0.00001 ASY for each token, whichever is more. They are on hold with the
    /// payment, and what is not due returns.
    #[arg(long)]
    pub audit: bool,
    /// Refuse to order a job that would put more than this on hold: the payment, the bounty, the deposit
    /// and the fees of an audit.
    #[arg(long, value_name = "AMOUNT")]
    pub max_cost: Option<Amount>,
    /// Blocks within which an operator must be found, and then must deliver [default: 200, or as many as leave
    /// slow operators time for the tokens].
    #[arg(long, value_name = "BLOCKS")]
    pub deadline: Option<BlockNumber>,
    /// The way of the job while too few operators could check it: to wait, or to run nevertheless.
    #[arg(long, value_enum, default_value_t = VerificationArg::Required, value_name = "WHEN")]
    pub verification: VerificationArg,
    /// First block in which the job may start.
    #[arg(long, default_value_t = 0, hide_default_value = true, value_name = "BLOCK")]
    pub not_before: BlockNumber,
    /// Length of the prompt in tokens; needed only if the node lacks the model to count them.
    #[arg(long, value_name = "TOKENS")]
    pub input_tokens: Option<u32>,
}
