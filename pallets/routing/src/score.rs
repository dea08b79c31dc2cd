// SPDX-License-Identifier: Apache-2.0
//! The score, by which an operator's part in the jobs of a model is computed.
//!
//! Each model is a market of its own. Speeds of different models do not compare, so sums, medians
//! and weights are kept per model.
//!
//! [`Mode::Shares`], with the sums over the operators of the model:
//!
//! ```text
//! A = uptime · (α_s · speed·stake / Σ(speed·stake) + α_k · stake / Σ stake)
//! ```
//!
//! Here `stake` is limited by the cap, and 0 below the minimum. Speed is multiplied by the stake
//! that backs it. With the bare measured speed, ten identities on one machine with little to do
//! would each be credited with all of its speed. With the backed speed, an operator that splits
//! into ten, each with a tenth of its stake, has exactly the same share, whatever speed they show.
//!
//! [`Mode::Additive`], as first published, in which splitting pays:
//!
//! ```text
//! A = α_u · uptime + α_s · speed / max speed + α_k · clamp(stake, minimum, cap) / cap
//! ```
//!
//! Operators are drawn in proportion to their scores, so a score may have any factor that is the
//! same for all. In `Shares` it is A times Σ stake / cap: 1.0 for an operator with a full stake,
//! full uptime and the speed behind the mean unit of stake. This makes the score of a newcomer,
//! `uptime · α_k · stake`, independent of all other operators.

use crate::{
    fixed::{ratio, times, Billionths, ONE},
    histogram::{Histogram, Median},
    measure::Speed,
    mode::Mode,
    weighting::{Fell, Weights},
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// The most that a speed counts, in units of the mean, so that one wild measurement does not take
/// over a market.
pub const MAX_TIMES_MEAN: u64 = 64;

/// The parameters of scores, set by governance.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    TypeInfo,
    MaxEncodedLen,
)]
pub struct Params {
    /// The formula of a score.
    pub mode: Mode,
    /// The base weights, to which the weights return.
    pub base: Weights,
    /// The fraction of its base by which a weight rises when its median fell.
    pub reaction: Billionths,
    /// The smallest fall of a median that counts as one.
    pub tolerance: Billionths,
    /// The step of the moving average of weights.
    pub weight_smoothing: Billionths,
    /// The step of the moving average of an operator's uptime and speeds.
    pub smoothing: Billionths,
    /// The initial uptime of an operator of which nothing is known.
    pub newcomer_uptime: Billionths,
    /// The stake below which an operator has no score.
    pub min_stake: u128,
    /// The stake above which more adds nothing.
    pub stake_cap: u128,
}

impl Params {
    /// Returns parameters in which the shares of speed and stake have equal weight, and each
    /// measurement moves its smoothed value halfway. They are for tests and simulations.
    #[cfg(feature = "std")]
    pub const fn even(min_stake: u128, stake_cap: u128) -> Self {
        Self {
            mode: Mode::Shares,
            base: Weights { uptime: 0, speed: ONE / 2, stake: ONE / 2 },
            reaction: ONE / 4,
            tolerance: ONE / 50,
            weight_smoothing: ONE / 5,
            smoothing: ONE / 2,
            newcomer_uptime: ONE / 2,
            min_stake,
            stake_cap,
        }
    }

    /// Returns an error that names the relation between the parameters that does not hold.
    pub fn check(&self) -> Result<(), &'static str> {
        let require = |holds: bool, what| if holds { Ok(()) } else { Err(what) };
        require(Weights::bounded(self.base, self.mode) == self.base, "base weights out of bounds")?;
        require(self.reaction <= 2 * ONE, "a weight must not more than triple")?;
        require(self.tolerance < ONE, "a median must be able to fall")?;
        require((1..=ONE).contains(&self.weight_smoothing), "weights must be able to move")?;
        require((1..=ONE).contains(&self.smoothing), "measurements must be able to count")?;
        require((1..=ONE).contains(&self.newcomer_uptime), "a newcomer must have a score")?;
        require(self.min_stake > 0, "a score must have a stake behind it")?;
        require(self.min_stake <= self.stake_cap, "the minimum stake exceeds the cap")?;
        require(self.backed(self.min_stake) > 0, "the minimum stake is too small a part of the cap")
    }

    /// Returns a stake as a fraction of the cap; 0 below the minimum.
    pub fn backed(&self, stake: u128) -> Billionths {
        if stake < self.min_stake {
            return 0;
        }
        ratio(stake.min(self.stake_cap), self.stake_cap)
    }
}

