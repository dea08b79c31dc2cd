// SPDX-License-Identifier: Apache-2.0
//! Operators, which run the models and author the blocks, and the stake behind both.
//!
//! ## Key terms
//!
//! - **stash**: the cold account of an operator. It owns the operator's own stake.
//! - **payout account**: the account that receives pay; the stash unless the stash names another.
//! - **worker**: the hot key that signs reports, and nothing else. An operator has one. The one before
//!   it can report on the duties that were open when it was replaced, until they end.
//! - **delegator**: an account that delegates money to an operator, and shares in its pay and in
//!   its slashes.
//! - **contact**: peer id and addresses of the operator's node, signed by the node's network key
//!   for this chain and stash. Operators of genesis have none until `set_contact`.
//! - **offer**: a model that the operator serves, its prices per token and its longest context.
//! - **duty**: a job to run, or to re-check. Each duty reserves a part of the operator's own stake,
//!   so that no stake ever backs two duties.
//! - **at stake**: everything that can be slashed: own and delegated stake, and amounts being taken
//!   out of either until they are withdrawn.
//!
//! ## Surface
//!
//! Accounts register, change their offers and their stake, delegate, and leave through the pallet's
//! calls. Workers send [`report`](Pallet::report), whose contents go to [`Config::Duties`]: the
//! pallets of jobs and of verification. Those pallets draw operators, reserve, release and seize
//! their stake, and pay them, through [`assay_primitives::traits::Operators`]. To the runtime this
//! pallet is also the session manager and the handler of offences. Its off-chain worker is the only
//! scheduler of the chain: it hands duties to the node's engine and sends the reports that follow
//! from the engine's results.
//!
//! ## Money
//!
//! An operator's own stake, including amounts being unbonded, is on hold ([`HoldReason::Stake`]) in
//! its stash. All delegations are on hold ([`HoldReason::Delegation`]) in one account, the
//! [vault](Pallet::vault), which has the existential deposit from genesis on. Each operator has two
//! [pools](pool::Pool) of it: the active delegations, and those being taken back. Delegators have
//! shares of these, so that the cost of pay and slashes does not depend on the number of
//! delegators.
//!
//! - **Pay** ([`Operators::reward`](assay_primitives::traits::Operators::reward)): the commission and
//!   the part of the own stake go to the payout account. The rest raises the worth of the shares of
//!   the active pool.
//! - **Slashes**: a duty's reservation is seized at once, out of the operator's own stake, since it
//!   is owed to other accounts. An offence against consensus takes from everything at stake, pro
//!   rata. Such a slash is recorded and waits [`Config::SlashDelay`] blocks, in which it can be
//!   cancelled, and then until no duty reserves the stake that it takes. While it waits, nothing is
//!   withdrawn, nobody delegates, and the operator does not stand for election.
//! - **Withdrawals**: amounts that are unbonded or taken back can be withdrawn after
//!   [`Config::UnbondingPeriod`], by anyone for their owner; the operator's own only if no duty
//!   reserves them. Once the operator itself is gone, all delegations to it can be withdrawn at
//!   once.
//! - A pool that is slashed to nothing begins a new round: old shares are worth nothing and do not
//!   dilute new ones.
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
mod handover;
mod offchain;
mod offences;
mod operators;
pub mod pool;
mod ranking;
mod refusals;
mod registry;
mod report;
mod rewards;
mod rotation;
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

pub use offchain::{guard_key, tip, Guard};
pub use pallet::*;
pub use submit::{Nonce, SubmitReports};
pub use types::{
    Commission, CreditOf, Delegated, Delegation, DelegationOf, Offer, OffersOf, Operator,
    OperatorOf, Raise, Ranked, RefusedOf, ReportsOf, Reservation, Retiring, SlashId, SlashOf,
    UnappliedSlash, Unbonding, Undelegating,
};
pub use weights::WeightInfo;

use frame_support::pallet_macros::import_section;

/// Target of this pallet's log messages.
pub const LOG_TARGET: &str = "runtime::operators";

