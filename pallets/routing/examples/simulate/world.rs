// SPDX-License-Identifier: Apache-2.0
//! A market in memory that routes as the pallet does.

use pallet_routing::{
    fixed::{Billionths, ONE},
    measure::{smoothed, Conduct, Pace, Work},
    score::{Factors, Measured, Params, Tally, Terms},
    tree::{self, InMemory, Urn},
    weighting::Weights,
    Mode,
};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use sp_core::H256;

/// The largest stake that counts, in whole tokens.
pub const CAP: u128 = 100_000;

/// Returns the parameters of all simulations.
pub fn params(mode: Mode) -> Params {
    let base = match mode {
        Mode::Shares => Weights { uptime: 0, speed: ONE / 2, stake: ONE / 2 },
        Mode::Additive => Weights { uptime: 300_000_000, speed: 400_000_000, stake: 300_000_000 },
    };
    Params { mode, base, smoothing: ONE / 10, ..Params::even(1_000, CAP) }
}

/// An operator with its true properties and its measurements.
#[derive(Clone, Debug)]
pub struct Operator {
    /// The operator's stake.
    pub stake: u128,
    /// The tokens per second that the operator shows when it works.
    pub speed: f64,
    /// The probability that the operator answers.
    pub answers: f64,
    /// Whether the operator has fallen silent.
    pub silent: bool,
    /// The requests to the operator in this epoch.
    pub conduct: Conduct,
    /// The operator's deliveries in this epoch.
    pub work: Work,
    uptime: Billionths,
    pace: Pace,
}

impl Operator {
    /// Returns an operator of which nothing is known.
    pub fn new(stake: u128, speed: f64, answers: f64) -> Self {
        Self {
            stake,
            speed,
            answers,
            silent: false,
            conduct: Conduct::default(),
            work: Work::default(),
            uptime: ONE / 2,
            pace: Pace::default(),
        }
    }

    /// Returns one operator of a crowd: stakes from the minimum to twice the cap, speeds over two
    /// orders of magnitude, and nine of ten answers or more.
    pub fn random(rng: &mut ChaCha8Rng) -> Self {
        let stake = 1_000 * rng.random_range(1..=200u128);
        let speed = 10f64.powf(rng.random_range(0.0..2.0));
        Self::new(stake, speed, rng.random_range(0.9..1.0))
    }

    /// Runs a job of 200 tokens at about the operator's speed, and returns whether it was
    /// delivered.
    pub fn run(&mut self, noise: f64, rng: &mut ChaCha8Rng) -> bool {
        let answers = rng.random_bool(self.answers);
        if answers {
            self.conduct.answered += 1;
            let speed = self.speed * (1.0 + noise * rng.random_range(-1.0..1.0));
            self.work.add(200, (200_000.0 / speed) as u64, 200);
        } else {
            self.conduct.missed += 1;
        }
        answers
    }
}

/// The operators of a model, and the trees from which they are drawn.
pub struct World {
    /// The parameters of scores.
    pub params: Params,
    /// The operators, by their places.
    pub operators: Vec<Operator>,
    /// The terms of this epoch.
    pub terms: Terms,
    tally: Tally,
    now: InMemory,
    next: InMemory,
    draws: u64,
}

impl World {
    /// Returns a market of newcomers.
    pub fn new(mode: Mode, operators: Vec<Operator>) -> Self {
        let params = params(mode);
        let terms = Terms::new(&params);
        let mut world = Self {
            params,
            operators,
            terms,
            tally: Tally::after(&terms),
            now: InMemory::default(),
            next: InMemory::default(),
            draws: 0,
        };
        for slot in 0..world.operators.len() {
            let score = world.reckon(slot);
            tree::set_leaf(&mut world.now, slot as u32, score);
            tree::set_leaf(&mut world.next, slot as u32, score);
        }
        world
    }

    fn factors(&self, slot: usize) -> Factors {
        let operator = &self.operators[slot];
        let stake = if operator.silent { 0 } else { self.params.backed(operator.stake) };
        Factors { uptime: operator.uptime, speed: operator.pace.speed, stake }
    }

    fn reckon(&self, slot: usize) -> u64 {
        self.terms.score(&self.params, &self.factors(slot))
    }

    /// Returns the measured uptime and tokens per second of an operator.
    pub fn known(&self, slot: usize) -> (f64, f64) {
        let operator = &self.operators[slot];
        (operator.uptime as f64 / ONE as f64, operator.pace.speed as f64 / 1_000.0)
    }

    /// Returns each operator's part of the draws in this epoch.
    pub fn shares(&self) -> Vec<f64> {
        let total = tree::total(&self.now).max(1) as f64;
        (0..self.operators.len() as u32)
            .map(|slot| tree::leaf(&self.now, slot) as f64 / total)
            .collect()
    }

    /// Draws two operators and returns the first, as the pallet does where all are equally busy.
    pub fn draw(&mut self) -> Option<usize> {
        self.draws += 1;
        let mut urn = Urn::new(&self.now, H256::from_low_u64_be(self.draws));
        let first = urn.draw();
        urn.draw();
        first.map(|(slot, _)| slot as usize)
    }

    /// Draws two operators. Returns the second if it would run fewer jobs for its score than the
    /// first, with half of the new job counted.
    pub fn draw_of_two(&mut self, running: &[u64]) -> Option<usize> {
        self.draws += 1;
        let mut urn = Urn::new(&self.now, H256::from_low_u64_be(self.draws));
        let (first, score) = urn.draw()?;
        let Some((second, other)) = urn.draw() else { return Some(first as usize) };
        let halves = |slot: u32| 2 * u128::from(running[slot as usize]);
        let own = (halves(second) + 1) * u128::from(score);
        let slot = if own < halves(first) * u128::from(other) { second } else { first };
        Some(slot as usize)
    }

    /// Closes an operator's records, and computes its score for the next epoch.
    pub fn visit(&mut self, slot: usize) {
        let smoothing = self.params.smoothing;
        let operator = &mut self.operators[slot];
        let uptime = std::mem::take(&mut operator.conduct).uptime();
        let work = std::mem::take(&mut operator.work);
        operator.uptime = smoothed(operator.uptime, uptime, smoothing);
        operator.pace = operator.pace.after(&work, smoothing);
        let measured = Measured { uptime, speed: work.speed(), tokens: work.tokens };
        let factors = self.factors(slot);
        if factors.stake > 0 {
            self.tally.add(&factors, &measured);
        }
        let score = self.reckon(slot);
        tree::set_leaf(&mut self.next, slot as u32, score);
    }

    /// Removes an operator from both trees.
    pub fn silence(&mut self, slot: usize) {
        self.operators[slot].silent = true;
        tree::set_leaf(&mut self.now, slot as u32, 0);
        tree::set_leaf(&mut self.next, slot as u32, 0);
    }

    /// Begins the next epoch.
    pub fn turn_over(&mut self) {
        self.terms = self.terms.next(&self.params, &self.tally);
        self.tally = Tally::after(&self.terms);
        std::mem::swap(&mut self.now, &mut self.next);
    }

    /// Visits all operators and begins the next epoch. Each answers its heartbeat with the
    /// probability that it answers at all.
    pub fn run_epoch(&mut self, rng: &mut ChaCha8Rng) {
        for slot in 0..self.operators.len() {
            let operator = &mut self.operators[slot];
            if rng.random_bool(operator.answers) {
                operator.conduct.answered += 1;
            } else {
                operator.conduct.missed += 1;
            }
            self.visit(slot);
        }
        self.turn_over();
    }
}
