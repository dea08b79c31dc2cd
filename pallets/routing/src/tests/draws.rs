// SPDX-License-Identifier: Apache-2.0
//! Draws of operators and of committees.

use crate::mock::*;
use assay_primitives::traits::{Eligible, Performance, Routing as _};
use sp_runtime::Permill;
use std::cell::Cell;

fn busy(running: u32) -> Option<Eligible> {
    Some(Eligible { prices: PRICES, running })
}

fn draw_among(n: u64, allowed: &[AccountId]) -> Option<AccountId> {
    Routing::draw(&model(1), seed(n), allowed, anyone).map(|drawn| drawn.operator)
}

/// Returns the chi-square of counts against expected fractions, which sum to 1.
fn chi_square(counts: &[u32], parts: &[f64]) -> f64 {
    let all = f64::from(counts.iter().sum::<u32>());
    counts
        .iter()
        .zip(parts)
        .map(|(count, part)| (f64::from(*count) - part * all).powi(2) / (part * all))
        .sum()
}

#[test]
fn draw_follows_the_scores() {
    with_nobody(|| {
        for (operator, stake) in [(11, 50_000), (12, 100_000), (13, 150_000), (14, 200_000)] {
            serve(operator, stake, &[model(1)]);
        }
        let wins = wins(4_000);
        let counts: Vec<u32> = OPERATORS.iter().map(|operator| wins[operator]).collect();
        // Three degrees of freedom: 16.3 has a probability of 0.1 %.
        let chi = chi_square(&counts, &[0.1, 0.2, 0.3, 0.4]);
        assert!(chi < 16.3, "chi-square {chi} of {counts:?}");
    });
}

#[test]
fn draw_is_the_same_for_the_same_seed() {
    with_operators(|| {
        assert!((0..50).all(|n| draw(n) == draw(n)));
        assert!((0..50).any(|n| draw(n) != draw(n + 1)));
    });
}

#[test]
fn draw_takes_the_less_busy_of_two() {
    with_nobody(|| {
        serve(11, CAP, &[model(1)]);
        serve(12, CAP, &[model(1)]);
        let load = |operator: &AccountId| busy(if *operator == 11 { 3 } else { 1 });
        for n in 0..50 {
            let drawn = Routing::draw(&model(1), seed(n), &[], load).unwrap();
            assert_eq!((drawn.operator, drawn.prices), (12, PRICES));
        }
        // The first wins where they are equally busy: both win.
        assert_eq!(wins(100).len(), 2);
    });
}

#[test]
fn load_is_measured_by_the_score() {
    with_nobody(|| {
        serve(11, CAP / 4, &[model(1)]);
        serve(12, CAP, &[model(1)]);
        let with = |of_11, of_12| {
            let load =
                move |operator: &AccountId| busy(if *operator == 11 { of_11 } else { of_12 });
            let won: std::collections::BTreeSet<_> = (0..50)
                .map(|n| Routing::draw(&model(1), seed(n), &[], load).unwrap().operator)
                .collect();
            won.into_iter().collect::<Vec<_>>()
        };
        assert_eq!(with(1, 3), [12]);
        assert_eq!(with(1, 4), [11, 12], "they are equally busy");
        assert_eq!(with(1, 5), [11, 12], "they still are with half a job more");
        assert_eq!(with(1, 7), [11]);
        assert_eq!(with(0, 2), [11, 12]);
        assert_eq!(with(0, 3), [11]);
    });
}

#[test]
fn draw_passes_over_those_that_cannot() {
    with_operators(|| {
        let only = |operator: &AccountId| (*operator == 14).then(|| busy(0)).flatten();
        for n in 0..20 {
            assert_eq!(Routing::draw(&model(1), seed(n), &[], only).unwrap().operator, 14);
        }
        assert_eq!(Routing::draw(&model(1), seed(1), &[], |_| None), None);
    });
}

#[test]
fn draw_looks_at_a_bounded_number_of_operators() {
    with_nobody(|| {
        for operator in 100..140 {
            serve(operator, STAKE, &[model(1)]);
        }
        let asked = Cell::new(0);
        let nobody = |_: &AccountId| {
            asked.set(asked.get() + 1);
            None
        };
        assert_eq!(Routing::draw(&model(1), seed(1), &[], nobody), None);
        assert_eq!(asked.get(), max_tries());
        let allowed: Vec<AccountId> = (100..140).collect();
        asked.set(0);
        assert_eq!(Routing::draw(&model(1), seed(1), &allowed, nobody), None);
        assert_eq!(asked.get(), assay_primitives::job::MAX_ALLOWED_OPERATORS);
    });
}

