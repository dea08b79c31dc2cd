// SPDX-License-Identifier: Apache-2.0
//! Prices per token, as they are typed.

use crate::amount::Amount;
use assay_primitives::Prices;
use std::str::FromStr;

/// Prices of a token of the prompt and of one of the output. They are parsed from `1mASY/10mASY`, or
/// from one amount that is the price of both.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PricesArg(pub Prices);

impl FromStr for PricesArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (input, output) = text.split_once('/').unwrap_or((text, text));
        let [input, output] = [input, output].map(|price| price.parse::<Amount>());
        Ok(Self(Prices { input: input?.0, output: output?.0 }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_two_amounts_or_one_for_both() {
        let prices = |text: &str| text.parse::<PricesArg>().map(|arg| (arg.0.input, arg.0.output));
        assert_eq!(prices("1planck/10 planck"), Ok((1, 10)));
        assert_eq!(prices("7planck"), Ok((7, 7)));
        for bad in ["", "/", "1/", "1/2/3", "1:2"] {
            assert!(prices(bad).is_err(), "{bad}");
        }
    }
}
