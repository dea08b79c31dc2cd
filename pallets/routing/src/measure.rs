// SPDX-License-Identifier: Apache-2.0
//! An operator's conduct and work in an epoch, from which its uptime and its speeds are computed.

use crate::fixed::{approach, fraction, ratio, Billionths, ONE};
use assay_primitives::Balance;
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
    /// The fees of their jobs.
    pub fees: Balance,
    /// The sum of these fees, each times the nanoseconds that a token of its job took.
    pub weighted: u128,
}

/// A second in nanoseconds, times the thousand parts of a token in a [`Speed`].
const PICOSECONDS: u128 = 1_000_000_000_000;

impl Work {
    /// Adds a job for which these fees were paid. A duration below a millisecond counts as one, and an
    /// output without tokens as one of a token.
    pub fn add(&mut self, tokens: u32, millis: u64, fees: Balance) {
        let nanos = u128::from(millis.max(1)).saturating_mul(1_000_000);
        let each = nanos.checked_div(tokens.into()).unwrap_or(nanos).max(1);
        self.tokens = self.tokens.saturating_add(tokens.into());
        self.fees = self.fees.saturating_add(fees);
        self.weighted = self.weighted.saturating_add(each.saturating_mul(fees));
    }

    /// Returns the speed at which a token takes the mean of the jobs' times weighted by their fees. So jobs
    /// that an operator orders of itself count as much as they cost it, and however little time they take,
    /// the others take as long as before. Returns `None` if no fees were paid.
    pub fn speed(&self) -> Option<Speed> {
        if self.fees == 0 {
            return None;
        }
        let speed = self.fees.saturating_mul(PICOSECONDS) / self.weighted.max(1);
        Some(u64::try_from(speed).unwrap_or(MAX_SPEED).clamp(1, MAX_SPEED))
    }
}

/// Returns the speed at which a token takes the mean of the times that it takes at two speeds, of which the
/// second has the weight `part`.
fn mean(one: Speed, other: Speed, part: Billionths) -> Speed {
    let [one, other] = [one, other].map(u128::from);
    let times =
        [other.saturating_mul(ONE.saturating_sub(part).into()), one.saturating_mul(part.into())];
    let both = one.saturating_mul(other).saturating_mul(ONE.into());
    let time = times[0].saturating_add(times[1]).max(1);
    // A slow one can become faster, however small the part.
    let speed = if other > one { both.div_ceil(time) } else { both / time };
    u64::try_from(speed).unwrap_or(MAX_SPEED)
}

/// Returns a value smoothed over epochs, after an epoch in which `measured` was measured.
pub fn smoothed(before: u64, measured: Option<u64>, step: Billionths) -> u64 {
    measured.map_or(before, |measured| approach(before, measured, step))
}

/// A speed smoothed over epochs, and the fees on which it rests.
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
pub struct Pace {
    /// The speed; 0 if none was measured yet.
    pub speed: Speed,
    /// The fees of the jobs on which it was measured, of which new ones take the place of older ones.
    pub fees: Balance,
}

