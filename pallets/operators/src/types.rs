// SPDX-License-Identifier: Apache-2.0
//! The records of an operator, of those who delegate to it, and of its slashes.

use crate::{
    pallet::Config,
    pool::{Pool, Shares},
};
use assay_primitives::{Balance, BlockNumber, ModelId};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{
    pallet_prelude::{CloneNoBound, DebugNoBound, EqNoBound, PartialEqNoBound},
    traits::{fungible::Credit, Get},
    BoundedVec, DefaultNoBound,
};
use scale_info::TypeInfo;
use sp_runtime::Perbill;

/// Money of the currency that belongs to no account.
pub type CreditOf<T> = Credit<<T as frame_system::Config>::AccountId, <T as Config>::Currency>;

/// A model that an operator serves.
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
pub struct Offer {
    /// The model.
    pub model: ModelId,
    /// Price per generated token.
    pub price: Balance,
    /// Longest context in tokens, prompt and output together.
    pub context: u32,
}

/// Stake on its way out.
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
pub struct Unbonding {
    /// How much.
    pub amount: Balance,
    /// Block from which it can be withdrawn. Until it is withdrawn it can be slashed.
    pub until: BlockNumber,
}

/// What a duty reserves.
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
pub struct Reservation {
    /// Of the stake.
    pub amount: Balance,
    /// Whether it takes one of the operator's slots too.
    pub slot: bool,
}

/// Number of a slash.
pub type SlashId = u32;

/// A slash that waits for its appeal to be over.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen,
)]
pub struct UnappliedSlash<AccountId> {
    /// The stash of whom it is.
    pub operator: AccountId,
    /// How much it takes, of all that was at stake at the offence.
    pub amount: Balance,
    /// Who gets half of it; otherwise all is burnt.
    pub reporter: Option<AccountId>,
    /// Block from which it can be applied.
    pub due: BlockNumber,
}

/// A rise of a commission that is announced.
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
pub struct Raise {
    /// What the commission will be.
    pub to: Perbill,
    /// Block from which it is.
    pub from: BlockNumber,
}

/// An operator's part of its pay before its delegators have theirs.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Default,
    Encode,
    Decode,
    DecodeWithMemTracking,
    TypeInfo,
    MaxEncodedLen,
)]
pub struct Commission {
    /// What it is until a raise.
    pub current: Perbill,
    /// The raise that is announced.
    pub raise: Option<Raise>,
}

impl Commission {
    /// What it is in block `now`.
    pub fn at(&self, now: BlockNumber) -> Perbill {
        self.raise.filter(|raise| raise.from <= now).map_or(self.current, |raise| raise.to)
    }
}

/// What is delegated to an operator. It stays when the operator goes, until all have withdrawn.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Default,
    Encode,
    Decode,
    DecodeWithMemTracking,
    TypeInfo,
    MaxEncodedLen,
)]
pub struct Delegated {
    /// What stands behind the operator.
    pub active: Pool,
    /// What is taken back: nothing of it backs a new duty, all of it can still be slashed.
    pub unbonding: Pool,
    /// How many accounts have a part in either.
    pub delegators: u32,
}

impl Delegated {
    /// All of it.
    pub fn total(&self) -> Balance {
        self.active.value.saturating_add(self.unbonding.value)
    }
}

/// Delegated stake on its way back.
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
pub struct Undelegating {
    /// Shares of what is taken back from that operator.
    pub shares: Shares,
    /// Block from which they can be withdrawn. Until then they can be slashed.
    pub until: BlockNumber,
}

/// What an account has delegated to an operator.
#[derive(
    CloneNoBound,
    PartialEqNoBound,
    EqNoBound,
    DebugNoBound,
    DefaultNoBound,
    Encode,
    Decode,
    DecodeWithMemTracking,
    TypeInfo,
    MaxEncodedLen,
)]
#[scale_info(skip_type_params(MaxUnbonding))]
#[codec(mel_bound())]
pub struct Delegation<MaxUnbonding: Get<u32>> {
    /// Shares of what stands behind the operator.
    pub shares: Shares,
    /// What is taken back.
    pub unbonding: BoundedVec<Undelegating, MaxUnbonding>,
}

