// SPDX-License-Identifier: Apache-2.0
//! A block author that knows the VRF outputs of its own slots before it commits to an output.

use crate::{mock::*, Records};
use assay_primitives::JobId;
use sp_core::H256;

/// Returns an output of a slot of the author with which the job is not audited.
fn lucky(id: &JobId, operator: AccountId) -> H256 {
    let outputs = (0..).map(H256::from_low_u64_be);
    outputs.into_iter().find(|output| !Verification::is_drawn(id, &operator, output)).unwrap()
}

#[test]
fn author_that_waits_for_a_lucky_slot_is_never_audited() {
    with_operators(|| {
        for stash in OPERATORS {
            // Half of its jobs are audited.
            Records::<Test>::insert(stash, 10);
        }
        for _ in 0..20 {
            let (id, operator) = delivered();
            Records::<Test>::insert(operator, 10);
            ParentRandomness::set(Some(lucky(&id, operator)));
            run_blocks(2);
            assert!(is_over(&id), "the audit was waived");
        }
    });
}
