// SPDX-License-Identifier: Apache-2.0
//! An audit as the pallet stores it.

use assay_primitives::{settlement::AuditOutcome, verdict::Verdict, BlockNumber};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{traits::ConstU32, BoundedVec};
use scale_info::TypeInfo;
use sp_core::H256;

/// The most seats of a panel: the bound of `CommitteeSize` and `JurySize`.
pub const MAX_SEATS: u32 = 9;

/// The most verifiers whose votes an audit remembers from earlier panels.
pub const MAX_HEARD: u32 = 2 * MAX_SEATS;

/// The most verifiers that an audit remembers as having left it.
pub const MAX_LEFT: u32 = 96;

/// Seats of a panel.
pub type Seats<AccountId, const MOST: u32> = BoundedVec<Seat<AccountId>, ConstU32<MOST>>;

/// The re-check of one job.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub struct Audit<AccountId> {
    /// The panel that sits, or that is drawn next.
    pub stage: Stage,
    /// The number of draws of verifiers so far, of all panels.
    pub draws: u8,
    /// The number of draws of verifiers for this panel.
    pub round: u8,
    /// The number of seats that the first draw of this panel filled; 0 before it.
    pub size: u32,
    /// Where it is.
    pub phase: Phase,
    /// The blocks with whose outputs the last draw was made, or the next one will be.
    pub span: Span,
    /// The panel, in the order in which it was drawn. Seats that became vacant are not among them.
    pub seats: Seats<AccountId, MAX_SEATS>,
    /// The votes of earlier panels, whose bonds a jury can still contradict.
    pub heard: Seats<AccountId, MAX_HEARD>,
    /// The members of a committee that called a jury which did not accept: they forfeit their fees if the
    /// output is accepted.
    pub forfeited: u32,
    /// The verifiers that have left a panel: they are never drawn again for this job.
    pub left: BoundedVec<AccountId, ConstU32<MAX_LEFT>>,
}

impl<AccountId> Audit<AccountId> {
    /// Returns an audit of which nothing is drawn yet.
    pub fn new(span: Span) -> Self {
        Self {
            stage: Stage::Committee,
            draws: 0,
            round: 0,
            size: 0,
            phase: Phase::Drawing { at: span.known() },
            span,
            seats: BoundedVec::new(),
            heard: BoundedVec::new(),
            forfeited: 0,
            left: BoundedVec::new(),
        }
    }
}

/// The panel that decides.
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
pub enum Stage {
    /// The committee of a job that was drawn for an audit.
    #[codec(index = 0)]
    Committee,
    /// The jury that is called when a committee does not accept with one voice.
    #[codec(index = 1)]
    Jury,
    /// The jury that looks at an accepted output a second time.
    #[codec(index = 2)]
    SecondLook,
    /// The jury that checks what the operator has published on the chain.
    #[codec(index = 3)]
    Published,
    /// The jury that a challenge calls.
    #[codec(index = 4)]
    Challenge,
}

impl Stage {
    /// Returns whether the panel is a jury.
    pub fn is_jury(self) -> bool {
        self != Self::Committee
    }
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

    /// Returns the `count` blocks before `block`.
    pub fn before(block: BlockNumber, count: BlockNumber) -> Self {
        Self { first: block.saturating_sub(count), count }
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
    /// Waits for randomness that was not known when the draw became necessary.
    #[codec(index = 0)]
    Drawing {
        /// The first block in which the draw can be made.
        at: BlockNumber,
    },
    /// The verifiers re-check and commit to their verdicts, or vacate their seats.
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
    /// The operator publishes what a jury could not fetch.
    #[codec(index = 3)]
    Producing {
        /// Last block in which it can.
        until: BlockNumber,
    },
}

impl Phase {
    /// The block in which the chain moves the audit on.
    pub fn due(&self) -> BlockNumber {
        match self {
            Self::Drawing { at } => *at,
            Self::Committing { until } | Self::Revealing { until } | Self::Producing { until } => {
                until.saturating_add(1)
            }
        }
    }
}

/// A place on a panel.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub struct Seat<AccountId> {
    /// The verifier that has it.
    pub verifier: AccountId,
    /// The panel.
    pub stage: Stage,
    /// The number of earlier draws of the audit when this seat was drawn. Its ballot names it.
    pub draw: u8,
    /// The state of its ballot.
    pub ballot: Ballot,
}

impl<AccountId> Seat<AccountId> {
    /// Returns the outcome that the verifier has voted for; `None` if it could not fetch what it had
    /// to check, or has revealed nothing.
    pub fn vote(&self) -> Option<AuditOutcome> {
        match self.ballot {
            Ballot::Revealed { verdict: Verdict::Accept { .. } } => Some(AuditOutcome::Accepted),
            Ballot::Revealed { verdict: Verdict::Reject { .. } } => Some(AuditOutcome::Rejected),
            Ballot::Revealed { verdict: Verdict::Abstain(_) }
            | Ballot::Awaited
            | Ballot::Committed { .. } => None,
        }
    }
}

/// The state of a verifier's ballot.
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

/// The reason for which a verifier lost a part of its bond.
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
    /// It neither committed nor vacated its seat in time.
    #[codec(index = 0)]
    Silent,
    /// Its verdict is not what the jury found.
    #[codec(index = 1)]
    Contradicted,
    /// It did not reveal in time what it had committed to.
    #[codec(index = 2)]
    Withheld,
}

/// The reason for which a panel could not decide.
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
pub enum PanelFailure {
    /// Too few operators could be drawn.
    #[codec(index = 0)]
    TooFewVerifiers,
    /// Too few verifiers committed, after as many draws as there can be.
    #[codec(index = 1)]
    TooFewCommits,
    /// Too few verifiers voted, or the votes were equal.
    #[codec(index = 2)]
    NoMajority,
}
