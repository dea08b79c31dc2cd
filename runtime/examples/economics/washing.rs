// SPDX-License-Identifier: Apache-2.0
//! Wash trading: an operator orders jobs that it answers at once where it is drawn for them, so that it
//! counts as fast and is drawn more often. Only routed jobs are measured, so it has to order at a price that
//! operators with half of the others' stake ask, and others are drawn for most of these jobs. It keeps the
//! prompts of those from them, and cancels these jobs when they decline. Scores are computed by routing's own
//! functions.

use crate::{
    assumptions::{INPUT, PRICES, TOKENS, WASHED},
    catalogue,
    costs::withdrawn,
    evaluate::{Costs, Evaluator},
    scene, stage,
    strategy::Order,
};
use assay_primitives::{job::Payment, Balance};
use assay_runtime::{parameters::Scores, Jobs, Runtime, UNIT};
use frame_support::traits::Get;
use pallet_routing::{
    fixed::ONE,
    measure::{Pace, Work},
    score::{Factors, Measured, Params, Tally, Terms},
    tree::{self, InMemory, Urn},
};
use serde_json::{json, Value};
use sp_core::H256;

/// The operators of the market, all with the same stake and speed.
const OPERATORS: u32 = 100;
/// The jobs of each in an epoch, if all have as many.
const JOBS: f64 = 20.0;
/// The most jobs that an operator can run in an epoch of an hour, one after the other.
const CAPACITY: f64 = 240.0;
/// The milliseconds that an operator takes for the reference job: five blocks.
const MILLIS: f64 = 15_000.0;
/// The stake of each.
const STAKE: Balance = 100_000 * UNIT;
/// The epochs until nothing changes any more.
const EPOCHS: u32 = 300;

/// An operator whose jobs and speed are known.
#[derive(Clone, Copy, Default)]
struct Worker {
    pace: Pace,
    work: Work,
}

impl Worker {
    /// Adds the jobs of an epoch that were audited, at the price of the market: only their speeds are
    /// measured. Their fees are in proportion to it.
    fn add(&mut self, audited: f64, [input, tokens]: [u32; 2], millis: f64) {
        let fees = (audited * PRICES.of(input, tokens) as f64) as Balance;
        self.work.add((audited * f64::from(tokens)) as u32, (audited * millis) as u64, fees);
    }

    fn factors(&self, params: &Params) -> Factors {
        Factors { uptime: ONE, speed: self.pace.speed, stake: params.backed(STAKE) }
    }

    /// Closes an epoch.
    fn close(&mut self, params: &Params, tally: &mut Tally, times: u32) {
        let work = std::mem::take(&mut self.work);
        self.pace = self.pace.after(&work, params.smoothing);
        let measured = Measured { uptime: Some(ONE), speed: work.speed(), tokens: work.tokens };
        (0..times).for_each(|_| tally.add(&self.factors(params), &measured));
    }
}

/// Returns the scores of an operator that orders `washed` jobs of itself in each epoch, and of the others.
fn scores(washed: f64) -> [u64; 2] {
    let (params, audited) = stage::on_chain(|| (Scores::get(), stage::audit_floor()));
    let mut terms = Terms::new(&params);
    let [mut own, mut other] = [Worker::default(); 2];
    let mut share = 1.0 / f64::from(OPERATORS);
    let mut scores = [0, 0];
    for _ in 0..EPOCHS {
        let all = JOBS * f64::from(OPERATORS);
        own.add((share * all).min(CAPACITY) * audited, [INPUT, TOKENS], MILLIS);
        if washed > 0.0 {
            own.add(washed * audited, [1, WASHED.0], WASHED.1);
        }
        let rest = (1.0 - share) * all / f64::from(OPERATORS - 1);
        other.add(rest * audited, [INPUT, TOKENS], MILLIS);
        let mut tally = Tally::after(&terms);
        own.close(&params, &mut tally, 1);
        other.close(&params, &mut tally, OPERATORS - 1);
        terms = terms.next(&params, &tally);
        scores = [own, other].map(|worker| terms.score(&params, &worker.factors(&params)));
        share = share_of(scores);
    }
    scores
}

