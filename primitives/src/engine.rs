// SPDX-License-Identifier: Apache-2.0
//! What passes between the runtime's off-chain workers and the node's engine.

use crate::{
    job::{FinishReason, JobId, ModelId, OutputCommitment, PeerIdBytes, Sampling},
    reason::DeclineReason,
    verdict::Verdict,
};
use alloc::vec::Vec;
use codec::{Decode, Encode};
use scale_info::TypeInfo;
use sp_core::H256;

/// What must be known of a job to run it or to re-check it.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct Task {
    /// The model.
    pub model: ModelId,
    /// blake2_256 of the prompt.
    pub input_hash: H256,
    /// Length of the prompt in tokens.
    pub input_tokens: u32,
    /// The most tokens to generate.
    pub max_tokens: u32,
    /// Seed of the sampling.
    pub seed: u64,
    /// How tokens are chosen.
    pub sampling: Sampling,
    /// The node that holds the prompt; empty for any.
    pub peer: PeerIdBytes,
}

/// Something for the engine to do. Named by its kind and its job: submitting it again changes
/// nothing.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub enum Work {
    /// Fetch the prompt and see whether the job can be run. Answered by [`EngineResult::Ready`] or
    /// [`EngineResult::Refused`].
    #[codec(index = 0)]
    Prepare {
        /// The job.
        job: JobId,
        /// What it asks for.
        task: Task,
    },
    /// Run it. Answered by [`EngineResult::Generated`].
    #[codec(index = 1)]
    Generate {
        /// The job.
        job: JobId,
        /// What it asks for.
        task: Task,
    },
    /// Re-check its output. Answered by [`EngineResult::Verified`].
    #[codec(index = 2)]
    Verify {
        /// The job.
        job: JobId,
        /// What it asked for.
        task: Task,
        /// What its operator committed to.
        commitment: OutputCommitment,
    },
}

/// What the engine has found out. Kept until the chain shows the job as over.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub enum EngineResult {
    /// The job can be run here.
    #[codec(index = 0)]
    Ready {
        /// The job.
        job: JobId,
    },
    /// It cannot.
    #[codec(index = 1)]
    Refused {
        /// The job.
        job: JobId,
        /// Why.
        reason: DeclineReason,
    },
    /// The output is complete, stored, and served to who asks for it.
    #[codec(index = 2)]
    Generated {
        /// The job.
        job: JobId,
        /// What the operator can stand for.
        commitment: OutputCommitment,
    },
    /// The output was re-checked.
    #[codec(index = 3)]
    Verified {
        /// The job.
        job: JobId,
        /// The finding.
        verdict: Verdict,
        /// Secret of this node for this job, the same after a restart.
        salt: H256,
    },
}

impl EngineResult {
    /// The job that it is about.
    pub fn job(&self) -> JobId {
        match self {
            Self::Ready { job }
            | Self::Refused { job, .. }
            | Self::Generated { job, .. }
            | Self::Verified { job, .. } => *job,
        }
    }
}

/// What the engine of this node can do.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct Capabilities {
    /// The models that it has loaded.
    pub models: Vec<ModelId>,
}

/// The engine as the pallets see it; only ever called from `offchain_worker`.
pub trait Engine {
    /// What it can do; `None` where the node has none.
    fn capabilities() -> Option<Capabilities>;
    /// Asks for something to be done. `false` when the queue is full: ask again later.
    fn submit(work: Work) -> bool;
    /// Up to `max` results that are not yet over, each of them again at every call.
    fn poll(max: u32) -> Vec<EngineResult>;
}

/// The finish reason in the words of a person.
impl FinishReason {
    /// The label in metrics, logs and JSON: `stop` or `length`.
    pub fn label(self) -> &'static str {
        match self {
            Self::EndToken => "stop",
            Self::Length => "length",
        }
    }
}
