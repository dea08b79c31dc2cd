// SPDX-License-Identifier: Apache-2.0
//! How a job ended, and who got what.

use crate::{Balance, BlockNumber};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::H256;

/// The end of a job.
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
pub enum Outcome {
    /// The output stands: the operator was paid for the tokens that it delivered.
    #[codec(index = 0)]
    Paid,
    /// The operator accepted and delivered nothing in time: all refunded.
    #[codec(index = 1)]
    Refunded,
    /// The output was rejected: all refunded, the operator's job bond slashed.
    #[codec(index = 2)]
    Slashed,
    /// No operator took it: all refunded.
    #[codec(index = 3)]
    Expired,
    /// The client withdrew it before it was assigned: all refunded.
    #[codec(index = 4)]
    Cancelled,
}

/// What the committee found.
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
pub enum AuditOutcome {
    /// The job was not drawn for an audit.
    #[codec(index = 0)]
    NotAudited,
    /// A majority of the committee accepts.
    #[codec(index = 1)]
    Accepted,
    /// A majority of the committee rejects.
    #[codec(index = 2)]
    Rejected,
    /// No committee came to a majority; the operator has the benefit.
    #[codec(index = 3)]
    Undecided,
}

/// The record of a job that is over.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen,
)]
pub struct Settlement<AccountId> {
    /// How it ended.
    pub outcome: Outcome,
    /// Who ran it, if anyone accepted it.
    pub operator: Option<AccountId>,
    /// What the audit found.
    pub audit: AuditOutcome,
    /// How many verifiers revealed a verdict.
    pub verifiers: u32,
    /// Hash of the [`Transcript`](crate::worker::Transcript) that was committed, whether it stood or
    /// was rejected; `None` where nothing was delivered.
    pub output_hash: Option<H256>,
    /// Tokens delivered and paid for.
    pub tokens: u32,
    /// What left the client's escrow for the operator, the verifiers and whoever settled.
    pub paid: Balance,
    /// What went back to the client, the compensation out of a slashed bond among it.
    pub refunded: Balance,
    /// What the operator lost of its bond.
    pub slashed: Balance,
    /// Block in which it ended.
    pub at: BlockNumber,
}
