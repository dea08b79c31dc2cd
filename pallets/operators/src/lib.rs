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

mod contact;
mod delegation;
mod elections;
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
pub mod types;
mod view;
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
    Commission, CreditOf, Delegated, Delegation, DelegationOf, Offer, OffersOf, Operator,
    OperatorOf, Raise, Ranked, ReportsOf, Reservation, SlashId, SlashOf, UnappliedSlash, Unbonding,
    Undelegating,
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
    use sp_core::ed25519;
    use sp_runtime::{Perbill, SaturatedConversion};
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
        type OffenceSessions: Get<SessionIndex>;

        /// Who can cancel it.
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
        type Sessions: ValidatorRegistration<Self::AccountId>;

        /// Hears how operators stand.
        type Listener: OperatorChanged<Self::AccountId>;

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
        /// An operator takes no new duties, or takes them again.
        DrainingSet {
            /// Its stash.
            operator: T::AccountId,
            /// Whether it takes none.
            draining: bool,
        },
        /// An operator named who receives its pay.
        PayoutSet {
            /// Its stash.
            operator: T::AccountId,
            /// That account.
            payout: T::AccountId,
        },
        /// An operator changed its commission.
        CommissionSet {
            /// Its stash.
            operator: T::AccountId,
            /// What it will be.
            commission: Perbill,
            /// Block from which it is.
            from: BlockNumber,
        },
        /// An operator said where its node is reached.
        ContactSet {
            /// Its stash.
            operator: T::AccountId,
            /// Where.
            contact: Contact,
        },
        /// An account delegated to an operator.
        Delegated {
            /// The operator's stash.
            operator: T::AccountId,
            /// The account.
            delegator: T::AccountId,
            /// How much.
            amount: Balance,
        },
        /// A delegator is taking back what it has delegated.
        Undelegated {
            /// The operator's stash.
            operator: T::AccountId,
            /// The account.
            delegator: T::AccountId,
            /// How much, unless it is slashed.
            amount: Balance,
            /// Block from which it can be withdrawn.
            until: BlockNumber,
        },
        /// A delegator got back what it had taken back.
        DelegationWithdrawn {
            /// The operator's stash.
            operator: T::AccountId,
            /// The account.
            delegator: T::AccountId,
            /// How much.
            amount: Balance,
        },
        /// An operator and its delegators were paid.
        Rewarded {
            /// Its stash.
            operator: T::AccountId,
            /// What went to its payout account.
            amount: Balance,
            /// What its delegators' shares gained.
            delegated: Balance,
        },
        /// An offence against consensus: a slash waits for its appeal.
        SlashRecorded {
            /// The operator's stash.
            operator: T::AccountId,
            /// Number of the slash.
            slash: SlashId,
            /// Session of the offence.
            session: SessionIndex,
            /// How much was added to it.
            amount: Balance,
        },
        /// A slash was cancelled.
        SlashCancelled {
            /// The operator's stash.
            operator: T::AccountId,
            /// Number of the slash.
            slash: SlashId,
        },
        /// A slash was applied.
        Slashed {
            /// The operator's stash.
            operator: T::AccountId,
            /// Number of the slash.
            slash: SlashId,
            /// How much it took.
            amount: Balance,
            /// Who got half of what the operator itself lost; the rest was burnt.
            reporter: Option<T::AccountId>,
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
        /// [`Error::AlreadyOperator`], [`Error::OperatorsFull`], [`Error::DelegationsLeft`],
        /// [`Error::WorkerTaken`], [`Error::WorkerIsStash`], [`Error::DuplicateOffer`],
        /// [`Error::PriceZero`], [`Error::ContextZero`], [`Error::ConcurrencyZero`],
        /// [`Error::ConcurrencyTooHigh`], [`Error::BondBelowMinimum`], [`Error::BalanceTooLow`].
        ///
        /// ## Events
        ///
        /// - [`Event::Registered`]
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::register(offers.len().saturated_into()).saturating_add(T::Listener::weight()))]
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
        /// [`Error::NotOperator`], [`Error::AmountZero`], [`Error::BalanceTooLow`],
        /// [`Error::BondBelowMinimum`] if what is bonded would still be less, and
        /// [`Error::DelegationsAboveCap`] if it was less, and more is delegated than what is bonded
        /// then allows.
        ///
        /// ## Events
        ///
        /// - [`Event::Bonded`]
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::bond_extra().saturating_add(T::Listener::weight()))]
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
        /// - `amount`: at most the stake that no duty reserves. What stays is nothing, or at least
        ///   [`Config::MinBond`] and enough for what is delegated.
        ///
        /// ## Errors
        ///
        /// [`Error::NotOperator`], [`Error::AmountZero`], [`Error::StakeReserved`],
        /// [`Error::StakeTooLow`], [`Error::BondBelowMinimum`], [`Error::DelegationsAboveCap`],
        /// [`Error::UnbondingQueueFull`].
        ///
        /// ## Events
        ///
        /// - [`Event::Unbonded`]
        #[pallet::call_index(2)]
        #[pallet::weight(T::WeightInfo::unbond().saturating_add(T::Listener::weight()))]
        pub fn unbond(origin: OriginFor<T>, amount: Balance) -> DispatchResult {
            let stash = ensure_signed(origin)?;
            Self::do_unbond(stash, amount)
        }

        /// Withdraws all of an operator's own stake that is unbonded and due.
        ///
        /// ## Dispatch Origin
        ///
        /// Signed by anyone.
        ///
        /// ## Details
        ///
        /// The money goes to the stash. When nothing of its own is bonded, being unbonded, reserved
        /// or waits for a slash any more, it and its worker are operator and worker no longer; its
        /// delegators can then withdraw all at once.
        ///
        /// ### Parameters
        ///
        /// - `stash`: whose stake.
        ///
        /// ## Errors
        ///
        /// [`Error::NotOperator`], [`Error::NothingToWithdraw`], [`Error::SlashPending`],
        /// [`Error::StakeReserved`] if duties reserve what would be withdrawn.
        ///
        /// ## Events
        ///
        /// - [`Event::Withdrawn`]
        /// - [`Event::Removed`]
        #[pallet::call_index(3)]
        #[pallet::weight(T::WeightInfo::withdraw_unbonded().saturating_add(T::Listener::weight()))]
        pub fn withdraw_unbonded(origin: OriginFor<T>, stash: T::AccountId) -> DispatchResult {
            ensure_signed(origin)?;
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
        #[pallet::weight(T::WeightInfo::set_offers(offers.len().saturated_into()).saturating_add(T::Listener::weight()))]
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

        /// Begins to leave: takes no new duties and unbonds all of the caller's own stake.
        ///
        /// ## Dispatch Origin
        ///
        /// Signed by the stash.
        ///
        /// ## Details
        ///
        /// Duties that it has already are finished, and what they reserve stays at stake until then.
        /// If as many amounts are being unbonded as can be, the last one joins this.
        ///
        /// ## Errors
        ///
        /// [`Error::NotOperator`], [`Error::StakeTooLow`] if nothing is bonded.
        ///
        /// ## Events
        ///
        /// - [`Event::DrainingSet`]
        /// - [`Event::Unbonded`]
        #[pallet::call_index(8)]
        #[pallet::weight(T::WeightInfo::leave().saturating_add(T::Listener::weight()))]
        pub fn leave(origin: OriginFor<T>) -> DispatchResult {
            let stash = ensure_signed(origin)?;
            Self::do_leave(stash)
        }

        /// Has the caller take no new duties and no new delegations, or take them again.
        ///
        /// ## Dispatch Origin
        ///
        /// Signed by the stash.
        ///
        /// ### Parameters
        ///
        /// - `draining`: whether it takes none.
        ///
        /// ## Errors
        ///
        /// [`Error::NotOperator`].
        ///
        /// ## Events
        ///
        /// - [`Event::DrainingSet`]
        #[pallet::call_index(9)]
        #[pallet::weight(T::WeightInfo::set_draining().saturating_add(T::Listener::weight()))]
        pub fn set_draining(origin: OriginFor<T>, draining: bool) -> DispatchResult {
            let stash = ensure_signed(origin)?;
            Self::do_set_draining(stash, draining)
        }

        /// Names the account that receives the caller's pay.
        ///
        /// ## Dispatch Origin
        ///
        /// Signed by the stash.
        ///
        /// ## Details
        ///
        /// Pay that the account cannot receive goes to the stash.
        ///
        /// ### Parameters
        ///
        /// - `payout`: that account.
        ///
        /// ## Errors
        ///
        /// [`Error::NotOperator`].
        ///
        /// ## Events
        ///
        /// - [`Event::PayoutSet`]
        #[pallet::call_index(10)]
        #[pallet::weight(T::WeightInfo::set_payout())]
        pub fn set_payout(origin: OriginFor<T>, payout: T::AccountId) -> DispatchResult {
            let stash = ensure_signed(origin)?;
            Self::do_set_payout(stash, payout)
        }

        /// Sets the part of the caller's pay that its delegators have none of.
        ///
        /// ## Dispatch Origin
        ///
        /// Signed by the stash.
        ///
        /// ## Details
        ///
        /// It falls at once. It rises after [`Config::UnbondingPeriod`] blocks, in which delegators
        /// can leave; at once where there are none. Another call before that takes its place.
        ///
        /// ### Parameters
        ///
        /// - `commission`: at most [`Config::MaxCommissionRaise`] more than it is now.
        ///
        /// ## Errors
        ///
        /// [`Error::NotOperator`], [`Error::CommissionRaiseTooHigh`].
        ///
        /// ## Events
        ///
        /// - [`Event::CommissionSet`]
        #[pallet::call_index(11)]
        #[pallet::weight(T::WeightInfo::set_commission())]
        pub fn set_commission(origin: OriginFor<T>, commission: Perbill) -> DispatchResult {
            let stash = ensure_signed(origin)?;
            Self::do_set_commission(stash, commission)
        }

        /// Says where the caller's node is reached.
        ///
        /// ## Dispatch Origin
        ///
        /// Signed by the stash.
        ///
        /// ### Parameters
        ///
        /// - `contact`: peer id of an ed25519 network key, and addresses.
        /// - `signature`: by that key, of [`Contact::message`] for this chain and the stash.
        ///
        /// ## Errors
        ///
        /// [`Error::NotOperator`], [`Error::PeerIdMalformed`], [`Error::AddressEmpty`],
        /// [`Error::ContactSignatureWrong`].
        ///
        /// ## Events
        ///
        /// - [`Event::ContactSet`]
        #[pallet::call_index(12)]
        #[pallet::weight(T::WeightInfo::set_contact())]
        pub fn set_contact(
            origin: OriginFor<T>,
            contact: Contact,
            signature: ed25519::Signature,
        ) -> DispatchResult {
            let stash = ensure_signed(origin)?;
            Self::do_set_contact(stash, contact, signature)
        }

        /// Delegates to an operator.
        ///
        /// ## Dispatch Origin
        ///
        /// Signed by the delegator.
        ///
        /// ## Details
        ///
        /// The amount moves to the vault and buys shares of the operator's pool.
        ///
        /// ### Parameters
        ///
        /// - `operator`: its stash.
        /// - `amount`: how much; with what the caller has delegated to it already at least
        ///   [`Config::MinDelegation`].
        ///
        /// ## Errors
        ///
        /// [`Error::SelfDelegation`], [`Error::AmountZero`], [`Error::NotOperator`],
        /// [`Error::OperatorDraining`], [`Error::SlashPending`], [`Error::BondBelowMinimum`] if the
        /// operator's own stake is, [`Error::DelegationBelowMinimum`],
        /// [`Error::DelegationsAboveCap`], [`Error::BalanceTooLow`],
        /// [`Error::SharePriceOutOfRange`].
        ///
        /// ## Events
        ///
        /// - [`Event::Delegated`]
        #[pallet::call_index(13)]
        #[pallet::weight(T::WeightInfo::delegate().saturating_add(T::Listener::weight()))]
        pub fn delegate(
            origin: OriginFor<T>,
            operator: T::AccountId,
            amount: Balance,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_delegate(who, operator, amount)
        }

        /// Begins to take back what is delegated to an operator.
        ///
        /// ## Dispatch Origin
        ///
        /// Signed by the delegator.
        ///
        /// ## Details
        ///
        /// The amount shares in no pay any more, and can be withdrawn after
        /// [`Config::UnbondingPeriod`] blocks. Until it is withdrawn it can be slashed. Amounts that
        /// are taken back in the same block are one.
        ///
        /// ### Parameters
        ///
        /// - `operator`: its stash.
        /// - `amount`: how much; all if it is worth no more. What stays is nothing or at least
        ///   [`Config::MinDelegation`].
        ///
        /// ## Errors
        ///
        /// [`Error::AmountZero`], [`Error::NotOperator`], [`Error::NotDelegator`],
        /// [`Error::DelegationBelowMinimum`], [`Error::UnbondingQueueFull`], and
        /// [`Error::SharePriceOutOfRange`] if nearly all of what others take back was slashed, until
        /// they have withdrawn it.
        ///
        /// ## Events
        ///
        /// - [`Event::Undelegated`]
        #[pallet::call_index(14)]
        #[pallet::weight(T::WeightInfo::undelegate().saturating_add(T::Listener::weight()))]
        pub fn undelegate(
            origin: OriginFor<T>,
            operator: T::AccountId,
            amount: Balance,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_undelegate(who, operator, amount)
        }

        /// Withdraws what a delegator has taken back and is due; all, where the operator is gone.
        ///
        /// ## Dispatch Origin
        ///
        /// Signed by anyone.
        ///
        /// ## Details
        ///
        /// The money goes to the delegator. A delegation that is worth nothing is forgotten.
        ///
        /// ### Parameters
        ///
        /// - `operator`: its stash.
        /// - `delegator`: whose delegation.
        ///
        /// ## Errors
        ///
        /// [`Error::NotDelegator`], [`Error::NothingToWithdraw`], [`Error::SlashPending`], and an error
        /// of the currency where the delegator's account cannot receive the amount.
        ///
        /// ## Events
        ///
        /// - [`Event::DelegationWithdrawn`]
        #[pallet::call_index(15)]
        #[pallet::weight(T::WeightInfo::withdraw_delegation())]
        pub fn withdraw_delegation(
            origin: OriginFor<T>,
            operator: T::AccountId,
            delegator: T::AccountId,
        ) -> DispatchResult {
            ensure_signed(origin)?;
            Self::do_withdraw_delegation(operator, delegator)
        }

        /// Applies a slash whose appeal is over.
        ///
        /// ## Dispatch Origin
        ///
        /// Signed by anyone. Blocks with room to spare do it on their own.
        ///
        /// ### Parameters
        ///
        /// - `slash`: its number.
        ///
        /// ## Errors
        ///
        /// [`Error::SlashUnknown`], [`Error::SlashNotDue`], and [`Error::StakeReserved`] while duties
        /// reserve what it takes.
        ///
        /// ## Events
        ///
        /// - [`Event::Slashed`]
        #[pallet::call_index(16)]
        #[pallet::weight(T::WeightInfo::apply_slash().saturating_add(T::Listener::weight()))]
        pub fn apply_slash(origin: OriginFor<T>, slash: SlashId) -> DispatchResult {
            ensure_signed(origin)?;
            Self::do_apply_slash(slash)
        }

        /// Cancels a slash that is not yet applied.
        ///
        /// ## Dispatch Origin
        ///
        /// [`Config::SlashCancelOrigin`].
        ///
        /// ### Parameters
        ///
        /// - `slash`: its number.
        ///
        /// ## Errors
        ///
        /// [`Error::SlashUnknown`].
        ///
        /// ## Events
        ///
        /// - [`Event::SlashCancelled`]
        #[pallet::call_index(17)]
        #[pallet::weight(T::WeightInfo::cancel_slash())]
        pub fn cancel_slash(origin: OriginFor<T>, slash: SlashId) -> DispatchResult {
            T::SlashCancelOrigin::ensure_origin(origin)?;
            Self::do_cancel_slash(slash)
        }

        /// Brings up to date where an operator stands by its stake, which pay and duties change:
        /// among those that stand for election, and where jobs are routed.
        ///
        /// ## Dispatch Origin
        ///
        /// Signed by anyone.
        ///
        /// ### Parameters
        ///
        /// - `operator`: its stash.
        ///
        /// ## Errors
        ///
        /// [`Error::NotOperator`].
        #[pallet::call_index(18)]
        #[pallet::weight(T::WeightInfo::rank_operator().saturating_add(T::Listener::weight()))]
        pub fn rank_operator(origin: OriginFor<T>, operator: T::AccountId) -> DispatchResult {
            ensure_signed(origin)?;
            let record = Operators::<T>::get(&operator).ok_or(Error::<T>::NotOperator)?;
            Self::tell_stake(&operator, Some(&record));
            Ok(())
        }
    }
}
