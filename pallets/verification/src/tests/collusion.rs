// SPDX-License-Identifier: Apache-2.0
//! Verifiers that vote against what they have found.

use crate::{mock::*, Offence};
use assay_primitives::settlement::Outcome;

#[test]
fn two_of_three_lose_against_an_honest_jury() {
    with_operators(|| {
        let (id, operator, committee, _) = appealed([rejects(), accepts(), rejects()]);
        judge(id, |_| accepts());
        assert_eq!(settlement(&id).outcome, Outcome::Paid);
        let wrong = [committee[0], committee[2]].map(|liar| (liar, Offence::Contradicted, BOND));
        assert_eq!(slashes(), wrong);
        // It is paid, pays for its committee, of which one gets its fee, and gets once as much as was at stake
        // for it.
        assert_eq!(wealth(operator), ENDOWMENT + 113 - 3 * SHARE + 113);
    });
}

#[test]
fn liar_that_is_about_to_lose_loses_all_if_it_withholds_its_vote() {
    with_operators(|| {
        let (id, _, committee) = committed([rejects(), accepts(), accepts()]);
        reveal(committee[1], id, accepts()).unwrap();
        reveal(committee[2], id, accepts()).unwrap();
        run_blocks(REVEAL_WINDOW + 1);
        assert_eq!(slashes(), vec![(committee[0], Offence::Withheld, BOND)]);
        assert_eq!(wealth(committee[0]), ENDOWMENT - BOND);
        // It cannot keep the others' verdict from counting either: a jury hears them.
        run_blocks(2);
        judge(id, |_| accepts());
        assert_eq!(settlement(&id).outcome, Outcome::Paid);
        assert_eq!(settlement(&id).verifiers, 9);
    });
}
