// SPDX-License-Identifier: Apache-2.0
//! What passes between the runtime's off-chain workers and the node's engine.

use crate::{
    job::{FinishReason, JobId, JobSpec, ModelId, OutputCommitment, PeerIdBytes, Sampling},
    reason::DeclineReason,
    verdict::Verdict,
    BlockNumber,
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
    /// Blocks from its acceptance in which it must be done.
    pub deadline: BlockNumber,
}

impl<AccountId> From<&JobSpec<AccountId>> for Task {
    fn from(spec: &JobSpec<AccountId>) -> Self {
        Self {
            model: spec.model,
            input_hash: spec.input_hash,
            input_tokens: spec.input_tokens,
            max_tokens: spec.max_tokens,
            seed: spec.seed,
            sampling: spec.sampling,
            peer: spec.peer.clone(),
            deadline: spec.deadline,
        }
    }
}

/// Something for the engine to do. Named by [`Work::id`]: submitting it again changes nothing but
/// the time that is left for it.
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
        /// How many committees came before: what one could not find out the next asks again.
        round: u8,
        /// Blocks that are left to report what was found.
        left: BlockNumber,
    },
}

impl Work {
    /// The job that it is about.
    pub fn job(&self) -> JobId {
        match self {
            Self::Prepare { job, .. } | Self::Generate { job, .. } | Self::Verify { job, .. } => {
                *job
            }
        }
    }

    /// What names it: blake2_256 of its encoding without the time that is left. After a
    /// reorganisation a job may have another commitment, and then it is other work.
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
        /// [`Work::id`] of what was asked: what was found of another commitment, or for another
        /// committee, is no answer.
        work: H256,
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
