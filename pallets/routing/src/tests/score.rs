// SPDX-License-Identifier: Apache-2.0
//! Scores as numbers, without storage.

use crate::{
    fixed::ONE,
    measure::MAX_SPEED,
    mock::{CAP, MIN_STAKE, PARAMS},
    mode::Mode,
    score::{Factors, Measured, Params, Tally, Terms, MAX_TIMES_MEAN},
    tree::{CAPACITY, MAX_LEAF},
    weighting::Weights,
};
use proptest::prelude::*;

const ADDITIVE: Params = Params {
    mode: Mode::Additive,
    base: Weights { uptime: ONE / 5 * 2, speed: ONE / 5 * 2, stake: ONE / 5 },
    ..PARAMS
};

/// An operator: uptime, speed, stake.
type Operator = (u64, u64, u128);

fn factors(params: &Params, (uptime, speed, stake): Operator) -> Factors {
    Factors { uptime, speed, stake: params.backed(stake) }
}

/// The scores of a market with these operators.
fn scores(params: &Params, operators: &[Operator]) -> Vec<u64> {
    let start = Terms::new(params);
    let mut tally = Tally::after(&start);
    for operator in operators {
        let measured = Measured { uptime: Some(operator.0), speed: Some(operator.1), tokens: 1 };
        tally.add(&factors(params, *operator), &measured);
    }
    let terms = start.next(params, &tally);
    operators.iter().map(|operator| terms.score(params, &factors(params, *operator))).collect()
}

fn share(params: &Params, operators: &[Operator], of: usize) -> f64 {
    let scores = scores(params, operators);
    let all: u64 = scores.iter().sum();
    scores[of..].iter().sum::<u64>() as f64 / all as f64
}

#[test]
fn score_is_what_the_formula_says() {
    let operators = [(ONE, 30_000, CAP), (ONE / 2, 10_000, CAP / 2)];
    // The mean speed behind a unit of stake: (30 + 10 / 2) / 1.5 = 23.33 tokens per second.
    let mean = 35.0 / 1.5;
    let expected = [1.0 * (0.5 * 30.0 / mean + 0.5), 0.5 * 0.5 * (0.5 * 10.0 / mean + 0.5)];
    for (score, expected) in scores(&PARAMS, &operators).into_iter().zip(expected) {
        assert!((score as f64 / ONE as f64 - expected).abs() < 1e-8, "{score} is not {expected}");
    }
    let expected = [0.4 + 0.4 + 0.2, 0.4 * 0.5 + 0.4 / 3.0 + 0.2 * 0.5];
    for (score, expected) in scores(&ADDITIVE, &operators).into_iter().zip(expected) {
        assert!((score as f64 / ONE as f64 - expected).abs() < 1e-8, "{score} is not {expected}");
    }
}

#[test]
fn score_below_the_minimum_stake_is_zero() {
    for params in [PARAMS, ADDITIVE] {
        let scores = scores(&params, &[(ONE, 1_000, MIN_STAKE - 1), (ONE, 1_000, MIN_STAKE)]);
        assert_eq!(scores[0], 0);
        assert!(scores[1] > 0);
    }
}

#[test]
fn stake_above_the_cap_adds_nothing() {
    for params in [PARAMS, ADDITIVE] {
        let scores = scores(&params, &[(ONE, 1_000, CAP), (ONE, 1_000, 10 * CAP)]);
        assert_eq!(scores[0], scores[1]);
    }
}

#[test]
fn splitting_pays_in_the_additive_mode() {
    let others = [(ONE, 1_000, CAP); 9];
    let whole = [&others[..], &[(ONE, 1_000, CAP)]].concat();
    let split = [&others[..], &[(ONE, 1_000, CAP / 10); 10]].concat();
    assert!(share(&ADDITIVE, &split, 9) > 2.0 * share(&ADDITIVE, &whole, 9));
}

#[test]
fn wild_measurement_takes_no_market() {
    let mut operators = vec![(ONE, 1_000, CAP); 1_000];
    operators.push((ONE, MAX_SPEED, CAP));
    let scores = scores(&PARAMS, &operators);
    assert!(scores[1_000] <= (MAX_TIMES_MEAN + 1) * ONE);
}

fn operator() -> impl Strategy<Value = Operator> {
    (0..=ONE, 0..1_000_000u64, 0..2 * CAP)
}

fn params() -> impl Strategy<Value = Params> {
    prop_oneof![Just(PARAMS), Just(ADDITIVE)]
}

