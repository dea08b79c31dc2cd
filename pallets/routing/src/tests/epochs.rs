// SPDX-License-Identifier: Apache-2.0
//! Epochs: visits spread over blocks, snapshots, and weights that react.

use crate::{mock::*, Event, Markets, WeightInfo};
use assay_primitives::traits::Performance;
use frame_support::weights::Weight;

#[test]
fn epoch_begins_with_the_first_block() {
    with_operators(|| {
        assert_eq!((epoch().index, epoch().started, epoch().ends), (1, 1, 1 + LENGTH));
        assert_eq!(epoch().slots, 4);
    });
}

#[test]
fn epochs_follow_each_other() {
    with_operators(|| {
        run_epochs(3, &OPERATORS);
        assert_eq!((epoch().index, epoch().started), (4, 1 + 3 * LENGTH));
        let started = events().iter().filter(|it| matches!(it, Event::EpochStarted { .. })).count();
        assert_eq!(started, 4);
    });
}

#[test]
fn challenges_differ_even_without_randomness() {
    with_operators(|| {
        let mut seen = vec![epoch().challenge];
        for randomness in [None, None, Some(sp_core::H256::repeat_byte(8)), None] {
            ParentRandomness::set(randomness);
            run_epoch(&OPERATORS);
            assert!(!seen.contains(&epoch().challenge));
            seen.push(epoch().challenge);
        }
    });
}

#[test]
fn visits_are_spread_over_blocks() {
    with_nobody(|| {
        for operator in 100..150 {
            serve(operator, STAKE, &[model(1)]);
        }
        run_epoch(&[]);
        // There are fifty operators and at most four visits a block, so the epoch is as long as
        // usual.
        assert_eq!(epoch().pace, 4);
        let mut weights = std::collections::BTreeSet::new();
        let index = epoch().index;
        let mut visited = 0;
        while epoch().index == index {
            let weight = next_block();
            if epoch().index == index {
                let now = epoch().visited;
                assert!(now - visited <= 4, "{now} after {visited}");
                assert_eq!(weight, <() as WeightInfo>::visit(now - visited, now - visited));
                weights.insert(weight.ref_time());
                visited = now;
            }
        }
        assert_eq!(visited, 50);
        assert_eq!(
            weights.len(),
            3,
            "there are not three weights, for blocks with none, with four, and with the last two"
        );
    });
}

#[test]
fn epoch_is_longer_where_visits_need_it() {
    with_nobody(|| {
        MaxVisits::set(1);
        for operator in 100..150 {
            serve(operator, STAKE, &[model(1)]);
        }
        run_epoch(&[]);
        let began = epoch().started;
        run_epoch(&[]);
        assert_eq!(epoch().started - began, WINDOW + 50 + 1);
    });
}

#[test]
fn draws_go_by_the_snapshot_until_the_epoch_ends() {
    with_operators(|| {
        run_epoch(&OPERATORS);
        deliver(11, 3_000, 1);
        let scores = || OPERATORS.map(score);
        let (before, index) = (scores(), epoch().index);
        while epoch().index == index {
            assert_eq!(scores(), before);
            run_blocks(1, &OPERATORS);
        }
        // The speed is known now, and the mean speed once the epoch is closed.
        run_epoch(&OPERATORS);
        assert!(score(11) > score(12), "{:?}", allocation(11));
    });
}

#[test]
fn empty_epochs_cost_nothing_but_their_beginning() {
    with_nobody(|| {
        let weights: Vec<Weight> = (0..2 * LENGTH).map(|_| next_block()).collect();
        let beginning = <() as WeightInfo>::start_epoch();
        assert_eq!(weights.iter().filter(|weight| **weight == beginning).count(), 2);
        let idle = <() as WeightInfo>::visit(0, 0);
        assert!(weights.iter().all(|weight| *weight == beginning || *weight == idle));
    });
}

#[test]
fn weight_of_speed_rises_when_all_become_slower() {
    with_operators(|| {
        let speeds = |tokens: u32| {
            for operator in OPERATORS {
                deliver(operator, tokens, 10);
            }
            run_epoch(&OPERATORS);
        };
        (0..4).for_each(|_| speeds(3_000));
        let steady = Markets::<Test>::get(model(1)).unwrap().terms.weights;
        assert_eq!(steady, PARAMS.base);
        (0..2).for_each(|_| speeds(2_000));
        let raised = Markets::<Test>::get(model(1)).unwrap().terms.weights;
        assert!(raised.speed > steady.speed && raised.stake < steady.stake);
        let changed = Event::WeightsChanged { model: model(1), weights: raised };
        assert!(events().contains(&changed));
        (0..40).for_each(|_| speeds(2_000));
        let back = Markets::<Test>::get(model(1)).unwrap().terms.weights;
        assert!(back.speed.abs_diff(steady.speed) < 1_000_000, "{back:?}");
    });
}

#[test]
fn uptime_and_speed_are_smoothed() {
    with_operators(|| {
        let before = member(11).uptime;
        deliver(11, 300, 1);
        run_epoch(&OPERATORS);
        // The uptime moves halfway to 1.0, and 300 tokens in three seconds are the first speed.
        assert_eq!(member(11).uptime, before + (crate::fixed::ONE - before) / 2);
        assert_eq!(member(11).served[0].pace.speed, 100_000);
        run_epoch(&OPERATORS);
        let unchanged = "the speed changed without a measurement";
        assert_eq!(member(11).served[0].pace.speed, 100_000, "{unchanged}");
        // The new fees equal the rest of the earlier ones, and a token takes half the time.
        <Routing as Performance<_>>::delivered(&11, &model(1), 600, 1, 150);
        run_epoch(&OPERATORS);
        assert_eq!(member(11).served[0].pace.speed, 133_334);
    });
}

#[test]
fn parameters_that_change_count_within_an_epoch() {
    with_operators(|| {
        run_epoch(&OPERATORS);
        let before = allocation(11).stake_share;
        serve(12, 4 * STAKE, &[model(1)]);
        // Two of the four stakes count now.
        Parameters::set(crate::Params { stake_cap: 2 * STAKE, ..PARAMS });
        run_epochs(2, &OPERATORS);
        assert_eq!(allocation(11).stake_share, crate::fixed::ONE / 5);
        assert!(before > crate::fixed::ONE / 5);
    });
}