impl Pace {
    /// Returns the pace after an epoch with that work. The time of a token moves towards the measured one by
    /// the part that the epoch's fees have in all fees. That part is `step` where every epoch has as many
    /// fees. The fees of earlier epochs fall by that part of themselves, and by no more than the new
    /// ones, so that neither time nor small jobs make a speed easier to move. The first measurement is
    /// taken as it is.
    pub fn after(self, work: &Work, step: Billionths) -> Self {
        let Some(measured) = work.speed() else { return self };
        let left = self.fees.saturating_sub(fraction(self.fees, step).min(work.fees));
        let fees = left.saturating_add(work.fees);
        let part = ratio(work.fees, fees);
        // The first one stands as it is.
        let speed = if left == 0 { measured } else { mean(self.speed, measured, part) };
        Self { speed, fees }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uptime_is_the_part_that_was_answered() {
        assert_eq!(Conduct { answered: 3, missed: 1 }.uptime(), Some(ONE / 4 * 3));
        assert_eq!(Conduct::default().uptime(), None);
        assert!(Conduct { answered: u32::MAX, missed: u32::MAX }.uptime().is_some());
    }

    #[test]
    fn time_of_a_token_is_weighted_by_fees() {
        let mut work = Work::default();
        assert_eq!(work.speed(), None);
        work.add(1_000, 10_000, 300);
        assert_eq!(work.speed(), Some(100_000));
        // Many tokens in no time count as little as was paid for them.
        work.add(1_000, 1_000, 3);
        assert_eq!(work.speed(), Some(100_899));
        work.add(1_000, 1_000, 0);
        assert_eq!(work.speed(), Some(100_899));
        work.add(1_000, 20_000, 303);
        assert_eq!(work.speed(), Some(66_865));
        assert_eq!((work.tokens, work.fees), (4_000, 606));
    }

    #[test]
    fn jobs_in_no_time_raise_a_speed_no_more_than_their_part_of_the_fees() {
        let mut work = Work::default();
        work.add(1_000, 10_000, 300);
        work.add(u32::MAX, 0, 300);
        assert_eq!(work.speed(), Some(199_999));
    }

    #[test]
    fn speed_has_a_maximum_and_a_minimum() {
        let work = Work { tokens: 1, fees: u128::MAX, weighted: 1 };
        assert_eq!(work.speed(), Some(MAX_SPEED));
        let mut work = Work::default();
        work.add(u32::MAX, 0, 1);
        assert_eq!(work.speed(), Some(MAX_SPEED));
        let mut work = Work::default();
        work.add(0, u64::MAX, 1);
        assert_eq!(work.speed(), Some(1));
        assert_eq!(Work { tokens: 1, fees: 1, weighted: u128::MAX }.speed(), Some(1));
    }

    /// Work of that speed, for which these fees were paid.
    fn work(speed: Speed, fees: Balance) -> Work {
        Work { tokens: 1, fees, weighted: PICOSECONDS / u128::from(speed) * fees }
    }

    #[test]
    fn first_speed_stands_as_it_is() {
        let none = Pace::default();
        assert_eq!(none.after(&Work::default(), ONE / 2), none);
        assert_eq!(none.after(&work(80, 5), ONE / 2), Pace { speed: 80, fees: 5 });
    }

    #[test]
    fn time_moves_by_the_step_where_every_epoch_pays_as_much() {
        let mut pace = Pace::default();
        for _ in 0..200 {
            pace = pace.after(&work(800, 1_000_000), ONE / 10);
        }
        assert!(pace.fees.abs_diff(10_000_000) < 100, "{pace:?}");
        // Nine parts of the time at 800, and one of that at 1,600.
        assert_eq!(pace.after(&work(1_600, 1_000_000), ONE / 10).speed, 843);
    }

    #[test]
    fn time_moves_by_what_is_paid_however_many_epochs_that_takes() {
        let paid = Pace { speed: 1_000_000, fees: 1_000_000 };
        let mut pace = paid;
        for _ in 0..100 {
            pace = pace.after(&work(1_000_000_000, 1_000), ONE / 2);
        }
        // A tenth of the fees for next to no time.
        assert!((1_090_000..1_120_000).contains(&pace.speed), "{pace:?}");
        assert_eq!(pace.fees, paid.fees);
        for _ in 0..100 {
            pace = pace.after(&Work::default(), ONE / 2);
        }
        assert_eq!(pace.fees, paid.fees);
    }

    #[test]
    fn slowest_speed_can_rise() {
        let pace = Pace { speed: 1, fees: 1_000_000 };
        assert_eq!(pace.after(&work(MAX_SPEED, 1_000), ONE / 2).speed, 2);
    }

    #[test]
    fn pace_of_extreme_speeds_stays_between_them() {
        for (one, other) in [(1, MAX_SPEED), (MAX_SPEED, 1), (MAX_SPEED, MAX_SPEED), (1, 1)] {
            for part in [0, 1, ONE / 2, ONE] {
                let mean = mean(one, other, part);
                assert!((one.min(other)..=one.max(other)).contains(&mean), "{one} {other} {part}");
            }
        }
    }

    #[test]
    fn epoch_without_measurement_changes_nothing() {
        assert_eq!(smoothed(7, None, ONE / 2), 7);
        assert_eq!(smoothed(8, Some(16), ONE / 2), 12);
    }
}
