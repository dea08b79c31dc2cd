// SPDX-License-Identifier: Apache-2.0
//! The arguments of `assay delegate`.

use crate::{account::AccountArg, amount::Amount};
use clap::Subcommand;

const EXAMPLES: &str = "\
Examples:
  assay delegate add 5GrwvaEF... 100      delegate 100 ASY to an operator
  assay delegate status                   show the current value
  assay delegate remove 5GrwvaEF... 40    start to take 40 ASY back
  assay delegate remove 5GrwvaEF... --all
  assay delegate withdraw 5GrwvaEF...     after the unbonding period";

/// `assay delegate`.
#[derive(Subcommand, Debug)]
#[command(after_help = EXAMPLES)]
pub enum DelegateCommand {
    /// Delegate to an operator.
    Add {
        /// The operator's stash.
        #[arg(value_name = "OPERATOR")]
        operator: AccountArg,
        /// Amount to delegate.
        amount: Amount,
    },
    /// Start to take a delegation back; it can be withdrawn after the unbonding period.
    #[command(group = clap::ArgGroup::new("what").required(true))]
    Remove {
        /// The operator's stash.
        #[arg(value_name = "OPERATOR")]
        operator: AccountArg,
        /// Amount to take back.
        #[arg(group = "what")]
        amount: Option<Amount>,
        /// Take back the whole delegation.
        #[arg(long, group = "what")]
        all: bool,
    },
    /// Withdraw a delegation that was taken back. If the operator is gone, withdraw all of it.
    Withdraw {
        /// The operator's stash.
        #[arg(value_name = "OPERATOR")]
        operator: AccountArg,
        /// Delegator to withdraw for, who receives the money [default: the signer].
        #[arg(long, value_name = "ADDRESS")]
        delegator: Option<AccountArg>,
    },
    /// Show the delegations of an account.
    Status {
        /// Account whose delegations to show [default: the signer].
        #[arg(value_name = "ADDRESS")]
        delegator: Option<AccountArg>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Cli, Command};
    use clap::Parser;

    #[test]
    fn remove_takes_an_amount_or_all() {
        let parse = |args: &[&str]| {
            Cli::try_parse_from([&["assay", "delegate"], args].concat()).map(|cli| cli.command)
        };
        let alice = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
        let all = parse(&["remove", alice, "--all"]).unwrap();
        assert!(matches!(
            all,
            Command::Delegate(DelegateCommand::Remove { all: true, amount: None, .. })
        ));
        assert!(parse(&["remove", alice, "1.5"]).is_ok());
        assert!(parse(&["remove", alice]).is_err());
        assert!(parse(&["remove", alice, "1", "--all"]).is_err());
        assert!(parse(&["add", "nobody", "1"]).is_err());
    }
}
