// SPDX-License-Identifier: Apache-2.0
//! What a verifier says of an output, and the hash by which it commits to that before the others
//! can read it.

use crate::{
    job::JobId,
    reason::{AbstainReason, RejectReason},
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::H256;

/// A verifier's finding. Honest ones agree exactly, on any machine.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    TypeInfo,
    MaxEncodedLen,
)]
pub enum Verdict {
    /// Every token is the model's.
    #[codec(index = 0)]
    Accept {
        /// The root over the logit digests, which only the computation yields.
        digest_root: H256,
    },
    /// A check fails.
    #[codec(index = 1)]
    Reject {
        /// First failing position of the output.
        position: u32,
        /// The check.
        reason: RejectReason,
    },
    /// No opinion.
    #[codec(index = 2)]
    Abstain(AbstainReason),
}

/// `blake2_256("assay/verdict/1", job, round, verifier, verdict, salt)`. The verifier is in it, so
/// that copying another's hash is useless.
pub fn verdict_hash<AccountId: Encode>(
    job: &JobId,
    round: u8,
    verifier: &AccountId,
    verdict: &Verdict,
    salt: &H256,
) -> H256 {
    (b"assay/verdict/1", job, round, verifier, verdict, salt)
        .using_encoded(sp_crypto_hashing::blake2_256)
        .into()
}
