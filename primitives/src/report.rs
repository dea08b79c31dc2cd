// SPDX-License-Identifier: Apache-2.0
//! What a worker tells the chain about the duties of its operator.

use crate::{job::JobId, reason::DeclineReason, verdict::Verdict, OutputCommitment};
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
}

impl Report {
    /// The job that it is about.
    pub fn job(&self) -> JobId {
        match self {
            Self::Accept { job }
            | Self::Decline { job, .. }
            | Self::CommitOutput { job, .. }
            | Self::CommitVerdict { job, .. }
            | Self::RevealVerdict { job, .. } => *job,
        }
    }
}
