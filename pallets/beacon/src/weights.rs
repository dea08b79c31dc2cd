// SPDX-License-Identifier: Apache-2.0
//! Weights of `pallet_beacon`. Not measured yet: `./scripts/weights.sh beacon` replaces this file.

#![cfg_attr(rustfmt, rustfmt_skip)]
#![allow(unused_parens)]
#![allow(unused_imports)]
#![allow(missing_docs)]

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::{constants::ParityDbWeight, Weight}};

/// Weight functions needed for `pallet_beacon`.
pub trait WeightInfo {
	fn on_initialize() -> Weight;
}

/// Weights for `pallet_beacon` with the database of the runtime.
pub struct SubstrateWeight<T>(PhantomData<T>);
impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	fn on_initialize() -> Weight {
		Weight::from_parts(15_000_000, 3534)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(2_u64))
	}
}

// For mocks.
impl WeightInfo for () {
	fn on_initialize() -> Weight {
		Weight::from_parts(15_000_000, 3534)
			.saturating_add(ParityDbWeight::get().reads(3_u64))
			.saturating_add(ParityDbWeight::get().writes(2_u64))
	}
}
