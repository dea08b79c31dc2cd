// SPDX-License-Identifier: Apache-2.0
//! The speed of a model on this machine, as its server has recently measured it.

use crate::{model::Shape, EngineError, Limits, Model, Session, Threads};
use std::{
    sync::{atomic::AtomicBool, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// A pass of at most this many rows costs as much as streaming the weights.
const NARROW: usize = 4;
/// From this number of rows on, the cost of a pass is proportional to its rows.
const WIDE: usize = 16;
/// The weight of the newest measurement in the average.
const NEW: f64 = 0.125;
/// The largest ratio of a measurement to the average that is believed: a machine that was suspended
/// for an hour has not become that slow.
const OUTLIER: f64 = 8.0;
/// The time of an operation in attention, relative to one in the matrices.
const ATTENTION: f64 = 2.0;
/// Number of passes of one row in a calibration.
const PASSES: usize = 2;

/// The speed of a model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Speed {
    /// Seconds in a pass of few rows at the beginning of a sequence: the time to write one token.
    pub pass: f64,
    /// Seconds for a row in a pass of many: the time to read one token.
    pub row: f64,
    /// The fraction of that time by which each preceding token slows a token down.
    pub growth: f64,
}

impl Speed {
    /// Returns the time in which `count` tokens are written, one after another, when `before`
    /// tokens precede the first.
    pub fn writing(&self, before: u64, count: u64) -> Duration {
        seconds(self.pass * self.at_the_beginning(before, count))
    }

    /// Returns the time in which `count` tokens are read, when `before` tokens precede the first.
    pub fn reading(&self, before: u64, count: u64) -> Duration {
        seconds(self.row * self.at_the_beginning(before, count))
    }

    /// Returns the number of tokens at the beginning of a sequence that take as long as these.
    fn at_the_beginning(&self, before: u64, count: u64) -> f64 {
        count as f64 * (1.0 + self.growth * (before as f64 + count as f64 / 2.0))
    }
}

fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
}

/// A meter of a server's passes.
#[derive(Debug)]
pub(super) struct Speedometer(Mutex<Speed>);

impl Speedometer {
    /// Creates a meter with the result of a calibration.
    pub(super) fn start(model: &Model, threads: &Threads) -> Result<Self, EngineError> {
        let meter = Self(Mutex::new(Speed { pass: 0.0, row: 0.0, growth: growth(model) }));
        // In the first calibration, the weights come from the disk.
        meter.calibrate(model, threads)?;
        meter.calibrate(model, threads)?;
        Ok(meter)
    }

    /// Measures a wide pass and some narrow ones, while other work may run, and replaces the
    /// earlier values.
    pub(super) fn calibrate(&self, model: &Model, threads: &Threads) -> Result<(), EngineError> {
        let context = model.shape().context;
        let wide = WIDE.min(context.saturating_sub(PASSES)).max(1);
        let limits = Limits { memory_bytes: u64::MAX, deadline: None };
        let mut session = Session::new(model, threads, (wide + PASSES).min(context), &limits)?;
        let mut pass = |count: usize| -> Result<Duration, EngineError> {
            let (begun, never) = (Instant::now(), AtomicBool::new(false));
            session.forward(&vec![0; count], &limits, &never, &|_| true, &|_| ())?;
            Ok(begun.elapsed())
        };
        let row = pass(wide)?.as_secs_f64() / wide as f64;
        let mut narrow = row;
        for _ in 0..PASSES.min(context.saturating_sub(wide)) {
            narrow = narrow.max(pass(1)?.as_secs_f64());
        }
        let mut speed = self.lock();
        let fresh = Speed { pass: narrow, row, ..*speed };
        *speed = fresh;
        Ok(())
    }

    /// Returns the current speed.
    pub(super) fn speed(&self) -> Speed {
        *self.lock()
    }

    /// Takes a pass into account: its rows, each given as the number of tokens before it, and its
    /// time.
    pub(super) fn observe(&self, before: impl Iterator<Item = usize>, time: Duration) {
        let mut speed = self.lock();
        let (mut rows, mut weight) = (0usize, 0f64);
        for tokens in before {
            rows += 1;
            weight += speed.at_the_beginning(tokens as u64, 1);
        }
        if rows == 0 {
            return;
        }
        let mix = |old: f64, new: f64| old + NEW * (new.min(old * OUTLIER) - old);
        if rows <= NARROW {
            speed.pass = mix(speed.pass, time.as_secs_f64() * rows as f64 / weight);
        } else if rows >= WIDE {
            speed.row = mix(speed.row, time.as_secs_f64() / weight);
        }
    }

    /// Locks the speed. Its numbers are written one by one, so a panic elsewhere cannot leave them
    /// torn.
    fn lock(&self) -> std::sync::MutexGuard<'_, Speed> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the cost of attention to one more token, as a fraction of a token's cost at the
/// beginning.
fn growth(model: &Model) -> f64 {
    let shape: &Shape = model.shape();
    let attention = 4.0 * (shape.heads * shape.head_dim * shape.layers) as f64;
    let matrices = 2.0 * model.info().parameters.max(1) as f64;
    ATTENTION * attention / matrices
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synthetic::Synthetic;

    fn meter() -> Speedometer {
        Speedometer(Mutex::new(Speed { pass: 1.0, row: 0.25, growth: 0.01 }))
    }

    #[test]
    fn calibration_measures_both_kinds_of_passes() {
        let model = Model::from_bytes(Synthetic::default().file().unwrap()).unwrap();
        let speed = Speedometer::start(&model, &Threads::new(1)).unwrap().speed();
        assert!(speed.row > 0.0 && speed.pass >= speed.row && speed.growth > 0.0, "{speed:?}");
    }

    #[test]
    fn model_with_the_shortest_context_is_calibrated() {
        let short = Synthetic { context: 1, ..Synthetic::default() };
        let model = Model::from_bytes(short.file().unwrap()).unwrap();
        let speed = Speedometer::start(&model, &Threads::new(1)).unwrap().speed();
        assert!(speed.pass > 0.0, "{speed:?}");
    }

    #[test]
    fn later_tokens_take_longer() {
        let speed = meter().speed();
        assert_eq!(speed.writing(0, 100), Duration::from_secs(150));
        assert_eq!(speed.writing(100, 100), Duration::from_secs(250));
        assert_eq!(speed.reading(0, 100), Duration::from_secs_f64(37.5));
    }

    #[test]
    fn passes_move_the_speed_that_they_measure() {
        let meter = meter();
        for _ in 0..200 {
            meter.observe(std::iter::once(0), Duration::from_secs(2));
        }
        let speed = meter.speed();
        assert!((speed.pass - 2.0).abs() < 0.1 && speed.row == 0.25, "{speed:?}");
        for _ in 0..200 {
            meter.observe(0..64, Duration::from_secs(64));
        }
        let speed = meter.speed();
        // 64 rows with 0 to 63 tokens before them cost a third more than at the beginning.
        assert!((speed.row - 0.76).abs() < 0.05, "{speed:?}");
        meter.observe(0..8, Duration::from_secs(1_000));
        assert_eq!(meter.speed(), speed, "a pass of neither few nor many rows changes nothing");
    }

    #[test]
    fn one_long_pass_is_not_believed() {
        let meter = meter();
        meter.observe(std::iter::once(0), Duration::from_secs(3_600));
        assert!(meter.speed().pass < 2.0, "{:?}", meter.speed());
    }
}
