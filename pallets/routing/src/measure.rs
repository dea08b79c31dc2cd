// SPDX-License-Identifier: Apache-2.0
//! What an operator does in an epoch, and how that becomes its uptime and its speeds.

use crate::fixed::{approach, ratio, Billionths};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Thousandths of a token per second.
pub type Speed = u64;

/// No operator counts as faster: a billion tokens per second.
pub const MAX_SPEED: Speed = 1_000_000_000_000;

/// What an operator was asked in an epoch, jobs and heartbeats alike, and whether it answered in
/// time.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Default,
    Encode,
    Decode,
    DecodeWithMemTracking,
    TypeInfo,
    MaxEncodedLen,
)]
pub struct Conduct {
    /// What it answered in time.
    pub answered: u32,
    /// What it did not.
    pub missed: u32,
}

impl Conduct {
    /// The part that was answered in time; `None` where nothing was asked.
    pub fn uptime(&self) -> Option<Billionths> {
        let asked = u128::from(self.answered).saturating_add(self.missed.into());
        (asked > 0).then(|| ratio(self.answered.into(), asked))
    }
}

/// What an operator delivered in an epoch with one model.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Default,
    Encode,
    Decode,
    DecodeWithMemTracking,
    TypeInfo,
    MaxEncodedLen,
)]
pub struct Work {
    /// Tokens of outputs that stand.
    pub tokens: u64,
    /// What they took, in milliseconds, summed over the jobs.
    pub millis: u64,
}

impl Work {
    /// Adds a job. Nothing is faster than a millisecond.
    pub fn add(&mut self, tokens: u32, millis: u64) {
        self.tokens = self.tokens.saturating_add(tokens.into());
        self.millis = self.millis.saturating_add(millis.max(1));
    }

    /// All tokens over all time, which is the harmonic mean of the jobs' speeds weighted by their
    /// tokens: a short job at high speed does not outweigh a long one. `None` where there was none.
    pub fn speed(&self) -> Option<Speed> {
        // In thousandths of tokens over thousands of milliseconds.
        let scaled = u128::from(self.tokens).saturating_mul(1_000_000);
        let speed = scaled.checked_div(self.millis.into())?;
        (self.tokens > 0).then(|| u64::try_from(speed).unwrap_or(MAX_SPEED).min(MAX_SPEED))
    }
}

/// A value smoothed over epochs, after one in which `measured` was measured.
pub fn smoothed(before: u64, measured: Option<u64>, step: Billionths) -> u64 {
    measured.map_or(before, |measured| approach(before, measured, step))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixed::ONE;

    #[test]
    fn uptime_is_the_part_that_was_answered() {
        assert_eq!(Conduct { answered: 3, missed: 1 }.uptime(), Some(ONE / 4 * 3));
        assert_eq!(Conduct::default().uptime(), None);
        assert!(Conduct { answered: u32::MAX, missed: u32::MAX }.uptime().is_some());
    }

    #[test]
    fn speed_is_weighted_by_work() {
        let mut work = Work::default();
        assert_eq!(work.speed(), None);
        work.add(1_000, 10_000);
        assert_eq!(work.speed(), Some(100_000));
        // A single token in no time changes next to nothing.
        work.add(1, 0);
        assert_eq!(work.speed(), Some(100_089));
    }

    #[test]
    fn speed_has_a_maximum() {
        let work = Work { tokens: u64::MAX, millis: 1 };
        assert_eq!(work.speed(), Some(MAX_SPEED));
    }

    #[test]
    fn epoch_without_measurement_changes_nothing() {
        assert_eq!(smoothed(7, None, ONE / 2), 7);
        assert_eq!(smoothed(8, Some(16), ONE / 2), 12);
    }
}
