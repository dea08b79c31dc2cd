// SPDX-License-Identifier: Apache-2.0
//! A percentage, as it is typed.

use sp_runtime::Perbill;
use std::str::FromStr;

/// A percentage with up to seven decimal places.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Percent(pub Perbill);

impl FromStr for Percent {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = text.trim().trim_end_matches('%').trim_end();
        let bad = || {
            format!(
                "'{text}' is not a valid percentage; write a number from 0 to 100 with at most 7 \
                 decimal places"
            )
        };
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
