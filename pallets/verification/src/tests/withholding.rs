// SPDX-License-Identifier: Apache-2.0
//! An operator that commits to a hash and serves nobody its transcript.

use crate::mock::*;
use assay_primitives::settlement::Outcome;

/// Lets the present committee, and each that follows, find the transcript unavailable.
fn find_nothing(id: &assay_primitives::JobId) {
    while !is_over(id) {
        for verifier in Verification::committee(id) {
            // A report of another phase is refused and changes nothing.
            let _ =
                commit(verifier, *id, abstains()).or_else(|_| reveal(verifier, *id, abstains()));
        }
        run_blocks(1);
    }
}

#[test]
fn withheld_transcript_costs_the_bond() {
    with_operators(|| {
        let (id, operator) = delivered();
        find_nothing(&id);
        assert_eq!(settlement(&id).outcome, Outcome::Slashed);
        assert_eq!(wealth(operator), ENDOWMENT + PAYMENT.down - JOB_BOND);
    });
}

#[test]
fn output_that_nobody_can_check_is_not_paid() {
    with_some_operators(1, || {
        let (id, operator) = delivered();
        run_blocks(3);
        assert_eq!(settlement(&id).outcome, Outcome::Unverified);
        assert_eq!(wealth(operator), ENDOWMENT + PAYMENT.down);
    });
}
