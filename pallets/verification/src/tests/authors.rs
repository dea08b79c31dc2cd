// SPDX-License-Identifier: Apache-2.0
//! A block author that knows the VRF outputs of its own slots before it commits to an output.

use crate::{mock::*, Records, WHOLE};
use assay_primitives::{draw::Purpose, ticket, JobId};
use sp_core::H256;
use sp_runtime::Permill;

/// The rate at which the author's jobs are audited.
const RATE: Permill = Permill::from_percent(50);

/// Returns an output with which the job's ticket of that block does not win.
fn lucky(id: &JobId) -> H256 {
    let threshold = ticket::threshold(RATE, DrawBlocks::get());
    let loses = |output: &H256| !ticket::wins(output, id, Purpose::Audit, threshold);
    (0..).map(H256::from_low_u64_be).find(loses).unwrap()
}

/// Returns how many of 40 jobs are audited if the outputs of the first `own` blocks after each
/// commitment are what the author wants.
fn audited(own: u32) -> u32 {
    with_operators(|| {
        let mut audited = 0;
        for n in 0..40u8 {
            ParentRandomness::set(Some(H256::repeat_byte(n)));
            let (id, operator) = delivered();
            Records::<Test>::insert(operator, 10 * WHOLE);
            assert_eq!(Verification::audit_rate(&operator), RATE);
            let first = now() + 1;
            let output = lucky(&id);
            Chosen::mutate(|chosen| {
                chosen.extend((first..first + own).map(|block| (block, output)))
            });
            run_blocks(DrawBlocks::get() + 1);
            if !is_over(&id) {
                audited += 1;
                // Nobody commits, and the audit ends by itself.
                run_blocks(200);
            }
        }
        audited
    })
}

#[test]
fn author_of_one_block_escapes_a_draw_from_that_block_alone() {
    DrawBlocks::set(1);
    assert_eq!(audited(1), 0);
}

#[test]
fn author_of_a_few_blocks_is_audited_all_the_same() {
    // With one lucky block of 16, 19 of 40 are expected, and with nine of them 10. The deviations are
    // 3.2 and 2.8, and bounds of three and a half of them leave one in two thousand.
    DrawBlocks::set(16);
    let one = audited(1);
    assert!((8..=30).contains(&one), "{one} of 40 were audited");
    DrawBlocks::set(16);
    let nine = audited(9);
    assert!((1..=20).contains(&nine), "{nine} of 40 were audited");
}

#[test]
fn author_of_all_blocks_of_a_span_is_never_audited() {
    // This is the limit of the rule: nobody may author 16 blocks in a row.
    DrawBlocks::set(16);
    assert_eq!(audited(16), 0);
}
