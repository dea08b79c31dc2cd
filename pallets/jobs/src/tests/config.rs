// SPDX-License-Identifier: Apache-2.0
//! Parameters that contradict each other are refused.

use crate::mock::*;
use frame_support::traits::Hooks;
use sp_runtime::Permill;

#[test]
fn parameters_of_the_mock_are_sound() {
    Jobs::integrity_test();
}

#[test]
#[should_panic(expected = "verifiers must not take more than half")]
fn parameters_refuse_verifiers_that_take_more_than_half() {
    VerifierShare::set(Permill::from_percent(17));
    Jobs::integrity_test();
}

#[test]
#[should_panic(expected = "a bond must stand against each job")]
fn parameters_refuse_jobs_without_a_bond() {
    BondFactor::set(0);
    Jobs::integrity_test();
}
