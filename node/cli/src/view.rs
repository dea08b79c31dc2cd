// SPDX-License-Identifier: Apache-2.0
//! How things are shown. In JSON, amounts are strings of planck, since they exceed what most readers
//! of JSON hold exactly; beside each that a person looks at stands one in ASY.

pub mod allocation;
pub mod delegation;
pub mod job;
pub mod models;
pub mod operator;

use assay_primitives::Balance;
use serde_json::Value;

/// An amount in JSON.
pub fn planck(amount: Balance) -> Value {
    Value::String(amount.to_string())
}

/// Billionths as percent.
pub fn percent(billionths: u64) -> String {
    let (whole, rest) = (billionths / 10_000_000, billionths % 10_000_000);
    let digits = format!("{rest:07}");
    match digits.trim_end_matches('0') {
        "" => whole.to_string(),
        digits => format!("{whole}.{digits}"),
    }
}

/// The beginning of a long name.
pub fn short(text: &str) -> String {
    match text.char_indices().nth(10) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_string(),
    }
}

/// A number and its noun.
pub fn count(number: impl Into<u64>, noun: &str) -> String {
    match number.into() {
        1 => format!("1 {noun}"),
        many => format!("{many} {noun}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_keeps_what_is_short() {
        assert_eq!(short("0123456789"), "0123456789");
        assert_eq!(short("0123456789a"), "0123456789…");
    }

    #[test]
    fn count_has_a_plural() {
        assert_eq!(count(1u32, "token"), "1 token");
        assert_eq!(count(0u32, "token"), "0 tokens");
    }
}
