// SPDX-License-Identifier: Apache-2.0
//! Heartbeats: the time in which they are taken, and operators that send none.

use crate::{fixed::ONE, mock::*, Error, Event};
use assay_primitives::{
    traits::{Duties, Performance as _, Routing as _},
    Report,
};
use frame_support::assert_noop;
use sp_core::H256;

/// Runs to the first block in which the heartbeat of the operator can be taken, and returns its
/// number.
fn run_to_turn(operator: AccountId) -> u32 {
    let turn = epoch().turn(member(operator).slot).expect("the operator has no turn");
    while now() <= turn {
        next_block();
    }
    turn
}

#[test]
fn heartbeat_raises_the_uptime() {
    with_operators(|| {
        let turn = run_to_turn(11);
        handle(11, &heartbeat(11, turn)).unwrap();
        assert_eq!(member(11).conduct.answered, 1);
        assert!(events().contains(&Event::HeartbeatReceived { operator: 11 }));
        run_epoch(&[]);
        assert_eq!(member(11).uptime, ONE / 4 * 3);
        assert_eq!(member(12).uptime, ONE / 4);
    });
}

#[test]
fn worker_sends_what_is_taken_and_once() {
    with_operators(|| {
        let mut sent = 0;
        let index = epoch().index;
        while epoch().index == index {
            let reports = Routing::reports(&11, &[]);
            sent += reports.len();
            next_block();
            for report in reports {
                handle(11, &report).unwrap();
            }
        }
        assert_eq!(sent, 1);
        assert!(Routing::reports(&99, &[]).is_empty());
        assert!(Routing::work(&11).is_empty());
    });
}

#[test]
fn heartbeat_of_another_report_is_not_handled() {
    with_operators(|| {
        let accept = Report::Accept { job: H256::zero() };
        assert_eq!(Routing::weight_of(&accept), None);
        assert_eq!(Routing::handle(&11, &accept), None);
        let weight = <() as crate::WeightInfo>::heartbeat();
        assert_eq!(Routing::weight_of(&heartbeat(11, 1)), Some(weight));
    });
}

#[test]
fn heartbeat_of_no_operator_is_refused() {
    with_operators(|| {
        next_block();
        assert_noop!(handle(99, &heartbeat(99, 1)), Error::<Test>::NotOperator);
    });
}

#[test]
fn heartbeat_is_refused_out_of_turn() {
    with_operators(|| {
        let turn = run_to_turn(14);
        assert_noop!(handle(14, &heartbeat(14, turn - 1)), Error::<Test>::NotAsked);
        while now() <= turn + WINDOW {
            next_block();
        }
        assert_noop!(handle(14, &heartbeat(14, turn)), Error::<Test>::NotAsked);
    });
}

#[test]
fn heartbeat_is_refused_twice() {
    with_operators(|| {
        let turn = run_to_turn(11);
        handle(11, &heartbeat(11, turn)).unwrap();
        assert_noop!(handle(11, &heartbeat(11, turn)), Error::<Test>::NotAsked);
    });
}

#[test]
fn heartbeat_of_a_newcomer_is_not_asked() {
    with_operators(|| {
        serve(15, STAKE, &[model(1)]);
        next_block();
        assert_noop!(handle(15, &heartbeat(15, now() - 1)), Error::<Test>::NotAsked);
    });
}

#[test]
fn heartbeat_of_a_drained_operator_is_not_asked() {
    with_operators(|| {
        let turn = run_to_turn(11);
        drain(11);
        assert_noop!(handle(11, &heartbeat(11, turn)), Error::<Test>::NotAsked);
        serve(11, STAKE, &[model(1)]);
    });
}

#[test]
fn heartbeat_that_names_a_block_to_come_is_refused() {
    with_operators(|| {
        run_to_turn(11);
        assert_noop!(handle(11, &heartbeat(11, now())), Error::<Test>::BlockUnknown);
        assert_noop!(handle(11, &heartbeat(11, now() + 1)), Error::<Test>::BlockUnknown);
    });
}

#[test]
fn heartbeat_with_another_answer_is_refused() {
    with_operators(|| {
        let turn = run_to_turn(11);
        let Report::Heartbeat { answer, .. } = heartbeat(12, turn) else { unreachable!() };
        assert_noop!(
            handle(11, &Report::Heartbeat { at: turn, answer }),
            Error::<Test>::AnswerWrong
        );
        let void = Report::Heartbeat { at: turn, answer: H256::zero() };
        assert_noop!(handle(11, &void), Error::<Test>::AnswerWrong);
    });
}

#[test]
fn dead_operator_gets_nothing_after_an_epoch() {
    with_operators(|| {
        run_epochs(2, &OPERATORS);
        // The operator answers in its turn, and dies with the next block.
        let turn = run_to_turn(11);
        handle(11, &heartbeat(11, turn)).unwrap();
        let died = now();
        while now() <= died + LENGTH + WINDOW {
            run_blocks(1, &[12, 13, 14]);
        }
        assert_eq!(score(11), 0);
        assert!(events().contains(&Event::OperatorSilent { operator: 11 }));
        assert!(!wins(200).contains_key(&11));
        for n in 0..50 {
            assert!(!Routing::committee(&model(1), seed(n), 4, |_| true).contains(&11));
        }
        // Later epochs change nothing about that.
        run_epochs(3, &[12, 13, 14]);
        assert_eq!(score(11), 0);
    });
}

#[test]
fn operator_that_answers_jobs_is_not_silent() {
    with_operators(|| {
        run_epoch(&OPERATORS);
        let turn = run_to_turn(11);
        assert_eq!(turn + 1, now());
        Routing::answered(&11);
        let before = member(11).uptime;
        run_epoch(&OPERATORS[1..]);
        assert!(!member(11).silent);
        assert!(score(11) > 0);
        // It missed one of two requests, so the uptime moves halfway to one half.
        assert_eq!(member(11).uptime, before - (before - ONE / 2) / 2);
    });
}

#[test]
fn silent_operator_comes_back_by_a_heartbeat() {
    with_operators(|| {
        run_epochs(2, &OPERATORS[1..]);
        assert!(member(11).silent);
        assert_eq!(score(11), 0);
        let uptime = member(11).uptime;
        // It can return at any time, with a recent block.
        next_block();
        let reports = Routing::reports(&11, &[]);
        assert_eq!(reports.len(), 1);
        next_block();
        handle(11, &reports[0]).unwrap();
        assert!(events().contains(&Event::OperatorBack { operator: 11 }));
        assert!(score(11) > 0 && score(11) < score(12));
        assert!(uptime < member(12).uptime);
        assert!(wins(400).contains_key(&11));
    });
}

#[test]
fn silent_operator_is_not_asked_and_keeps_its_uptime() {
    with_operators(|| {
        run_epochs(2, &OPERATORS[1..]);
        assert!(member(11).silent);
        let uptime = member(11).uptime;
        assert!(uptime > 0);
        run_epochs(5, &OPERATORS[1..]);
        assert_eq!(member(11).uptime, uptime);
        run_blocks(3, &OPERATORS);
        assert!(!member(11).silent);
        assert_eq!(member(11).uptime, uptime);
    });
}

#[test]
fn silent_operator_does_not_come_back_with_an_old_block() {
    with_operators(|| {
        run_epochs(2, &OPERATORS[1..]);
        while now() < epoch().started + WINDOW + 1 {
            run_blocks(1, &OPERATORS[1..]);
        }
        assert!(member(11).silent);
        let old = now() - WINDOW - 1;
        assert_noop!(handle(11, &heartbeat(11, old)), Error::<Test>::NotAsked);
    });
}
