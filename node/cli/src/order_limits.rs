// SPDX-License-Identifier: Apache-2.0
//! The limits of the chain on orders, which are checked before anything is sent.

use crate::{
    args::{OrderArgs, VerificationArg},
    fault::Fault,
};
use anyhow::Result;
use assay_primitives::{api::Quote, BlockNumber};
use assay_runtime::Runtime;
use pallet_jobs::Config;
use sp_core::Get;

/// The deadline of an order that names none and whose tokens need no longer one.
const DEADLINE: BlockNumber = 200;

type MinDeadline = <Runtime as Config>::MinDeadline;
type MaxDeadline = <Runtime as Config>::MaxDeadline;
type MaxDelay = <Runtime as Config>::MaxDelay;
type MaxInputTokens = <Runtime as Config>::MaxInputTokens;
type MaxOutputTokens = <Runtime as Config>::MaxOutputTokens;

/// Fails if the chain would refuse an order at any block because of a limit.
pub fn ensure(args: &OrderArgs) -> Result<()> {
    let (shortest, longest) = (MinDeadline::get(), MaxDeadline::get());
    if let Some(deadline) = args.deadline.filter(|it| !(shortest..=longest).contains(it)) {
        return Err(Fault::error(
            "jobs.DeadlineOutOfRange",
            format!(
                "--deadline {deadline} is out of range; a job has from {shortest} to {longest} blocks"
            ),
        ));
    }
    let most = MaxOutputTokens::get();
    if args.max_tokens > most {
        return Err(Fault::error(
            "jobs.MaxTokensTooHigh",
            format!("--max-tokens {} is out of range; a job has at most {most}", args.max_tokens),
        ));
    }
    if args.audit && args.verification == VerificationArg::IfPossible {
        return Err(Fault::error(
            "jobs.AuditNotRequired",
            "--audit is for orders that wait until enough operators can hold it; leave \
             --verification if-possible out",
        ));
    }
    ensure_input(args.input_tokens.unwrap_or_default())
}

/// Fails if a prompt has more tokens than the chain allows.
pub fn ensure_input(tokens: u32) -> Result<()> {
    let most = MaxInputTokens::get();
    if tokens <= most {
        return Ok(());
    }
    Err(Fault::error(
        "jobs.InputTooLong",
        format!("the prompt has {tokens} tokens and may have {most}; shorten it"),
    ))
}

/// Fails if a job may not yet be ordered for a first block so far ahead of the best one.
pub fn ensure_start(not_before: BlockNumber, best: BlockNumber) -> Result<()> {
    let longest: BlockNumber = MaxDelay::get();
    let latest = best.saturating_add(longest);
    if not_before <= latest {
        return Ok(());
    }
    Err(Fault::error(
        "jobs.NotBeforeTooFar",
        format!(
            "--not-before {not_before} is too far ahead; the best block is {best}, and a job may start \
             at most {} blocks later, at {latest}",
            longest
        ),
    ))
}

/// Returns the deadline of an order. One that is not named is long enough to count for the operator's record.
/// Fails if the model takes longer for the tokens than a named one allows. Operators that are named can have any
/// deadline.
pub fn deadline(args: &OrderArgs, quote: &Quote) -> Result<BlockNumber> {
    let Quote { tokens_per_block, shortest_deadline, routed_deadline, .. } = quote;
    let Some(deadline) = args.deadline else {
        // The speed may be measured anew before the job is assigned.
        let with_slack = routed_deadline.saturating_add(routed_deadline / 4);
        return Ok(DEADLINE.max(with_slack).min(MaxDeadline::get()));
    };
    if deadline >= *shortest_deadline || !args.operators.is_empty() {
        return Ok(deadline);
    }
    Err(Fault::error(
        "jobs.DeadlineTooShort",
        format!(
            "--deadline {deadline} is too short for --max-tokens {}: at {tokens_per_block} tokens a block \
             the model takes {shortest_deadline} blocks; give a longer deadline, or ask for fewer tokens",
            args.max_tokens
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Cli, Command};
    use clap::Parser;

    fn order(options: &[&str]) -> OrderArgs {
        let cli = Cli::try_parse_from([&["assay", "run", "x"], options].concat()).unwrap();
        let Command::Run(args) = cli.command else { panic!("it is `assay run`") };
        args.order
    }

    fn refused(result: Result<()>) -> Fault {
        result.unwrap_err().downcast().expect("it is a fault")
    }

    #[test]
    fn deadline_out_of_range_is_refused_with_its_limits() {
        for deadline in ["1", "4", "28801", "999999"] {
            let fault = refused(ensure(&order(&["--deadline", deadline])));
            assert_eq!(fault.code, "jobs.DeadlineOutOfRange");
            let words = format!("--deadline {deadline} is out of range; a job has from 5 to 28800");
            assert!(fault.message.starts_with(&words), "{}", fault.message);
        }
        for deadline in ["5", "28800"] {
            ensure(&order(&["--deadline", deadline])).unwrap();
        }
        ensure(&order(&[])).unwrap();
    }

    #[test]
    fn audit_without_verification_is_refused() {
        let fault = refused(ensure(&order(&["--audit", "--verification", "if-possible"])));
        assert_eq!(fault.code, "jobs.AuditNotRequired");
        ensure(&order(&["--audit"])).unwrap();
    }

    #[test]
    fn deadline_that_the_model_cannot_meet_is_refused_with_the_numbers() {
        let quote = Quote {
            prices: Default::default(),
            payment: Default::default(),
            least_cost: 0,
            bounty: 0,
            deposit: 0,
            total: 0,
            audit: 0,
            verifiers: assay_primitives::api::Verifiers {
                operators: 0,
                stake: Default::default(),
                fewest_operators: 0,
                least_stake: Default::default(),
            },
            tokens_per_block: 60,
            shortest_deadline: 17,
            routed_deadline: 72,
        };
        let args = |named| order(&["--max-tokens", "1000", "--deadline", named]);
        assert_eq!(deadline(&args("17"), &quote).unwrap(), 17);
        assert_eq!(deadline(&order(&[]), &quote).unwrap(), 200);
        let long = Quote { routed_deadline: 1_000, ..quote };
        assert_eq!(deadline(&order(&[]), &long).unwrap(), 1_250);
        let endless = Quote { routed_deadline: 100_000, ..quote };
        assert_eq!(deadline(&order(&[]), &endless).unwrap(), 28_800);
        let fault = refused(deadline(&args("16"), &quote).map(drop));
        assert_eq!(fault.code, "jobs.DeadlineTooShort");
        let words = "--deadline 16 is too short for --max-tokens 1000: at 60 tokens a block the model takes 17";
        assert!(fault.message.starts_with(words), "{}", fault.message);
    }

    #[test]
    fn start_too_far_ahead_is_refused_with_the_latest_block() {
        let most: BlockNumber = MaxDelay::get();
        ensure_start(7 + most, 7).unwrap();
        let fault = refused(ensure_start(8 + most, 7));
        assert_eq!(fault.code, "jobs.NotBeforeTooFar");
        assert!(fault.message.ends_with(&format!("at {}", 7 + most)), "{}", fault.message);
    }

    #[test]
    fn tokens_beyond_the_limits_are_refused_with_them() {
        for (option, code) in
            [("--max-tokens", "jobs.MaxTokensTooHigh"), ("--input-tokens", "jobs.InputTooLong")]
        {
            let fault = refused(ensure(&order(&[option, "1000001"])));
            assert_eq!(fault.code, code);
            assert!(fault.message.contains("1000000"), "{}", fault.message);
            ensure(&order(&[option, "1000000"])).unwrap();
        }
    }
}
