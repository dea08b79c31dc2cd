// SPDX-License-Identifier: Apache-2.0
//! Weights of `pallet_verification`.
//!
//! Estimated by hand from the storage accesses of each function, with a generous time for the rest,
//! until the benchmarks of this pallet are run on the reference machine: the file is then overwritten
//! by one of the same shape.

#![cfg_attr(rustfmt, rustfmt_skip)]
#![allow(missing_docs)]

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::{constants::RocksDbWeight, Weight}};

/// Weight functions needed for `pallet_verification`.
pub trait WeightInfo {
	fn advance() -> Weight;
	fn commit_verdict() -> Weight;
	fn reveal_verdict() -> Weight;
	/// The agenda without what is on it.
	fn on_initialize() -> Weight;
	/// The draw of a committee out of `m` operators.
	fn draw(m: u32) -> Weight;
}

/// Weights for `pallet_verification` with the database of the runtime.
pub struct SubstrateWeight<T>(PhantomData<T>);
impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	fn advance() -> Weight {
		Weight::from_parts(200_000_000, 30_000)
			.saturating_add(T::DbWeight::get().reads(25_u64))
			.saturating_add(T::DbWeight::get().writes(25_u64))
	}
	fn commit_verdict() -> Weight {
		Weight::from_parts(50_000_000, 30_000)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	fn reveal_verdict() -> Weight {
		Weight::from_parts(250_000_000, 30_000)
			.saturating_add(T::DbWeight::get().reads(35_u64))
			.saturating_add(T::DbWeight::get().writes(35_u64))
	}
	fn on_initialize() -> Weight {
		Weight::from_parts(60_000_000, 4_000)
			.saturating_add(T::DbWeight::get().reads(66_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	fn draw(m: u32, ) -> Weight {
		Weight::from_parts(150_000_000, 30_000)
			.saturating_add(Weight::from_parts(10_000_000, 4_000).saturating_mul(m.into()))
			.saturating_add(T::DbWeight::get().reads(16_u64))
			.saturating_add(T::DbWeight::get().reads((1_u64).saturating_mul(m.into())))
			.saturating_add(T::DbWeight::get().writes(16_u64))
	}
}

// For tests.
impl WeightInfo for () {
	fn advance() -> Weight {
		Weight::from_parts(200_000_000, 30_000)
			.saturating_add(RocksDbWeight::get().reads(25_u64))
			.saturating_add(RocksDbWeight::get().writes(25_u64))
	}
	fn commit_verdict() -> Weight {
		Weight::from_parts(50_000_000, 30_000)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn reveal_verdict() -> Weight {
		Weight::from_parts(250_000_000, 30_000)
			.saturating_add(RocksDbWeight::get().reads(35_u64))
			.saturating_add(RocksDbWeight::get().writes(35_u64))
	}
	fn on_initialize() -> Weight {
		Weight::from_parts(60_000_000, 4_000)
			.saturating_add(RocksDbWeight::get().reads(66_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn draw(m: u32, ) -> Weight {
		Weight::from_parts(150_000_000, 30_000)
			.saturating_add(Weight::from_parts(10_000_000, 4_000).saturating_mul(m.into()))
			.saturating_add(RocksDbWeight::get().reads(16_u64))
			.saturating_add(RocksDbWeight::get().reads((1_u64).saturating_mul(m.into())))
			.saturating_add(RocksDbWeight::get().writes(16_u64))
	}
}
