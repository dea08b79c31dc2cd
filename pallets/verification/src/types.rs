// SPDX-License-Identifier: Apache-2.0
//! An audit as the pallet stores it.

use assay_primitives::{verdict::Verdict, BlockNumber};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{traits::ConstU32, BoundedVec};
use scale_info::TypeInfo;
use sp_core::H256;

/// The most members of a committee: the bound of `CommitteeSize`.
pub const MAX_COMMITTEE: u32 = 9;

/// The most operators that an audit remembers as silent: the bound of `CommitteeSize` x `MaxRounds`.
pub const MAX_SILENT: u32 = 64;

/// The re-check of one job.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub struct Audit<AccountId> {
    /// How many committees came before.
    pub round: u8,
    /// Where it is.
    pub phase: Phase,
    /// The blocks with whose outputs the last draw was made, or the next one will be.
    pub span: Span,
    /// The committee, in the order in which it was drawn; empty while one is being drawn.
    pub seats: BoundedVec<Seat<AccountId>, ConstU32<MAX_COMMITTEE>>,
    /// Who has kept silent on an earlier committee: never drawn again for this job.
    pub silent: BoundedVec<AccountId, ConstU32<MAX_SILENT>>,
}

/// Blocks in a row whose VRF outputs decide a draw. All of them come after what they decide on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub struct Span {
    /// The first block.
    pub first: BlockNumber,
    /// The number of blocks.
    pub count: BlockNumber,
}

impl Span {
    /// Returns the `count` blocks after `block`.
    pub fn after(block: BlockNumber, count: BlockNumber) -> Self {
        Self { first: block.saturating_add(1), count }
    }

    /// Returns the first block in which all outputs of the span are known.
    pub fn known(&self) -> BlockNumber {
        self.first.saturating_add(self.count)
    }

    /// Returns the blocks.
    pub fn blocks(&self) -> core::ops::Range<BlockNumber> {
        self.first..self.known()
    }
}

/// Where an audit is. Each phase ends by itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub enum Phase {
    /// Waits for randomness that was not known when the round began.
    #[codec(index = 0)]
    Drawing {
        /// The first block in which the draw can be made.
        at: BlockNumber,
    },
    /// The verifiers re-check and commit to their verdicts.
    #[codec(index = 1)]
    Committing {
        /// Last block in which they can.
        until: BlockNumber,
    },
    /// They tell them.
    #[codec(index = 2)]
    Revealing {
        /// Last block in which they can.
        until: BlockNumber,
    },
}

impl Phase {
    /// The block in which the chain moves the audit on.
    pub fn due(&self) -> BlockNumber {
        match self {
            Self::Drawing { at } => *at,
            Self::Committing { until } | Self::Revealing { until } => until.saturating_add(1),
        }
    }
}

/// A place on a committee.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub struct Seat<AccountId> {
    /// Who has it.
    pub verifier: AccountId,
    /// What it has done.
    pub ballot: Ballot,
}

/// What a verifier has done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub enum Ballot {
    /// Nothing yet.
    #[codec(index = 0)]
    Awaited,
    /// It has committed to a verdict.
    #[codec(index = 1)]
    Committed {
        /// The hash of the verdict.
        hash: H256,
    },
    /// It has told its verdict.
    #[codec(index = 2)]
    Revealed {
        /// The verdict.
        verdict: Verdict,
    },
}

/// Why a verifier lost a part of its bond.
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
pub enum Offence {
    /// It did not commit, or did not tell what it had committed to, in time.
    #[codec(index = 0)]
    Silent,
    /// Its verdict is not what the committee found.
    #[codec(index = 1)]
    Contradicted,
}

/// Why a round of an audit came to nothing.
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
pub enum RoundFailure {
    /// Too few operators could be drawn for a majority; no other round follows.
    #[codec(index = 0)]
    TooFewVerifiers,
    /// Too few verifiers committed for a majority.
    #[codec(index = 1)]
    TooFewCommits,
    /// No verdict had a majority.
    #[codec(index = 2)]
    NoMajority,
}
