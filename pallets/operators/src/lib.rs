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
//! - **contact**: peer id and addresses of the operator's node, signed by the node's network key for this
//!   chain and stash. Operators of genesis have none until `set_contact`.
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
#[cfg(feature = "std")]
pub mod config_preludes;
mod contact;
mod delegation;
mod elections;
mod events;
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
pub mod submit;
#[cfg(feature = "std")]
pub mod testing;
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

// Events and calls, which are mostly documentation, are in files of their own: with them nobody could
// hold this one in the head. The macros of frame-support expand to qualified paths.
#[allow(unused_qualifications)]
#[import_section(events::events)]
#[import_section(calls::calls)]
#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use alloc::vec::Vec;
    use assay_primitives::{
        contact::{SignedContact, MAX_ADDRESSES, MAX_ADDRESS_LENGTH},
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

    #[pallet::config(with_default)]
    pub trait Config: frame_system::Config<RuntimeEvent: From<Event<Self>>> {
        /// The currency of the stake.
        #[pallet::no_default]
        type Currency: Inspect<Self::AccountId, Balance = Balance>
            + Mutate<Self::AccountId>
            + MutateHold<Self::AccountId, Reason = Self::RuntimeHoldReason>
            + BalancedHold<Self::AccountId>;

        /// The runtime's hold reasons.
        #[pallet::no_default_bounds]
        type RuntimeHoldReason: From<HoldReason>;

        /// The stake below which an operator is no candidate for anything.
        type MinBond: Get<Balance>;

        /// From which the account of the vault is derived.
        #[pallet::constant]
        type PalletId: Get<PalletId>;

        /// The least that an account has delegated to an operator.
        type MinDelegation: Get<Balance>;

        /// The most that can be delegated to an operator, in percent of its own stake.
        type MaxDelegationPercent: Get<u32>;

        /// The most by which a commission rises at a time.
        type MaxCommissionRaise: Get<Perbill>;

        /// Blocks in which the slash for an offence against consensus can be cancelled.
        type SlashDelay: Get<BlockNumber>;

        /// Sessions in which an offence can be reported, beside that of the offence.
        #[pallet::constant]
        type OffenceSessions: Get<SessionIndex>;

        /// Who can cancel it.
        #[pallet::no_default_bounds]
        type SlashCancelOrigin: EnsureOrigin<Self::RuntimeOrigin>;

        /// Blocks between unbonding and withdrawing. Longer than any duty can take to end, and than
        /// a misbehaviour can be reported.
        type UnbondingPeriod: Get<BlockNumber>;

        /// The most operators.
        #[pallet::constant]
        type MaxOperators: Get<u32>;

        /// The most models that an operator serves.
        #[pallet::constant]
        type MaxOffers: Get<u32>;

        /// The most slashes of an operator that wait at a time.
        #[pallet::constant]
        type MaxSlashes: Get<u32>;

        /// The most operators that stand for election: those with the most stake.
        #[pallet::constant]
        type MaxCandidates: Get<u32>;

        /// The most amounts that an operator, or a delegator of one, takes out at a time.
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
        #[pallet::no_default_bounds]
        type Sessions: ValidatorRegistration<Self::AccountId>;

        /// Hears how operators stand.
        #[pallet::no_default_bounds]
        type Listener: OperatorChanged<Self::AccountId>;

        /// The pallets that lay duties on operators.
        #[pallet::no_default_bounds]
        type Duties: Duties<Self::AccountId>;

        /// The engine of the node, for the off-chain worker.
        type Engine: Engine;

        /// Signs and sends reports, for the off-chain worker.
        #[pallet::no_default_bounds]
        type Submitter: SubmitReports<Self::AccountId, Self::MaxReports>;

        /// Weights of this pallet's calls.
        type WeightInfo: WeightInfo;
    }

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

    /// What accounts have delegated, by operator and delegator.
    #[pallet::storage]
    pub type Delegations<T: Config> = StorageDoubleMap<
        _,
        Blake2_128Concat,
        T::AccountId,
        Blake2_128Concat,
        T::AccountId,
        DelegationOf<T>,
        OptionQuery,
    >;

    /// What is delegated to operators that are gone, until its owners have withdrawn it.
    #[pallet::storage]
    pub type Orphans<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, Delegated>;

    /// Where the nodes of operators are reached.
    #[pallet::storage]
    pub type Contacts<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, Contact>;

    /// The slashes that are not yet applied.
    #[pallet::storage]
    pub type Slashes<T: Config> = StorageMap<_, Twox64Concat, SlashId, SlashOf<T>>;

    /// What fraction of the stake offences of a session cost, by session and operator, until they can
    /// no longer be reported.
    #[pallet::storage]
    pub type Offences<T: Config> = StorageDoubleMap<
        _,
        Twox64Concat,
        SessionIndex,
        Blake2_128Concat,
        T::AccountId,
        Perbill,
        ValueQuery,
    >;

    /// Number of the next slash.
    #[pallet::storage]
    pub type NextSlash<T: Config> = StorageValue<_, SlashId, ValueQuery>;

    /// Number of the oldest slash that may not be applied yet.
    #[pallet::storage]
    pub type OldestSlash<T: Config> = StorageValue<_, SlashId, ValueQuery>;

    /// The operators with the most stake, in order.
    #[pallet::storage]
    pub type Ranking<T: Config> =
        StorageValue<_, BoundedVec<Ranked<T::AccountId>, T::MaxCandidates>, ValueQuery>;

    /// The validators of genesis, which make blocks while there are fewer operators that do.
    #[pallet::storage]
    pub type GenesisValidators<T: Config> =
        StorageValue<_, BoundedVec<T::AccountId, T::MaxValidators>, ValueQuery>;

    /// Reports of this block that paid no fee.
    #[pallet::storage]
    pub type FreeReports<T: Config> = StorageValue<_, u32, ValueQuery>;

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
        /// There are as many operators as there can be.
        OperatorsFull,
        /// What is bonded would be less than the minimum and not nothing.
        BondBelowMinimum,
        /// The amount is zero.
        AmountZero,
        /// The free balance, less the existential deposit, is smaller than the amount.
        BalanceTooLow,
        /// The amount exceeds the operator's own stake that no duty reserves.
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
        /// The amount exceeds what the operator itself has bonded.
        StakeTooLow,
        /// The operator takes no new duties and no new delegations.
        OperatorDraining,
        /// A slash of the operator waits for its appeal.
        SlashPending,
        /// There is no slash with that number that is not yet applied.
        SlashUnknown,
        /// The slash can still be appealed.
        SlashNotDue,
        /// The commission rises by more than it can at a time.
        CommissionRaiseTooHigh,
        /// An operator cannot delegate to itself.
        SelfDelegation,
        /// The account has delegated nothing to the operator that is worth anything.
        NotDelegator,
        /// What is delegated would be less than the minimum and not nothing.
        DelegationBelowMinimum,
        /// More would be delegated to the operator than its own stake allows.
        DelegationsAboveCap,
        /// A share of the operator's pool is worth too much or too little for the amount.
        SharePriceOutOfRange,
        /// What was delegated to the account when it was an operator is not all withdrawn.
        DelegationsLeft,
        /// The peer id is not that of an ed25519 key.
        PeerIdMalformed,
        /// An address has no bytes.
        AddressEmpty,
        /// The contact is not signed by the network key that its peer id names.
        ContactSignatureWrong,
    }

    /// An operator of genesis: stash, worker, offers as (model, price, context), concurrency, bond. Its
    /// contact can only be signed when there is a genesis.
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
            let vault = Pallet::<T>::vault();
            let missing =
                T::Currency::minimum_balance().saturating_sub(T::Currency::balance(&vault));
            if missing > 0 {
                let minted = T::Currency::mint_into(&vault, missing);
                assert!(minted.is_ok(), "the vault of pallet-operators has no deposit: {minted:?}");
            }
            for operator in &self.operators {
                let registered = Pallet::<T>::register_genesis(operator);
                assert!(registered.is_ok(), "operator {:?} of genesis: {registered:?}", operator.0);
            }
            let validators = BoundedVec::try_from(self.validators.clone());
            assert!(validators.is_ok(), "more than MaxValidators validators of genesis");
            GenesisValidators::<T>::put(validators.unwrap_or_default());
        }
    }

    #[pallet::extra_constants]
    impl<T: Config> Pallet<T> {
        /// The most addresses of a contact.
        #[pallet::constant_name(MaxAddresses)]
        fn max_addresses() -> u32 {
            MAX_ADDRESSES
        }

        /// The most bytes of an address.
        #[pallet::constant_name(MaxAddressLength)]
        fn max_address_length() -> u32 {
            MAX_ADDRESS_LENGTH
        }
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
