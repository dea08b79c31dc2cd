// SPDX-License-Identifier: Apache-2.0
//! Reports of a worker to the chain on the duties of its operator.

use crate::{
    job::JobId,
    reason::{DeclineReason, VacateReason},
    verdict::Verdict,
    BlockNumber, OutputCommitment,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::H256;

/// A report. A worker sends the reports of one block in one extrinsic.
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
    /// The operator accepts the job that was assigned to it.
    #[codec(index = 0)]
    Accept {
        /// The job.
        job: JobId,
    },
    /// The operator declines the job that was assigned to it.
    #[codec(index = 1)]
    Decline {
        /// The job.
        job: JobId,
        /// The reason.
        reason: DeclineReason,
    },
    /// The output is complete.
    #[codec(index = 2)]
    CommitOutput {
        /// The job.
        job: JobId,
        /// The operator's commitment.
        commitment: OutputCommitment,
    },
    /// The verifier has a verdict and does not reveal it yet.
    #[codec(index = 3)]
    CommitVerdict {
        /// The job under audit.
        job: JobId,
        /// The [`verdict_hash`](crate::verdict_hash) of the verdict.
        hash: H256,
    },
    /// The verifier reveals its verdict.
    #[codec(index = 4)]
    RevealVerdict {
        /// The job under audit.
        job: JobId,
        /// The verdict committed to.
        verdict: Verdict,
        /// The salt committed to.
        salt: H256,
    },
    /// The operator's worker is running.
    #[codec(index = 5)]
    Heartbeat {
        /// A block that its node has imported.
        at: BlockNumber,
        /// The [`heartbeat_answer`] to the epoch's challenge.
        answer: H256,
    },
    /// The verifier gives up its seat before it has committed to a verdict.
    #[codec(index = 6)]
    Vacate {
        /// The job under audit.
        job: JobId,
        /// The reason.
        reason: VacateReason,
    },
}

impl Report {
    /// Returns the job that the report belongs to; the zero hash for a heartbeat, which belongs to
    /// none.
    pub fn job(&self) -> JobId {
        match self {
            Self::Accept { job }
            | Self::Decline { job, .. }
            | Self::CommitOutput { job, .. }
            | Self::CommitVerdict { job, .. }
            | Self::RevealVerdict { job, .. }
            | Self::Vacate { job, .. } => *job,
            Self::Heartbeat { .. } => JobId::zero(),
        }
    }
}

/// Returns `blake2_256("assay/heartbeat/1", challenge of the epoch, operator, block, hash of that
/// block)`. An operator that answers has therefore seen the epoch begin, and the block.
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
