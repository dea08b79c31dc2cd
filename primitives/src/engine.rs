// SPDX-License-Identifier: Apache-2.0
//! Messages between the runtime's off-chain workers and the node's engine.

use crate::{
    digest::digest_key,
    job::{FinishReason, JobId, JobSpec, ModelId, OutputCommitment, PeerIdBytes, Sampling},
    reason::DeclineReason,
    verdict::Verdict,
    BlockNumber,
};
use alloc::vec::Vec;
use codec::{Decode, Encode};
use scale_info::TypeInfo;
use sp_core::H256;

/// The most jobs that an operator can be given at a time: the limit of `MaxConcurrency` in
/// pallet-operators.
pub const MAX_JOBS: u32 = 256;

/// The most seats of an operator that its engine is handed at a time. An operator can have more, as many
/// as its stake backs; then those that are due first come first.
pub const MAX_SEATS: u32 = 256;

/// The most results that are taken from the engine at a time. An operator with all these jobs and seats
/// has as many: each job was accepted and then generated.
pub const MAX_RESULTS: u32 = 2 * MAX_JOBS + MAX_SEATS;

/// The part of a job that the engine needs to run or to re-check it.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct Task {
    /// The model.
    pub model: ModelId,
    /// The hash of the encoded [`Request`](crate::Request).
    pub request_hash: H256,
    /// The length of the prompt in tokens.
    pub input_tokens: u32,
    /// The most tokens to generate.
    pub max_tokens: u32,
    /// The seed of the sampling.
    pub seed: u64,
    /// The sampling parameters.
    pub sampling: Sampling,
    /// The node that holds the request; empty if any node may be asked.
    pub peer: PeerIdBytes,
    /// The blocks from the job's acceptance within which it must be done.
    pub deadline: BlockNumber,
    /// The [`digest_key`] of the job and the operator that runs or has run it.
    pub digest_key: H256,
}

impl Task {
    /// Returns the task of a job that is with that operator.
    pub fn new<AccountId: Encode>(
        job: &JobId,
        operator: &AccountId,
        spec: &JobSpec<AccountId>,
    ) -> Self {
        Self {
            model: spec.model,
            request_hash: spec.request_hash,
            input_tokens: spec.input_tokens,
            max_tokens: spec.max_tokens,
            seed: spec.seed,
            sampling: spec.sampling,
            peer: spec.peer.clone(),
            deadline: spec.deadline,
            digest_key: digest_key(job, operator),
        }
    }
}

/// A request to the engine, identified by [`Work::id`]. Submitting it again changes nothing but the
/// time that is left for it.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub enum Work {
    /// Fetch the request and check whether the job can be run. The answer is [`EngineResult::Ready`]
    /// or [`EngineResult::Refused`].
    #[codec(index = 0)]
    Prepare {
        /// The job.
        job: JobId,
        /// The task of the job.
        task: Task,
    },
    /// Run the job. The answer is [`EngineResult::Generated`].
    #[codec(index = 1)]
    Generate {
        /// The job.
        job: JobId,
        /// The task of the job.
        task: Task,
    },
    /// Re-check the job's output. The answer is [`EngineResult::Verified`].
    #[codec(index = 2)]
    Verify {
        /// The job.
        job: JobId,
        /// The task of the job.
        task: Task,
        /// The commitment of the job's operator.
        commitment: OutputCommitment,
        /// The number of earlier draws of verifiers in the audit. A later draw asks again for a finding
        /// that an earlier one could not reach.
        round: u8,
        /// The blocks that are left to report the finding.
        left: BlockNumber,
    },
}

impl Work {
    /// Returns the job that the work belongs to.
    pub fn job(&self) -> JobId {
        match self {
            Self::Prepare { job, .. } | Self::Generate { job, .. } | Self::Verify { job, .. } => {
                *job
            }
        }
    }

    /// Returns the identifier of the work: blake2_256 of its encoding without the time that is
    /// left. After a reorganisation a job may have another commitment, and then the work is another
    /// one.
    pub fn id(&self) -> H256 {
        let timeless = match self {
            Self::Verify { job, task, commitment, round, .. } => {
                let (task, commitment) = (task.clone(), *commitment);
                Self::Verify { job: *job, task, commitment, round: *round, left: 0 }
            }
            other => other.clone(),
        };
        timeless.using_encoded(sp_crypto_hashing::blake2_256).into()
    }
}

/// A finding of the engine. The node keeps it until the job is over, because it is settled or the chain
/// does not know it.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub enum EngineResult {
    /// The node can run the job.
    #[codec(index = 0)]
    Ready {
        /// The job.
        job: JobId,
    },
    /// The node cannot run the job.
    #[codec(index = 1)]
    Refused {
        /// The job.
        job: JobId,
        /// The reason.
        reason: DeclineReason,
    },
    /// The output is complete, stored, and served to anyone that asks for it.
    #[codec(index = 2)]
    Generated {
        /// The job.
        job: JobId,
        /// The commitment that the operator can make.
        commitment: OutputCommitment,
        /// The [`Work::id`] of the request. Another operator of the node makes another commitment.
        work: H256,
    },
    /// The output was re-checked.
    #[codec(index = 3)]
    Verified {
        /// The job.
        job: JobId,
        /// The finding.
        verdict: Verdict,
        /// The node's secret for this job, which stays the same after a restart.
        salt: H256,
        /// The [`Work::id`] of the request. A finding about another commitment or for another
        /// committee is not an answer.
        work: H256,
    },
}

impl EngineResult {
    /// Returns the job that the result belongs to.
    pub fn job(&self) -> JobId {
        match self {
            Self::Ready { job }
            | Self::Refused { job, .. }
            | Self::Generated { job, .. }
            | Self::Verified { job, .. } => *job,
        }
    }
}

/// The capabilities of this node's engine.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct Capabilities {
    /// The models that the engine has loaded.
    pub models: Vec<ModelId>,
}

/// The engine as the pallets see it. It is only called from `offchain_worker`.
pub trait Engine {
    /// Returns the engine's capabilities; `None` where the node has no engine.
    fn capabilities() -> Option<Capabilities>;
    /// Submits work. Returns `false` when the queue is full, in which case the caller asks again
    /// later.
    fn submit(work: Work) -> bool;
    /// Returns up to `max` results of jobs that are not yet settled. Every call returns each of
    /// them again.
    fn poll(max: u32) -> Vec<EngineResult>;
    /// Returns the payload of this node with that hash, a request or a transcript; `None` if the node
    /// does not have it.
    fn payload(hash: H256) -> Option<Vec<u8>>;
}

/// A node without an engine.
impl Engine for () {
    fn capabilities() -> Option<Capabilities> {
        None
    }

    fn submit(_: Work) -> bool {
        false
    }

    fn poll(_: u32) -> Vec<EngineResult> {
        Vec::new()
    }

    fn payload(_: H256) -> Option<Vec<u8>> {
        None
    }
}

/// The label of a finish reason.
impl FinishReason {
    /// Returns the label in metrics, logs and JSON: `stop` or `length`.
    pub fn label(self) -> &'static str {
        match self {
            Self::EndToken | Self::Stop(_) => "stop",
            Self::Length => "length",
        }
    }
}
