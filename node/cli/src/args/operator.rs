// SPDX-License-Identifier: Apache-2.0
//! The arguments of `assay operator`.

use super::{
    multiaddress::MultiaddressArg, offer::OfferArg, offer_limits::OfferLimits, percent::Percent,
    prices::PricesArg,
};
use crate::{account::AccountArg, amount::Amount};
use clap::{Subcommand, ValueHint};
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  assay operator register --node-key node.key --bond 2000 --offer assay-tiny,1mASY/10mASY
                                                                  serve a model
  assay operator price assay-tiny 1mASY/12mASY                    change its prices
  assay operator commission 5                                     keep 5 % of delegators' pay
  assay operator addresses --node-key node.key /dns/example.org/tcp/30333
  assay operator allocation assay-tiny                            explain who gets which jobs
  assay operator leave                                            stop, and unbond the whole stake";

/// `assay operator`.
#[derive(Subcommand, Debug)]
#[command(after_help = EXAMPLES)]
pub enum OperatorCommand {
    /// Register the signer as an operator.
    Register {
        /// File with the network key of the operator's node: the one given to assay-node as
        /// --node-key-file, or chains/CHAIN/network/secret_ed25519 in the node's base path.
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        node_key: PathBuf,
        /// Multiaddress of the operator's node, like /dns/example.org/tcp/30333. Repeat the option
        /// to give several, the best first.
        #[arg(long = "address", value_name = "MULTIADDRESS")]
        addresses: Vec<MultiaddressArg>,
        /// Account of the worker key, which signs reports [default: the node's only worker key].
        #[arg(long, value_name = "ADDRESS")]
        worker: Option<AccountArg>,
        /// Stake to bond.
        #[arg(long, value_name = "AMOUNT")]
        bond: Amount,
        /// Maximum number of jobs to run at a time.
        #[arg(long, default_value_t = 1, value_name = "JOBS")]
        concurrency: u32,
        /// Model to serve: its id or name, the prices of a token that it reads and of one that it
        /// writes, like 1mASY/10mASY, and the longest context, which is the model's own unless given. Repeat the option to serve several.
        #[arg(long = "offer", value_name = "MODEL,PRICES[,CONTEXT]")]
        offers: Vec<OfferArg>,
        /// Limits of these offers.
        #[command(flatten)]
        limits: OfferLimits,
    },
    /// Add to the stake.
    Bond {
        /// Amount to add.
        amount: Amount,
    },
    /// Start to take stake back; it can be withdrawn after the unbonding period.
    Unbond {
        /// Amount to take back.
        amount: Amount,
    },
    /// Withdraw unbonded stake, for the signer or for another operator.
    Withdraw {
        /// Stash of the operator, which receives the money [default: the signer].
        #[arg(value_name = "ADDRESS")]
        stash: Option<AccountArg>,
    },
    /// Set the models that are served, or show them if no option is given.
    Models {
        /// Model to serve: its id or name, the prices of a token that it reads and of one that it
        /// writes, like 1mASY/10mASY, and the longest context, which is the model's own unless given. Repeat the option to serve several.
        #[arg(long = "offer", value_name = "MODEL,PRICES[,CONTEXT]")]
        offers: Vec<OfferArg>,
        /// Limits of these offers.
        #[command(flatten)]
        limits: OfferLimits,
        /// Stop serving any model.
        #[arg(long, conflicts_with = "offers")]
        none: bool,
    },
    /// Change the prices of a model that is served; jobs already assigned keep theirs.
    Price {
        /// The model, by its name, its id, or the beginning of its id.
        model: String,
        /// New prices of a token that it reads and of one that it writes, like 1mASY/10mASY; one
        /// amount is the price of both.
        #[arg(value_name = "INPUT/OUTPUT")]
        prices: PricesArg,
    },
    /// Take no more jobs of a client; those already assigned stay.
    Refuse {
        /// The client.
        #[arg(value_name = "ADDRESS")]
        client: AccountArg,
    },
    /// Take jobs of a client again.
    Admit {
        /// The client.
        #[arg(value_name = "ADDRESS")]
        client: AccountArg,
    },
    /// Take no new jobs, and finish those that run.
    Drain {
        /// Take new jobs again.
        #[arg(long)]
        undo: bool,
    },
    /// Drain and unbond the whole stake; it can be withdrawn after the unbonding period.
    Leave,
    /// Set the part of the pay that the operator keeps before delegators share the rest.
    ///
    /// A rise takes effect after the unbonding period.
    Commission {
        /// Commission in percent, like 5 or 7.5.
        percent: Percent,
    },
    /// Set the account that receives the operator's pay.
    Payout {
        /// The account to pay.
        #[arg(value_name = "ADDRESS")]
        account: AccountArg,
    },
    /// Set the addresses of the operator's node, signed by its network key.
    Addresses {
        /// File with the network key of the operator's node: the one given to assay-node as
        /// --node-key-file, or chains/CHAIN/network/secret_ed25519 in the node's base path.
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        node_key: PathBuf,
        /// Multiaddresses of the node, the best first, like /dns/example.org/tcp/30333.
        #[arg(value_name = "MULTIADDRESS")]
        addresses: Vec<MultiaddressArg>,
    },
    /// Set the worker key, which signs reports.
    ///
    /// The key before it can still report on the duties that are open. Pay the account of the new key
    /// first: reports need a fee.
    Worker {
        /// Account of the key [default: the node's only worker key].
        #[arg(value_name = "ADDRESS")]
        worker: Option<AccountArg>,
        /// End at once what the previous key can still report on, for a key that was stolen.
        #[arg(long)]
        revoke: bool,
        /// Set the key even if its account cannot pay for reports.
        #[arg(long)]
        unfunded: bool,
    },
    /// End at once what the previous worker key can still report on. For a current key that was stolen,
    /// `assay operator worker ADDRESS --revoke` replaces and ends it in one step.
    RetireWorker,
    /// Set the number of jobs that run at a time.
    Concurrency {
        /// Maximum number of jobs.
        jobs: u32,
    },
    /// Show an operator.
    Status {
        /// Stash of the operator [default: the signer].
        #[arg(value_name = "ADDRESS")]
        stash: Option<AccountArg>,
    },
    /// Explain which part of a model's jobs each operator gets.
    Allocation {
        /// The model, by its name, its id, or the beginning of its id.
        model: String,
        /// Stash of the only operator to show [default: all].
        #[arg(value_name = "ADDRESS")]
        stash: Option<AccountArg>,
    },
    /// List all operators.
    List,
}

#[cfg(test)]
mod tests {
    use crate::args::Cli;
    use clap::Parser;

    #[test]
    fn contact_needs_the_network_key() {
        let parse = |args: &[&str]| Cli::try_parse_from([&["assay", "operator"], args].concat());
        let register = ["register", "--bond", "2000", "--address", "/ip4/127.0.0.1/tcp/1"];
        assert!(parse(&register).is_err());
        assert!(parse(&[&register[..], &["--node-key", "key"]].concat()).is_ok());
        assert!(parse(&["addresses", "/ip4/127.0.0.1/tcp/1"]).is_err());
        assert!(parse(&["addresses", "--node-key", "key"]).is_ok());
    }

    #[test]
    fn worker_is_revoked_only_by_request() {
        let parse = |args: &[&str]| {
            let cli =
                Cli::try_parse_from([&["assay", "operator", "worker"], args].concat()).unwrap();
            format!("{cli:?}")
        };
        assert!(parse(&[]).contains("revoke: false, unfunded: false"));
        assert!(parse(&["--revoke", "--unfunded"]).contains("revoke: true, unfunded: true"));
    }
}
