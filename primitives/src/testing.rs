// SPDX-License-Identifier: Apache-2.0
//! Values for tests, the same in the mocks of all pallets.
//!
//! Exists with `std` alone, so that it cannot get into a runtime's WASM. It has no cargo feature of
//! its own: with one, tests would build this crate and all that depend on it a second time.

#![allow(missing_docs, reason = "`parameter_types` writes a constant without documentation")]

use crate::{
    contact::SignedContact,
    job::{JobId, JobSpec, ModelId, NumericProfile, PeerIdBytes, Privacy, Sampling, Verification},
    traits::{BlockRandomness, PastRandomness},
    BlockNumber,
};
use codec::Encode;
use frame_support::{parameter_types, BoundedVec};
use sp_core::{ed25519, Pair, H256};

parameter_types! {
    /// The randomness of the parent block, which the test sets.
    pub static ParentRandomness: Option<H256> = Some(H256::repeat_byte(7));
}

impl BlockRandomness for ParentRandomness {
    fn of_parent() -> Option<H256> {
        Self::get()
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn set_of_parent(randomness: H256) {
        Self::set(Some(randomness));
    }
}

/// Every past block has the same randomness.
impl PastRandomness for ParentRandomness {
    fn of(_: BlockNumber) -> Option<H256> {
        Self::get()
    }

    fn of_span(_: BlockNumber, _: BlockNumber) -> Option<H256> {
        Self::get()
    }
}

/// Returns the identifier of job `n`.
pub fn job(n: u64) -> JobId {
    JobId::from_low_u64_be(n)
}

/// Returns the identifier of model `n`.
pub fn model(n: u64) -> ModelId {
    ModelId::from_low_u64_be(n)
}

/// Returns the specification of a job that reads 10 tokens and writes at most 20, from model 1, whether or
/// not enough operators can check it.
pub fn spec<AccountId>() -> JobSpec<AccountId> {
    JobSpec {
        model: model(1),
        request_hash: H256::repeat_byte(1),
        input_tokens: 10,
        max_tokens: 20,
        seed: 42,
        sampling: Sampling::GREEDY,
        profile: NumericProfile::N1,
        not_before: 0,
        deadline: 20,
        privacy: Privacy::Public,
        output_key: None,
        peer: PeerIdBytes::default(),
        allowed: BoundedVec::new(),
        verification: Verification::IfPossible,
        audit: false,
        referrer: None,
    }
}

/// Returns the network key of the only node that tests know.
pub fn network_key() -> ed25519::Pair {
    ed25519::Pair::from_seed(&[7; 32])
}

/// Returns the contact of that node, without addresses, signed for `stash`.
pub fn signed_contact(genesis: &H256, stash: &impl Encode) -> SignedContact {
    SignedContact::new(&network_key(), Default::default(), genesis, stash)
}
