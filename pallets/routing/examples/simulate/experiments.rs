// SPDX-License-Identifier: Apache-2.0
//! What is tried.

use crate::{
    chi_square::{chi_square, p_value},
    world::{Operator, World, CAP},
};
use pallet_routing::{fixed::ONE, types::Epoch, Mode};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{json, Value};
use std::{collections::VecDeque, time::Instant};

/// Points of a series that is written.
const POINTS: u32 = 200;

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

fn crowd(count: usize, rng: &mut ChaCha8Rng) -> Vec<Operator> {
    (0..count).map(|_| Operator::random(rng)).collect()
}

/// Whether jobs follow scores, how far weights move, and how long it takes: a noisy crowd, in which
/// one in ten drops half of what it gets, and whose speeds all swing together, so that medians fall
/// and rise.
pub fn fairness(count: usize, epochs: u32) -> Value {
    let rng = &mut rng(count as u64);
    let mut operators = crowd(count, rng);
    operators.iter_mut().step_by(10).for_each(|operator| operator.answers = 0.5);
    let mut world = World::new(Mode::Shares, operators);
    let jobs = count.clamp(100, 1_000);
    let mut won = vec![0u64; count];
    let mut expected = vec![0f64; count];
    let mut series = vec![];
    let (mut most, mut least) = (0u64, ONE);
    let (mut draw_nanos, mut epoch_nanos) = (0u128, 0u128);
    for epoch in 0..epochs {
        for (sum, share) in expected.iter_mut().zip(world.shares()) {
            *sum += share * jobs as f64;
        }
        // A slow swing of 30 %, and one of each epoch's own.
        let swing = 1.0 + 0.3 * (f64::from(epoch) / 50.0).sin() + rng.random_range(-0.1..0.1);
        for _ in 0..jobs {
            let began = Instant::now();
            let drawn = world.draw();
            draw_nanos += began.elapsed().as_nanos();
            let Some(slot) = drawn else { continue };
            won[slot] += 1;
            let operator = &mut world.operators[slot];
            let usual = operator.speed;
            operator.speed *= swing;
            operator.run(0.2, rng);
            operator.speed = usual;
        }
        let began = Instant::now();
        world.run_epoch(rng);
        epoch_nanos += began.elapsed().as_nanos();
        let weights = world.terms.weights;
        most = most.max(weights.speed).max(weights.stake);
        least = least.min(weights.speed).min(weights.stake);
        if epoch % epochs.div_ceil(POINTS) == 0 {
            series.push(json!([
                epoch,
                weights.speed as f64 / ONE as f64,
                world.terms.speed.value as f64 / 1_000.0,
            ]));
        }
    }
    let chi = chi_square(&won, &expected);
    let total: u64 = won.iter().sum();
    let sample: Vec<_> = (0..count)
        .step_by(count.div_ceil(POINTS as usize))
        .map(|slot| [expected[slot] / total as f64, won[slot] as f64 / total as f64])
        .collect();
    json!({
        "operators": count,
        "epochs": epochs,
        "jobs": total,
        "chi_square": chi,
        "degrees": count - 1,
        "p": p_value(chi, count - 1),
        "max_weight": most as f64 / ONE as f64,
        "min_weight": least as f64 / ONE as f64,
        "draw_ns": draw_nanos as f64 / f64::from(epochs) / jobs as f64,
        "epoch_us": epoch_nanos as f64 / f64::from(epochs) / 1e3,
        "weight_of_speed": series,
        "shares": sample,
    })
}

/// What an operator gains when it splits into ten, each with a tenth of its stake and, the machine
/// being idle, all of its speed: its share of the draws over that of the whole, less 1.
pub fn splitting(mode: Mode, others: usize, epochs: u32) -> f64 {
    let share = |parts: u128| {
        let rng = &mut rng(77);
        let mut operators = crowd(others, rng);
        let whole = CAP / 2;
        operators.extend((0..parts).map(|_| Operator::new(whole / parts, 80.0, 1.0)));
        let mut world = World::new(mode, operators);
        let mut sum = 0.0;
        for epoch in 0..epochs {
            for operator in &mut world.operators {
                // Everyone is measured in every epoch, so that chance plays no part.
                let answers = std::mem::replace(&mut operator.answers, 1.0);
                operator.run(0.0, rng);
                operator.answers = answers;
                operator.conduct.answered = 1_000;
                operator.conduct.missed = ((1.0 - answers) * 1_000.0) as u32;
            }
            for slot in 0..world.operators.len() {
                world.visit(slot);
            }
            world.turn_over();
            if epoch >= epochs / 2 {
                sum += world.shares()[others..].iter().sum::<f64>();
            }
        }
        sum
    };
    share(10) / share(1) - 1.0
}

/// The same by the jobs that they are given while everyone is busy: of two that are drawn the one
/// takes a job that runs fewer for its score, and each job lasts for as many draws as there are twice
/// as many operators. All answer, and are equally fast.
pub fn splitting_while_busy(others: usize, jobs: usize) -> f64 {
    let share = |parts: u128| {
        let rng = &mut rng(82);
        let mut operators = crowd(others, rng);
        operators.extend((0..parts).map(|_| Operator::new(CAP / 2 / parts, 80.0, 1.0)));
        let mut world = World::new(Mode::Shares, operators);
        let mut running = vec![0u64; world.operators.len()];
        let mut under_way = VecDeque::new();
        let mut won = 0u32;
        for _ in 0..jobs {
            if under_way.len() > 2 * others {
                let done: usize = under_way.pop_front().unwrap_or_default();
                running[done] -= 1;
            }
            let Some(slot) = world.draw_of_two(&running) else { continue };
            won += u32::from(slot >= others);
            running[slot] += 1;
            under_way.push_back(slot);
        }
        f64::from(won)
    };
    share(10) / share(1) - 1.0
}

