// SPDX-License-Identifier: Apache-2.0
//! The record of an operator.

use crate::pallet::Config;
use assay_primitives::{Balance, BlockNumber, ModelId};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{
    pallet_prelude::{CloneNoBound, DebugNoBound, EqNoBound, PartialEqNoBound},
    traits::{fungible::Credit, Get},
    BoundedVec,
};
use scale_info::TypeInfo;

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
#[scale_info(skip_type_params(MaxOffers, MaxUnbonding))]
#[codec(mel_bound(AccountId: MaxEncodedLen))]
pub struct Operator<AccountId, MaxOffers, MaxUnbonding>
where
    AccountId: Clone + PartialEq + Eq + core::fmt::Debug,
    MaxOffers: Get<u32>,
    MaxUnbonding: Get<u32>,
{
    /// The hot key that signs reports.
    pub worker: AccountId,
    /// Models served.
    pub offers: BoundedVec<Offer, MaxOffers>,
    /// Jobs it can run at a time.
    pub concurrency: u32,
    /// Jobs it runs now: reservations that take a slot.
    pub running: u32,
    /// Its stake, without what is being unbonded.
    pub bonded: Balance,
    /// The part of the stake that duties reserve.
    pub reserved: Balance,
    /// Stake on its way out.
    pub unbonding: BoundedVec<Unbonding, MaxUnbonding>,
}

impl<AccountId, MaxOffers, MaxUnbonding> Operator<AccountId, MaxOffers, MaxUnbonding>
where
    AccountId: Clone + PartialEq + Eq + core::fmt::Debug,
    MaxOffers: Get<u32>,
    MaxUnbonding: Get<u32>,
{
    /// The stake that no duty reserves.
    pub fn unreserved(&self) -> Balance {
        self.bonded.saturating_sub(self.reserved)
    }

    /// The sum of what is being unbonded.
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
>;

/// The offers of an operator in the runtime `T`.
pub type OffersOf<T> = BoundedVec<Offer, <T as Config>::MaxOffers>;

/// The reports of one extrinsic in the runtime `T`.
pub type ReportsOf<T> = BoundedVec<assay_primitives::Report, <T as Config>::MaxReports>;

/// The hold reason of stake, in the runtime's terms.
pub(crate) fn stake_hold<T: Config>() -> T::RuntimeHoldReason {
    crate::pallet::HoldReason::Stake.into()
}
