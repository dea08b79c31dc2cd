// SPDX-License-Identifier: Apache-2.0
//! The limit of what a job may put on hold, which an option or the configuration sets.

use crate::{amount::Amount, fault::Fault, settings::Settings};
use anyhow::Result;
use assay_primitives::Balance;

/// The limit of what a job may put on hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Limit {
    amount: Amount,
    /// The setting that has it, in words.
    set_by: String,
}

impl Limit {
    /// Returns the limit that `--max-cost` sets, otherwise that of the network's configuration.
    pub fn of(option: Option<Amount>, settings: &Settings) -> Option<Self> {
        let set_by_option = |amount| Self { amount, set_by: "--max-cost".into() };
        let set_by_network = |amount| Self {
            amount,
            set_by: format!("the max-cost of the network '{}' in `assay config`", settings.network),
        };
        option.map(set_by_option).or(settings.max_cost.map(set_by_network))
    }

    /// Fails if a job would hold more. The advice is how it would hold less.
    pub fn ensure(&self, held: Balance, advice: &str) -> Result<()> {
        if held <= self.amount.0 {
            return Ok(());
        }
        Err(Fault::error(
            "max_cost_exceeded",
            format!(
                "the job would put {} on hold, but {} allows {}; {advice}, or allow more with --max-cost",
                Amount(held),
                self.set_by,
                self.amount
            ),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_runtime::UNIT;

    fn settings(max_cost: Option<&str>) -> Settings {
        Settings {
            network: "main".into(),
            url: "ws://a".into(),
            key_file: None,
            max_cost: max_cost.map(|text| text.parse().unwrap()),
            genesis: None,
        }
    }

    #[test]
    fn option_overrides_the_configuration() {
        let option: Amount = "2".parse().unwrap();
        let amount =
            |option, configured| Limit::of(option, &settings(configured)).map(|l| l.amount);
        assert_eq!(amount(Some(option), Some("1")), Some(option));
        assert_eq!(amount(None, Some("1")), Some(Amount(UNIT)));
        assert_eq!(amount(None, None), None);
    }

    #[test]
    fn job_above_the_limit_is_refused_with_both_amounts_and_who_set_it() {
        let option = Limit::of(Some("0.33".parse().unwrap()), &settings(None)).unwrap();
        option.ensure(UNIT / 100 * 33, "ask for less").unwrap();
        let configured = Limit::of(None, &settings(Some("0.33"))).unwrap();
        for (limit, set_by) in [(option, "but --max-cost allows"), (configured, "network 'main'")] {
            let error = limit.ensure(UNIT / 100 * 33 + 1, "ask for less").unwrap_err();
            let fault = error.downcast_ref::<Fault>().unwrap();
            assert_eq!(fault.code, "max_cost_exceeded");
            for part in ["0.330000000001 ASY", "0.33 ASY", "ask for less", set_by] {
                assert!(fault.message.contains(part), "{}", fault.message);
            }
        }
    }
}
