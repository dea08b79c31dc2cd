// SPDX-License-Identifier: Apache-2.0
//! Simulates routing with the pallet's own scores, weights and trees, and prints what came out as
//! JSON. Seeds are fixed: but for times, every run prints the same.
//!
//! `simulate [epochs]`: the most epochs of one run, 10,000 where it is not said. Runs of many
//! operators have fewer, so that none has more than a hundred million visits.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it is a program")]

mod chi_square;
mod experiments;
mod world;

use pallet_routing::{weights::WeightInfo, Mode};
use serde_json::json;

/// The most visits of one run.
const MAX_VISITS: u32 = 100_000_000;

/// What normal extrinsics may fill of a block: three quarters of a second.
const BLOCK_PICOS: f64 = 0.75e12;

/// Operators that are looked at for one job at most.
const TRIES: u32 = 32;

fn main() {
    let epochs: u32 = match std::env::args().nth(1).map(|epochs| epochs.parse()) {
        None => 10_000,
        Some(Ok(epochs @ 1..)) => epochs,
        Some(_) => {
            eprintln!("simulate: error: the argument is a number of epochs from 1 on");
            std::process::exit(2);
        }
    };
    let fairness: Vec<_> = [10, 100, 1_000, 10_000]
        .map(|count| {
            let epochs = epochs.min(MAX_VISITS / count).max(1);
            eprintln!("simulate: {count} operators, {epochs} epochs");
            experiments::fairness(count as usize, epochs)
        })
        .into();
    eprintln!("simulate: Sybils, liars, droppers, the dead");
    let splitting: Vec<_> = [9, 99, 999]
        .map(|others| {
            json!({
                "others": others,
                "shares": experiments::splitting(Mode::Shares, others, 60),
                "additive": experiments::splitting(Mode::Additive, others, 60),
                "busy": experiments::splitting_while_busy(others, 400_000),
            })
        })
        .into();
    let droppers: Vec<_> = [1.0, 0.9, 0.75, 0.5, 0.25, 0.1]
        .map(|answers| json!([answers, experiments::dropper(answers, 99, 400)]))
        .into();
    let draw_weight = <() as WeightInfo>::draw(TRIES).ref_time() as f64;
    let all = json!({
        "fairness": fairness,
        "splitting": splitting,
        "liar": experiments::liar(99, 600),
        "hurrier": experiments::hurrier(99, 60),
        "droppers": droppers,
        "dead": [experiments::dead(1_000, 5), experiments::dead(100, 1)],
        "draw_block_share": draw_weight / BLOCK_PICOS,
    });
    println!("{all}");
}
