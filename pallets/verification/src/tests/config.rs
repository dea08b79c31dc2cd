// SPDX-License-Identifier: Apache-2.0
//! Parameters that contradict each other are refused.

use crate::mock::*;
use frame_support::traits::Hooks;

#[test]
fn parameters_of_the_mock_are_sound() {
    Verification::integrity_test();
}

#[test]
#[should_panic(expected = "an odd number of members")]
fn parameters_refuse_committees_that_can_be_tied() {
    CommitteeSize::set(4);
    Verification::integrity_test();
}

#[test]
#[should_panic(expected = "a jury must be larger than a committee")]
fn parameters_refuse_juries_that_are_no_larger_than_committees() {
    MinJury::set(3);
    Verification::integrity_test();
}

#[test]
#[should_panic(expected = "a jury must be possible")]
fn parameters_refuse_juries_that_are_larger_than_they_can_be() {
    JurySize::set(3);
    Verification::integrity_test();
}

#[test]
#[should_panic(expected = "must fit into the record")]
fn parameters_refuse_committees_that_do_not_fit() {
    CommitteeSize::set(11);
    Verification::integrity_test();
}

#[test]
#[should_panic(expected = "from 1 to 16 blocks")]
fn parameters_refuse_draws_from_more_blocks_than_tickets_are_made_for() {
    DrawBlocks::set(17);
    Verification::integrity_test();
}

#[test]
#[should_panic(expected = "audits must be moved on")]
fn parameters_refuse_audits_that_stand_still() {
    MaxAuditsPerBlock::set(0);
    Verification::integrity_test();
}
