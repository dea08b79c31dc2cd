// SPDX-License-Identifier: Apache-2.0
//! Parameters that contradict each other are refused.

use crate::{fixed::ONE, mock::*, score::Params, weighting::Weights};
use frame_support::traits::Hooks;

#[test]
fn parameters_of_the_mock_are_sound() {
    new_test_ext().execute_with(Routing::integrity_test);
}

#[test]
#[should_panic(expected = "base weights out of bounds")]
fn parameters_refuse_weights_out_of_bounds() {
    let base = Weights { uptime: 0, speed: ONE / 20, stake: ONE / 20 * 19 };
    Parameters::set(Params { base, ..PARAMS });
    Routing::integrity_test();
}

#[test]
#[should_panic(expected = "the minimum stake exceeds the cap")]
fn parameters_refuse_a_minimum_above_the_cap() {
    Parameters::set(Params { min_stake: CAP + 1, ..PARAMS });
    Routing::integrity_test();
}

#[test]
fn parameters_that_stop_the_clock_are_refused() {
    let refused = |params: Params| params.check().unwrap_err();
    assert_eq!(
        refused(Params { reaction: 3 * ONE, ..PARAMS }),
        "a weight must not more than triple"
    );
    assert_eq!(refused(Params { tolerance: ONE, ..PARAMS }), "a median must be able to fall");
    assert_eq!(refused(Params { weight_smoothing: 0, ..PARAMS }), "weights must be able to move");
    assert_eq!(refused(Params { smoothing: 0, ..PARAMS }), "measurements must be able to count");
    assert_eq!(refused(Params { newcomer_uptime: 0, ..PARAMS }), "a newcomer must have a score");
    assert_eq!(refused(Params { min_stake: 0, ..PARAMS }), "a score must have a stake behind it");
    assert_eq!(
        refused(Params { min_stake: 1, stake_cap: u128::MAX, ..PARAMS }),
        "the minimum stake is too small a part of the cap"
    );
}

#[test]
#[should_panic(expected = "an epoch must have time")]
fn parameters_refuse_epochs_without_time_for_heartbeats() {
    EpochLength::set(WINDOW + 1);
    Routing::integrity_test();
}

#[test]
#[should_panic(expected = "hashes of blocks that heartbeats name")]
fn parameters_refuse_windows_longer_than_hashes_are_kept() {
    EpochLength::set(200);
    HeartbeatWindow::set(100);
    Routing::integrity_test();
}

#[test]
#[should_panic(expected = "operators must fit the trees")]
fn parameters_refuse_more_operators_than_leaves() {
    MaxOperators::set(crate::tree::CAPACITY + 1);
    Routing::integrity_test();
}

#[test]
#[should_panic(expected = "two operators must be drawn")]
fn parameters_refuse_a_single_try() {
    MaxTries::set(1);
    Routing::integrity_test();
}
