// SPDX-License-Identifier: Apache-2.0
//! The median of a stream, weighted by work, in bounded memory.
//!
//! Values are counted twice: by octave, and in 128 buckets, each 1 % wide, around the median of the
//! previous epoch. The buckets reach from 0.53 to 1.9 times that median. A median within the
//! buckets is known to 1 %. A median outside of them, or without a previous one, is known to its
//! octave. It is exact again an epoch later, since the buckets around the middle of an octave cover
//! all of it.

use crate::fixed::{proportion, times, Billionths};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// The number of buckets below the anchor, and of those from it on.
const HALF: usize = 64;

/// The middle of an octave relative to its lower end: the square root of 2.
const MIDDLE: Billionths = 1_414_213_562;

/// A median.
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
pub struct Median {
    /// The value of the median.
    pub value: u64,
    /// Whether the value is known to 1 %, and not only to its octave.
    pub exact: bool,
}

impl Median {
    /// Returns whether this median is lower than the previous one by at least `tolerance`.
    pub fn fell(&self, before: &Self, tolerance: Billionths) -> bool {
        let edge = before.value.saturating_sub(times(before.value, tolerance));
        before.exact && self.value <= edge && self.value < before.value
    }
}

/// The amount of work done at each value.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen,
)]
pub struct Histogram {
    /// The median of the previous epoch; 0 for none.
    anchor: u64,
    /// The sum of all work.
    total: u64,
    /// Work by distance from the anchor. The first bucket has all lower values, the last all higher
    /// ones.
    buckets: [u64; 2 * HALF],
    /// Work by the number of bits of the value.
    octaves: [u64; 64],
}

impl Default for Histogram {
    fn default() -> Self {
        Self::around(0)
    }
}

impl Histogram {
    /// Returns a histogram without work, with its buckets around the median of the previous epoch.
    pub fn around(anchor: u64) -> Self {
        Self { anchor, total: 0, buckets: [0; 2 * HALF], octaves: [0; 64] }
    }

    /// Adds `work` done at `value`.
    pub fn add(&mut self, value: u64, work: u64) {
        let work = work.min(u64::MAX.saturating_sub(self.total));
        self.total = self.total.saturating_add(work);
        if let Some(bucket) = self.buckets.get_mut(bucket_of(self.anchor, value)) {
            *bucket = bucket.saturating_add(work);
        }
        if let Some(octave) = self.octaves.get_mut(octave_of(value)) {
            *octave = octave.saturating_add(work);
        }
    }

    /// Returns the value at or below which half of the work was done; `None` if there was no work.
    pub fn median(&self) -> Option<Median> {
        let half = self.total.div_ceil(2);
        if half == 0 {
            return None;
        }
        let (at, before) = position(&self.buckets, half)?;
        if self.anchor > 0 && at > 0 && at < (2 * HALF).saturating_sub(1) {
            let (low, high) = ends(self.anchor, at);
            let inside = half.saturating_sub(before);
            let weight = self.buckets.get(at).copied().unwrap_or(0);
            let step = proportion(high.saturating_sub(low), inside.into(), weight.into());
            return Some(Median { value: low.saturating_add(step), exact: true });
        }
        let (octave, _) = position(&self.octaves, half)?;
        let shift = u32::try_from(octave.saturating_sub(1)).unwrap_or(0);
        let low = if octave == 0 { 0 } else { 1u64.checked_shl(shift).unwrap_or(u64::MAX) };
        Some(Median { value: times(low, MIDDLE), exact: false })
    }
}

/// Returns the bucket in which the `n`-th unit of work lies, and the work before that bucket.
fn position(buckets: &[u64], n: u64) -> Option<(usize, u64)> {
    let mut before = 0u64;
    for (at, work) in buckets.iter().enumerate() {
        let after = before.saturating_add(*work);
        if after >= n {
            return Some((at, before));
        }
        before = after;
    }
    None
}

fn octave_of(value: u64) -> usize {
    usize::try_from(u64::BITS.saturating_sub(value.leading_zeros())).unwrap_or(0).min(63)
}

fn bucket_of(anchor: u64, value: u64) -> usize {
    if value >= anchor {
        let above = up(anchor).skip(1).take(HALF.saturating_sub(1));
        HALF.saturating_add(above.take_while(|edge| value >= *edge).count())
    } else {
        let below = down(anchor).skip(1).take(HALF.saturating_sub(1));
        let below = below.take_while(|edge| value < *edge).count();
        HALF.saturating_sub(1).saturating_sub(below)
    }
}

