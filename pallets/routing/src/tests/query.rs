// SPDX-License-Identifier: Apache-2.0
//! Queries of operators about their scores.

use crate::{fixed::ONE, mock::*};
use assay_primitives::traits::Routing as _;

#[test]
fn allocation_names_each_factor() {
    with_operators(|| {
        serve(11, 2 * STAKE, &[model(1)]);
        for _ in 0..25 {
            deliver(11, 300, 1);
            deliver(12, 100, 1);
            run_epoch(&OPERATORS);
        }
        Routing::assigned(&model(1), &11);
        let found = allocation(11);
        assert!(found.drawable);
        assert_eq!(found.uptime, member(11).uptime);
        assert_eq!(found.speed, member(11).served[0].pace.speed);
        assert_eq!(found.stake_share, ONE / 5 * 2);
        assert_eq!((found.uptime_weight, found.speed_weight), (0, ONE / 2));
        assert_eq!(found.uptime_weight + found.speed_weight + found.stake_weight, ONE);
        assert_eq!((found.assigned, found.cap), (1, 1_000));
        // One operator has a speed of 300 on twice the stake, the other 100.
        assert!(found.speed_share.abs_diff(part(6, 7)) < 10_000, "{found:?}");
    });
}

#[test]
fn allocations_sum_to_all_draws() {
    with_operators(|| {
        deliver(12, 300, 1);
        run_epochs(3, &OPERATORS[..3]);
        let all = Routing::allocations(model(1), None, 9);
        let stashes: Vec<AccountId> = all.iter().map(|one| one.operator).collect();
        assert_eq!(stashes, OPERATORS);
        let shares: u64 = all.iter().map(|one| one.draw_share).sum();
        assert!(shares <= ONE && shares > ONE - 10, "{shares}");
        assert_eq!(all[3].draw_share, 0);
        assert!(!all[3].drawable);
        assert!(Routing::allocations(model(9), None, 9).is_empty());
        let page = Routing::allocations(model(1), Some(OPERATORS[1]), 1);
        assert_eq!(page, all[2..3]);
        assert!(Routing::allocations(model(1), Some(OPERATORS[3]), 9).is_empty());
    });
}

#[test]
fn models_come_in_pages() {
    with_operators(|| {
        let models: Vec<_> = (1..=3).map(model).collect();
        serve(11, STAKE, &models);
        let all = Routing::models(None, 9);
        assert_eq!(all.iter().copied().collect::<std::collections::BTreeSet<_>>().len(), 3);
        let mut paged = vec![];
        while let Some(next) = Routing::models(paged.last().copied(), 1).pop() {
            paged.push(next);
        }
        assert_eq!(paged, all);
        serve(11, STAKE, &models[..1]);
        assert_eq!(Routing::models(None, 9), models[..1]);
    });
}

#[test]
fn allocation_of_who_does_not_serve_is_none() {
    with_operators(|| {
        assert_eq!(Routing::allocation(model(1), 99), None);
        assert_eq!(Routing::allocation(model(2), 11), None);
    });
}
