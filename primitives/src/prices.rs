// SPDX-License-Identifier: Apache-2.0
//! Prices of tokens.

use crate::Balance;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_runtime::Permill;

/// The prices that an operator asks for a token that it reads and for one that it writes.
#[derive(
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    TypeInfo,
    MaxEncodedLen,
    Serialize,
    Deserialize,
)]
pub struct Prices {
    /// The price of a token of the prompt.
    pub input: Balance,
    /// The price of a token of the output.
    pub output: Balance,
}

/// The terms by which the fee of a verifier is computed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FeeTerms {
    /// The part of the price of an output.
    pub share: Permill,
    /// The least for each token of prompt and output.
    pub least: Balance,
}

impl FeeTerms {
    /// Returns the fee of a verifier that reads prompt and output for which the client pays `price`.
    pub fn fee(&self, input_tokens: u32, tokens: u32, price: Balance) -> Balance {
        self.share.mul_floor(price).max(self.least_fee(input_tokens, tokens))
    }

    /// Returns the lowest fee of a verifier that reads that many tokens.
    pub fn least_fee(&self, input_tokens: u32, tokens: u32) -> Balance {
        let read = Balance::from(input_tokens).saturating_add(tokens.into());
        self.least.saturating_mul(read)
    }
}

impl Prices {
    /// Returns the price of a prompt and an output of that many tokens; the largest balance where
    /// the price exceeds it.
    pub fn of(&self, input_tokens: u32, tokens: u32) -> Balance {
        let input = self.input.saturating_mul(input_tokens.into());
        input.saturating_add(self.output.saturating_mul(tokens.into()))
    }

    /// Returns the higher of each of two prices.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self { input: self.input.max(other.input), output: self.output.max(other.output) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn price_counts_both_kinds_of_tokens() {
        let prices = Prices { input: 3, output: 10 };
        assert_eq!(prices.of(0, 0), 0);
        assert_eq!(prices.of(100, 7), 370);
    }

    #[test]
    fn price_beyond_a_balance_is_the_largest() {
        for (input, output) in [(Balance::MAX, 0), (0, Balance::MAX), (Balance::MAX / 2, 1)] {
            assert_eq!(Prices { input, output }.of(2, 2), Balance::MAX);
        }
    }

    #[test]
    fn higher_of_two_is_taken_for_each_kind() {
        let [one, other] = [Prices { input: 1, output: 9 }, Prices { input: 2, output: 3 }];
        assert_eq!(one.max(other), Prices { input: 2, output: 9 });
    }
}