#[test]
fn draw_of_an_unknown_model_is_none() {
    with_operators(|| {
        assert_eq!(Routing::draw(&model(9), seed(1), &[], anyone), None);
        assert!(Routing::committee(&model(9), seed(1), 3, |_| true).is_empty());
    });
}

#[test]
fn draw_among_the_allowed_follows_their_scores() {
    with_operators(|| {
        serve(12, 3 * STAKE, &[model(1)]);
        serve(99, STAKE, &[model(2)]);
        let mut counts = [0u32; 2];
        for n in 0..2_000 {
            match draw_among(n, &[12, 99, 11, 77]) {
                Some(11) => counts[0] += 1,
                Some(12) => counts[1] += 1,
                other => panic!("{other:?} is not allowed"),
            }
        }
        // One degree of freedom: 10.8 has a probability of 0.1 %.
        let chi = chi_square(&counts, &[0.25, 0.75]);
        assert!(chi < 10.8, "chi-square {chi} of {counts:?}");
        assert_eq!(draw_among(1, &[99]), None);
    });
}

#[test]
fn allowed_twice_is_allowed_once() {
    with_operators(|| {
        let often = [11, 11, 11, 11, 11, 11, 11, 12];
        assert!((0..50).all(|n| draw_among(n, &often) == draw_among(n, &[11, 12])));
    });
}

#[test]
fn operator_gets_no_more_than_its_cap() {
    with_nobody(|| {
        CapMinimum::set(5);
        CapShare::set(Permill::from_percent(20));
        // One of twenty has nearly all of the score.
        serve(11, CAP, &[model(1)]);
        for operator in 100..119 {
            serve(operator, MIN_STAKE, &[model(1)]);
        }
        let mut given = std::collections::BTreeMap::<AccountId, u32>::new();
        for n in 0..200 {
            let operator = draw(n).expect("a job has no operator");
            Routing::assigned(&model(1), &operator);
            *given.entry(operator).or_default() += 1;
        }
        let all: u32 = given.values().sum();
        assert!(given[&11] * 5 <= all && given[&11] >= 30, "{given:?}");
        assert_eq!(allocation(11).assigned, given[&11]);
        // The count starts again.
        run_epoch(&[]);
        assert_eq!(allocation(11).assigned, 0);
    });
}

#[test]
fn cap_counts_on_when_a_model_is_dropped_and_taken_up_again() {
    with_operators(|| {
        for _ in 0..7 {
            Routing::assigned(&model(1), &11);
        }
        serve(11, STAKE, &[model(2)]);
        serve(11, STAKE, &[model(1)]);
        assert_eq!(allocation(11).assigned, 7);
        run_epoch(&OPERATORS);
        assert_eq!(allocation(11).assigned, 0);
    });
}

#[test]
fn cap_leaves_a_few_operators_all_jobs() {
    with_nobody(|| {
        CapMinimum::set(1);
        CapShare::set(Permill::from_percent(20));
        serve(11, CAP, &[model(1)]);
        serve(12, MIN_STAKE, &[model(1)]);
        for n in 0..50 {
            let operator = draw(n).expect("two operators cannot take all jobs");
            Routing::assigned(&model(1), &operator);
        }
        assert!(allocation(11).assigned > 40);
    });
}

#[test]
fn cap_keeps_no_job_from_those_who_alone_can_take_it() {
    with_nobody(|| {
        CapMinimum::set(2);
        for operator in 100..110 {
            serve(operator, STAKE, &[model(1)]);
        }
        let able = |operator: &AccountId| (*operator < 103).then(|| busy(0)).flatten();
        MaxTries::set(10);
        for n in 0..60 {
            let drawn =
                Routing::draw(&model(1), seed(n), &[], able).expect("no operator can take the job");
            Routing::assigned(&model(1), &drawn.operator);
        }
        let given = [100, 101, 102].map(|operator| allocation(operator).assigned);
        assert_eq!(given.iter().sum::<u32>(), 60);
        assert!(given.iter().all(|count| *count > allocation(100).cap));
    });
}