proptest! {
    /// Ten identities, each with a tenth of the stake, on one machine: each shows all of its speed,
    /// or any other that is not higher.
    #[test]
    fn splitting_gains_nothing_in_shares(
        others in proptest::collection::vec(operator(), 1..20),
        (uptime, speed, stake) in (1..=ONE, 0..1_000_000u64, MIN_STAKE..=CAP),
        shown in proptest::collection::vec(0..=ONE, 10),
    ) {
        // Scores are bounded in units of the mean speed, which only extremes reach.
        let whole = [&others[..], &[(uptime, speed, stake)]].concat();
        let parts: Vec<_> = shown
            .iter()
            .map(|part| (uptime, crate::fixed::times(speed, *part), stake / 10))
            .collect();
        let split = [&others[..], &parts].concat();
        prop_assume!(others.iter().any(|other| other.0 > 0 && other.2 >= MIN_STAKE));
        let of = others.len();
        prop_assert!(
            share(&PARAMS, &split, of) <= share(&PARAMS, &whole, of) + 1e-4,
            "{} instead of {}", share(&PARAMS, &split, of), share(&PARAMS, &whole, of)
        );
    }

    #[test]
    fn score_is_monotone(
        params in params(),
        others in proptest::collection::vec(operator(), 1..20),
        (uptime, speed, stake) in operator(),
        more in (0..1_000_000u64, 0..1_000_000u64, 0..CAP),
    ) {
        let mut market = others.clone();
        market.push((uptime, speed, stake));
        let terms = {
            let start = Terms::new(&params);
            let mut tally = Tally::after(&start);
            for operator in &market {
                let measured = Measured { uptime: None, speed: None, tokens: 0 };
                tally.add(&factors(&params, *operator), &measured);
            }
            start.next(&params, &tally)
        };
        let score = |operator| terms.score(&params, &factors(&params, operator));
        let base = score((uptime, speed, stake));
        prop_assert!(score(((uptime + more.0).min(ONE), speed, stake)) >= base);
        prop_assert!(score((uptime, speed + more.1, stake)) >= base);
        prop_assert!(score((uptime, speed, stake + more.2)) >= base);
    }

    #[test]
    fn score_does_not_overflow_at_extremes(
        mode in prop_oneof![Just(Mode::Shares), Just(Mode::Additive)],
        raw in any::<[u64; 3]>(),
        operators in proptest::collection::vec(
            (0..=ONE, prop_oneof![Just(0), Just(1), Just(MAX_SPEED), 0..=MAX_SPEED], any::<u128>()),
            1..20,
        ),
        cap in 1..=u128::MAX,
        (uptime, speed, stake) in (0..=ONE, 0..=MAX_SPEED, any::<u128>()),
    ) {
        let base = Weights { uptime: raw[0], speed: raw[1], stake: raw[2] };
        let base = Weights::bounded(base, mode);
        let params = Params { mode, base, min_stake: 1, stake_cap: cap, ..PARAMS };
        let start = Terms::new(&params);
        let mut tally = Tally::after(&start);
        for operator in &operators {
            let measured =
                Measured { uptime: Some(operator.0), speed: Some(operator.1), tokens: u64::MAX };
            tally.add(&factors(&params, *operator), &measured);
        }
        let terms = start.next(&params, &tally);
        let score = terms.score(&params, &factors(&params, (uptime, speed, stake)));
        prop_assert!(score <= (MAX_TIMES_MEAN + 1) * ONE);
        prop_assert!(score <= MAX_LEAF);
    }
}

#[test]
fn terms_of_a_full_market_do_not_overflow() {
    let start = Terms::new(&PARAMS);
    let mut tally = Tally::after(&start);
    let operator = Factors { uptime: ONE, speed: MAX_SPEED, stake: ONE };
    for _ in 0..CAPACITY {
        let measured = Measured { uptime: Some(ONE), speed: Some(MAX_SPEED), tokens: u64::MAX };
        tally.add(&operator, &measured);
    }
    let terms = start.next(&PARAMS, &tally);
    assert_eq!(terms.stake, u128::from(CAPACITY) * u128::from(ONE));
    assert_eq!(terms.score(&PARAMS, &operator), ONE);
}

#[test]
fn weight_of_speed_rises_when_its_median_falls() {
    let operator = |speed| (ONE, speed, CAP);
    let mut terms = Terms::new(&PARAMS);
    let mut after = |speed: u64| {
        let mut tally = Tally::after(&terms);
        let measured = Measured { uptime: Some(ONE), speed: Some(speed), tokens: 100 };
        tally.add(&factors(&PARAMS, operator(speed)), &measured);
        terms = terms.next(&PARAMS, &tally);
        terms.weights
    };
    // Known to its octave, then exactly.
    after(100_000);
    let steady = after(100_000);
    assert_eq!(after(99_000), steady, "1 % is within the tolerance");
    let raised = after(90_000);
    assert!(raised.speed > steady.speed);
    let back = after(95_000);
    assert!(back.speed < raised.speed, "it returns once the median does not fall any more");
}