/// An operator.
#[derive(
    CloneNoBound,
    PartialEqNoBound,
    EqNoBound,
    DebugNoBound,
    Encode,
    Decode,
    DecodeWithMemTracking,
    TypeInfo,
    MaxEncodedLen,
)]
#[scale_info(skip_type_params(MaxOffers, MaxUnbonding, MaxSlashes))]
#[codec(mel_bound(AccountId: MaxEncodedLen))]
pub struct Operator<AccountId, MaxOffers, MaxUnbonding, MaxSlashes>
where
    AccountId: Clone + PartialEq + Eq + core::fmt::Debug,
    MaxOffers: Get<u32>,
    MaxUnbonding: Get<u32>,
    MaxSlashes: Get<u32>,
{
    /// The hot key that signs reports.
    pub worker: AccountId,
    /// Who receives pay; the stash where it is nobody else.
    pub payout: Option<AccountId>,
    /// Models served.
    pub offers: BoundedVec<Offer, MaxOffers>,
    /// Jobs it can run at a time.
    pub concurrency: u32,
    /// Jobs it runs now: reservations that take a slot.
    pub running: u32,
    /// Whether it takes no new duties.
    pub draining: bool,
    /// Its part of the pay before its delegators have theirs.
    pub commission: Commission,
    /// Its own stake, without what is being unbonded.
    pub bonded: Balance,
    /// Its own stake on its way out.
    pub unbonding: BoundedVec<Unbonding, MaxUnbonding>,
    /// What others have delegated to it.
    pub delegated: Delegated,
    /// The part of its own stake that duties reserve.
    pub reserved: Balance,
    /// The slashes that are not yet applied.
    pub slashes: BoundedVec<SlashId, MaxSlashes>,
    /// What they take.
    pub pending: Balance,
}

impl<AccountId, MaxOffers, MaxUnbonding, MaxSlashes>
    Operator<AccountId, MaxOffers, MaxUnbonding, MaxSlashes>
where
    AccountId: Clone + PartialEq + Eq + core::fmt::Debug,
    MaxOffers: Get<u32>,
    MaxUnbonding: Get<u32>,
    MaxSlashes: Get<u32>,
{
    /// What stands behind it: its own stake and what is delegated to it.
    pub fn stake(&self) -> Balance {
        self.bonded.saturating_add(self.delegated.active.value)
    }

    /// All that can be slashed: its stake, and what is on its way out of it.
    pub fn at_stake(&self) -> Balance {
        self.own_at_stake().saturating_add(self.delegated.total())
    }

    /// Its own part of that, out of which duties reserve.
    pub fn own_at_stake(&self) -> Balance {
        self.bonded.saturating_add(self.unbonding_total())
    }

    /// The stake that is free for a new duty: its own that no duty reserves and no slash waits for.
    pub fn unreserved(&self) -> Balance {
        self.bonded.saturating_sub(self.reserved).saturating_sub(self.pending)
    }

    /// The sum of its own stake that is being unbonded.
    pub fn unbonding_total(&self) -> Balance {
        self.unbonding.iter().fold(0, |sum: Balance, next| sum.saturating_add(next.amount))
    }

    /// Its offer of a model.
    pub fn offer(&self, model: &ModelId) -> Option<&Offer> {
        self.offers.iter().find(|offer| offer.model == *model)
    }
}

/// An operator in the runtime `T`.
pub type OperatorOf<T> = Operator<
    <T as frame_system::Config>::AccountId,
    <T as Config>::MaxOffers,
    <T as Config>::MaxUnbonding,
    <T as Config>::MaxSlashes,
>;

/// A delegation in the runtime `T`.
pub type DelegationOf<T> = Delegation<<T as Config>::MaxUnbonding>;

/// A slash in the runtime `T`.
pub type SlashOf<T> = UnappliedSlash<<T as frame_system::Config>::AccountId>;

/// The offers of an operator in the runtime `T`.
pub type OffersOf<T> = BoundedVec<Offer, <T as Config>::MaxOffers>;

/// The reports of one extrinsic in the runtime `T`.
pub type ReportsOf<T> = BoundedVec<assay_primitives::Report, <T as Config>::MaxReports>;

/// The hold reason of an operator's own stake, in the runtime's terms.
pub(crate) fn stake_hold<T: Config>() -> T::RuntimeHoldReason {
    crate::pallet::HoldReason::Stake.into()
}

/// The hold reason of what is delegated, in the runtime's terms.
pub(crate) fn delegation_hold<T: Config>() -> T::RuntimeHoldReason {
    crate::pallet::HoldReason::Delegation.into()
}

/// An operator among those that may become validators.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen,
)]
pub struct Ranked<AccountId> {
    /// What stood behind it when it was last looked at.
    pub stake: Balance,
    /// Its stash.
    pub stash: AccountId,
}
