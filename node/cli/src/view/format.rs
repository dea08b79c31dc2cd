// SPDX-License-Identifier: Apache-2.0
//! Amounts, percentages, counts and long names as they are shown.

use assay_primitives::Balance;
use serde_json::Value;

/// Formats an amount for JSON.
pub fn planck(amount: Balance) -> Value {
    Value::String(amount.to_string())
}

/// Formats billionths as percent, without trailing zeros.
pub fn percent(billionths: u64) -> String {
    let (whole, rest) = (billionths / 10_000_000, billionths % 10_000_000);
    let digits = format!("{rest:07}");
    match digits.trim_end_matches('0') {
        "" => whole.to_string(),
        digits => format!("{whole}.{digits}"),
    }
}

/// Cuts a long name off after its first ten characters.
pub fn short(text: &str) -> String {
    match text.char_indices().nth(10) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_string(),
    }
}

/// Formats a number with its noun, in the plural unless the number is one.
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
    fn short_keeps_a_short_name() {
        assert_eq!(short("0123456789"), "0123456789");
        assert_eq!(short("0123456789a"), "0123456789…");
    }

    #[test]
    fn count_has_a_plural() {
        assert_eq!(count(1u32, "token"), "1 token");
        assert_eq!(count(0u32, "token"), "0 tokens");
    }
}
