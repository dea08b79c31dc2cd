// SPDX-License-Identifier: Apache-2.0
//! Escrow: the money of jobs, on hold from the client until it is paid out or returned.
//!
//! ## Surface
//!
//! Other pallets use it through [`assay_primitives::traits::Escrow`]: `open` and `raise` put a
//! job's payment, bounty and deposit on hold from the client, `draw_down` and `draw` take the
//! operator's pay out of it, `burn_down` destroys a part of it, `levy` takes a part of it for the fund
//! of juries, out of which `draw_fund` pays, `put_back` returns a down payment to it, `pay` and
//! `pay_bounty` move parts of it to who earned them, and `refund` returns what is left and ends the
//! escrow. Accounts call [`claim`](Pallet::claim) only.
//!
//! ## Money
//!
//! The rest of a job's money stays on hold ([`HoldReason::Job`]) in the client's own account; the record
//! of each job says how much of that hold is its: of the down payment, which `draw_down` takes; of
//! cost and tip, which `draw`, `levy` and `pay` share; of the bounty, which `pay_bounty` pays; and of
//! the deposit, which `burn_deposit` burns. A payout goes
//! from the hold straight to the payee. When the payee cannot receive it, because its account does
//! not exist and the amount is below the existential deposit, it goes to the pot instead and
//! becomes a claim of the payee: a settlement never fails because a third account is short. The pot
//! is endowed with the existential deposit at genesis, so that it can receive any amount; beyond
//! that it holds the claims. The fund of juries is another account, endowed likewise: it keeps what
//! `levy` takes up to [`Config::FundMost`], beyond which everything is burnt.
//!
//! Genesis of this pallet must be built after that of the currency.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod claims;
mod escrow;
mod fund;
pub mod types;
pub mod weights;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;
#[cfg(any(feature = "std", feature = "try-runtime"))]
mod try_state;

pub use pallet::*;
pub use types::{CreditOf, EscrowRecord, Left};
pub use weights::WeightInfo;

/// Target of this pallet's log messages.
pub const LOG_TARGET: &str = "runtime::escrow";