/// The factors of one operator's score.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Factors {
    /// The operator's uptime.
    pub uptime: Billionths,
    /// The operator's speed with the model; 0 if none was measured.
    pub speed: Speed,
    /// The operator's stake as a fraction of the cap, as computed by [`Params::backed`].
    pub stake: Billionths,
}

/// The terms by which the scores of a model are computed in one epoch.
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
pub struct Terms {
    /// The weights.
    pub weights: Weights,
    /// The sum of all operators' stakes, as fractions of the cap.
    pub stake: u128,
    /// The sum of speed times stake.
    pub backed_speed: u128,
    /// The highest speed.
    pub top_speed: Speed,
    /// The median uptime, weighted by work.
    pub uptime: Median,
    /// The median speed, weighted by work.
    pub speed: Median,
}

impl Terms {
    /// Returns the terms of a model of which nothing is known.
    pub fn new(params: &Params) -> Self {
        Self { weights: Weights::bounded(params.base, params.mode), ..Self::default() }
    }

    /// Returns the terms of the next epoch, from the measurements of this one. Earlier values
    /// remain where nothing was measured.
    pub fn next(&self, params: &Params, tally: &Tally) -> Self {
        let uptime = tally.uptime.median().unwrap_or(self.uptime);
        let speed = tally.speed.median().unwrap_or(self.speed);
        let fell = Fell {
            uptime: uptime.fell(&self.uptime, params.tolerance),
            speed: speed.fell(&self.speed, params.tolerance),
        };
        let weights = self.weights.next(
            params.base,
            fell,
            params.reaction,
            params.weight_smoothing,
            params.mode,
        );
        if tally.stake == 0 {
            return Self { weights, uptime, speed, ..*self };
        }
        Self {
            weights,
            stake: tally.stake,
            backed_speed: tally.backed_speed,
            top_speed: tally.top_speed,
            uptime,
            speed,
        }
    }

    /// Returns an operator's speed relative to the mean, in billionths, at most [`MAX_TIMES_MEAN`].
    fn times_mean(&self, speed: Speed) -> u64 {
        let most = MAX_TIMES_MEAN.saturating_mul(ONE);
        ratio(u128::from(speed).saturating_mul(self.stake), self.backed_speed).min(most)
    }

    /// Returns the score of an operator in billionths: at most [`MAX_TIMES_MEAN`]` + 1`.
    pub fn score(&self, params: &Params, operator: &Factors) -> u64 {
        if operator.stake == 0 {
            return 0;
        }
        let Factors { uptime, speed, stake } = *operator;
        let Weights { uptime: of_uptime, speed: of_speed, stake: of_stake } = self.weights;
        match params.mode {
            Mode::Shares => {
                let mixed = times(self.times_mean(speed), of_speed).saturating_add(of_stake);
                times(times(mixed, stake), uptime)
            }
            Mode::Additive => {
                let speed = ratio(speed.into(), self.top_speed.into()).min(ONE);
                times(uptime, of_uptime)
                    .saturating_add(times(speed, of_speed))
                    .saturating_add(times(stake, of_stake))
            }
        }
    }
}

/// The measurements of a model's operators in one epoch.
#[derive(
    Clone,
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
pub struct Tally {
    stake: u128,
    backed_speed: u128,
    top_speed: Speed,
    uptime: Histogram,
    speed: Histogram,
}

/// The measurements of one operator in an epoch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Measured {
    /// The uptime in this epoch alone; `None` if the operator was not asked anything.
    pub uptime: Option<Billionths>,
    /// The speed in this epoch alone; `None` if the operator delivered nothing.
    pub speed: Option<Speed>,
    /// The number of tokens delivered.
    pub tokens: u64,
}

impl Tally {
    /// Returns an empty tally, after an epoch with these terms.
    pub fn after(terms: &Terms) -> Self {
        Self {
            uptime: Histogram::around(terms.uptime.value),
            speed: Histogram::around(terms.speed.value),
            ..Self::default()
        }
    }

    /// Adds an operator: its current factors, and its measurements in the epoch.
    pub fn add(&mut self, operator: &Factors, measured: &Measured) {
        let Factors { speed, stake, .. } = *operator;
        self.stake = self.stake.saturating_add(stake.into());
        let backed = u128::from(speed).saturating_mul(stake.into());
        self.backed_speed = self.backed_speed.saturating_add(backed);
        self.top_speed = self.top_speed.max(speed);
        if let Some(uptime) = measured.uptime {
            self.uptime.add(uptime, measured.tokens);
        }
        if let Some(speed) = measured.speed {
            self.speed.add(speed, measured.tokens);
        }
    }
}
