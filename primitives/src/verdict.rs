// SPDX-License-Identifier: Apache-2.0
//! A verifier's verdict on an output, and the hash by which the verifier commits to it before the
//! others can read it.

use crate::{
    job::JobId,
    reason::{AbstainReason, RejectReason},
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::H256;

/// A verifier's finding. Honest verifiers agree exactly, on any machine.
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
        /// The digest root, which only the computation yields.
        digest_root: H256,
    },
    /// A check fails.
    #[codec(index = 1)]
    Reject {
        /// The first failing position of the output.
        position: u32,
        /// The check that fails.
        reason: RejectReason,
    },
    /// The verifier has no finding.
    #[codec(index = 2)]
    Abstain(AbstainReason),
}

/// Returns `blake2_256("assay/verdict/1", job, round, verifier, verdict, salt)`. The hash includes
/// the verifier, so that copying another's hash is useless.
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
