// SPDX-License-Identifier: Apache-2.0
//! Measurements of operators.

use crate::{fixed::ONE, mock::*, Event};
use assay_primitives::traits::{Performance as _, Routing as _};

#[test]
fn uptime_counts_jobs_and_heartbeats_alike() {
    with_operators(|| {
        Routing::answered(&11);
        Routing::answered(&11);
        Routing::missed(&11);
        run_epoch(&OPERATORS);
        // Three of four were answered, so the uptime moves halfway from one half.
        assert_eq!(member(11).uptime, ONE / 2 + (ONE / 4 * 3 - ONE / 2) / 2);
    });
}

#[test]
fn misses_in_a_row_make_silent_at_once() {
    with_operators(|| {
        Routing::missed(&11);
        Routing::missed(&11);
        assert!(score(11) > 0);
        Routing::missed(&11);
        assert_eq!(score(11), 0);
        assert!(events().contains(&Event::OperatorSilent { operator: 11 }));
        // Only a heartbeat brings the operator back.
        Routing::answered(&11);
        assert_eq!(score(11), 0);
        run_blocks(3, &OPERATORS);
        assert!(score(11) > 0);
    });
}

#[test]
fn sign_of_life_ends_a_row_of_misses_and_does_not_raise_the_uptime() {
    with_operators(|| {
        for _ in 0..5 {
            Routing::missed(&11);
            Routing::missed(&11);
            Routing::alive(&11);
        }
        assert!(!member(11).silent);
        assert_eq!((member(11).conduct.answered, member(11).conduct.missed), (0, 10));
    });
}

#[test]
fn declined_job_lowers_the_uptime_and_never_silences() {
    with_operators(|| {
        for _ in 0..9 {
            Routing::declined(&11);
        }
        assert!(!member(11).silent);
        assert_eq!((member(11).misses, member(11).conduct.missed), (0, 9));
        run_epoch(&OPERATORS);
        assert!(score(11) > 0 && score(11) < score(12));
    });
}

#[test]
fn answers_in_between_keep_an_operator_in() {
    with_operators(|| {
        for _ in 0..5 {
            Routing::missed(&11);
            Routing::missed(&11);
            Routing::answered(&11);
        }
        assert!(!member(11).silent);
        run_epoch(&OPERATORS);
        assert!(score(11) < score(12));
    });
}

#[test]
fn faster_operator_gets_more() {
    with_operators(|| {
        for _ in 0..4 {
            deliver(11, 600, 2);
            deliver(12, 300, 2);
            run_epoch(&OPERATORS);
        }
        assert!(score(11) > score(12));
        assert!(score(12) > score(13), "an unknown speed counts for more than a known one");
    });
}

#[test]
fn speed_counts_as_much_as_was_paid_for_it() {
    with_operators(|| {
        Routing::delivered(&11, &model(1), 600, 2, 1_000);
        Routing::delivered(&12, &model(1), 600, 2, 1_000);
        // As many tokens again in half of the time, for next to nothing.
        Routing::delivered(&12, &model(1), 600, 1, 10);
        run_epoch(&OPERATORS);
        let speed = |operator| member(operator).served[0].pace.speed;
        assert!(speed(12) > speed(11));
        assert!(speed(12) - speed(11) <= speed(11) / 100, "{} {}", speed(12), speed(11));
    });
}

#[test]
fn output_that_nobody_paid_for_is_not_measured() {
    with_operators(|| {
        Routing::delivered(&11, &model(1), 600, 1, 0);
        run_epoch(&OPERATORS);
        assert_eq!(member(11).served[0].pace.speed, 0);
    });
}

#[test]
fn speed_of_a_model_does_not_count_for_another() {
    with_nobody(|| {
        for operator in [11, 12] {
            serve(operator, STAKE, &[model(1), model(2)]);
        }
        for _ in 0..3 {
            Routing::delivered(&11, &model(2), 1_000, 1, 1_000);
            run_epoch(&[11, 12]);
        }
        assert_eq!(score(11), score(12));
        let other = |operator| Routing::allocation(model(2), operator).unwrap().score;
        assert!(other(11) > other(12));
    });
}

#[test]
fn performance_of_strangers_is_nothing() {
    with_operators(|| {
        let before = sp_io::storage::root(sp_runtime::StateVersion::V1);
        Routing::answered(&99);
        Routing::missed(&99);
        Routing::alive(&99);
        Routing::declined(&99);
        Routing::delivered(&99, &model(1), 1, 1, 1);
        Routing::delivered(&11, &model(9), 1, 1, 1);
        Routing::assigned(&model(1), &99);
        Routing::assigned(&model(9), &11);
        assert_eq!(sp_io::storage::root(sp_runtime::StateVersion::V1), before);
    });
}
