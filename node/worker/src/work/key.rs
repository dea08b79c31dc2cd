// SPDX-License-Identifier: Apache-2.0
//! The name of a piece of work.

use assay_primitives::{JobId, Work};
use codec::{Decode, Encode};
use sp_core::H256;

/// A kind of work.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Encode, Decode)]
pub enum Kind {
    /// Find out whether a job can be run.
    #[codec(index = 0)]
    Prepare,
    /// Run a job.
    #[codec(index = 1)]
    Generate,
    /// Verify the output of a job.
    #[codec(index = 2)]
    Verify,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Prepare, Self::Generate, Self::Verify];

    /// Returns the label in logs and metrics.
    pub fn label(self) -> &'static str {
        match self {
            Self::Prepare => "prepare",
            Self::Generate => "generate",
            Self::Verify => "verify",
        }
    }
}

/// The name of a piece of work.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Encode, Decode)]
pub struct WorkKey {
    /// The kind of work.
    pub kind: Kind,
    /// The job.
    pub job: JobId,
    /// The [`Work::id`]. A job can have several commitments, one on each branch of the chain.
    pub work: H256,
}

impl From<&Work> for WorkKey {
    fn from(work: &Work) -> Self {
        let kind = match work {
            Work::Prepare { .. } => Kind::Prepare,
            Work::Generate { .. } => Kind::Generate,
            Work::Verify { .. } => Kind::Verify,
        };
        Self { kind, job: work.job(), work: work.id() }
    }
}

/// All work of one kind for one job, whatever the commitment.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Piece {
    /// The kind of work.
    pub kind: Kind,
    /// The job.
    pub job: JobId,
}

impl WorkKey {
    /// Returns the piece of work without the commitment.
    pub fn piece(&self) -> Piece {
        Piece { kind: self.kind, job: self.job }
    }
}
