// SPDX-License-Identifier: Apache-2.0
//! Computes what dishonest strategies earn, and prints it as JSON.
//!
//! The rules and the amounts are the runtime's own: each way that a job can go is played once on a
//! chain in memory with the default parameters. Expected profits are computed over all ways with their
//! probabilities. Thousands of jobs are then drawn with the runtime's own tickets, seeds and urns, and
//! their mean must lie within three standard errors of what was computed. Seeds are fixed, so every run
//! prints the same.
//!
//! Usage: `economics [jobs]`, the simulated jobs of each strategy, 10,000 by default.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the program prints its results")]

mod assumptions;
mod authors;
#[path = "../../tests/blocks/mod.rs"]
mod blocks;
#[path = "../../tests/economy/blockspace.rs"]
mod blockspace;
mod catalogue;
#[path = "../../tests/chain/mod.rs"]
mod chain;
mod costs;
mod draws;
mod evaluate;
mod probability;
#[path = "../../tests/economy/scene.rs"]
#[allow(dead_code, reason = "the tests of the economy use all of it")]
mod scene;
mod stage;
mod strategy;
#[path = "../../tests/tickets/mod.rs"]
mod tickets;
mod tree;
mod washing;

use assumptions::{CHECK, HONEST, POOL, SHARE, SHARES};
use catalogue::{Drawn, Strategy};
use evaluate::{Costs, Earned, Evaluator};
use serde_json::{json, Value};

/// Standard errors that the simulated mean may be away from the expected one.
const ERRORS: f64 = 3.0;

fn main() {
    let jobs: u32 = match std::env::args().nth(1).map(|jobs| jobs.parse()) {
        None => 10_000,
        Some(Ok(jobs @ 1_000..)) => jobs,
        Some(_) => {
            eprintln!("economics: error: the argument is not a number of jobs of at least 1000");
            std::process::exit(2);
        }
    };
    let evaluator = Evaluator::new();
    let strategies = catalogue::all();
    let share = |percent: u32| f64::from(percent) / 100.0;
    let reference = evaluator.earned(&strategies[0], share(SHARE), Costs::default(), 0).profit;
    let mut rows = vec![];
    for strategy in &strategies {
        eprintln!("economics: {}", strategy.name);
        let shares: Vec<(u32, Earned)> = SHARES
            .iter()
            .map(|percent| {
                let shared = depends_on_share(strategy) || *percent == SHARE;
                let jobs = if shared { jobs } else { 0 };
                let earned = evaluator.earned(strategy, share(*percent), Costs::default(), jobs);
                confirm(strategy, *percent, &earned, jobs);
                (*percent, earned)
            })
            .collect();
        rows.push(row(&evaluator, strategy, &shares, reference));
    }
    let washing = washing::runs(&evaluator, jobs, ERRORS).unwrap_or_else(|error| {
        eprintln!("economics: error: wash trading: {error}");
        std::process::exit(1);
    });
    let all = json!({
        "jobs": jobs,
        "ends": evaluator.ends(),
        "honest_profit": reference,
        "honest_cost": HONEST,
        "check": CHECK,
        "pool": POOL,
        "share": SHARE,
        "shares": SHARES,
        "rows": rows,
        "washing": washing,
        "full_block": [costs::full_block(false), costs::full_block(true)],
        "stuffers": costs::stuffers(),
        "record": costs::record(),
        "runs": SHARES.map(|percent| json!({
            "share": percent,
            "foreseen": authors::foreseen(share(percent), assumptions::PATIENCE),
            "foreseen_in_a_day": authors::foreseen(share(percent), assay_runtime::DAYS),
            "runs_a_day": authors::runs_a_day(share(percent), costs::FULL_BLOCKS),
        })),
    });
    println!("{all}");
}

fn depends_on_share(strategy: &Strategy) -> bool {
    strategy.drawn == Drawn::Share || (strategy.authors)(0.3) != authors::Authors::NONE
}

/// Ends the program if the simulation contradicts what was computed.
fn confirm(strategy: &Strategy, percent: u32, earned: &Earned, jobs: u32) {
    let Some(simulated) = earned.simulated else { return };
    let error = earned.deviation / f64::from(jobs).sqrt();
    let away = (simulated - earned.profit).abs();
    if away > ERRORS * error + 1e-9 {
        eprintln!(
            "economics: error: {} at {percent} %: {} was computed and {simulated} simulated, which is \
             {:.1} standard errors away; one of them is wrong",
            strategy.name,
            earned.profit,
            away / error,
        );
        std::process::exit(1);
    }
}

/// Returns all that is known of a strategy.
fn row(
    evaluator: &Evaluator,
    strategy: &Strategy,
    shares: &[(u32, Earned)],
    reference: f64,
) -> Value {
    let (_, at) = shares.iter().find(|(percent, _)| *percent == SHARE).expect("it is one of them");
    let margins = [0.2, 0.8, 0.9].map(|part| {
        let costs = Costs::at(part);
        let share = f64::from(SHARE) / 100.0;
        let of = |strategy: &Strategy| evaluator.earned(strategy, share, costs, 0);
        let (earned, one) = (of(strategy), of(&catalogue::honest()));
        json!([part, earned.profit / one.profit, earned.honest / one.profit])
    });
    json!({
        "name": strategy.name,
        "who": strategy.who,
        "what": strategy.what,
        "variant": at.label,
        "profit": at.profit / reference,
        "honest": at.honest / reference,
        "simulated": at.simulated.map(|mean| mean / reference),
        "shares": shares
            .iter()
            .map(|(percent, earned)| json!([percent, earned.profit / reference, earned.honest / reference]))
            .collect::<Vec<_>>(),
        "depends_on_share": depends_on_share(strategy),
        "baseline": strategy.name.starts_with("honest"),
        "above_honest": evaluator.breaks_even(strategy, |earned| earned.honest),
        "above_nothing": evaluator.breaks_even(strategy, |_| 0.0),
        "margins": margins,
    })
}
