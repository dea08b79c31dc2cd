// SPDX-License-Identifier: Apache-2.0
//! The profit of a strategy: expected, over all ways that a job can go, and simulated.

use crate::{
    assumptions::{CHECK, HONEST, PRICES, TOKENS},
    catalogue::{Honest, Strategy, Variant},
    costs::asy,
    draws::Draws,
    stage::Ended,
    strategy::{Conduct, Order},
    tree::{leaves, Leaf, Played, Rates, Setting},
};
use assay_primitives::settlement::Outcome;
use std::{cell::RefCell, collections::HashMap};

/// The costs of work, in ASY.
#[derive(Clone, Copy, Debug)]
pub struct Costs {
    /// Honest work for the reference job.
    pub work: f64,
    /// A check of it.
    pub check: f64,
}

impl Costs {
    /// Returns the costs if honest work costs that part of its price.
    pub fn at(part: f64) -> Self {
        let price = asy(PRICES.of(Order::REFERENCE.input, TOKENS) as i128);
        Self { work: part * price, check: part * price * CHECK }
    }
}

impl Default for Costs {
    fn default() -> Self {
        Self::at(HONEST)
    }
}

/// The profit of a strategy at a share.
#[derive(Clone, Debug)]
pub struct Earned {
    /// The best variant.
    pub label: &'static str,
    /// The expected profit of a job, in ASY.
    pub profit: f64,
    /// The standard deviation of a job's profit, in ASY.
    pub deviation: f64,
    /// The expected profit of the same accounts if they are honest, in ASY.
    pub honest: f64,
    /// The mean of simulated jobs, in ASY, if they were simulated.
    pub simulated: Option<f64>,
}

/// All that was played on the runtime.
pub struct Evaluator {
    rates: Rates,
    played: RefCell<HashMap<String, Played>>,
}

impl Evaluator {
    /// Begins with nothing played.
    pub fn new() -> Self {
        Self { rates: Rates::read(), played: RefCell::default() }
    }

    /// Returns the number of different ends of jobs that were played on the runtime.
    pub fn ends(&self) -> usize {
        self.played.borrow().values().map(Played::ends).sum()
    }

    fn played(&self, conduct: &Conduct) -> Played {
        self.played.borrow_mut().entry(format!("{conduct:?}")).or_default().clone()
    }

    /// Returns what the strategy earns if the group has that share, and simulates so many jobs.
    pub fn earned(&self, strategy: &Strategy, share: f64, costs: Costs, jobs: u32) -> Earned {
        let setting =
            Setting { members: strategy.drawn.at(share), authors: (strategy.authors)(share) };
        let (variant, profit, deviation) = strategy
            .variants
            .iter()
            .map(|variant| {
                let ways = self.ways(&variant.conduct, &setting);
                let worth = |ended: &Ended| worth(strategy, variant, ended, costs);
                let (mean, deviation) = moments(&ways, worth);
                (variant, mean, deviation)
            })
            .max_by(|one, other| one.1.total_cmp(&other.1))
            .expect("each strategy has a variant");
        let simulated = (jobs > 0).then(|| {
            let draws = Draws::new(strategy.name, &setting, &self.rates);
            let played = self.played(&variant.conduct);
            let sum: f64 = (0..jobs)
                .map(|n| draws.job(n, &variant.conduct, &played))
                .map(|ended| worth(strategy, variant, &ended, costs))
                .sum();
            sum / f64::from(jobs)
        });
        let honest = self.honest(strategy, share, costs);
        Earned { label: variant.label, profit, deviation, honest, simulated }
    }

    /// Returns what the accounts of a strategy earn if they are honest.
    fn honest(&self, strategy: &Strategy, share: f64, costs: Costs) -> f64 {
        let Honest::Job(conduct) = strategy.honest else { return 0.0 };
        let setting =
            Setting { members: strategy.drawn.at(share), authors: crate::authors::Authors::NONE };
        let works = conduct.operator == crate::strategy::Operator::InGroup;
        let strategy = Strategy { work: f64::from(u8::from(works)), ..strategy.clone() };
        let variant = Variant { label: "", conduct, extra: 0.0, when_slashed: 0.0 };
        let ways = self.ways(&conduct, &setting);
        moments(&ways, |ended| worth(&strategy, &variant, ended, costs)).0
    }

    fn ways(&self, conduct: &Conduct, setting: &Setting) -> Vec<Leaf> {
        leaves(conduct, setting, &self.rates, &self.played(conduct))
    }

    /// Returns the smallest share in percent, of those up to a half, at which the strategy earns more
    /// than `than` says of what it earns.
    pub fn breaks_even(&self, strategy: &Strategy, than: impl Fn(&Earned) -> f64) -> Option<u32> {
        (0..=50).find(|percent| {
            let earned = self.earned(strategy, f64::from(*percent) / 100.0, Costs::default(), 0);
            earned.profit > than(&earned) + 1e-9
        })
    }
}

/// Returns the group's profit from a job that has ended so.
fn worth(strategy: &Strategy, variant: &Variant, ended: &Ended, costs: Costs) -> f64 {
    let Order { input, tokens, prices, .. } = variant.conduct.order;
    let text = if strategy.wanted { asy(prices.of(input, tokens) as i128) } else { 0.0 };
    let slashed = if ended.outcome == Outcome::Slashed { variant.when_slashed } else { 0.0 };
    asy(ended.gain) + text
        - strategy.work * costs.work
        - f64::from(ended.checks) * costs.check
        - variant.extra
        - slashed
}

/// Returns the mean and the standard deviation.
fn moments(ways: &[Leaf], worth: impl Fn(&Ended) -> f64) -> (f64, f64) {
    let mean: f64 = ways.iter().map(|way| way.probability * worth(&way.ended)).sum();
    let variance: f64 =
        ways.iter().map(|way| way.probability * (worth(&way.ended) - mean).powi(2)).sum();
    (mean, variance.sqrt())
}