/// An operator that returns garbage at a hundred times its speed, among honest ones. Its first jobs
/// are all audited, and all after a fault: rejected outputs are not measured, and each costs it its
/// bond, until what is left is too little to be drawn.
pub fn liar(others: usize, epochs: u32) -> Value {
    let rng = &mut rng(78);
    let mut operators = crowd(others, rng);
    operators.push(Operator::new(CAP / 2, 3_000.0, 1.0));
    let mut world = World::new(Mode::Shares, operators);
    let bond = CAP / 50;
    let mut series = vec![];
    let (mut jobs, mut out) = (0u32, Value::Null);
    for epoch in 0..epochs {
        let share = world.shares()[others];
        series.push(json!([epoch, share]));
        if share == 0.0 && out.is_null() {
            out = json!(epoch);
        }
        for _ in 0..others {
            let Some(slot) = world.draw() else { continue };
            let operator = &mut world.operators[slot];
            if slot == others {
                jobs += 1;
                operator.conduct.answered += 1;
                operator.stake = operator.stake.saturating_sub(bond);
            } else {
                operator.run(0.2, rng);
            }
        }
        world.run_epoch(rng);
    }
    json!({
        "jobs": jobs,
        "epochs_until_out": out,
        "known_speed": world.known(others).1,
        "share": series,
    })
}

/// An operator that shows ten times its speed, by beginning before it accepts, and is never caught:
/// what that gains it at most.
pub fn hurrier(others: usize, epochs: u32) -> f64 {
    let share = |speed: f64| {
        let rng = &mut rng(79);
        let mut operators = crowd(others, rng);
        operators.push(Operator::new(CAP / 2, speed, 1.0));
        let mut world = World::new(Mode::Shares, operators);
        for _ in 0..epochs {
            for operator in &mut world.operators {
                operator.run(0.0, rng);
            }
            world.run_epoch(rng);
        }
        world.shares()[others]
    };
    share(300.0) / share(30.0)
}

/// The share of an operator that answers as likely as that, over the share of one that always does.
pub fn dropper(answers: f64, others: usize, epochs: u32) -> f64 {
    let rng = &mut rng(80);
    let mut operators = crowd(others, rng);
    operators.push(Operator::new(CAP / 2, 30.0, answers));
    operators.push(Operator::new(CAP / 2, 30.0, 1.0));
    let mut world = World::new(Mode::Shares, operators);
    let mut sums = [0.0; 2];
    for epoch in 0..epochs {
        for _ in 0..others {
            let Some(slot) = world.draw() else { continue };
            world.operators[slot].run(0.0, rng);
        }
        world.run_epoch(rng);
        if epoch >= epochs / 2 {
            let shares = world.shares();
            sums[0] += shares[others];
            sums[1] += shares[others + 1];
        }
    }
    sums[0] / sums[1]
}

/// Block by block: one in ten operators dies, each in some block of the third epoch. How many jobs
/// they are given after that, and when the last of them.
pub fn dead(count: usize, jobs_per_block: usize) -> Value {
    const LENGTH: u32 = 1_200;
    const WINDOW: u32 = 200;
    const MAX_MISSES: u32 = 3;
    let rng = &mut rng(81);
    let mut operators = crowd(count, rng);
    operators.iter_mut().for_each(|operator| operator.answers = 1.0);
    let mut world = World::new(Mode::Shares, operators);
    let dies: Vec<Option<u32>> = (0..count)
        .map(|_| rng.random_bool(0.1).then(|| rng.random_range(2 * LENGTH..3 * LENGTH)))
        .collect();
    let mut answered_at = vec![0u32; count];
    let mut misses = vec![0u32; count];
    let pace = (count as u32).div_ceil(LENGTH - WINDOW - 1);
    let (mut jobs, mut after_epoch, mut after_length, mut last) = (0u32, 0u32, 0u32, 0u32);
    for index in 0..6 {
        let epoch =
            Epoch { started: index * LENGTH, slots: count as u32, pace, ..Epoch::default() };
        let mut visited = 0;
        for now in epoch.started..epoch.started + LENGTH {
            let alive = |slot: usize| dies[slot].is_none_or(|block| now < block);
            let due = epoch.due(now, WINDOW);
            for slot in visited..due {
                let (turn, slot) = (epoch.turn(slot).unwrap_or(now), slot as usize);
                // Whoever lives sends its heartbeat two blocks after its turn.
                if dies[slot].is_none_or(|block| turn + 2 < block) {
                    world.operators[slot].conduct.answered += 1;
                    answered_at[slot] = answered_at[slot].max(turn + 2);
                } else {
                    world.operators[slot].conduct.missed += 1;
                    if answered_at[slot] < turn {
                        world.silence(slot);
                    }
                }
                world.visit(slot);
            }
            visited = visited.max(due);
            for _ in 0..jobs_per_block {
                let Some(slot) = world.draw() else { continue };
                if alive(slot) {
                    world.operators[slot].run(0.2, rng);
                    answered_at[slot] = now;
                    continue;
                }
                let since = now - dies[slot].unwrap_or(now);
                jobs += 1;
                last = last.max(since);
                after_length += u32::from(since > LENGTH);
                after_epoch += u32::from(since > LENGTH + WINDOW + 1);
                world.operators[slot].conduct.missed += 1;
                misses[slot] += 1;
                if misses[slot] >= MAX_MISSES {
                    world.silence(slot);
                }
            }
        }
        world.turn_over();
    }
    json!({
        "operators": count,
        "died": dies.iter().flatten().count(),
        "jobs_per_block": jobs_per_block,
        "jobs": jobs,
        "after_length": after_length,
        "after_epoch": after_epoch,
        "last_block": last,
    })
}
