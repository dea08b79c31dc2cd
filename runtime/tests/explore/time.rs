// SPDX-License-Identifier: Apache-2.0
//! The passing of time up to the next thing that the chain does with the job by itself.

use crate::{
    blocks,
    books::{watched, Seen},
};
use assay_primitives::{job::JobState, JobId};
use assay_runtime::{AccountId, Jobs, Operators, Runtime, System};
use pallet_verification::{Audit, Audits};
use sp_core::H256;
use sp_crypto_hashing::blake2_256;

/// The most blocks that pass at once where nothing happens: more than a challenge window and a draw.
const MOST: u32 = 240;

/// What the chain knows of the job: it has changed when this has.
type View = (Option<JobState<AccountId>>, Option<Audit<AccountId>>);

/// Returns the only job there is, if there is one.
pub fn job() -> Option<JobId> {
    pallet_jobs::Jobs::<Runtime>::iter_keys().next()
}

/// Returns what the chain knows of the job.
pub fn view() -> View {
    let Some(id) = job() else { return (None, None) };
    (Jobs::view(&id).map(|job| job.state), Audits::<Runtime>::get(id))
}

/// Lets blocks pass until something happens to the job, and checks the money in each. `alive` says
/// whether the operators send heartbeats; blocks of another `luck` have other VRF outputs.
pub fn pass(seen: &mut Seen, alive: bool, luck: u8) {
    let before = view();
    for _ in 0..MOST {
        let operators: Vec<_> = if alive {
            pallet_operators::Operators::<Runtime>::iter_keys().collect()
        } else {
            Vec::new()
        };
        System::reset_events();
        watched(seen, || match luck {
            0 => blocks::next_block(&operators),
            _ => blocks::next_block_after(&operators, output(luck)),
        });
        if view() != before {
            return;
        }
    }
}

/// Returns another VRF output of this block.
fn output(luck: u8) -> H256 {
    H256(blake2_256(&[&System::block_number().to_le_bytes()[..], &[luck]].concat()))
}

/// Returns the operator that a job has been assigned to, if one has.
pub fn operator() -> Option<AccountId> {
    match view().0? {
        JobState::Assigned { operator, .. }
        | JobState::Running { operator, .. }
        | JobState::Delivered { operator, .. } => Some(operator),
        JobState::Open { .. } | JobState::Settled(_) => None,
    }
    .filter(|who| Operators::view(who).is_some())
}
