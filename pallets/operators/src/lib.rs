// SPDX-License-Identifier: Apache-2.0
//! Operators: who runs the models and makes the blocks, and the stake that stands behind both.
//!
//! ## Key terms
//!
//! - **stash**: the cold account of an operator. It owns the stake and receives pay.
//! - **worker**: the hot key that signs reports, and nothing else. One per operator.
//! - **offer**: a model that the operator serves, its price per token and its longest context.
//! - **duty**: a job to run, or to re-check. Each reserves a part of the stake, so that one stake
//!   never backs two duties.
//!
//! ## Surface
//!
//! Accounts register, change their offers and their stake, and leave through the pallet's calls.
//! Workers send [`report`](Pallet::report), whose contents go to [`Config::Duties`]: the pallets of
//! jobs and of verification. Those draw operators and reserve, release and seize their stake through
//! [`assay_primitives::traits::Operators`]. To the runtime this pallet is the session manager and
//! the handler of offences as well. Its off-chain worker is the only scheduler of the chain: it
//! hands duties to the node's engine and sends the reports that follow from its results.
//!
//! ## Money
//!
//! All stake is on hold ([`HoldReason::Stake`]) in the stash: what is bonded, of which duties
//! reserve a part, and what is being unbonded, which can be slashed until it is withdrawn. A duty's
//! reservation is taken by [`Operators::seize`](assay_primitives::traits::Operators::seize) alone;
//! an offence against consensus burns unreserved stake and then what is being unbonded.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod elections;
mod offchain;
mod offences;
mod operators;
mod registry;
mod report;
mod stake;
pub mod submit;
pub mod types;
pub mod weights;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;
#[cfg(any(feature = "try-runtime", test))]
mod try_state;

pub use offchain::{tip, Guard};
pub use pallet::*;
pub use submit::{Nonce, SubmitReports};
pub use types::{
    CreditOf, Offer, OffersOf, Operator, OperatorOf, ReportsOf, Reservation, Unbonding,
};
pub use weights::WeightInfo;

/// Target of this pallet's log messages.
pub const LOG_TARGET: &str = "runtime::operators";

