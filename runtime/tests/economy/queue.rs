// SPDX-License-Identifier: Apache-2.0
//! A client orders many jobs that no operator takes, so that the chain's draws are used up and the
//! jobs of others wait.

use crate::scene::*;
use assay_primitives::{job::JobSpec, BlockNumber, JobId};
use assay_runtime::{Jobs, RuntimeOrigin, System};
use frame_support::assert_ok;
use sp_keyring::Sr25519Keyring;

/// Returns the number of blocks until an operator is drawn for a new job.
fn wait() -> BlockNumber {
    let before = System::block_number();
    let spec = spec(17, 8);
    let job: JobId = create(spec.clone(), quoted(&spec));
    assigned(&job);
    System::block_number() - before
}

#[test]
fn jobs_that_nobody_takes_do_not_make_others_wait() {
    on_chain(|| {
        // Two blocks whose outputs decide, and one in which the draw is made.
        assert_eq!(wait(), 3);
        let attacker = Sr25519Keyring::Eve.to_account_id();
        // Nobody but Eve may run them, and she is not an operator.
        let allowed = vec![attacker.clone()].try_into().unwrap();
        let spec = JobSpec { allowed, deadline: 10_000, ..spec(17, 8) };
        for _ in 0..1_000 {
            let payment = quoted(&spec);
            let origin = RuntimeOrigin::signed(attacker.clone());
            assert_ok!(Jobs::create(origin, spec.clone(), payment));
        }
        for _ in 0..5 {
            assert_eq!(wait(), 3);
        }
    });
}

#[test]
fn jobs_that_are_cancelled_do_not_make_others_wait() {
    on_chain(|| {
        let spec = JobSpec { not_before: System::block_number() + 3, ..spec(17, 8) };
        for _ in 0..1_000 {
            let job = create(spec.clone(), quoted(&spec));
            assert_ok!(Jobs::cancel(RuntimeOrigin::signed(client()), job));
        }
        assert_eq!(wait(), 3);
    });
}