fn share_of([own, other]: [u64; 2]) -> f64 {
    own as f64 / (own as f64 + other as f64 * f64::from(OPERATORS - 1))
}

/// Returns the part of its orders for which the operator itself is drawn, if half of the others could have
/// them: as few as it takes for a job to be routed.
fn landing([own, other]: [u64; 2]) -> f64 {
    own as f64 / (own as f64 + other as f64 * f64::from(OPERATORS - 1) / 2.0)
}

/// Returns the part of so many draws, made with the urn that the runtime draws with, that the first
/// operator wins.
fn simulated([own, other]: [u64; 2], draws: u32) -> f64 {
    let mut scores = InMemory::default();
    for slot in 0..OPERATORS {
        tree::set_leaf(&mut scores, slot, if slot == 0 { own } else { other });
    }
    let wins = |n: &u32| {
        Urn::new(&scores, H256::from_low_u64_be(u64::from(*n)))
            .draw()
            .is_some_and(|(slot, _)| slot == 0)
    };
    (0..draws).filter(wins).count() as f64 / f64::from(draws)
}

/// Checks on the runtime that a job at the price of the market is measured, and one at a price that only its
/// operator asks is not.
fn check_measured() -> Result<(), String> {
    for (alone, measured) in [(true, 0), (false, u64::from(WASHED.0))] {
        let tokens = stage::on_chain(|| {
            let spec = scene::spec(1, WASHED.0);
            if alone {
                scene::ask(&scene::operators()[0], Order::TINY.prices);
            }
            let quote =
                Jobs::quote(&spec.model, 1, WASHED.0).map_err(|error| format!("{error:?}"))?;
            let cost = if alone { quote.least_cost } else { quote.payment.cost };
            let job = scene::create(spec.clone(), Payment { cost, ..quote.payment });
            let operator = scene::deliver(&job, WASHED.0);
            scene::judge(&job, |_, _, _| scene::accepts());
            let member = pallet_routing::Members::<Runtime>::get(&operator);
            let work = member.and_then(|member| Some(member.of(&spec.model)?.work));
            Ok::<_, String>(work.map_or(0, |work| work.tokens))
        })?;
        if tokens != measured {
            return Err(format!("{tokens} tokens were measured of a job, and {measured} expected"));
        }
    }
    Ok(())
}

/// Returns what it brings to answer 0, 1, 2 and so on jobs of oneself in each epoch; the profit is that of
/// an epoch over that of an epoch of honest work.
pub fn runs(evaluator: &Evaluator, jobs: u32, errors: f64) -> Result<Vec<Value>, String> {
    check_measured()?;
    let costs = Costs::default();
    let honest = evaluator.earned(&catalogue::honest(), 0.0, costs, 0).profit;
    let answered = evaluator.earned(&catalogue::washed(), 0.0, costs, 0).profit;
    let withdrawn = withdrawn();
    [0u32, 1, 2, 5, 10, 20, 50]
        .into_iter()
        .map(|washed| {
            let scores = scores(washed.into());
            let share = share_of(scores);
            let draws = jobs.max(1_000) * 10;
            let drawn = simulated(scores, draws);
            let error = (share * (1.0 - share) / f64::from(draws)).sqrt();
            if (drawn - share).abs() > errors * error {
                return Err(format!(
                    "{washed} jobs: the share {share} was computed, and {drawn} drawn"
                ));
            }
            let real = (share * JOBS * f64::from(OPERATORS)).min(CAPACITY);
            let orders = 1.0 / landing(scores);
            let washed_job = answered - (orders - 1.0) * withdrawn;
            let profit = real * honest + f64::from(washed) * washed_job;
            Ok(json!({
                "washed": washed,
                "share": share * f64::from(OPERATORS),
                "orders": orders,
                "cost": -washed_job / honest,
                "profit": profit / (JOBS * honest),
                "simulated": ((drawn * JOBS * f64::from(OPERATORS)).min(CAPACITY) * honest
                    + f64::from(washed) * washed_job) / (JOBS * honest),
            }))
        })
        .collect()
}
