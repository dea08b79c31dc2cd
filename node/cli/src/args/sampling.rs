// SPDX-License-Identifier: Apache-2.0
//! The options that say how tokens are chosen.

use super::fixed::fixed;
use assay_primitives::job::Sampling;
use clap::Args;

/// Options that say how tokens are chosen.
#[derive(Args, Debug, Clone)]
pub struct SamplingArgs {
    /// Sampling temperature, from 0 (always the most likely token) to 100.
    #[arg(long, default_value = "0", value_parser = temperature)]
    pub temperature: Fixed,
    /// Choose among this many of the most likely tokens; 0 means all.
    #[arg(long, default_value_t = 0)]
    pub top_k: u32,
    /// Choose among the most likely tokens whose probabilities sum to this.
    #[arg(long, default_value = "1", value_parser = top_p)]
    pub top_p: Fixed,
    /// Seed of the sampling [default: random]. The same prompt, seed and options always produce the
    /// same answer.
    #[arg(long, value_parser = seed)]
    pub seed: Option<u64>,
}

impl SamplingArgs {
    /// Returns the sampling in the chain's type.
    pub fn sampling(&self) -> Sampling {
        Sampling { temperature: self.temperature.0, top_k: self.top_k, top_p: self.top_p.0 }
    }
}

/// A number with 16 fractional bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fixed(pub u32);

fn seed(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("'{text}' is not a number from 0 to {}", u64::MAX))
}

fn temperature(text: &str) -> Result<Fixed, String> {
    let most = f64::from(Sampling::MAX_TEMPERATURE) / f64::from(Sampling::ONE);
    // In range: at most the highest temperature.
    fixed(text, 0.0..=most).map(|number| Fixed(number as u32))
}

fn top_p(text: &str) -> Result<Fixed, String> {
    // In range: at most 1.0.
    match fixed(text, 0.0..=1.0)? as u32 {
        0 => Err("0 leaves no token to choose; use 1 for all tokens".into()),
        some => Ok(Fixed(some)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn temperature_has_16_fractional_bits() {
        assert_eq!(temperature("0"), Ok(Fixed(0)));
        assert_eq!(temperature("0.8"), Ok(Fixed(52_429)));
        assert_eq!(temperature("100"), Ok(Fixed(Sampling::MAX_TEMPERATURE)));
        assert_eq!(temperature("101"), Err("101 is not between 0 and 100".into()));
        for bad in ["-0.1", "100.1", "NaN", "warm", "inf"] {
            assert!(temperature(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn top_p_refuses_zero() {
        assert_eq!(top_p("1"), Ok(Fixed(Sampling::ONE)));
        assert!(top_p("0").is_err());
        assert!(top_p("1.01").is_err());
    }
}
