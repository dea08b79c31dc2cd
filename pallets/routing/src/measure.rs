// SPDX-License-Identifier: Apache-2.0
//! An operator's conduct and work in an epoch, from which its uptime and its speeds are computed.

use crate::fixed::{approach, ratio, Billionths};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// A speed in thousandths of a token per second.
pub type Speed = u64;

/// The highest speed that is counted: a billion tokens per second.
pub const MAX_SPEED: Speed = 1_000_000_000_000;

/// The requests to an operator in an epoch, jobs and heartbeats alike, by whether it answered in
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
    /// The number of requests answered in time.
    pub answered: u32,
    /// The number of requests not answered in time.
    pub missed: u32,
}

impl Conduct {
    /// Returns the fraction of requests answered in time; `None` if there were none.
    pub fn uptime(&self) -> Option<Billionths> {
        let asked = u128::from(self.answered).saturating_add(self.missed.into());
        (asked > 0).then(|| ratio(self.answered.into(), asked))
    }
}

/// An operator's deliveries in an epoch with one model.
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
    /// The number of tokens of verified outputs.
    pub tokens: u64,
    /// The sum of these tokens, each times the speed of its job.
    pub weighted: u128,
}

impl Work {
    /// Adds a job. A duration below a millisecond counts as one.
    pub fn add(&mut self, tokens: u32, millis: u64) {
        let scaled = u64::from(tokens).saturating_mul(1_000_000);
        // These are `tokens * 1_000` thousandths of a token over `millis / 1_000` seconds.
        let speed = scaled.checked_div(millis.max(1)).unwrap_or(MAX_SPEED).min(MAX_SPEED);
        self.tokens = self.tokens.saturating_add(tokens.into());
        let weighted = u128::from(speed).saturating_mul(tokens.into());
        self.weighted = self.weighted.saturating_add(weighted);
    }

    /// Returns the mean of the jobs' speeds weighted by their tokens, so that a short job counts
    /// for little, whether it was fast or slow. Returns `None` if there were no jobs.
    pub fn speed(&self) -> Option<Speed> {
        let speed = self.weighted.checked_div(self.tokens.into())?;
        Some(u64::try_from(speed).unwrap_or(MAX_SPEED).min(MAX_SPEED))
    }
}

/// Returns a value smoothed over epochs, after an epoch in which `measured` was measured.
pub fn smoothed(before: u64, measured: Option<u64>, step: Billionths) -> u64 {
    measured.map_or(before, |measured| approach(before, measured, step))
}

/// Returns a speed smoothed over epochs. The first measurement is taken as it is.
pub fn learnt(before: Speed, measured: Option<Speed>, step: Billionths) -> Speed {
    match before {
        0 => measured.unwrap_or(0),
        before => smoothed(before, measured, step),
    }
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
        // A single token in no time changes next to nothing, and so does one that took long.
        work.add(1, 0);
        assert_eq!(work.speed(), Some(100_899));
        work.add(1, 60_000);
        assert_eq!(work.speed(), Some(100_798));
        work.add(1_000, 20_000);
        assert_eq!(work.speed(), Some(75_424));
    }

    #[test]
    fn speed_has_a_maximum() {
        let work = Work { tokens: 1, weighted: u128::MAX };
        assert_eq!(work.speed(), Some(MAX_SPEED));
        let mut work = Work::default();
        work.add(u32::MAX, 0);
        assert_eq!(work.speed(), Some(MAX_SPEED));
    }

    #[test]
    fn first_speed_stands_as_it_is() {
        assert_eq!(learnt(0, None, ONE / 2), 0);
        assert_eq!(learnt(0, Some(80), ONE / 2), 80);
        assert_eq!(learnt(80, Some(40), ONE / 2), 60);
    }

    #[test]
    fn epoch_without_measurement_changes_nothing() {
        assert_eq!(smoothed(7, None, ONE / 2), 7);
        assert_eq!(smoothed(8, Some(16), ONE / 2), 12);
    }
}
