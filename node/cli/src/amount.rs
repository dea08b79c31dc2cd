// SPDX-License-Identifier: Apache-2.0
//! Amounts of ASY, as they are typed and shown.

use assay_primitives::Balance;
use assay_runtime::UNIT;
use std::{fmt, str::FromStr};

/// The number of decimal places of an ASY.
const DECIMALS: usize = 12;

/// An amount in planck, the smallest unit, which is 10^-12 ASY. It is parsed from `1.5`, `1.5 ASY`,
/// `10 mASY`, `3 uASY` or `250 planck`, and displayed in ASY without trailing zeros.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Amount(pub Balance);

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ASY", self.decimal())
    }
}

impl Amount {
    /// Returns the number of ASY without the unit.
    pub fn decimal(self) -> String {
        let (whole, rest) = (self.0 / UNIT, self.0 % UNIT);
        if rest == 0 {
            return whole.to_string();
        }
        let digits = format!("{rest:0DECIMALS$}");
        format!("{whole}.{}", digits.trim_end_matches('0'))
    }
}

impl FromStr for Amount {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let split = text.find(|c: char| c.is_alphabetic()).unwrap_or(text.len());
        let (number, unit) = text.split_at(split);
        let decimals = match unit {
            "" | "ASY" => DECIMALS,
            "mASY" => DECIMALS - 3,
            "uASY" | "µASY" => DECIMALS - 6,
            "planck" => 0,
            _ => {
                return Err(format!("'{unit}' is not a valid unit; use ASY, mASY, uASY or planck"))
            }
        };
        parse(number.trim(), decimals).map(Self)
    }
}

fn parse(number: &str, decimals: usize) -> Result<Balance, String> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = |text: &str| text.chars().all(|c| c.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !digits(whole) || !digits(fraction) {
        return Err(format!(
            "'{number}' is not a valid amount; write one like 1.5, 10mASY or 250planck"
        ));
    }
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > decimals {
        return Err(format!("'{number}' has more than the {decimals} decimal places of its unit"));
    }
    let all = format!("{whole}{fraction}{}", "0".repeat(decimals - fraction.len()));
    all.trim_start_matches('0')
        .parse()
        .or_else(|error| if all.chars().all(|c| c == '0') { Ok(0) } else { Err(error) })
        .map_err(|_| format!("'{number}' is more than the largest possible amount"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amount_reads_every_unit() {
        for (text, planck) in [
            ("1", UNIT),
            ("1.5", UNIT * 3 / 2),
            ("1.5 ASY", UNIT * 3 / 2),
            (".5", UNIT / 2),
            ("10mASY", UNIT / 100),
            ("10 mASY", UNIT / 100),
            ("3uASY", 3_000_000),
            ("250planck", 250),
            ("0", 0),
            ("0.000000000001", 1),
            ("1.000", UNIT),
        ] {
            assert_eq!(text.parse(), Ok(Amount(planck)), "{text}");
        }
    }

    #[test]
    fn amount_refuses_what_it_cannot_hold_exactly() {
        for text in [
            "",
            "ASY",
            "-1",
            "1e3",
            "1,5",
            "1.5 DOT",
            ".",
            "0.0000000000001",
            "0.5planck",
            "999999999999999999999999999999999999999999",
        ] {
            assert!(text.parse::<Amount>().is_err(), "{text}");
        }
    }

    #[test]
    fn amount_is_written_without_trailing_zeros() {
        assert_eq!(Amount(UNIT).to_string(), "1 ASY");
        assert_eq!(Amount(UNIT * 3 / 2).to_string(), "1.5 ASY");
        assert_eq!(Amount(1).to_string(), "0.000000000001 ASY");
        assert_eq!(Amount(0).to_string(), "0 ASY");
        assert_eq!(Amount(u128::MAX).decimal().parse(), Ok(Amount(u128::MAX)));
    }
}
