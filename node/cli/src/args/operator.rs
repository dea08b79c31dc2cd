// SPDX-License-Identifier: Apache-2.0
//! What can be typed of operators and of those who delegate to them.

use crate::account::AccountArg;
use crate::amount::Amount;
use assay_primitives::contact::Address;
use clap::{Subcommand, ValueHint};
use sp_runtime::Perbill;
use std::{path::PathBuf, str::FromStr};

const OPERATOR_EXAMPLES: &str = "\
Examples:
  assay operator register --node-key node.key --bond 2000 --offer assay-tiny,10mASY
                                                                  serve a model
  assay operator price assay-tiny 12mASY                          ask more for it
  assay operator commission 5                                     keep 5 % of delegators' pay
  assay operator addresses --node-key node.key /dns/example.org/tcp/30333
  assay operator allocation assay-tiny                            who gets which part of the jobs
  assay operator leave                                            stop, and take all stake back";

const DELEGATE_EXAMPLES: &str = "\
Examples:
  assay delegate add 5GrwvaEF... 100      put 100 ASY behind an operator
  assay delegate status                   what it is worth now
  assay delegate remove 5GrwvaEF... 40    begin to take 40 ASY back
  assay delegate remove 5GrwvaEF... --all
  assay delegate withdraw 5GrwvaEF...     after the unbonding period";

/// `assay operator`.
#[derive(Subcommand, Debug)]
#[command(after_help = OPERATOR_EXAMPLES)]
pub enum OperatorCommand {
    /// Make the signer an operator.
    Register {
        /// The file with its node's network key: the one that --node-key-file of assay-node names, or
        /// chains/CHAIN/network/secret_ed25519 in the node's base path.
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        node_key: PathBuf,
        /// A multiaddress of its node, like /dns/example.org/tcp/30333. Can be given several times,
        /// the best first.
        #[arg(long = "address", value_name = "MULTIADDRESS")]
        addresses: Vec<AddressArg>,
        /// The account of the key that signs reports; by default the node's, if it has one.
        #[arg(long, value_name = "ADDRESS")]
        worker: Option<AccountArg>,
        /// The stake.
        #[arg(long, value_name = "AMOUNT")]
        bond: Amount,
        /// How many jobs it runs at a time.
        #[arg(long, default_value_t = 1, value_name = "JOBS")]
        concurrency: u32,
        /// A model served: its id or name, the price of a token, and the longest context (the
        /// model's own by default). Can be given several times.
        #[arg(long = "offer", value_name = "MODEL,PRICE[,CONTEXT]")]
        offers: Vec<OfferArg>,
    },
    /// Add to the stake.
    Bond {
        /// How much.
        amount: Amount,
    },
    /// Begin to take stake back; it can be withdrawn after the unbonding period.
    Unbond {
        /// How much.
        amount: Amount,
    },
    /// Withdraw what is unbonded, also for somebody else.
    Withdraw {
        /// Whose, by its stash; the signer's by default.
        #[arg(value_name = "ADDRESS")]
        stash: Option<AccountArg>,
    },
    /// Set the models served, or show them when none is given.
    Models {
        /// A model served: its id or name, the price of a token, and the longest context (the
        /// model's own by default). Can be given several times.
        #[arg(long = "offer", value_name = "MODEL,PRICE[,CONTEXT]")]
        offers: Vec<OfferArg>,
        /// Serve none any more.
        #[arg(long, conflicts_with = "offers")]
        none: bool,
    },
    /// Change the price of a model that is served; jobs that were drawn keep theirs.
    Price {
        /// Its id (or the beginning of it) or its name.
        model: String,
        /// The price of a token.
        price: Amount,
    },
    /// Take no new jobs and finish those that run.
    Drain {
        /// Take new jobs again.
        #[arg(long)]
        undo: bool,
    },
    /// Drain and unbond everything; withdraw it after the unbonding period.
    Leave,
    /// Set your part of the pay before delegators have theirs; it rises after the unbonding period.
    Commission {
        /// In percent, like 5 or 7.5.
        percent: Percent,
    },
    /// Set the account that receives pay.
    Payout {
        /// The account.
        #[arg(value_name = "ADDRESS")]
        account: AccountArg,
    },
    /// Say where your node is reached, signed by its network key.
    Addresses {
        /// The file with the node's network key: the one that --node-key-file of assay-node names,
        /// or chains/CHAIN/network/secret_ed25519 in the node's base path.
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        node_key: PathBuf,
        /// Multiaddresses, the best first, like /dns/example.org/tcp/30333.
        #[arg(value_name = "MULTIADDRESS")]
        addresses: Vec<AddressArg>,
    },
    /// Set the key that signs reports.
    Worker {
        /// The account of the key; by default the node's, if it has one.
        #[arg(value_name = "ADDRESS")]
        worker: Option<AccountArg>,
    },
    /// Set how many jobs it runs at a time.
    Concurrency {
        /// How many.
        jobs: u32,
    },
    /// Show an operator.
    Status {
        /// Its stash; the signer's account by default.
        #[arg(value_name = "ADDRESS")]
        stash: Option<AccountArg>,
    },
    /// Show why operators get the jobs of a model that they get.
    Allocation {
        /// The model, by its id (or the beginning of it) or its name.
        model: String,
        /// Only of this operator, by its stash.
        #[arg(value_name = "ADDRESS")]
        stash: Option<AccountArg>,
    },
    /// List all operators.
    List,
}

