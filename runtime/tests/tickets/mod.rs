// SPDX-License-Identifier: Apache-2.0
//! Blocks played by hand whose outputs draw a job or do not, so that no test depends on chance.

use crate::blocks;
use assay_primitives::{draw::Purpose, ticket, JobId};
use assay_runtime::{configs::Randomness, AccountId, Runtime, System};
use codec::Encode;
use frame_support::traits::Get;
use sp_core::H256;
use sp_crypto_hashing::blake2_256;
use sp_runtime::Permill;

/// Begins the next block, whose parent carries an output that wins the job a ticket or does not. At a
/// rate of one each output wins. The heartbeats of the operators in `alive` arrive.
pub fn next_block(alive: &[AccountId], job: &JobId, purpose: Purpose, rate: Permill, wins: bool) {
    let draw_blocks = <Runtime as pallet_verification::Config>::DrawBlocks::get();
    let threshold = ticket::threshold(rate, draw_blocks);
    let always = threshold >= ticket::TICKETS;
    let next = System::block_number() + 1;
    let output = (0u32..)
        .map(|n| H256(blake2_256(&(next, n).encode())))
        .find(|output| {
            always || ticket::wins(&told_by_babe(output), job, purpose, threshold) == wins
        })
        .expect("one of the outputs does");
    blocks::next_block_after(alive, output);
}

/// Does that for the draw of the job for a second look.
pub fn next_block_of_look(alive: &[AccountId], job: &JobId, is_drawn: bool) {
    let rate = <Runtime as pallet_verification::Config>::SecondLooks::get();
    next_block(alive, job, Purpose::SecondLook, rate, is_drawn);
}

/// Returns the randomness of a block with that VRF output, as the runtime asks BABE for it.
fn told_by_babe(output: &H256) -> H256 {
    H256(blake2_256(&[Randomness::SUBJECT, output.as_bytes()].concat()))
}