// The macros of frame-support expand to qualified paths.
#[allow(unused_qualifications)]
#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use assay_primitives::{Balance, JobId, Payment};
    use frame_support::{
        pallet_prelude::*,
        traits::{
            fungible::{BalancedHold, Inspect, Mutate, MutateHold},
            tokens::Preservation,
        },
        PalletId,
    };
    use frame_system::pallet_prelude::*;
    use sp_runtime::traits::AccountIdConversion;

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    #[pallet::config]
    pub trait Config: frame_system::Config<RuntimeEvent: From<Event<Self>>> {
        /// The currency that jobs are paid in.
        type Currency: Inspect<Self::AccountId, Balance = Balance>
            + Mutate<Self::AccountId>
            + MutateHold<Self::AccountId, Reason = Self::RuntimeHoldReason>
            + BalancedHold<Self::AccountId>;

        /// The runtime's hold reasons.
        type RuntimeHoldReason: From<HoldReason>;

        /// From which the account of the pot is derived.
        #[pallet::constant]
        type PalletId: Get<PalletId>;

        /// From which the account of the fund of juries is derived.
        #[pallet::constant]
        type FundId: Get<PalletId>;

        /// The most that the fund of juries keeps.
        type FundMost: Get<Balance>;

        /// Weights of this pallet's calls.
        type WeightInfo: WeightInfo;
    }

    /// The reasons for which this pallet holds money.
    #[pallet::composite_enum]
    pub enum HoldReason {
        /// Payment, bounty, deposit, fees of an audit and bond for a challenge of a job that is not yet
        /// settled.
        #[codec(index = 0)]
        Job,
    }

    /// The escrow of each job that is not yet settled.
    #[pallet::storage]
    pub type Escrows<T: Config> =
        StorageMap<_, Blake2_128Concat, JobId, EscrowRecord<T::AccountId>>;

    /// The amounts that could not be paid to an account and wait in the pot until it claims them.
    #[pallet::storage]
    pub type Claims<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, Balance, ValueQuery>;

    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// Payment, bounty and deposit of a job are on hold.
        Opened {
            /// The job.
            job: JobId,
            /// The client whose money it is.
            client: T::AccountId,
            /// The payment.
            payment: Payment,
            /// The bounty.
            bounty: Balance,
            /// The deposit.
            deposit: Balance,
        },
        /// The payment of a job was raised.
        Raised {
            /// The job.
            job: JobId,
            /// The amounts that were added.
            more: Payment,
        },
        /// The fees of the audit that a client asks for are on hold in addition.
        AuditHeld {
            /// The job.
            job: JobId,
            /// The amount that was added.
            amount: Balance,
        },
        /// The bond of a client that challenges the output of its job is on hold.
        BondHeld {
            /// The job.
            job: JobId,
            /// The amount.
            amount: Balance,
        },
        /// The bond of a client that challenged a right output was taken.
        BondSeized {
            /// The job.
            job: JobId,
            /// The amount.
            amount: Balance,
        },
        /// Part of a job's escrow was paid out.
        Paid {
            /// The job.
            job: JobId,
            /// The account that received it.
            payee: T::AccountId,
            /// The amount.
            amount: Balance,
        },
        /// Part of a job's escrow was burnt.
        Burnt {
            /// The job.
            job: JobId,
            /// The amount.
            amount: Balance,
        },
        /// Part of a job's escrow went to the fund of juries.
        FundRaised {
            /// The job.
            job: JobId,
            /// The amount.
            amount: Balance,
        },
        /// The fund of juries paid a juror.
        FundDrawn {
            /// The amount.
            amount: Balance,
        },
        /// A down payment that an operator returned is on hold again.
        PutBack {
            /// The job.
            job: JobId,
            /// The client whose money it is.
            client: T::AccountId,
            /// The amount.
            amount: Balance,
        },
        /// The rest of a job's escrow was returned to the client, and the escrow ended.
        Refunded {
            /// The job.
            job: JobId,
            /// The account that received it.
            client: T::AccountId,
            /// The amount.
            amount: Balance,
        },
        /// Money taken from a bond was paid out.
        Deposited {
            /// The account that received it.
            payee: T::AccountId,
            /// The amount.
            amount: Balance,
        },
        /// A payee could not receive an amount: it waits in the pot.
        ClaimRecorded {
            /// The account whose claim it is.
            payee: T::AccountId,
            /// The amount that was added to the claim.
            amount: Balance,
        },
        /// An account withdrew its claim.
        Claimed {
            /// The account.
            who: T::AccountId,
            /// The amount.
            amount: Balance,
        },
    }

    #[pallet::error]
    pub enum Error<T> {
        /// The job has an escrow already.
        EscrowExists,
        /// The job has no escrow.
        NoEscrow,
        /// The sum of payment, bounty and deposit exceeds the largest balance.
        AmountOverflow,
        /// The client's free balance, less the existential deposit, is smaller than the amount.
        BalanceTooLow,
        /// The account has no claim.
        NothingToClaim,
        /// The account does not exist, and its claim is too small to create it.
        AmountBelowExistentialDeposit,
    }

    #[pallet::genesis_config]
    #[derive(frame_support::DefaultNoBound)]
    pub struct GenesisConfig<T: Config> {
        /// Nothing to configure.
        #[serde(skip)]
        pub _config: PhantomData<T>,
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            for (name, account) in [("pot", Pallet::<T>::pot()), ("fund", Pallet::<T>::fund())] {
                let balance = T::Currency::balance(&account);
                let missing = T::Currency::minimum_balance().saturating_sub(balance);
                if missing > 0 {
                    let minted = T::Currency::mint_into(&account, missing);
                    assert!(
                        minted.is_ok(),
                        "the {name} of pallet-escrow could not be endowed: {minted:?}"
                    );
                }
            }
        }
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Withdraws all that is claimable by the caller.
        ///
        /// ## Dispatch Origin
        ///
        /// Signed by the account that has the claim.
        ///
        /// ## Details
        ///
        /// The amount moves from the pot to the caller's free balance.
        ///
        /// ## Errors
        ///
        /// - [`Error::NothingToClaim`]: the caller has no claim.
        /// - [`Error::AmountBelowExistentialDeposit`]: the caller has no account, and the claim is
        ///   too small to create it.
        ///
        /// ## Events
        ///
        /// - [`Event::Claimed`]
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::claim())]
        pub fn claim(origin: OriginFor<T>) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_claim(who)
        }
    }

    impl<T: Config> Pallet<T> {
        /// The account that holds what is claimable.
        pub fn pot() -> T::AccountId {
            T::PalletId::get().into_account_truncating()
        }

        /// The account that holds what juries can be paid from.
        pub fn fund() -> T::AccountId {
            T::FundId::get().into_account_truncating()
        }

        /// Returns the amount that `who` can withdraw with [`Pallet::claim`].
        pub fn claimable(who: &T::AccountId) -> Balance {
            Claims::<T>::get(who)
        }

        /// Moves the whole claim from the pot to its owner.
        pub(crate) fn do_claim(who: T::AccountId) -> DispatchResult {
            let amount = Claims::<T>::take(&who);
            ensure!(amount > 0, Error::<T>::NothingToClaim);
            Self::ensure_can_receive(&who, amount)?;
            T::Currency::transfer(&Self::pot(), &who, amount, Preservation::Preserve)?;
            Self::deposit_event(Event::Claimed { who, amount });
            Ok(())
        }
    }
}
