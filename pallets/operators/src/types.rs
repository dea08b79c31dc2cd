// SPDX-License-Identifier: Apache-2.0
//! The records of an operator, of its delegators, and of its slashes.

use crate::{
    pallet::Config,
    pool::{Pool, Shares},
};
use assay_primitives::{Balance, BlockNumber, ModelId, Prices};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{
    pallet_prelude::{CloneNoBound, DebugNoBound, EqNoBound, PartialEqNoBound},
    traits::{fungible::Credit, Get},
    BoundedVec, DefaultNoBound,
};
use scale_info::TypeInfo;
use sp_runtime::Perbill;

/// An imbalance of the currency, which belongs to no account.
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
    /// The prices of a token.
    pub prices: Prices,
    /// The longest context in tokens, prompt and output together.
    pub context: u32,
    /// The most that the operator earns with one job. A client's down payment and tip raise it, and
    /// with it the bond.
    pub max_reward: Balance,
    /// The most of its stake that it puts up for one job.
    pub max_bond: Balance,
}

impl Offer {
    /// Returns an offer without limits on rewards and bonds.
    pub fn unlimited(model: ModelId, prices: Prices, context: u32) -> Self {
        Self { model, prices, context, max_reward: Balance::MAX, max_bond: Balance::MAX }
    }
}

/// An amount of stake that is being unbonded.
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
    /// The amount.
    pub amount: Balance,
    /// The block from which the amount can be withdrawn. It can be slashed until it is withdrawn.
    pub until: BlockNumber,
}

/// A duty's reservation.
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
    /// The amount of the stake.
    pub amount: Balance,
    /// Whether the duty also takes one of the operator's slots.
    pub slot: bool,
    /// The number of times that the operator's worker had been replaced when the duty began.
    pub rotation: u32,
}

/// A worker that was replaced while duties were open.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen,
)]
pub struct Retiring<AccountId> {
    /// The worker.
    pub worker: AccountId,
    /// The number of duties that were open then and still are.
    pub duties: u32,
    /// The last block in which the worker can report on these duties.
    pub until: BlockNumber,
}

/// The number of a slash.
pub type SlashId = u32;

/// A slash that is pending.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen,
)]
pub struct UnappliedSlash<AccountId> {
    /// The operator's stash.
    pub operator: AccountId,
    /// The amount of the slash, out of everything that was at stake at the offence.
    pub amount: Balance,
    /// The account that receives half of the operator's own loss; `None` if all is burnt.
    pub reporter: Option<AccountId>,
    /// The block from which the slash can be applied.
    pub due: BlockNumber,
}

/// An announced rise of a commission.
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
    /// The new commission.
    pub to: Perbill,
    /// The block from which the new commission applies.
    pub from: BlockNumber,
}

/// The fraction of the pay that an operator keeps before it is shared with its delegators.
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
    /// The commission until the raise.
    pub current: Perbill,
    /// The announced raise.
    pub raise: Option<Raise>,
}

impl Commission {
    /// Returns the commission in block `now`.
    pub fn at(&self, now: BlockNumber) -> Perbill {
        self.raise.filter(|raise| raise.from <= now).map_or(self.current, |raise| raise.to)
    }
}

/// The delegations to an operator. They outlast the operator until all are withdrawn.
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
    /// The active delegations.
    pub active: Pool,
    /// The delegations being taken back, which no longer count as stake but can still be slashed.
    pub unbonding: Pool,
    /// The number of accounts with shares of either pool.
    pub delegators: u32,
}

impl Delegated {
    /// Returns the sum of both pools.
    pub fn total(&self) -> Balance {
        self.active.value.saturating_add(self.unbonding.value)
    }
}

/// A part of a delegation that is being taken back.
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
    /// The shares of the operator's pool of delegations being taken back.
    pub shares: Shares,
    /// The block from which the shares can be withdrawn. They can be slashed until they are
    /// withdrawn.
    pub until: BlockNumber,
}

/// An account's delegation to an operator.
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
    /// The shares of the operator's active pool.
    pub shares: Shares,
    /// The parts that are being taken back.
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
    /// The worker before that one, as long as it can report on the duties from its time.
    pub retiring: Option<Retiring<AccountId>>,
    /// The number of times that the worker was replaced.
    pub rotations: u32,
    /// The account that receives pay; `None` for the stash.
    pub payout: Option<AccountId>,
    /// The models served.
    pub offers: BoundedVec<Offer, MaxOffers>,
    /// The number of jobs that the operator can run at a time.
    pub concurrency: u32,
    /// The number of jobs that the operator runs now: the reservations that take a slot.
    pub running: u32,
    /// Whether the operator takes no new duties.
    pub draining: bool,
    /// The fraction of the pay that the operator keeps before it is shared with its delegators.
    pub commission: Commission,
    /// The operator's own stake, without amounts being unbonded.
    pub bonded: Balance,
    /// The parts of the operator's own stake that are being unbonded.
    pub unbonding: BoundedVec<Unbonding, MaxUnbonding>,
    /// The delegations to the operator.
    pub delegated: Delegated,
    /// The part of the operator's own stake that duties reserve.
    pub reserved: Balance,
    /// The number of these duties, including those that reserve nothing.
    pub duties: u32,
    /// The slashes that are not yet applied.
    pub slashes: BoundedVec<SlashId, MaxSlashes>,
    /// The sum of these slashes.
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
    /// Returns the stake behind the operator: its own and the active delegations.
    pub fn stake(&self) -> Balance {
        self.bonded.saturating_add(self.delegated.active.value)
    }

    /// Returns everything that can be slashed: the stake, and amounts being taken out of it.
    pub fn at_stake(&self) -> Balance {
        self.own_at_stake().saturating_add(self.delegated.total())
    }

    /// Returns the operator's own part of everything at stake, out of which duties reserve.
    pub fn own_at_stake(&self) -> Balance {
        self.bonded.saturating_add(self.unbonding_total())
    }

    /// Returns the stake that is free for a new duty: the operator's own, less reservations and
    /// pending slashes.
    pub fn unreserved(&self) -> Balance {
        self.bonded.saturating_sub(self.reserved).saturating_sub(self.pending)
    }

    /// Returns the sum of the operator's own stake that is being unbonded.
    pub fn unbonding_total(&self) -> Balance {
        self.unbonding.iter().fold(0, |sum: Balance, next| sum.saturating_add(next.amount))
    }

    /// Returns the operator's offer of a model.
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

/// The clients that an operator refuses in the runtime `T`.
pub type RefusedOf<T> =
    BoundedVec<<T as frame_system::Config>::AccountId, <T as Config>::MaxRefused>;

/// The reports of one extrinsic in the runtime `T`.
pub type ReportsOf<T> = BoundedVec<assay_primitives::Report, <T as Config>::MaxReports>;

/// Returns the hold reason of an operator's own stake as the runtime's type.
pub(crate) fn stake_hold<T: Config>() -> T::RuntimeHoldReason {
    crate::pallet::HoldReason::Stake.into()
}

/// Returns the hold reason of delegations as the runtime's type.
pub(crate) fn delegation_hold<T: Config>() -> T::RuntimeHoldReason {
    crate::pallet::HoldReason::Delegation.into()
}

/// An operator among those that may become validators.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen,
)]
pub struct Ranked<AccountId> {
    /// The stake behind the operator when it was last looked up.
    pub stake: Balance,
    /// The operator's stash.
    pub stash: AccountId,
}