/// Returns the lower and the upper end of a bucket; the upper end is the lower end of the next
/// bucket.
fn ends(anchor: u64, at: usize) -> (u64, u64) {
    let mut edges: (u64, u64) = (0, 0);
    if let Some(n) = at.checked_sub(HALF) {
        let mut from = up(anchor).skip(n);
        edges.0 = from.next().unwrap_or(u64::MAX);
        edges.1 = from.next().unwrap_or(u64::MAX);
    } else {
        let mut from = down(anchor).skip(HALF.saturating_sub(1).saturating_sub(at));
        edges.1 = from.next().unwrap_or(0);
        edges.0 = from.next().unwrap_or(0);
    }
    edges
}

/// Returns the edges of the buckets from the anchor downwards, 1 % apart.
fn down(anchor: u64) -> impl Iterator<Item = u64> {
    core::iter::successors(Some(anchor), |edge| Some(edge.saturating_sub(edge.div_ceil(100))))
}

/// Returns the edges of the buckets from the anchor upwards.
fn up(anchor: u64) -> impl Iterator<Item = u64> {
    core::iter::successors(Some(anchor), |edge| Some(edge.saturating_add(edge / 99)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn median_of(anchor: u64, values: &[(u64, u64)]) -> Option<Median> {
        let mut histogram = Histogram::around(anchor);
        for (value, work) in values {
            histogram.add(*value, *work);
        }
        histogram.median()
    }

    #[test]
    fn median_of_no_work_is_none() {
        assert_eq!(median_of(0, &[]), None);
        assert_eq!(median_of(5, &[(7, 0)]), None);
    }

    #[test]
    fn median_is_weighted_by_work() {
        let heavy = median_of(1_000_000, &[(900_000, 10), (1_100_000, 1)]).unwrap();
        assert!(heavy.exact && heavy.value.abs_diff(900_000) <= 9_000, "{heavy:?}");
        let light = median_of(1_000_000, &[(900_000, 1), (1_100_000, 10)]).unwrap();
        assert!(light.exact && light.value.abs_diff(1_100_000) <= 11_000, "{light:?}");
    }

    #[test]
    fn median_far_from_the_anchor_is_exact_an_epoch_later() {
        for value in [3, 1_023, 1_024, 999_999_999_999] {
            let first = median_of(17, &[(value, 5)]).unwrap();
            if value > 100 {
                assert!(!first.exact);
            }
            let second = median_of(first.value, &[(value, 5)]).unwrap();
            assert!(second.exact || value < 100, "{value}: {first:?}, {second:?}");
        }
    }

    #[test]
    fn fall_within_the_tolerance_is_none() {
        let before = Median { value: 1_000_000, exact: true };
        let tolerance = 20_000_000;
        assert!(!Median { value: 980_001, exact: true }.fell(&before, tolerance));
        assert!(Median { value: 980_000, exact: true }.fell(&before, tolerance));
        let vague = Median { exact: false, ..before };
        assert!(!Median { value: 1, exact: true }.fell(&vague, tolerance));
        assert!(!Median::default().fell(&Median { value: 0, exact: true }, tolerance));
    }

    proptest! {
        #[test]
        fn median_lies_within_one_percent(
            values in proptest::collection::vec((600_000..1_800_000u64, 1..1_000u64), 1..200),
        ) {
            let mut sorted = values.clone();
            sorted.sort_unstable();
            let half = sorted.iter().map(|(_, work)| work).sum::<u64>().div_ceil(2);
            let mut passed = 0;
            let exact = sorted
                .iter()
                .find(|(_, work)| {
                    passed += work;
                    passed >= half
                })
                .unwrap()
                .0;
            let found = median_of(1_000_000, &values).unwrap();
            prop_assert!(found.exact);
            prop_assert!(
                found.value.abs_diff(exact) <= exact / 98 + 2,
                "{} instead of {}", found.value, exact
            );
        }

        #[test]
        fn histogram_takes_any_value(
            anchor in any::<u64>(),
            values in proptest::collection::vec((any::<u64>(), any::<u64>()), 1..20),
        ) {
            let mut histogram = Histogram::around(anchor);
            for (value, work) in &values {
                histogram.add(*value, *work);
            }
            let counted: u128 = histogram.buckets.iter().map(|work| u128::from(*work)).sum();
            prop_assert_eq!(counted, u128::from(histogram.total));
            prop_assert_eq!(histogram.median().is_some(), histogram.total > 0);
        }
    }
}
