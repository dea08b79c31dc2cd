// SPDX-License-Identifier: Apache-2.0
//! The one call by which parameters change: [`Pallet::set`] takes changes of any number of
//! parameters, and checks the set that results from all of them.
//!
//! Parameters bound each other: how often outputs are audited follows from how much stands against a
//! lie, and stake must stay until everything that it stands for is judged. A check of one parameter
//! alone cannot see that, and neither can the origin of a call that sets one. The runtime stores the
//! parameters elsewhere, and keeps every other call from changing them.
//!
//! A set is refused for each range and each inequality that it violates, unless the set before
//! violated the same one with the same numbers: development networks have shorter windows than
//! stake needs, and after an upgrade that narrows a range everything else can still change.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod check;
#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;
pub mod weights;

pub use check::CheckedParameters;
pub use pallet::*;
pub use weights::WeightInfo;

/// The target of this pallet's log lines.
const LOG_TARGET: &str = "runtime::settings";

#[frame_support::pallet]
#[allow(unused_qualifications, reason = "the pallet macros write paths in full")]
pub mod pallet {
    use super::*;
    use frame_support::pallet_prelude::*;
    use frame_system::pallet_prelude::*;

    /// The configuration of the pallet.
    #[pallet::config]
    pub trait Config: frame_system::Config<RuntimeEvent: From<Event<Self>>> {
        /// The origin that can change parameters.
        type AdminOrigin: EnsureOrigin<Self::RuntimeOrigin>;
        /// The parameters.
        type Parameters: CheckedParameters;
        /// The most changes of a call.
        #[pallet::constant]
        type MaxChanges: Get<u32>;
        /// The weight of the call.
        type WeightInfo: WeightInfo;
    }

    /// A change of one parameter.
    pub type ChangeOf<T> = <<T as Config>::Parameters as CheckedParameters>::Change;
    /// The changes of a call.
    pub type ChangesOf<T> = BoundedVec<ChangeOf<T>, <T as Config>::MaxChanges>;

    /// The pallet, which stores nothing.
    #[pallet::pallet]
    pub struct Pallet<T>(_);

    /// The changes of parameters.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// Parameters were changed.
        ParametersSet {
            /// The changes, in the order in which they were made.
            changes: ChangesOf<T>,
        },
    }

    /// The reasons for which changes are refused. The numbers are in the log, and returned by
    /// `SettingsApi.check`.
    #[pallet::error]
    pub enum Error<T> {
        /// A parameter is out of its range.
        ParameterOutOfRange,
        /// A lie earns more than its bond loses: the audit floor is too low, or draws of audits read
        /// too few blocks.
        LyingPays,
        /// A captured committee gains more than second looks take: they are too rare.
        CapturePays,
        /// Stake can be withdrawn before what it stands for is judged.
        UnbondingTooShort,
        /// The window for challenges is over before it is known that an output is not audited.
        ChallengeWindowTooShort,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn integrity_test() {
            assert!(T::MaxChanges::get() > 0, "a parameter must be able to change");
            let violations = T::Parameters::violations();
            assert!(violations.is_empty(), "the default parameters violate {violations:?}");
        }
    }

    #[pallet::call(weight(<T as Config>::WeightInfo))]
    impl<T: Config> Pallet<T> {
        /// Changes parameters: all of them, or none.
        ///
        /// ## Dispatch Origin
        /// [`Config::AdminOrigin`].
        ///
        /// ## Details
        /// The set that results from all changes must keep to every range and every inequality. A
        /// parameter that is set to `None` has its default again.
        ///
        /// ### Parameters
        /// - `changes`: the changes; of several to one parameter the last counts.
        ///
        /// ## Errors
        /// [`Error::ParameterOutOfRange`], [`Error::LyingPays`], [`Error::CapturePays`],
        /// [`Error::UnbondingTooShort`], [`Error::ChallengeWindowTooShort`].
        ///
        /// ## Events
        /// [`Event::ParametersSet`].
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::set(changes.len().try_into().unwrap_or(u32::MAX)))]
        pub fn set(origin: OriginFor<T>, changes: ChangesOf<T>) -> DispatchResult {
            T::AdminOrigin::ensure_origin(origin)?;
            Self::do_set(changes)
        }
    }
}
