// SPDX-License-Identifier: Apache-2.0
//! Weights of `pallet_settings`. Not measured yet: `./scripts/weights.sh settings` replaces this file.

#![cfg_attr(rustfmt, rustfmt_skip)]
#![allow(unused_parens)]
#![allow(unused_imports)]
#![allow(missing_docs)]

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::{constants::ParityDbWeight, Weight}};

/// Weight functions needed for `pallet_settings`.
pub trait WeightInfo {
	fn set(c: u32, ) -> Weight;
}

/// Weights for `pallet_settings` with the database of the runtime.
pub struct SubstrateWeight<T>(PhantomData<T>);
impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	fn set(c: u32, ) -> Weight {
		Weight::from_parts(400_000_000, 20000)
			.saturating_add(Weight::from_parts(6_000_000, 2600).saturating_mul(c.into()))
			.saturating_add(T::DbWeight::get().reads(64_u64))
			.saturating_add(T::DbWeight::get().writes((1_u64).saturating_mul(c.into())))
	}
}

// For mocks.
impl WeightInfo for () {
	fn set(c: u32, ) -> Weight {
		Weight::from_parts(400_000_000, 20000)
			.saturating_add(Weight::from_parts(6_000_000, 2600).saturating_mul(c.into()))
			.saturating_add(ParityDbWeight::get().reads(64_u64))
			.saturating_add(ParityDbWeight::get().writes((1_u64).saturating_mul(c.into())))
	}
}
