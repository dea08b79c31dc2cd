// SPDX-License-Identifier: Apache-2.0
//! Weights of `pallet_addresses`, estimated by hand: the reads and writes are counted, the times are
//! above those of comparable calls. `scripts/weights.sh` replaces this file by one of the same shape.

#![cfg_attr(rustfmt, rustfmt_skip)]
#![allow(unused_parens)]
#![allow(unused_imports)]
#![allow(missing_docs)]

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::{constants::ParityDbWeight, Weight}};

/// Weight functions needed for `pallet_addresses`.
pub trait WeightInfo {
	fn register_address() -> Weight;
	fn unregister_address() -> Weight;
	fn lookup() -> Weight;
}

/// Weights for `pallet_addresses` with the database of the runtime.
pub struct SubstrateWeight<T>(PhantomData<T>);
impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	fn register_address() -> Weight {
		Weight::from_parts(100_000_000, 4087)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	fn unregister_address() -> Weight {
		Weight::from_parts(90_000_000, 4087)
			.saturating_add(T::DbWeight::get().reads(2_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	fn lookup() -> Weight {
		Weight::from_parts(10_000_000, 3533)
			.saturating_add(T::DbWeight::get().reads(1_u64))
	}
}

// For mocks.
impl WeightInfo for () {
	fn register_address() -> Weight {
		Weight::from_parts(100_000_000, 4087)
			.saturating_add(ParityDbWeight::get().reads(3_u64))
			.saturating_add(ParityDbWeight::get().writes(3_u64))
	}
	fn unregister_address() -> Weight {
		Weight::from_parts(90_000_000, 4087)
			.saturating_add(ParityDbWeight::get().reads(2_u64))
			.saturating_add(ParityDbWeight::get().writes(3_u64))
	}
	fn lookup() -> Weight {
		Weight::from_parts(10_000_000, 3533)
			.saturating_add(ParityDbWeight::get().reads(1_u64))
	}
}
