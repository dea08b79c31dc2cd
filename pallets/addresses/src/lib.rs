// SPDX-License-Identifier: Apache-2.0
//! Addresses: the accounts behind the 20-byte hashes of secp256k1 keys.
//!
//! ## Surface
//!
//! An account whose key is ECDSA on secp256k1 calls [`register_address`](Pallet::register_address)
//! once. From then on the hash in its [`AssayAddress`](assay_primitives::AssayAddress) is a
//! destination of every call that takes a lookup source, as `MultiAddress::Address20`.
//! [`unregister_address`](Pallet::unregister_address) undoes the registration. The pallet itself is
//! the runtime's `frame_system::Config::Lookup`: accounts pass through, hashes are looked up, and
//! every other source fails as it does with FRAME's own lookup. A call whose lookup fails does
//! nothing, so an unknown hash moves no money.
//!
//! ## Ownership of a hash
//!
//! An account is the blake2_256 hash of its compressed public key ([`Config::Signer`]). The call
//! therefore carries the key, and only the account that the key yields can register the key's hash.
//! No signature and no key of another scheme can lead to that account, since it would have to hit
//! the same blake2_256 hash.
//!
//! ## Money
//!
//! A registration occupies two entries of the state, for which [`Config::Deposit`] is on hold
//! ([`HoldReason::Registration`]) until it is undone. Each registration records the amount held, so
//! that the deposit can change. While the deposit is held the account cannot be reaped, so a
//! registered hash always leads to an account that exists.
//!
//! ## Weight
//!
//! Calls that take a lookup source are weighed for an account. A hash costs them
//! [`WeightInfo::lookup`] more, which the runtime adds where it configures their weights.

#![cfg_attr(not(feature = "std"), no_std)]

mod lookup;
mod registration;
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
pub use registration::Registration;
pub use weights::WeightInfo;

// The macros of frame-support expand to qualified paths.
#[allow(unused_qualifications)]
#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use assay_primitives::Balance;
    use frame_support::{
        pallet_prelude::*,
        traits::fungible::{Inspect, MutateHold},
    };
    use frame_system::pallet_prelude::*;
    use sp_core::ecdsa;
    use sp_runtime::traits::IdentifyAccount;

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    #[pallet::config]
    pub trait Config: frame_system::Config<RuntimeEvent: From<Event<Self>>> {
        /// The currency of deposits.
        type Currency: Inspect<Self::AccountId, Balance = Balance>
            + MutateHold<Self::AccountId, Reason = Self::RuntimeHoldReason>;

        /// The runtime's hold reasons.
        type RuntimeHoldReason: From<HoldReason>;

        /// The type by which a public key yields an account: `MultiSigner` where signatures are
        /// `MultiSignature`.
        type Signer: IdentifyAccount<AccountId = Self::AccountId> + From<ecdsa::Public>;

        /// The deposit on hold for a registration. It must not be zero.
        #[pallet::constant]
        type Deposit: Get<Balance>;

        /// Weights of this pallet's calls.
        type WeightInfo: WeightInfo;
    }

    /// The purposes for which this pallet holds money.
    #[pallet::composite_enum]
    pub enum HoldReason {
        /// The deposit for a registered address.
        #[codec(index = 0)]
        Registration,
    }

    /// The account behind each registered hash.
    #[pallet::storage]
    pub type Accounts<T: Config> = StorageMap<_, Blake2_128Concat, [u8; 20], T::AccountId>;

    /// The registration of each account that has one.
    #[pallet::storage]
    pub type Registrations<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, Registration>;

    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A hash became a destination.
        AddressRegistered {
            /// The account behind the hash.
            who: T::AccountId,
            /// RIPEMD160(SHA256(compressed public key)).
            address: [u8; 20],
            /// The deposit put on hold.
            deposit: Balance,
        },
        /// A hash is no longer a destination.
        AddressUnregistered {
            /// The account that was behind the hash.
            who: T::AccountId,
            /// RIPEMD160(SHA256(compressed public key)).
            address: [u8; 20],
            /// The deposit released.
            deposit: Balance,
        },
    }

    #[pallet::error]
    pub enum Error<T> {
        /// The caller is not the account of that secp256k1 public key. Sign with that key.
        NotTheKeysAccount,
        /// The caller has already registered its address. Unregister it first to register again.
        AlreadyRegistered,
        /// Another account has registered the same hash.
        AddressTaken,
        /// The caller's free balance, less the existential deposit, is smaller than the deposit.
        /// Fund the account first.
        BalanceTooLow,
        /// The caller has no registered address. Register it first.
        NotRegistered,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn integrity_test() {
            assert!(T::Deposit::get() > 0, "only a deposit keeps a registered account alive");
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Makes the hash of the caller's public key a destination.
        ///
        /// ## Dispatch Origin
        ///
        /// Signed by the account of the key.
        ///
        /// ## Details
        ///
        /// [`Config::Deposit`] is put on hold from the caller until the address is unregistered.
        ///
        /// ## Parameters
        ///
        /// - `public`: the compressed secp256k1 public key, 33 bytes.
        ///
        /// ## Errors
        ///
        /// - [`Error::NotTheKeysAccount`]: the key yields another account.
        /// - [`Error::AlreadyRegistered`]: the caller has already registered.
        /// - [`Error::AddressTaken`]: another key with the same hash is registered.
        /// - [`Error::BalanceTooLow`]: the caller cannot spare the deposit.
        ///
        /// ## Events
        ///
        /// - [`Event::AddressRegistered`]
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::register_address())]
        pub fn register_address(origin: OriginFor<T>, public: ecdsa::Public) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_register(who, public)
        }

        /// Unregisters the caller's address and releases its deposit.
        ///
        /// ## Dispatch Origin
        ///
        /// Signed by the registered account.
        ///
        /// ## Details
        ///
        /// The hash is unknown afterwards, and transfers to it are refused. It can be registered
        /// again.
        ///
        /// ## Errors
        ///
        /// - [`Error::NotRegistered`]: the caller has no registered address.
        ///
        /// ## Events
        ///
        /// - [`Event::AddressUnregistered`]
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::unregister_address())]
        pub fn unregister_address(origin: OriginFor<T>) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_unregister(who)
        }
    }
}
