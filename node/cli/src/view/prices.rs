// SPDX-License-Identifier: Apache-2.0
//! Prices per token.

use super::format::planck;
use crate::amount::Amount;
use assay_primitives::Prices;
use serde_json::{json, Value};

/// Returns prices as JSON.
pub fn json(prices: Prices) -> Value {
    json!({
        "input": planck(prices.input),
        "inputAsy": Amount(prices.input).decimal(),
        "output": planck(prices.output),
        "outputAsy": Amount(prices.output).decimal(),
    })
}

/// Formats prices for a person.
pub fn words(prices: Prices) -> String {
    format!("{} per token read, {} per token written", Amount(prices.input), Amount(prices.output))
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_runtime::UNIT;

    #[test]
    fn prices_are_shown_in_both_units() {
        let prices = Prices { input: UNIT / 1_000, output: 2 * UNIT };
        let shown = json(prices);
        assert_eq!((&shown["input"], &shown["inputAsy"]), (&json!("1000000000"), &json!("0.001")));
        assert_eq!(shown["outputAsy"], "2");
        assert_eq!(words(prices), "0.001 ASY per token read, 2 ASY per token written");
    }
}
