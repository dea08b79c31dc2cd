// SPDX-License-Identifier: Apache-2.0
//! Blocks played by hand: the hooks of the market's pallets, the randomness that the parent
//! carries, and the heartbeats of the workers.

use assay_primitives::{traits::Duties, Report};
use assay_runtime::{
    AccountId, Beacon, Jobs, Operators, Routing, Runtime, RuntimeEvent, RuntimeOrigin, System,
    Verification,
};
use frame_support::{assert_ok, traits::Hooks, weights::Weight};
use sp_core::H256;
use sp_crypto_hashing::{blake2_256, twox_128};

/// Ends the block and begins the next one, whose parent carries a VRF output and in which the
/// heartbeats of the operators in `alive` arrive. Events are those of the new block.
pub fn next_block(alive: &[AccountId]) {
    let next = System::block_number() + 1;
    next_block_after(alive, H256(blake2_256(&next.to_le_bytes())));
}

/// Does what [`next_block`] does, with this VRF output of the parent.
pub fn next_block_after(alive: &[AccountId], output: H256) {
    next_block_with(alive, output, Weight::MAX);
}

/// Does what [`next_block`] does, with this VRF output of the parent, and this weight that its extrinsics
/// have left.
pub fn next_block_with(alive: &[AccountId], output: H256, left: Weight) {
    let now = System::block_number();
    System::reset_events();
    Operators::on_idle(now, left);
    Jobs::on_idle(now, left);
    Verification::on_idle(now, left);
    let next = now + 1;
    System::set_block_number(next);
    let key = [twox_128(b"Babe"), twox_128(b"AuthorVrfRandomness")].concat();
    frame_support::storage::unhashed::put(&key, &Some(output));
    frame_system::BlockHash::<Runtime>::insert(now, H256::from_low_u64_be(u64::from(now) + 1));
    let heartbeats: Vec<_> = alive
        .iter()
        .flat_map(|stash| {
            let due = <Routing as Duties<AccountId>>::reports(stash, &[]);
            due.into_iter().map(move |report| (stash, report))
        })
        .collect();
    Beacon::on_initialize(next);
    Operators::on_initialize(next);
    Routing::on_initialize(next);
    Jobs::on_initialize(next);
    Verification::on_initialize(next);
    for (stash, heartbeat) in heartbeats {
        report(stash, heartbeat);
    }
}

/// Handles a report of the operator's worker, or on every other job of the one before it, and returns
/// whether it was taken.
pub fn report(stash: &AccountId, report: Report) -> bool {
    let operator = Operators::view(stash).expect("it is not an operator");
    let previous = operator.retiring.filter(|(_, until)| System::block_number() <= *until);
    let worker = match previous {
        Some((previous, _)) if report.job().0[31] % 2 == 1 => previous,
        _ => operator.worker,
    };
    let before = System::event_count();
    assert_ok!(Operators::report(RuntimeOrigin::signed(worker), vec![report].try_into().unwrap()));
    !System::events().into_iter().skip(before as usize).any(|record| {
        matches!(
            record.event,
            RuntimeEvent::Operators(pallet_operators::Event::ReportRefused { .. })
        )
    })
}