// Events and calls, which are mostly documentation, have files of their own to keep this one short.
// The macros of frame-support expand to qualified paths.
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
        Balance, BlockNumber, Contact, Engine, JobId, ModelId, Prices, Report,
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

        /// The least stake of its own with which an operator is a candidate for duties and
        /// elections.
        type MinBond: Get<Balance>;

        /// The identifier from which the account of the vault is derived.
        #[pallet::constant]
        type PalletId: Get<PalletId>;

        /// The smallest delegation of an account to an operator.
        type MinDelegation: Get<Balance>;

        /// The largest sum of delegations to an operator, in percent of its own stake.
        type MaxDelegationPercent: Get<u32>;

        /// The most by which a commission can rise at a time.
        type MaxCommissionRaise: Get<Perbill>;

        /// The number of blocks in which a slash for an offence against consensus can be cancelled.
        type SlashDelay: Get<BlockNumber>;

        /// The number of sessions, after that of an offence, in which the offence can be reported.
        #[pallet::constant]
        type OffenceSessions: Get<SessionIndex>;

        /// The origin that can cancel such a slash.
        #[pallet::no_default_bounds]
        type SlashCancelOrigin: EnsureOrigin<Self::RuntimeOrigin>;

        /// The number of blocks between unbonding and withdrawing. It is longer than any duty can
        /// take to end, and longer than an offence can be reported.
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

        /// The most amounts that an operator or a delegator is taking out at a time.
        #[pallet::constant]
        type MaxUnbonding: Get<u32>;

        /// The most jobs that an operator runs at a time.
        #[pallet::constant]
        type MaxConcurrency: Get<u32>;

        /// The most reports in one extrinsic.
        #[pallet::constant]
        type MaxReports: Get<u32>;

        /// The most clients that an operator refuses.
        #[pallet::constant]
        type MaxRefused: Get<u32>;

        /// The most reports of a block that pay no fee.
        #[pallet::constant]
        type MaxFreeReports: Get<u32>;

        /// The refused reports of an operator in a block after which its workers report no more in it.
        #[pallet::constant]
        type MaxRefusedReports: Get<u32>;

        /// The most validators.
        #[pallet::constant]
        type MaxValidators: Get<u32>;

        /// The number of blocks after which a worker sends reports again that the chain has not
        /// taken.
        #[pallet::constant]
        type ReportPatience: Get<BlockNumber>;

        /// The number of blocks after which a worker that was replaced can no longer report, whether
        /// or not the duties from its time have ended. It is longer than any of them needs reports.
        #[pallet::constant]
        type RetirementPeriod: Get<BlockNumber>;

        /// The registry of session keys, which is the session pallet.
        #[pallet::no_default_bounds]
        type Sessions: ValidatorRegistration<Self::AccountId>;

        /// The listener to changes of operators' standings.
        #[pallet::no_default_bounds]
        type Listener: OperatorChanged<Self::AccountId>;

        /// The pallets that lay duties on operators.
        #[pallet::no_default_bounds]
        type Duties: Duties<Self::AccountId>;

        /// The engine of the node, for the off-chain worker.
        type Engine: Engine;

        /// The component that signs and sends reports, for the off-chain worker.
        #[pallet::no_default_bounds]
        type Submitter: SubmitReports<Self::AccountId, Self::MaxReports>;

        /// Weights of this pallet's calls.
        type WeightInfo: WeightInfo;
    }

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// The purposes for which this pallet holds money.
    #[pallet::composite_enum]
    pub enum HoldReason {
        /// An operator's own stake.
        #[codec(index = 0)]
        Stake,
        /// Delegations to operators.
        #[codec(index = 1)]
        Delegation,
    }

    /// The operators, by their stash.
    #[pallet::storage]
    pub type Operators<T: Config> =
        CountedStorageMap<_, Blake2_128Concat, T::AccountId, OperatorOf<T>>;

    /// The operators that offer each model, by model and stash.
    #[pallet::storage]
    pub type Serving<T: Config> = StorageDoubleMap<
        _,
        Blake2_128Concat,
        ModelId,
        Blake2_128Concat,
        T::AccountId,
        (),
        OptionQuery,
    >;

    /// The stash of each worker, and of each worker that was replaced and can still report.
    #[pallet::storage]
    pub type Workers<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, T::AccountId>;

    /// The parts of operators' stakes that duties reserve, by stash and duty.
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

    /// Accounts' delegations, by delegator and operator.
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

    /// The pools of operators that are gone, until their owners have withdrawn everything.
    #[pallet::storage]
    pub type Orphans<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, Delegated>;

    /// The contacts of operators' nodes.
    #[pallet::storage]
    pub type Contacts<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, Contact>;

    /// The clients of which each operator takes no jobs.
    #[pallet::storage]
    pub type Refused<T: Config> =
        StorageMap<_, Blake2_128Concat, T::AccountId, RefusedOf<T>, ValueQuery>;

    /// The slashes that are not yet applied.
    #[pallet::storage]
    pub type Slashes<T: Config> = StorageMap<_, Twox64Concat, SlashId, SlashOf<T>>;

    /// The fraction of the stake that offences in a session cost, by session and operator, until
    /// they can no longer be reported.
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

    /// The number of the next slash.
    #[pallet::storage]
    pub type NextSlash<T: Config> = StorageValue<_, SlashId, ValueQuery>;

    /// The number of the oldest slash that may not be applied yet.
    #[pallet::storage]
    pub type OldestSlash<T: Config> = StorageValue<_, SlashId, ValueQuery>;

    /// The operators with the most stake, in order.
    #[pallet::storage]
    pub type Ranking<T: Config> =
        StorageValue<_, BoundedVec<Ranked<T::AccountId>, T::MaxCandidates>, ValueQuery>;

    /// The validators of genesis, which author blocks while there are fewer electable operators.
    #[pallet::storage]
    pub type GenesisValidators<T: Config> =
        StorageValue<_, BoundedVec<T::AccountId, T::MaxValidators>, ValueQuery>;

    /// The number of reports in this block that paid no fee.
    #[pallet::storage]
    pub type FreeReports<T: Config> = StorageValue<_, u32, ValueQuery>;

    /// The last block in which reports for an operator were refused, and how many were.
    #[pallet::storage]
    pub type RefusedReports<T: Config> =
        StorageMap<_, Blake2_128Concat, T::AccountId, (BlockNumber, u32)>;

    #[pallet::error]
    pub enum Error<T> {
        /// The account is already an operator.
        AlreadyOperator,
        /// The account is not an operator. Register it first, or check the address.
        NotOperator,
        /// The account is not the worker of any operator. Set it with `set_worker` first.
        NotWorker,
        /// The account is already the worker of an operator. Use another key.
        WorkerTaken,
        /// The account is the stash of an operator, so it cannot be a worker. Use a separate key.
        WorkerIsStash,
        /// The number of operators has reached its maximum. Wait until one leaves.
        OperatorsFull,
        /// The operator's bonded stake would be below `MinBond` but not zero. Bond at least the
        /// minimum, or unbond everything.
        BondBelowMinimum,
        /// The amount is zero.
        AmountZero,
        /// The free balance, less the existential deposit, is smaller than the amount. Lower the
        /// amount, or fund the account.
        BalanceTooLow,
        /// The amount exceeds the operator's own stake that no duty reserves. Lower the amount, or
        /// wait until duties end.
        StakeReserved,
        /// The number of amounts being taken out has reached its maximum. Withdraw one that is due,
        /// or wait until one is.
        UnbondingQueueFull,
        /// None of the unbonded amounts can be withdrawn yet. Wait until the unbonding period is
        /// over.
        NothingToWithdraw,
        /// The same model is offered twice. List each model once.
        DuplicateOffer,
        /// A model is offered at a price of zero for a token of the output. Set a price of at least 1;
        /// only tokens of the prompt can be free.
        PriceZero,
        /// A model is offered with a context of zero tokens. Set a context of at least 1.
        ContextZero,
        /// The concurrency is zero. Set at least 1, or use `set_draining` to take no jobs.
        ConcurrencyZero,
        /// The concurrency exceeds `MaxConcurrency`. Set a lower one.
        ConcurrencyTooHigh,
        /// The duty already has a reservation.
        DutyReserved,
        /// The operator already runs as many jobs as its concurrency allows.
        NoFreeSlot,
        /// The extrinsic contains no reports.
        NoReports,
        /// No pallet handles the report.
        ReportUnknown,
        /// The amount exceeds the operator's own bonded stake. Lower the amount.
        StakeTooLow,
        /// The operator is draining: it takes no new duties and no new delegations. Choose another
        /// operator.
        OperatorDraining,
        /// A slash of the operator is pending. Wait until it is applied or cancelled.
        SlashPending,
        /// No pending slash has that number.
        SlashUnknown,
        /// The slash can still be cancelled. Apply it once its delay is over.
        SlashNotDue,
        /// The commission rises by more than `MaxCommissionRaise`. Raise it in smaller steps.
        CommissionRaiseTooHigh,
        /// The account is the operator's own stash, which cannot delegate to itself. Use
        /// `bond_extra` to add stake.
        SelfDelegation,
        /// The account has no delegation to the operator, or one that is worth nothing.
        NotDelegator,
        /// The delegation would be below `MinDelegation` but not zero. Delegate at least the
        /// minimum, or take back everything.
        DelegationBelowMinimum,
        /// The delegations to the operator would exceed `MaxDelegationPercent` of its own stake.
        /// Delegate less, or raise the operator's own stake.
        DelegationsAboveCap,
        /// A share of the operator's pool is worth too much or too little for the amount. Try
        /// another amount, or wait until others have withdrawn.
        SharePriceOutOfRange,
        /// Delegations from the account's earlier time as an operator are not all withdrawn.
        /// Withdraw them with `withdraw_delegation` first.
        DelegationsLeft,
        /// The peer id is not that of an ed25519 key. Use the peer id of the node's network key.
        PeerIdMalformed,
        /// An address of the contact is empty. Remove it.
        AddressEmpty,
        /// The contact is not signed by the network key that its peer id names. Sign it with the
        /// node's network key for this chain and stash.
        ContactSignatureWrong,
        /// The worker before the current one still reports on the duties from its time. Wait until
        /// they end, or end it with `retire_worker` first.
        WorkerRetiring,
        /// No worker is retiring.
        NoRetiringWorker,
        /// The worker was replaced before the duty began. Report with the current worker.
        WorkerReplaced,
        /// The operator refuses the client already.
        AlreadyRefused,
        /// The operator does not refuse the client.
        NotRefused,
        /// The operator refuses `MaxRefused` clients. Admit one first.
        TooManyRefused,
    }

    /// An operator of genesis: stash, worker, offers as (model, prices, context), concurrency, bond.
    /// It has no contact, since a contact can only be signed once the genesis hash exists.
    pub type GenesisOperator<AccountId> =
        (AccountId, AccountId, Vec<(ModelId, Prices, u32)>, u32, Balance);

    #[pallet::genesis_config]
    #[derive(frame_support::DefaultNoBound)]
    pub struct GenesisConfig<T: Config> {
        /// The operators: stash, worker, offers as (model, prices, context), concurrency, bond.
        pub operators: Vec<GenesisOperator<T::AccountId>>,
        /// The validators that author blocks while there are fewer electable operators.
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
                assert!(
                    minted.is_ok(),
                    "cannot mint the deposit of pallet-operators' vault: {minted:?}"
                );
            }
            for operator in &self.operators {
                let registered = Pallet::<T>::register_genesis(operator);
                assert!(
                    registered.is_ok(),
                    "cannot register the genesis operator {:?}: {registered:?}",
                    operator.0
                );
            }
            let validators = BoundedVec::try_from(self.validators.clone());
            assert!(validators.is_ok(), "genesis has more than MaxValidators validators");
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
            assert!(
                T::MinBond::get() >= T::Currency::minimum_balance(),
                "MinBond is below the existential deposit"
            );
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
                "MaxCandidates is below MaxValidators"
            );
            assert!(
                T::MinDelegation::get() >= T::Currency::minimum_balance(),
                "MinDelegation is below the existential deposit"
            );
            assert!(T::ReportPatience::get() > 0, "ReportPatience is zero");
            assert!(T::RetirementPeriod::get() > 0, "RetirementPeriod is zero");
            assert!(T::MaxRefusedReports::get() > 0, "no worker could report");
            assert!(
                T::MaxFreeReports::get() >= T::MaxReports::get(),
                "MaxFreeReports is below MaxReports: a full extrinsic would never be free"
            );
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }
}
