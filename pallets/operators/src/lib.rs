// SPDX-License-Identifier: Apache-2.0
//! Operators: who runs the models and makes the blocks, and the stake that stands behind both.
//!
//! ## Key terms
//!
//! - **stash**: the cold account of an operator. It owns the operator's own stake.
//! - **payout account**: receives pay; the stash unless the stash names another.
//! - **worker**: the hot key that signs reports, and nothing else. One per operator.
//! - **delegator**: an account that puts money behind an operator, and shares in what it is paid and
//!   in what it is slashed.
//! - **offer**: a model that the operator serves, its price per token and its longest context.
//! - **duty**: a job to run, or to re-check. Each reserves a part of the operator's own stake, so
//!   that one stake never backs two duties.
//! - **at stake**: all that can be slashed: own and delegated stake, and what is on its way out of
//!   both until it is withdrawn.
//!
//! ## Surface
//!
//! Accounts register, change their offers and their stake, delegate, and leave through the pallet's
//! calls. Workers send [`report`](Pallet::report), whose contents go to [`Config::Duties`]: the
//! pallets of jobs and of verification. Those draw operators and reserve, release and seize their
//! stake, and pay them, through [`assay_primitives::traits::Operators`]. To the runtime this pallet
//! is the session manager and the handler of offences as well. Its off-chain worker is the only
//! scheduler of the chain: it hands duties to the node's engine and sends the reports that follow
//! from its results.
//!
//! ## Money
//!
//! An operator's own stake is on hold ([`HoldReason::Stake`]) in its stash: what is bonded, and what
//! is being unbonded. What is delegated is on hold ([`HoldReason::Delegation`]) in one account for
//! all, the [vault](Pallet::vault), which has the existential deposit from genesis on. Each operator
//! has two [pools](pool::Pool) of it: what stands behind it, and what is taken back. Delegators have
//! shares of these, so that pay and slashes cost the same however many there are.
//!
//! - **Pay** ([`Operators::reward`](assay_primitives::traits::Operators::reward)): the commission and
//!   the part of the own stake go to the payout account, the rest raises what the shares of the
//!   first pool are worth.
//! - **Slashes**: a duty's reservation is seized at once, out of the operator's own stake, since other
//!   accounts are owed it. An offence against consensus takes from all that is at stake, pro rata: it
//!   is recorded, waits [`Config::SlashDelay`] blocks in which it can be cancelled, and then until no
//!   duty reserves what it takes; while it waits, nothing is withdrawn, nobody delegates, and the
//!   operator does not stand for election.
//! - **Out**: what is unbonded or taken back can be withdrawn after [`Config::UnbondingPeriod`], by
//!   anyone for its owner; the operator's own unless duties reserve it. When the operator itself is
//!   gone, all that is delegated to it can be withdrawn at once.
//! - A pool that is slashed to nothing begins a new round: old shares are worth nothing, and new ones
//!   are not diluted by them.
//!
//! Genesis of this pallet must be built after that of the currency.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod calls;
mod config;
mod contact;
mod delegation;
mod elections;
mod errors;
mod events;
mod genesis;
mod offchain;
mod offences;
mod operators;
pub mod pool;
mod ranking;
mod registry;
mod report;
mod rewards;
mod slashing;
mod stake;
mod standing;
mod storage;
pub mod submit;
pub mod types;
mod view;
pub mod weights;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;
#[cfg(any(feature = "std", feature = "try-runtime"))]
mod try_state;

pub use offchain::{tip, Guard};
pub use pallet::*;
pub use submit::{Nonce, SubmitReports};
pub use types::{
    Commission, CreditOf, Delegated, Delegation, DelegationOf, Offer, OffersOf, Operator,
    OperatorOf, Raise, Ranked, ReportsOf, Reservation, SlashId, SlashOf, UnappliedSlash, Unbonding,
    Undelegating,
};
pub use weights::WeightInfo;

use frame_support::pallet_macros::import_section;

/// Target of this pallet's log messages.
pub const LOG_TARGET: &str = "runtime::operators";

// The macros of frame-support expand to qualified paths.
#[allow(unused_qualifications)]
#[import_section(config::config)]
#[import_section(storage::storage)]
#[import_section(events::events)]
#[import_section(errors::errors)]
#[import_section(genesis::genesis)]
#[import_section(calls::calls)]
#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use alloc::vec::Vec;
    use assay_primitives::{
        contact::SignedContact,
        traits::{Duties, Duty, OperatorChanged},
        Balance, BlockNumber, Contact, Engine, JobId, ModelId, Report,
    };
    use frame_support::{
        pallet_prelude::*,
        traits::{
            fungible::{BalancedHold, Inspect, Mutate, MutateHold},
            ValidatorRegistration,
        },
        PalletId,
    };
    use frame_system::pallet_prelude::*;
    use sp_runtime::{Perbill, SaturatedConversion};
    use sp_staking::SessionIndex;

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// Why this pallet holds money.
    #[pallet::composite_enum]
    pub enum HoldReason {
        /// An operator's own stake.
        #[codec(index = 0)]
        Stake,
        /// What is delegated to operators.
        #[codec(index = 1)]
        Delegation,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn on_initialize(_: BlockNumberFor<T>) -> Weight {
            FreeReports::<T>::kill();
            T::WeightInfo::on_initialize()
        }

        fn on_idle(_: BlockNumberFor<T>, limit: Weight) -> Weight {
            Self::apply_due_slashes(limit)
        }

        fn offchain_worker(now: BlockNumberFor<T>) {
            Self::work_and_report(now);
        }

        fn integrity_test() {
            assert!(T::MinBond::get() >= T::Currency::minimum_balance(), "MinBond below the ED");
            assert!(T::UnbondingPeriod::get() > 0, "UnbondingPeriod is zero");
            assert!(T::MaxOperators::get() > 0, "MaxOperators is zero");
            assert!(T::MaxOffers::get() > 0, "MaxOffers is zero");
            assert!(T::MaxUnbonding::get() > 0, "MaxUnbonding is zero");
            assert!(T::MaxConcurrency::get() > 0, "MaxConcurrency is zero");
            assert!(T::MaxReports::get() > 0, "MaxReports is zero");
            assert!(T::MaxValidators::get() > 0, "MaxValidators is zero");
            assert!(T::MaxSlashes::get() > 0, "MaxSlashes is zero");
            assert!(
                T::MaxCandidates::get() >= T::MaxValidators::get(),
                "fewer candidates than validators"
            );
            assert!(
                T::MinDelegation::get() >= T::Currency::minimum_balance(),
                "MinDelegation below the ED"
            );
            assert!(T::ReportPatience::get() > 0, "ReportPatience is zero");
            assert!(
                T::MaxFreeReports::get() >= T::MaxReports::get(),
                "a full extrinsic of reports could never be free"
            );
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }
}
