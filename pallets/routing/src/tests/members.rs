// SPDX-License-Identifier: Apache-2.0
//! Operators register, change, drain and leave.

use crate::{mock::*, Markets, SlotCount, Tallies, TreeNodes};
use assay_primitives::{
    traits::{Offered, Routing as _, Standing},
    Prices,
};

#[test]
fn newcomer_has_a_score_at_once() {
    with_operators(|| {
        serve(15, STAKE, &[model(1)]);
        // The score comes from its stake alone.
        assert_eq!(score(15), score(11));
        let scored: Vec<u64> = wins(200).into_keys().collect();
        assert_eq!(scored, [11, 12, 13, 14, 15]);
    });
}

#[test]
fn newcomer_keeps_its_score_in_the_next_epoch() {
    with_operators(|| {
        run_blocks(LENGTH - 1, &OPERATORS);
        serve(15, STAKE, &[model(1)]);
        let before = score(15);
        run_epoch(&OPERATORS);
        assert_eq!(score(15), before);
    });
}

#[test]
fn drained_operator_is_not_drawn() {
    with_operators(|| {
        drain(11);
        assert_eq!(score(11), 0);
        assert!(!allocation(11).drawable);
        assert!(!wins(200).contains_key(&11));
        serve(11, STAKE, &[model(1)]);
        assert!(wins(200).contains_key(&11));
    });
}

#[test]
fn drained_operator_is_not_asked() {
    with_operators(|| {
        run_epoch(&OPERATORS);
        drain(11);
        let uptime = member(11).uptime;
        run_epochs(2, &OPERATORS[1..]);
        assert_eq!(member(11).uptime, uptime);
        serve(11, STAKE, &[model(1)]);
        let back = epoch().index;
        run_epoch(&OPERATORS[1..]);
        assert_eq!(
            member(11).uptime,
            uptime,
            "the operator was asked before the epoch after {back}"
        );
        assert!(!member(11).silent);
    });
}

#[test]
fn operator_that_leaves_is_gone_at_once() {
    with_operators(|| {
        leave(11);
        assert_eq!(Routing::allocation(model(1), 11), None);
        assert!(!wins(200).contains_key(&11));
        // The next operator takes the place, and no other place is needed.
        serve(15, STAKE, &[model(1)]);
        assert_eq!(member(15).slot, 0);
        assert_eq!(SlotCount::<Test>::get(), 4);
    });
}

#[test]
fn operator_below_the_minimum_stake_is_not_drawn() {
    with_operators(|| {
        serve(11, MIN_STAKE - 1, &[model(1)]);
        assert_eq!(score(11), 0);
        assert!(!wins(200).contains_key(&11));
    });
}

#[test]
fn stake_counts_at_once() {
    with_operators(|| {
        let before = score(11);
        serve(11, 2 * STAKE, &[model(1)]);
        assert_eq!(score(11), 2 * before);
    });
}

#[test]
fn same_standing_changes_nothing() {
    with_operators(|| {
        run_epochs(2, &OPERATORS);
        let before = member(11);
        serve(11, STAKE, &[model(1)]);
        assert_eq!(member(11), before);
    });
}

#[test]
fn models_are_markets_of_their_own() {
    with_operators(|| {
        serve(11, STAKE, &[model(2), model(3)]);
        assert!(!wins(200).contains_key(&11));
        assert_eq!(Markets::<Test>::get(model(1)).unwrap().members, 3);
        assert_eq!(Markets::<Test>::get(model(2)).unwrap().members, 1);
        let two = |n| {
            use assay_primitives::traits::Routing as _;
            Routing::draw(&model(2), seed(n), &[], anyone).unwrap().operator
        };
        assert!((0..20).all(|n| two(n) == 11));
    });
}

