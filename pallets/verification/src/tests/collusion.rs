// SPDX-License-Identifier: Apache-2.0
//! Verifiers that vote against what they have found.

use crate::{mock::*, Offence};
use assay_primitives::settlement::Outcome;

#[test]
fn two_of_three_take_an_honest_operators_bond() {
    with_operators(|| {
        let (id, operator, committee) = revealed([rejects(), accepts(), rejects()]);
        assert_eq!(settlement(&id).outcome, Outcome::Slashed);
        assert_eq!(wealth(operator), ENDOWMENT + PAYMENT.down - JOB_BOND);
        assert_eq!(slashes(), vec![(committee[1], Offence::Contradicted, BOND)]);
    });
}

#[test]
fn liar_that_is_about_to_lose_withholds_its_vote_for_a_twentieth() {
    with_operators(|| {
        let (id, _, committee) = committed([rejects(), accepts(), accepts()]);
        reveal(committee[1], id, accepts()).unwrap();
        reveal(committee[2], id, accepts()).unwrap();
        run_blocks(REVEAL_WINDOW + 1);
        assert_eq!(settlement(&id).outcome, Outcome::Paid);
        assert_eq!(slashes(), vec![(committee[0], Offence::Silent, SILENCE)]);
    });
}
