// SPDX-License-Identifier: Apache-2.0
//! What an operator's part in the jobs of a model is reckoned from.
//!
//! Each model is a market of its own: speeds of different models do not compare, so sums, medians and
//! weights are kept per model.
//!
//! [`Mode::Shares`], with the sums over the operators of the model:
//!
//! ```text
//! A = uptime · (α_s · speed·stake / Σ(speed·stake) + α_k · stake / Σ stake)
//! ```
//!
//! `stake` being what it is up to the cap, and nothing below the minimum. Speed counts as far as
//! stake backs it. Were it the bare measured speed, ten identities on one machine with little to do
//! would each be credited with all of its speed; so backed, an operator that splits into ten of a
//! tenth of its stake has exactly the same share, whatever speed they show.
//!
//! [`Mode::Additive`], as first published, in which splitting pays:
//!
//! ```text
//! A = α_u · uptime + α_s · speed / max speed + α_k · clamp(stake, minimum, cap) / cap
//! ```
//!
//! A score is drawn in proportion to, so it may have any factor that is the same for all. In `Shares`
//! it is A times Σ stake / cap: 1.0 for an operator with a full stake, full uptime and the speed that
//! stands behind the mean unit of stake. That makes the score of a newcomer, `uptime · α_k · stake`,
//! independent of everyone else's.

use crate::{
    fixed::{ratio, times, Billionths, ONE},
    histogram::{Histogram, Median},
    measure::Speed,
    mode::Mode,
    weighting::{Fell, Weights},
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// The most that a speed counts, in units of the mean: one wild measurement does not take a market.
pub const MAX_TIMES_MEAN: u64 = 64;

/// What governance says of scores.
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
    /// How scores are put together.
    pub mode: Mode,
    /// The weights that are returned to.
    pub base: Weights,
    /// By how much of its base a weight rises whose median fell.
    pub reaction: Billionths,
    /// A median that falls by less than this has not fallen.
    pub tolerance: Billionths,
    /// The step of the moving average of weights.
    pub weight_smoothing: Billionths,
    /// The step of the moving average of an operator's uptime and speeds.
    pub smoothing: Billionths,
    /// The uptime of an operator of which nothing is known.
    pub newcomer_uptime: Billionths,
    /// The stake below which an operator has no score.
    pub min_stake: u128,
    /// The stake above which more adds nothing.
    pub stake_cap: u128,
}

impl Params {
    /// Shares in which speed and stake count alike; what is measured counts by halves. For tests and
    /// simulations.
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

    /// Which relation between the parameters does not hold.
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

    /// A stake as a part of the cap; 0 below the minimum.
    pub fn backed(&self, stake: u128) -> Billionths {
        if stake < self.min_stake {
            return 0;
        }
        ratio(stake.min(self.stake_cap), self.stake_cap)
    }
}

/// What is known of one operator.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Factors {
    /// Its uptime.
    pub uptime: Billionths,
    /// Its speed with the model; 0 where none was measured.
    pub speed: Speed,
    /// Its stake as a part of the cap, as [`Params::backed`] has it.
    pub stake: Billionths,
}

/// What scores of a model are reckoned with in one epoch.
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
    /// Σ stake of all operators, in parts of the cap.
    pub stake: u128,
    /// Σ speed · stake.
    pub backed_speed: u128,
    /// The highest speed.
    pub top_speed: Speed,
    /// The median uptime, weighted by work.
    pub uptime: Median,
    /// The median speed, weighted by work.
    pub speed: Median,
}

impl Terms {
    /// Those of a model of which nothing is known.
    pub fn new(params: &Params) -> Self {
        Self { weights: Weights::bounded(params.base, params.mode), ..Self::default() }
    }

    /// Those of the next epoch, from what was measured in this one. Where nothing was measured, what
    /// was known stays.
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

    /// An operator's speed over the mean, in billionths, at most [`MAX_TIMES_MEAN`].
    fn times_mean(&self, speed: Speed) -> u64 {
        let most = MAX_TIMES_MEAN.saturating_mul(ONE);
        ratio(u128::from(speed).saturating_mul(self.stake), self.backed_speed).min(most)
    }

    /// The score of an operator: at most [`MAX_TIMES_MEAN`]` + 1` in billionths.
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

/// What is measured of a model's operators in one epoch.
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

/// What one operator did in an epoch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Measured {
    /// Its uptime in this epoch alone; `None` where it was asked nothing.
    pub uptime: Option<Billionths>,
    /// Its speed in this epoch alone; `None` where it delivered nothing.
    pub speed: Option<Speed>,
    /// The tokens that it delivered.
    pub tokens: u64,
}

impl Tally {
    /// Nothing yet, after an epoch with these terms.
    pub fn after(terms: &Terms) -> Self {
        Self {
            uptime: Histogram::around(terms.uptime.value),
            speed: Histogram::around(terms.speed.value),
            ..Self::default()
        }
    }

    /// Counts an operator: what it now is, and what it did in the epoch.
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