#[test]
fn last_operator_of_a_model_takes_all_of_it_along() {
    with_operators(|| {
        run_epochs(2, &OPERATORS);
        assert!(Tallies::<Test>::contains_key(model(1)));
        for operator in OPERATORS {
            leave(operator);
        }
        assert_eq!(Markets::<Test>::iter().count(), 0);
        assert_eq!(Tallies::<Test>::iter().count(), 0);
        assert_eq!(TreeNodes::<Test>::iter().count(), 0);
    });
}

#[test]
fn operator_without_a_place_is_not_taken() {
    with_nobody(|| {
        MaxOperators::set(2);
        for operator in [11, 12, 13] {
            serve(operator, STAKE, &[model(1)]);
        }
        assert!(crate::Members::<Test>::get(13).is_none());
        leave(11);
        serve(13, STAKE, &[model(1)]);
        assert_eq!(member(13).slot, 0);
        MaxOperators::set(64);
    });
}

#[test]
fn models_beyond_the_bound_are_left_out() {
    with_nobody(|| {
        serve(11, STAKE, &[1, 2, 3, 4].map(model));
        assert_eq!(member(11).served.len(), 3);
        assert!(!Markets::<Test>::contains_key(model(4)));
    });
}

#[test]
fn unknown_operator_leaves_nothing() {
    with_operators(|| {
        leave(99);
        assert_eq!(SlotCount::<Test>::get(), 4);
    });
}

#[test]
fn context_is_the_longest_that_active_operators_offer() {
    with_operators(|| {
        let stand = |operator, context, active| {
            let models = vec![Offered { model: model(1), context, prices: PRICES }];
            stand(operator, Some(Standing { stake: STAKE, models, active }));
            Routing::context(&model(1))
        };
        assert_eq!(Routing::context(&model(1)), Some(CONTEXT));
        assert_eq!(Routing::context(&model(2)), None);
        assert_eq!(stand(11, 5_000, true), Some(5_000));
        assert_eq!(stand(11, 5_000, false), Some(CONTEXT));
        assert_eq!(stand(11, 3_000, true), Some(3_000));
        assert_eq!(stand(11, 10, true), Some(CONTEXT));
        for operator in OPERATORS {
            drain(operator);
        }
        assert_eq!(Routing::context(&model(1)), None);
    });
}

#[test]
fn lowest_prices_are_those_of_operators_that_take_duties() {
    with_operators(|| {
        let stand = |operator, input, output, active| {
            let prices = Prices { input, output };
            let models = vec![Offered { model: model(1), context: CONTEXT, prices }];
            stand(operator, Some(Standing { stake: STAKE, models, active }));
            Routing::lowest_prices(&model(1)).map(|prices| (prices.input, prices.output))
        };
        assert_eq!(Routing::lowest_prices(&model(1)), Some(PRICES));
        assert_eq!(Routing::lowest_prices(&model(2)), None);
        assert_eq!(stand(11, 0, 9, true), Some((0, 5)));
        assert_eq!(stand(12, 7, 2, true), Some((0, 2)));
        assert_eq!(stand(11, 0, 9, false), Some((1, 2)));
        assert_eq!(stand(12, 1, 5, true), Some((1, 5)));
        for operator in OPERATORS {
            drain(operator);
        }
        assert_eq!(Routing::lowest_prices(&model(1)), None);
        assert_eq!(crate::Lowest::<Test>::iter().count(), 0);
    });
}

#[test]
fn visit_sees_what_nobody_told() {
    with_operators(|| {
        let models = vec![Offered { model: model(1), context: CONTEXT, prices: PRICES }];
        let seized = Standing { stake: STAKE / 2, models: models.clone(), active: true };
        set_standing(11, Some(seized));
        set_standing(12, Some(Standing { stake: MIN_STAKE / 2, models, active: false }));
        assert_eq!(score(11), score(13));
        run_epoch(&OPERATORS);
        assert_eq!(member(11).stake, STAKE / 2);
        assert!(score(11) > 0 && score(11) < score(13));
        assert!(!member(12).active);
        assert_eq!(score(12), 0);
    });
}
