// SPDX-License-Identifier: Apache-2.0
//! The weights of the parts of a score, and the rule by which they react.
//!
//! At the end of an epoch the weight of a parameter whose median fell is to be higher than its base,
//! by the reaction, to draw operators to it; the weight of one that did not fall is to be its base.
//! A moving average leads there. The targets do not depend on the weights before, so the weights
//! cannot drift. Both targets and weights sum to 1 and lie within bounds; the points for which that
//! holds are a convex set, which a moving average does not leave.

use crate::{
    fixed::{apportion, times, Billionths, ONE},
    mode::Mode,
};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// No weight is lower.
pub const MIN_WEIGHT: Billionths = ONE / 10;

/// No weight is higher.
pub const MAX_WEIGHT: Billionths = 7 * (ONE / 10);

/// How much each part of a score counts. They sum to 1.
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
pub struct Weights {
    /// Of uptime; 0 in [`Mode::Shares`], where uptime is a factor of the whole.
    pub uptime: Billionths,
    /// Of speed.
    pub speed: Billionths,
    /// Of stake.
    pub stake: Billionths,
}

/// Whose medians fell against the epoch before.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Fell {
    /// Uptime's.
    pub uptime: bool,
    /// Speed's.
    pub speed: bool,
}

impl Weights {
    /// The weights in proportion to these, with the sum 1, and each that counts in the mode within
    /// [`MIN_WEIGHT`] and [`MAX_WEIGHT`].
    pub fn bounded(raw: Self, mode: Mode) -> Self {
        let parts = [raw.uptime, raw.speed, raw.stake];
        let within = match mode {
            Mode::Additive => within_bounds(&parts),
            Mode::Shares => within_bounds(parts.get(1..).unwrap_or_default()),
        };
        match (mode, within.as_slice()) {
            (Mode::Additive, [uptime, speed, stake]) => {
                Self { uptime: *uptime, speed: *speed, stake: *stake }
            }
            (Mode::Shares, [speed, stake]) => Self { uptime: 0, speed: *speed, stake: *stake },
            _ => raw,
        }
    }

    /// The weights of the next epoch. `base` is what governance says, `reaction` by how much of that
    /// a weight rises when its median fell, `smoothing` the step of the moving average. The weight of
    /// stake does not react.
    pub fn next(
        self,
        base: Self,
        fell: Fell,
        reaction: Billionths,
        smoothing: Billionths,
        mode: Mode,
    ) -> Self {
        let raised = |weight: Billionths, fell: bool| {
            weight.saturating_add(if fell { times(weight, reaction) } else { 0 })
        };
        let target = Self::bounded(
            Self {
                uptime: raised(base.uptime, fell.uptime),
                speed: raised(base.speed, fell.speed),
                stake: base.stake,
            },
            mode,
        );
        // The weights before may be of the other mode.
        let before = Self::bounded(self, mode);
        let smoothing = smoothing.min(ONE);
        let mixed = |before: Billionths, target: Billionths| {
            let kept = u128::from(before).saturating_mul(ONE.saturating_sub(smoothing).into());
            kept.saturating_add(u128::from(target).saturating_mul(smoothing.into()))
        };
        let mixed = apportion(
            &[
                mixed(before.uptime, target.uptime),
                mixed(before.speed, target.speed),
                mixed(before.stake, target.stake),
            ],
            ONE,
        );
        match mixed.as_slice() {
            [uptime, speed, stake] => Self { uptime: *uptime, speed: *speed, stake: *stake },
            _ => before,
        }
    }
}

