// SPDX-License-Identifier: Apache-2.0
//! The settlement of a job and the money that each party received.

use crate::{Balance, BlockNumber};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::H256;

/// The outcome of a job.
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
    /// The output was accepted: the operator was paid for the tokens that it delivered.
    #[codec(index = 0)]
    Paid,
    /// The operator accepted the job and delivered nothing in time: everything was refunded.
    #[codec(index = 1)]
    Refunded,
    /// The output was rejected, or withheld from its verifiers: everything was refunded and the
    /// operator's bond was slashed.
    #[codec(index = 2)]
    Slashed,
    /// No operator accepted the job: everything was refunded, but for the deposit if operators could not
    /// get its request.
    #[codec(index = 3)]
    Expired,
    /// The client cancelled the job while it had no operator: everything was refunded, but for the deposit
    /// if operators could not get its request.
    #[codec(index = 4)]
    Cancelled,
    /// The output was drawn for an audit that could not be decided: cost and tip were refunded, the
    /// operator keeps the down payment, and its bond is free.
    #[codec(index = 5)]
    Unverified,
}

impl Outcome {
    /// Returns the label in metrics and JSON.
    pub fn label(self) -> &'static str {
        match self {
            Self::Paid => "paid",
            Self::Refunded => "refunded",
            Self::Slashed => "slashed",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
            Self::Unverified => "unverified",
        }
    }
}

/// The finding of the panel that decided.
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
    /// The job was not drawn for an audit, or was challenged and no jury could hear it.
    #[codec(index = 0)]
    NotAudited,
    /// All of the committee accepted, or the majority of a jury.
    #[codec(index = 1)]
    Accepted,
    /// The majority of a jury rejected.
    #[codec(index = 2)]
    Rejected,
    /// The output was drawn for an audit and could not be checked.
    #[codec(index = 3)]
    Undecided,
    /// The operator did not publish what a jury could not fetch.
    #[codec(index = 4)]
    Withheld,
}

/// The record of a settled job.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen,
)]
pub struct Settlement<AccountId> {
    /// The outcome.
    pub outcome: Outcome,
    /// The operator that ran the job, if any accepted it.
    pub operator: Option<AccountId>,
    /// The outcome of the audit.
    pub audit: AuditOutcome,
    /// The number of verifiers of all panels that agree with `audit`; 0 unless it was decided.
    pub verifiers: u32,
    /// The hash of the [`Transcript`](crate::worker::Transcript) that was committed, whether it was
    /// accepted or rejected; `None` if nothing was delivered.
    pub output_hash: Option<H256>,
    /// The number of tokens delivered, whether they were paid for or rejected.
    pub tokens: u32,
    /// The amount that left the client's escrow: for the operator, the verifiers and whoever
    /// settled, and the parts of it that are burnt or go to the fund of juries.
    pub paid: Balance,
    /// The part of `paid` that the verifiers of an audit got for which the client had asked.
    pub audit_fees: Balance,
    /// The amount that went back to the client, including the compensation out of a slashed bond.
    pub refunded: Balance,
    /// The amount that the operator lost of its bond.
    pub slashed: Balance,
    /// The amount burnt: a part of everything paid, as far as the fund of juries has no room for it,
    /// and what nobody gets of a slash.
    pub burnt: Balance,
    /// The amount that the fund of juries got, which is not burnt.
    pub fund: Balance,
    /// The challenge of the output; `None` if nobody challenged it.
    pub challenge: Option<Challenge<AccountId>>,
    /// The block in which the job was settled.
    pub at: BlockNumber,
}

/// A challenge of an output that is over. The challenger has lost its bond if the outcome of the audit is
/// [`AuditOutcome::Accepted`], and has it back otherwise.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen,
)]
pub struct Challenge<AccountId> {
    /// The account that challenged the output.
    pub challenger: AccountId,
    /// The amount that it got out of the operator's bond.
    pub reward: Balance,
}