/// `assay delegate`.
#[derive(Subcommand, Debug)]
#[command(after_help = DELEGATE_EXAMPLES)]
pub enum DelegateCommand {
    /// Delegate to an operator.
    Add {
        /// Its stash.
        #[arg(value_name = "OPERATOR")]
        operator: AccountArg,
        /// How much.
        amount: Amount,
    },
    /// Begin to take back; it can be withdrawn after the unbonding period.
    #[command(group = clap::ArgGroup::new("what").required(true))]
    Remove {
        /// The operator's stash.
        #[arg(value_name = "OPERATOR")]
        operator: AccountArg,
        /// How much.
        #[arg(group = "what")]
        amount: Option<Amount>,
        /// All that it is worth.
        #[arg(long, group = "what")]
        all: bool,
    },
    /// Withdraw what was taken back, also for somebody else; all, where the operator is gone.
    Withdraw {
        /// The operator's stash.
        #[arg(value_name = "OPERATOR")]
        operator: AccountArg,
        /// Whose; the signer's by default.
        #[arg(long, value_name = "ADDRESS")]
        delegator: Option<AccountArg>,
    },
    /// Show what an account has delegated.
    Status {
        /// The account; the signer's by default.
        #[arg(value_name = "ADDRESS")]
        delegator: Option<AccountArg>,
    },
}

/// A model served, as it is typed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OfferArg {
    /// Id or name.
    pub model: String,
    /// Price per token.
    pub price: Amount,
    /// Longest context.
    pub context: Option<u32>,
}

impl FromStr for OfferArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split(',').map(str::trim).collect();
        let (model, price, context) = match *parts.as_slice() {
            [model, price] => (model, price, None),
            [model, price, context] => (model, price, Some(context)),
            _ => return Err("write it as MODEL,PRICE or MODEL,PRICE,CONTEXT".into()),
        };
        let context = context
            .map(|context| context.parse().map_err(|_| format!("'{context}' is no context length")))
            .transpose()?;
        Ok(Self { model: model.into(), price: price.parse()?, context })
    }
}

/// A percentage with up to seven decimal places.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Percent(pub Perbill);