#[test]
fn cap_does_not_hold_for_the_allowed() {
    with_nobody(|| {
        CapMinimum::set(2);
        for operator in 100..120 {
            serve(operator, STAKE, &[model(1)]);
        }
        for _ in 0..2 {
            Routing::assigned(&model(1), &100);
        }
        assert_eq!(draw_among(1, &[100]), Some(100));
    });
}

#[test]
fn committee_is_distinct_and_by_stake() {
    with_nobody(|| {
        for (operator, stake) in [(11, 100_000), (12, 100_000), (13, 100_000), (14, 700_000)] {
            serve(operator, stake, &[model(1)]);
        }
        let mut firsts = [0u32; 4];
        for n in 0..2_000 {
            let committee = Routing::committee(&model(1), seed(n), 3, |_| true);
            assert_eq!(committee.len(), 3);
            let distinct: std::collections::BTreeSet<_> = committee.iter().collect();
            assert_eq!(distinct.len(), 3);
            firsts[(committee[0] - 11) as usize] += 1;
        }
        let chi = chi_square(&firsts, &[0.1, 0.1, 0.1, 0.7]);
        assert!(chi < 16.3, "chi-square {chi} of {firsts:?}");
    });
}

#[test]
fn committee_leaves_out_who_is_involved() {
    with_operators(|| {
        for n in 0..50 {
            let committee = Routing::committee(&model(1), seed(n), 4, |who| *who != 12);
            assert_eq!(committee.len(), 3);
            assert!(!committee.contains(&12));
        }
    });
}

#[test]
fn sample_has_all_operators_of_few() {
    with_operators(|| {
        MaxTries::set(4);
        let sample = Routing::sample(&model(1), seed(1), &99);
        let all: std::collections::BTreeSet<_> = sample.drawn.iter().map(|(who, _)| *who).collect();
        assert_eq!(all, OPERATORS.into());
        assert_eq!(sample.drawn.iter().map(|(_, stake)| stake).sum::<u64>(), sample.stake);
    });
}

#[test]
fn sample_leaves_out_one_operator_and_its_stake() {
    with_operators(|| {
        let all = Routing::sample(&model(1), seed(1), &99).stake;
        let sample = Routing::sample(&model(1), seed(1), &12);
        assert_eq!(sample.stake, all / 4 * 3);
        assert!(sample.drawn.len() == 3 && sample.drawn.iter().all(|(who, _)| *who != 12));
        // One that serves another model has no stake here.
        serve(15, STAKE, &[model(2)]);
        assert_eq!(Routing::sample(&model(1), seed(1), &15).stake, all);
    });
}

#[test]
fn sample_of_many_is_bounded_and_by_stake() {
    with_nobody(|| {
        MaxTries::set(4);
        for (operator, stake) in (11..31).map(|operator| (operator, 10_000)).chain([(31, 600_000)])
        {
            serve(operator, stake, &[model(1)]);
        }
        let mut with_the_richest = 0u32;
        for n in 0..500 {
            let sample = Routing::sample(&model(1), seed(n), &99);
            assert_eq!(sample.drawn.len(), 4);
            with_the_richest += u32::from(sample.drawn.iter().any(|(who, _)| *who == 31));
        }
        assert!(with_the_richest > 480, "{with_the_richest}");
    });
}

#[test]
fn sample_leaves_out_operators_that_cannot_be_drawn() {
    with_operators(|| {
        drain(11);
        for _ in 0..3 {
            <Routing as Performance<_>>::missed(&12);
        }
        let sample = Routing::sample(&model(1), seed(1), &99);
        assert!(sample.drawn.iter().all(|(who, _)| [13, 14].contains(who)));
    });
}

#[test]
fn committee_does_not_ask_for_speed() {
    with_operators(|| {
        deliver(11, 1_000_000, 1);
        run_epochs(3, &OPERATORS);
        assert!(score(11) > score(12));
        let mut firsts = [0u32; 4];
        for n in 0..2_000 {
            let committee = Routing::committee(&model(1), seed(n), 1, |_| true);
            firsts[(committee[0] - 11) as usize] += 1;
        }
        let chi = chi_square(&firsts, &[0.25; 4]);
        assert!(chi < 16.3, "chi-square {chi} of {firsts:?}");
    });
}