// The macros of frame-support expand to qualified paths.
#[allow(unused_qualifications)]
#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use alloc::vec::Vec;
    use assay_primitives::{
        traits::{Duties, Duty},
        Balance, BlockNumber, Engine, JobId, ModelId, Report,
    };
    use frame_support::{
        pallet_prelude::*,
        traits::{
            fungible::{BalancedHold, Inspect, Mutate, MutateHold},
            ValidatorRegistration,
        },
    };
    use frame_system::pallet_prelude::*;
    use sp_runtime::SaturatedConversion;
    use sp_staking::SessionIndex;

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    #[pallet::config]
    pub trait Config: frame_system::Config<RuntimeEvent: From<Event<Self>>> {
        /// The currency of the stake.
        type Currency: Inspect<Self::AccountId, Balance = Balance>
            + Mutate<Self::AccountId>
            + MutateHold<Self::AccountId, Reason = Self::RuntimeHoldReason>
            + BalancedHold<Self::AccountId>;

        /// The runtime's hold reasons.
        type RuntimeHoldReason: From<HoldReason>;

        /// The stake below which an operator is no candidate for anything.
        type MinBond: Get<Balance>;

        /// Blocks between unbonding and withdrawing. Longer than any duty can take to end, and than
        /// a misbehaviour can be reported.
        type UnbondingPeriod: Get<BlockNumber>;

        /// The most operators.
        #[pallet::constant]
        type MaxOperators: Get<u32>;

        /// The most models that an operator serves.
        #[pallet::constant]
        type MaxOffers: Get<u32>;

        /// The most amounts that an operator unbonds at a time.
        #[pallet::constant]
        type MaxUnbonding: Get<u32>;

        /// The most jobs that an operator runs at a time.
        #[pallet::constant]
        type MaxConcurrency: Get<u32>;

        /// The most reports of one extrinsic.
        #[pallet::constant]
        type MaxReports: Get<u32>;

        /// The most reports of a block that pay no fee.
        #[pallet::constant]
        type MaxFreeReports: Get<u32>;

        /// The most validators.
        #[pallet::constant]
        type MaxValidators: Get<u32>;

        /// Blocks after which a worker sends reports again that the chain has not taken.
        #[pallet::constant]
        type ReportPatience: Get<BlockNumber>;

        /// Who has session keys: the session pallet.
        type Sessions: ValidatorRegistration<Self::AccountId>;

        /// The pallets that lay duties on operators.
        type Duties: Duties<Self::AccountId>;

        /// The engine of the node, for the off-chain worker.
        type Engine: Engine;

        /// Signs and sends reports, for the off-chain worker.
        type Submitter: SubmitReports<Self::AccountId, Self::MaxReports>;

        /// Weights of this pallet's calls.
        type WeightInfo: WeightInfo;
    }

    /// Why this pallet holds money.
    #[pallet::composite_enum]
    pub enum HoldReason {
        /// Stake of an operator.
        #[codec(index = 0)]
        Stake,
    }

    /// The operators, by their stash.
    #[pallet::storage]
    pub type Operators<T: Config> =
        CountedStorageMap<_, Blake2_128Concat, T::AccountId, OperatorOf<T>>;

    /// The stash of each worker.
    #[pallet::storage]
    pub type Workers<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, T::AccountId>;

    /// What duties reserve of an operator's stake.
    #[pallet::storage]
    pub type Reservations<T: Config> = StorageDoubleMap<
        _,
        Blake2_128Concat,
        T::AccountId,
        Blake2_128Concat,
        Duty,
        Reservation,
        OptionQuery,
    >;

    /// The validators of genesis, which make blocks while there are fewer operators that do.
    #[pallet::storage]
    pub type GenesisValidators<T: Config> =
        StorageValue<_, BoundedVec<T::AccountId, T::MaxValidators>, ValueQuery>;

    /// Reports of this block that paid no fee.
    #[pallet::storage]
    pub type FreeReports<T: Config> = StorageValue<_, u32, ValueQuery>;

    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// An account became an operator.
        Registered {
            /// Its stash.
            operator: T::AccountId,
            /// Its worker.
            worker: T::AccountId,
            /// Its stake.
            bond: Balance,
        },
        /// An operator raised its stake.
        Bonded {
            /// Its stash.
            operator: T::AccountId,
            /// How much was added.
            amount: Balance,
        },
        /// An operator is taking stake out.
        Unbonded {
            /// Its stash.
            operator: T::AccountId,
            /// How much.
            amount: Balance,
            /// Block from which it can be withdrawn.
            until: BlockNumber,
        },
        /// An operator withdrew what it had unbonded.
        Withdrawn {
            /// Its stash.
            operator: T::AccountId,
            /// How much.
            amount: Balance,
        },
        /// An account is no operator any more.
        Removed {
            /// What was its stash.
            operator: T::AccountId,
        },
        /// An operator changed what it serves.
        OffersSet {
            /// Its stash.
            operator: T::AccountId,
            /// What it serves.
            offers: OffersOf<T>,
        },
        /// An operator changed its worker.
        WorkerSet {
            /// Its stash.
            operator: T::AccountId,
            /// Its worker.
            worker: T::AccountId,
        },
        /// An operator changed how many jobs it runs at a time.
        ConcurrencySet {
            /// Its stash.
            operator: T::AccountId,
            /// That number.
            concurrency: u32,
        },
        /// A duty reserved a part of an operator's stake.
        Reserved {
            /// Its stash.
            operator: T::AccountId,
            /// The duty.
            duty: Duty,
            /// How much.
            amount: Balance,
        },
        /// A duty is over.
        Released {
            /// The operator's stash.
            operator: T::AccountId,
            /// The duty.
            duty: Duty,
            /// How much is no longer reserved.
            amount: Balance,
        },
        /// Stake that a duty reserved was taken.
        Seized {
            /// The operator's stash.
            operator: T::AccountId,
            /// The duty.
            duty: Duty,
            /// How much.
            amount: Balance,
        },
        /// Stake was burnt for an offence against consensus.
        Slashed {
            /// The operator's stash.
            operator: T::AccountId,
            /// Session of the offence.
            session: SessionIndex,
            /// How much.
            amount: Balance,
        },
        /// A report was refused.
        ReportRefused {
            /// The stash of the operator whose worker sent it.
            operator: T::AccountId,
            /// The job that it is about.
            job: JobId,
            /// Why.
            error: DispatchError,
        },
    }

    #[pallet::error]
    pub enum Error<T> {
        /// The account is an operator.
        AlreadyOperator,
        /// The account is no operator.
        NotOperator,
        /// The account is no operator's worker.
        NotWorker,
        /// The account is the worker of an operator.
        WorkerTaken,
        /// The account is the stash of an operator, so it cannot be a worker.
        WorkerIsStash,
        /// The account is the worker of an operator, so it cannot be a stash.
        StashIsWorker,
        /// There are as many operators as there can be.
        OperatorsFull,
        /// What is bonded would be less than the minimum and not nothing.
        BondBelowMinimum,
        /// The amount is zero.
        AmountZero,
        /// The free balance, less the existential deposit, is smaller than the amount.
        BalanceTooLow,
        /// The amount exceeds the stake that no duty reserves.
        StakeReserved,
        /// As many amounts are being unbonded as can be at a time.
        UnbondingQueueFull,
        /// Nothing that was unbonded can be withdrawn yet.
        NothingToWithdraw,
        /// The same model is offered twice.
        DuplicateOffer,
        /// A model is offered for nothing.
        PriceZero,
        /// A model is offered with a context of no tokens.
        ContextZero,
        /// An operator that runs no jobs at a time.
        ConcurrencyZero,
        /// More jobs at a time than an operator can run.
        ConcurrencyTooHigh,
        /// The duty has a reservation already.
        DutyReserved,
        /// The operator runs as many jobs as it can.
        NoFreeSlot,
        /// There are no reports.
        NoReports,
        /// The report belongs to no pallet.
        ReportUnknown,
    }

    /// An operator of genesis: stash, worker, offers as (model, price, context), concurrency, bond.
    pub type GenesisOperator<AccountId> =
        (AccountId, AccountId, Vec<(ModelId, Balance, u32)>, u32, Balance);

    #[pallet::genesis_config]
    #[derive(frame_support::DefaultNoBound)]
    pub struct GenesisConfig<T: Config> {
        /// The operators: stash, worker, offers as (model, price, context), concurrency, bond.
        pub operators: Vec<GenesisOperator<T::AccountId>>,
        /// The validators that make blocks while there are fewer operators that do.
        pub validators: Vec<T::AccountId>,
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            for operator in &self.operators {
                let registered = Pallet::<T>::register_genesis(operator);
                assert!(registered.is_ok(), "operator {:?} of genesis: {registered:?}", operator.0);
            }
            let validators = BoundedVec::try_from(self.validators.clone());
            assert!(validators.is_ok(), "more than MaxValidators validators of genesis");
            GenesisValidators::<T>::put(validators.unwrap_or_default());
        }
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn on_initialize(_: BlockNumberFor<T>) -> Weight {
            FreeReports::<T>::kill();
            T::WeightInfo::on_initialize()
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

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Makes the caller an operator.
        ///
        /// ## Dispatch Origin
        ///
        /// Signed by the stash.
        ///
        /// ## Details
        ///
        /// `bond` is put on hold. An operator without offers runs no jobs and can still make blocks.
        ///
        /// ### Parameters
        ///
        /// - `worker`: the account that signs reports; neither a stash nor another's worker.
        /// - `offers`: the models served.
        /// - `concurrency`: how many jobs it runs at a time.
        /// - `bond`: its stake, at least [`Config::MinBond`].
        ///
        /// ## Errors
        ///
        /// [`Error::AlreadyOperator`], [`Error::OperatorsFull`], [`Error::StashIsWorker`],
        /// [`Error::WorkerTaken`], [`Error::WorkerIsStash`], [`Error::DuplicateOffer`],
        /// [`Error::PriceZero`], [`Error::ContextZero`], [`Error::ConcurrencyZero`],
        /// [`Error::ConcurrencyTooHigh`], [`Error::BondBelowMinimum`], [`Error::BalanceTooLow`].
        ///
        /// ## Events
        ///
        /// - [`Event::Registered`]
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::register(offers.len().saturated_into()))]
        pub fn register(
            origin: OriginFor<T>,
            worker: T::AccountId,
            offers: OffersOf<T>,
            concurrency: u32,
            bond: Balance,
        ) -> DispatchResult {
            let stash = ensure_signed(origin)?;
            Self::do_register(stash, worker, offers, concurrency, bond)
        }

        /// Adds to the caller's stake.
        ///
        /// ## Dispatch Origin
        ///
        /// Signed by the stash.
        ///
        /// ### Parameters
        ///
        /// - `amount`: what to put on hold in addition.
        ///
        /// ## Errors
        ///
        /// [`Error::NotOperator`], [`Error::AmountZero`], [`Error::BalanceTooLow`], and
        /// [`Error::BondBelowMinimum`] if what is bonded would still be less.
        ///
        /// ## Events
        ///
        /// - [`Event::Bonded`]
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::bond_extra())]
        pub fn bond_extra(origin: OriginFor<T>, amount: Balance) -> DispatchResult {
            let stash = ensure_signed(origin)?;
            Self::do_bond_extra(stash, amount)
        }

        /// Begins to take stake out.
        ///
        /// ## Dispatch Origin
        ///
        /// Signed by the stash.
        ///
        /// ## Details
        ///
        /// The amount no longer counts as stake, and can be withdrawn after
        /// [`Config::UnbondingPeriod`] blocks. Until then it can be slashed. Amounts that are
        /// unbonded in the same block are one.
        ///
        /// ### Parameters
        ///
        /// - `amount`: at most the stake that no duty reserves. What stays is nothing or at least
        ///   [`Config::MinBond`].
        ///
        /// ## Errors
        ///
        /// [`Error::NotOperator`], [`Error::AmountZero`], [`Error::StakeReserved`],
        /// [`Error::BondBelowMinimum`], [`Error::UnbondingQueueFull`].
        ///
        /// ## Events
        ///
        /// - [`Event::Unbonded`]
        #[pallet::call_index(2)]
        #[pallet::weight(T::WeightInfo::unbond())]
        pub fn unbond(origin: OriginFor<T>, amount: Balance) -> DispatchResult {
            let stash = ensure_signed(origin)?;
            Self::do_unbond(stash, amount)
        }

        /// Withdraws all unbonded stake that is due.
        ///
        /// ## Dispatch Origin
        ///
        /// Signed by the stash.
        ///
        /// ## Details
        ///
        /// When nothing is bonded, being unbonded or reserved any more, the caller and its worker
        /// are operator and worker no longer.
        ///
        /// ## Errors
        ///
        /// [`Error::NotOperator`], [`Error::NothingToWithdraw`].
        ///
        /// ## Events
        ///
        /// - [`Event::Withdrawn`]
        /// - [`Event::Removed`]
        #[pallet::call_index(3)]
        #[pallet::weight(T::WeightInfo::withdraw_unbonded())]
        pub fn withdraw_unbonded(origin: OriginFor<T>) -> DispatchResult {
            let stash = ensure_signed(origin)?;
            Self::do_withdraw_unbonded(stash)
        }

        /// Replaces the models that the caller serves.
        ///
        /// ## Dispatch Origin
        ///
        /// Signed by the stash.
        ///
        /// ## Details
        ///
        /// Jobs that were drawn already keep their price. Without offers no job is drawn for the
        /// caller.
        ///
        /// ### Parameters
        ///
        /// - `offers`: the models served from now on.
        ///
        /// ## Errors
        ///
        /// [`Error::NotOperator`], [`Error::DuplicateOffer`], [`Error::PriceZero`],
        /// [`Error::ContextZero`].
        ///
        /// ## Events
        ///
        /// - [`Event::OffersSet`]
        #[pallet::call_index(4)]
        #[pallet::weight(T::WeightInfo::set_offers(offers.len().saturated_into()))]
        pub fn set_offers(origin: OriginFor<T>, offers: OffersOf<T>) -> DispatchResult {
            let stash = ensure_signed(origin)?;
            Self::do_set_offers(stash, offers)
        }

        /// Replaces the caller's worker key.
        ///
        /// ## Dispatch Origin
        ///
        /// Signed by the stash.
        ///
        /// ## Details
        ///
        /// Duties stay with the operator: the new worker reports on them.
        ///
        /// ### Parameters
        ///
        /// - `worker`: the account that signs reports from now on.
        ///
        /// ## Errors
        ///
        /// [`Error::NotOperator`], [`Error::WorkerTaken`], [`Error::WorkerIsStash`].
        ///
        /// ## Events
        ///
        /// - [`Event::WorkerSet`]
        #[pallet::call_index(5)]
        #[pallet::weight(T::WeightInfo::set_worker())]
        pub fn set_worker(origin: OriginFor<T>, worker: T::AccountId) -> DispatchResult {
            let stash = ensure_signed(origin)?;
            Self::do_set_worker(stash, worker)
        }

        /// Reports on the duties of the operator whose worker the caller is.
        ///
        /// ## Dispatch Origin
        ///
        /// Signed by the worker.
        ///
        /// ## Details
        ///
        /// Each report stands alone: one that is refused changes nothing and does not keep the
        /// others from being taken. If all are taken and no more than [`Config::MaxFreeReports`]
        /// reports of the block are free with them, the extrinsic pays no fee.
        ///
        /// ### Parameters
        ///
        /// - `reports`: the reports, taken in this order.
        ///
        /// ## Errors
        ///
        /// [`Error::NotWorker`], [`Error::NoReports`].
        ///
        /// ## Events
        ///
        /// - [`Event::ReportRefused`] for each that is refused, with [`Error::ReportUnknown`] where
        ///   no pallet knows it, beside the events of the pallets that take the others.
        #[pallet::call_index(6)]
        #[pallet::weight(Pallet::<T>::weight_of_reports(reports))]
        pub fn report(
            origin: OriginFor<T>,
            reports: BoundedVec<Report, T::MaxReports>,
        ) -> DispatchResultWithPostInfo {
            let worker = ensure_signed(origin)?;
            Self::do_report(worker, reports)
        }

        /// Changes how many jobs the caller runs at a time.
        ///
        /// ## Dispatch Origin
        ///
        /// Signed by the stash.
        ///
        /// ## Details
        ///
        /// Jobs that run already are not touched, even if they are more.
        ///
        /// ### Parameters
        ///
        /// - `concurrency`: that number, from 1 to [`Config::MaxConcurrency`].
        ///
        /// ## Errors
        ///
        /// [`Error::NotOperator`], [`Error::ConcurrencyZero`], [`Error::ConcurrencyTooHigh`].
        ///
        /// ## Events
        ///
        /// - [`Event::ConcurrencySet`]
        #[pallet::call_index(7)]
        #[pallet::weight(T::WeightInfo::set_concurrency())]
        pub fn set_concurrency(origin: OriginFor<T>, concurrency: u32) -> DispatchResult {
            let stash = ensure_signed(origin)?;
            Self::do_set_concurrency(stash, concurrency)
        }
    }
}