impl FromStr for Percent {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = text.trim().trim_end_matches('%').trim_end();
        let bad = || format!("'{text}' is no percentage from 0 to 100 with up to 7 decimal places");
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let digits = |part: &str| part.chars().all(|digit| digit.is_ascii_digit());
        if whole.is_empty() || fraction.len() > 7 || !digits(whole) || !digits(fraction) {
            return Err(bad());
        }
        let billionths: u32 = format!("{whole}{fraction:0<7}").parse().map_err(|_| bad())?;
        if billionths > 1_000_000_000 {
            return Err(bad());
        }
        Ok(Self(Perbill::from_parts(billionths)))
    }
}

/// A multiaddress.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AddressArg(pub Address);

impl FromStr for AddressArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let address: multiaddr::Multiaddr =
            text.parse().map_err(|error| format!("'{text}' is no multiaddress: {error}"))?;
        if address.is_empty() {
            return Err("the multiaddress is empty".into());
        }
        let bytes = address.to_vec();
        let length = bytes.len();
        Address::try_from(bytes)
            .map(Self)
            .map_err(|_| format!("'{text}' has {length} bytes, which are too many"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Cli, Command};
    use clap::Parser;

    #[test]
    fn offer_has_model_price_and_perhaps_context() {
        let offer: OfferArg = "tiny,10mASY".parse().unwrap();
        assert_eq!((offer.model.as_str(), offer.context), ("tiny", None));
        let offer: OfferArg = "tiny, 0.01, 512".parse().unwrap();
        assert_eq!((offer.price, offer.context), ("10mASY".parse().unwrap(), Some(512)));
        for bad in ["tiny", "tiny,1,2,3", "tiny,x", "tiny,1,long"] {
            assert!(bad.parse::<OfferArg>().is_err(), "{bad}");
        }
    }

    #[test]
    fn percent_has_seven_decimal_places() {
        let percent = |text: &str| text.parse::<Percent>().map(|percent| percent.0.deconstruct());
        assert_eq!(percent("5"), Ok(50_000_000));
        assert_eq!(percent("7.5%"), Ok(75_000_000));
        assert_eq!(percent("0.0000001"), Ok(1));
        assert_eq!(percent("100"), Ok(1_000_000_000));
        for bad in ["", "-1", "100.1", "101", "1.00000001", "five", ".5", "1e1"] {
            assert!(percent(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn address_is_binary() {
        let address: AddressArg = "/ip4/127.0.0.1/tcp/30333".parse().unwrap();
        assert_eq!(address.0.as_slice(), [4, 127, 0, 0, 1, 6, 0x76, 0x7d]);
        for bad in ["", "127.0.0.1", "/ip4/1/tcp/2"] {
            assert!(bad.parse::<AddressArg>().is_err(), "{bad}");
        }
        let long = format!("/dns/{}/tcp/1", "a".repeat(200));
        assert!(long.parse::<AddressArg>().unwrap_err().contains("too many"));
    }

    fn parse(args: &[&str]) -> Result<Command, clap::Error> {
        Cli::try_parse_from([&["assay"], args].concat()).map(|cli| cli.command)
    }

    #[test]
    fn remove_takes_an_amount_or_all() {
        let alice = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
        let all = parse(&["delegate", "remove", alice, "--all"]).unwrap();
        assert!(matches!(
            all,
            Command::Delegate(DelegateCommand::Remove { all: true, amount: None, .. })
        ));
        assert!(parse(&["delegate", "remove", alice, "1.5"]).is_ok());
        assert!(parse(&["delegate", "remove", alice]).is_err());
        assert!(parse(&["delegate", "remove", alice, "1", "--all"]).is_err());
        assert!(parse(&["delegate", "add", "nobody", "1"]).is_err());
    }

    #[test]
    fn contact_needs_the_network_key() {
        let register =
            ["operator", "register", "--bond", "2000", "--address", "/ip4/127.0.0.1/tcp/1"];
        assert!(parse(&register).is_err());
        assert!(parse(&[&register[..], &["--node-key", "key"]].concat()).is_ok());
        assert!(parse(&["operator", "addresses", "/ip4/127.0.0.1/tcp/1"]).is_err());
        assert!(parse(&["operator", "addresses", "--node-key", "key"]).is_ok());
    }
}
