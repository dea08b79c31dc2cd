// SPDX-License-Identifier: Apache-2.0
//! Numbers with 16 fractional bits, as requests and jobs have them.

use assay_primitives::job::Sampling;
use std::ops::RangeInclusive;

/// Reads a number in a range, and returns it times 65,536, rounded.
///
/// # Errors
///
/// The text is not a number, or the number is out of the range; the message says which.
pub fn fixed(text: &str, range: RangeInclusive<f64>) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| format!("'{text}' is not a valid number"))?;
    if !range.contains(&number) {
        return Err(format!("{text} is not between {} and {}", range.start(), range.end()));
    }
    Ok((number * f64::from(Sampling::ONE)).round())
}