/// Scales two or three weights to the sum 1, and pins the one furthest out of bounds to its bound
/// until none is.
fn within_bounds(raw: &[Billionths]) -> Vec<Billionths> {
    let mut weights: Vec<Option<Billionths>> = raw.iter().map(|_| None).collect();
    for _ in raw {
        let pinned = weights.iter().flatten().fold(0u64, |sum, next| sum.saturating_add(*next));
        let free: Vec<u128> = raw
            .iter()
            .zip(&weights)
            .filter(|(_, pinned)| pinned.is_none())
            // Weights that are all zero count alike.
            .map(|(part, _)| u128::from((*part).max(1)))
            .collect();
        let mut scaled = apportion(&free, ONE.saturating_sub(pinned)).into_iter();
        let all: Vec<Billionths> =
            weights.iter().map(|pinned| pinned.or_else(|| scaled.next()).unwrap_or(0)).collect();
        let distance = |weight: &Billionths| weight.abs_diff(clamped(*weight));
        match all.iter().enumerate().max_by_key(|(_, weight)| distance(weight)) {
            Some((at, weight)) if distance(weight) > 0 => {
                if let Some(slot) = weights.get_mut(at) {
                    *slot = Some(clamped(*weight));
                }
            }
            _ => return all,
        }
    }
    weights.into_iter().map(Option::unwrap_or_default).collect()
}

fn clamped(weight: Billionths) -> Billionths {
    weight.clamp(MIN_WEIGHT, MAX_WEIGHT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BASE: Weights = Weights { uptime: ONE / 4, speed: ONE / 2, stake: ONE / 4 };

    fn sum(weights: Weights) -> u64 {
        weights.uptime + weights.speed + weights.stake
    }

    fn is_bounded(weights: Weights, mode: Mode) -> bool {
        let all = [weights.uptime, weights.speed, weights.stake];
        let counting = if mode == Mode::Shares { &all[1..] } else { &all[..] };
        sum(weights) == ONE
            && counting.iter().all(|weight| (MIN_WEIGHT..=MAX_WEIGHT).contains(weight))
            && (mode == Mode::Additive || weights.uptime == 0)
    }

    #[test]
    fn weights_return_to_their_base() {
        let mut weights = Weights { uptime: MAX_WEIGHT, speed: 200_000_000, stake: MIN_WEIGHT };
        for _ in 0..200 {
            weights = weights.next(BASE, Fell::default(), ONE / 4, ONE / 5, Mode::Additive);
        }
        assert!(weights.speed.abs_diff(BASE.speed) < 10, "{weights:?}");
        assert!(weights.stake.abs_diff(BASE.stake) < 10, "{weights:?}");
    }

    #[test]
    fn weight_whose_median_fell_rises() {
        let before = Weights::bounded(BASE, Mode::Shares);
        let fell = Fell { uptime: false, speed: true };
        let after = before.next(BASE, fell, ONE / 4, ONE / 5, Mode::Shares);
        assert!(after.speed > before.speed && after.stake < before.stake);
        let steady = before.next(BASE, Fell::default(), ONE / 4, ONE / 5, Mode::Shares);
        assert_eq!(steady, before);
    }

    #[test]
    fn weights_of_the_other_mode_are_taken_over() {
        let shares = Weights::bounded(BASE, Mode::Shares);
        let next = shares.next(BASE, Fell::default(), 0, ONE / 5, Mode::Additive);
        assert!(is_bounded(next, Mode::Additive), "{next:?}");
    }

    fn mode() -> impl Strategy<Value = Mode> {
        prop_oneof![Just(Mode::Shares), Just(Mode::Additive)]
    }

    proptest! {
        #[test]
        fn weights_are_bounded_whatever_was_asked(
            raw in any::<[u64; 3]>(),
            mode in mode(),
        ) {
            let raw = Weights { uptime: raw[0], speed: raw[1], stake: raw[2] };
            let weights = Weights::bounded(raw, mode);
            prop_assert!(is_bounded(weights, mode), "{:?}", weights);
        }

        #[test]
        fn weights_stay_bounded_for_ever(
            base in any::<[u32; 3]>(),
            mode in mode(),
            reaction in 0..=2 * ONE,
            smoothing in 0..=ONE,
            fell in proptest::collection::vec(any::<(bool, bool)>(), 1..300),
        ) {
            let base = Weights {
                uptime: base[0].into(),
                speed: base[1].into(),
                stake: base[2].into(),
            };
            let mut weights = Weights::bounded(base, mode);
            for (uptime, speed) in fell {
                weights = weights.next(base, Fell { uptime, speed }, reaction, smoothing, mode);
                prop_assert!(is_bounded(weights, mode), "{:?}", weights);
            }
        }
    }
}
