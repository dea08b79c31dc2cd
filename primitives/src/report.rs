// SPDX-License-Identifier: Apache-2.0
//! What a worker tells the chain about the duties of its operator.

use crate::{job::JobId, reason::DeclineReason, verdict::Verdict, BlockNumber, OutputCommitment};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::H256;

/// One report. A worker sends those of one block as one extrinsic.
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
pub enum Report {
    /// The operator takes the job that was assigned to it.
    #[codec(index = 0)]
    Accept {
        /// The job.
        job: JobId,
    },
    /// The operator does not take it.
    #[codec(index = 1)]
    Decline {
        /// The job.
        job: JobId,
        /// Why.
        reason: DeclineReason,
    },
    /// The output is complete.
    #[codec(index = 2)]
    CommitOutput {
        /// The job.
        job: JobId,
        /// What the operator stands for.
        commitment: OutputCommitment,
    },
    /// The verifier has a verdict and does not tell it yet.
    #[codec(index = 3)]
    CommitVerdict {
        /// The job under audit.
        job: JobId,
        /// [`verdict_hash`](crate::verdict_hash) of it.
        hash: H256,
    },
    /// The verifier tells its verdict.
    #[codec(index = 4)]
    RevealVerdict {
        /// The job under audit.
        job: JobId,
        /// The verdict committed to.
        verdict: Verdict,
        /// The salt committed to.
        salt: H256,
    },
    /// The operator is there.
    #[codec(index = 5)]
    Heartbeat {
        /// A block that its node has imported.
        at: BlockNumber,
        /// [`heartbeat_answer`] to the epoch's challenge.
        answer: H256,
    },
}

impl Report {
    /// The job that it is about; the zero hash for a heartbeat, which is about none.
    pub fn job(&self) -> JobId {
        match self {
            Self::Accept { job }
            | Self::Decline { job, .. }
            | Self::CommitOutput { job, .. }
            | Self::CommitVerdict { job, .. }
            | Self::RevealVerdict { job, .. } => *job,
            Self::Heartbeat { .. } => JobId::zero(),
        }
    }
}

/// `blake2_256("assay/heartbeat/1", challenge of the epoch, operator, block, hash of that block)`: who
/// answers has seen the epoch begin and the block.
pub fn heartbeat_answer<AccountId: Encode>(
    challenge: &H256,
    operator: &AccountId,
    at: BlockNumber,
    hash: &H256,
) -> H256 {
    (b"assay/heartbeat/1", challenge, operator, at, hash)
        .using_encoded(sp_crypto_hashing::blake2_256)
        .into()
}
