// SPDX-License-Identifier: Apache-2.0
//! The VRF outputs of the last blocks.
//!
//! The author of a block knows the output of its own slot for the whole epoch. A draw that reads one
//! output can therefore be timed by an author that waits for a slot of its own. Draws over the
//! outputs of several blocks in a row cannot, unless their authors all collude. This pallet keeps
//! what such draws read: at the beginning of each block it stores the output of the parent block and
//! forgets the oldest one.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
#[cfg(test)]
mod mock;
mod outputs;
#[cfg(test)]
mod tests;
#[cfg(any(feature = "std", feature = "try-runtime"))]
mod try_state;
pub mod weights;

pub use pallet::*;
pub use weights::WeightInfo;

#[frame_support::pallet]
#[allow(unused_qualifications, reason = "the pallet macros write paths in full")]
pub mod pallet {
    use super::*;
    use assay_primitives::{traits::BlockRandomness, BlockNumber};
    use frame_support::pallet_prelude::*;
    use frame_system::pallet_prelude::*;
    use sp_core::H256;
    use sp_runtime::SaturatedConversion;

    /// The configuration of the pallet.
    #[pallet::config]
    pub trait Config: frame_system::Config {
        /// The source of the parent block's output.
        type Source: BlockRandomness;
        /// The number of blocks whose outputs are kept.
        #[pallet::constant]
        type Depth: Get<BlockNumber>;
        /// The weight of the hook.
        type WeightInfo: WeightInfo;
    }

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    /// The pallet.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// The VRF outputs of the last blocks. A block without an output has no entry.
    #[pallet::storage]
    pub type Outputs<T: Config> = StorageMap<_, Twox64Concat, BlockNumber, H256>;

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn on_initialize(now: BlockNumberFor<T>) -> Weight {
            Self::record(now.saturated_into());
            T::WeightInfo::on_initialize()
        }

        fn integrity_test() {
            assert!(T::Depth::get() > 0, "a beacon must keep outputs");
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }
}
