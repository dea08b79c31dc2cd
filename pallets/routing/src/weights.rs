// SPDX-License-Identifier: Apache-2.0
//! Weights of `pallet_routing`, estimated by hand: reads and writes counted on the longest path, times
//! generous. `scripts/weights.sh` writes measured ones in the same shape.

#![cfg_attr(rustfmt, rustfmt_skip)]
#![allow(unused_parens)]
#![allow(unused_imports)]
#![allow(missing_docs)]

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::{constants::ParityDbWeight, Weight}};

/// Weight functions needed for `pallet_routing`.
pub trait WeightInfo {
	fn start_epoch() -> Weight;
	fn visit(v: u32, m: u32, ) -> Weight;
	fn heartbeat() -> Weight;
	fn draw(t: u32, ) -> Weight;
	fn draw_allowed(t: u32, ) -> Weight;
	fn assigned() -> Weight;
	fn committee(t: u32, ) -> Weight;
	fn missed() -> Weight;
	fn changed(m: u32, ) -> Weight;
}

/// Weights for `pallet_routing` with the database of the runtime.
pub struct SubstrateWeight<T>(PhantomData<T>);
impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	fn start_epoch() -> Weight {
		Weight::from_parts(15_000_000, 1600)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	fn visit(v: u32, m: u32, ) -> Weight {
		Weight::from_parts(10_000_000, 1600)
			.saturating_add(Weight::from_parts(15_000_000, 0).saturating_mul(v.into()))
			.saturating_add(Weight::from_parts(60_000_000, 0).saturating_mul(m.into()))
			.saturating_add(T::DbWeight::get().reads(1_u64))
			.saturating_add(T::DbWeight::get().reads((2_u64).saturating_mul(v.into())))
			.saturating_add(T::DbWeight::get().reads((11_u64).saturating_mul(m.into())))
			.saturating_add(T::DbWeight::get().writes(1_u64))
			.saturating_add(T::DbWeight::get().writes((1_u64).saturating_mul(v.into())))
			.saturating_add(T::DbWeight::get().writes((11_u64).saturating_mul(m.into())))
			.saturating_add(Weight::from_parts(0, 3600).saturating_mul(v.into()))
			.saturating_add(Weight::from_parts(0, 9000).saturating_mul(m.into()))
	}
	fn heartbeat() -> Weight {
		Weight::from_parts(700_000_000, 24000)
			.saturating_add(T::DbWeight::get().reads(83_u64))
			.saturating_add(T::DbWeight::get().writes(82_u64))
	}
	fn draw(t: u32, ) -> Weight {
		Weight::from_parts(15_000_000, 4000)
			.saturating_add(Weight::from_parts(20_000_000, 0).saturating_mul(t.into()))
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().reads((4_u64).saturating_mul(t.into())))
			.saturating_add(Weight::from_parts(0, 4500).saturating_mul(t.into()))
	}
	fn draw_allowed(t: u32, ) -> Weight {
		Weight::from_parts(20_000_000, 4000)
			.saturating_add(Weight::from_parts(20_000_000, 0).saturating_mul(t.into()))
			.saturating_add(T::DbWeight::get().reads(2_u64))
			.saturating_add(T::DbWeight::get().reads((3_u64).saturating_mul(t.into())))
			.saturating_add(Weight::from_parts(0, 3600).saturating_mul(t.into()))
	}
	fn assigned() -> Weight {
		Weight::from_parts(25_000_000, 4500)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(2_u64))
	}
	fn committee(t: u32, ) -> Weight {
		Weight::from_parts(10_000_000, 4000)
			.saturating_add(Weight::from_parts(15_000_000, 0).saturating_mul(t.into()))
			.saturating_add(T::DbWeight::get().reads(1_u64))
			.saturating_add(T::DbWeight::get().reads((3_u64).saturating_mul(t.into())))
			.saturating_add(Weight::from_parts(0, 4500).saturating_mul(t.into()))
	}
	fn missed() -> Weight {
		Weight::from_parts(700_000_000, 24000)
			.saturating_add(T::DbWeight::get().reads(82_u64))
			.saturating_add(T::DbWeight::get().writes(82_u64))
	}
	fn changed(m: u32, ) -> Weight {
		Weight::from_parts(40_000_000, 6000)
			.saturating_add(Weight::from_parts(80_000_000, 0).saturating_mul(m.into()))
			.saturating_add(T::DbWeight::get().reads(5_u64))
			.saturating_add(T::DbWeight::get().reads((11_u64).saturating_mul(m.into())))
			.saturating_add(T::DbWeight::get().writes(4_u64))
			.saturating_add(T::DbWeight::get().writes((11_u64).saturating_mul(m.into())))
			.saturating_add(Weight::from_parts(0, 9000).saturating_mul(m.into()))
	}
}

// For mocks.
impl WeightInfo for () {
	fn start_epoch() -> Weight {
		Weight::from_parts(15_000_000, 1600)
			.saturating_add(ParityDbWeight::get().reads(3_u64))
			.saturating_add(ParityDbWeight::get().writes(3_u64))
	}
	fn visit(v: u32, m: u32, ) -> Weight {
		Weight::from_parts(10_000_000, 1600)
			.saturating_add(Weight::from_parts(15_000_000, 0).saturating_mul(v.into()))
			.saturating_add(Weight::from_parts(60_000_000, 0).saturating_mul(m.into()))
			.saturating_add(ParityDbWeight::get().reads(1_u64))
			.saturating_add(ParityDbWeight::get().reads((2_u64).saturating_mul(v.into())))
			.saturating_add(ParityDbWeight::get().reads((11_u64).saturating_mul(m.into())))
			.saturating_add(ParityDbWeight::get().writes(1_u64))
			.saturating_add(ParityDbWeight::get().writes((1_u64).saturating_mul(v.into())))
			.saturating_add(ParityDbWeight::get().writes((11_u64).saturating_mul(m.into())))
			.saturating_add(Weight::from_parts(0, 3600).saturating_mul(v.into()))
			.saturating_add(Weight::from_parts(0, 9000).saturating_mul(m.into()))
	}
	fn heartbeat() -> Weight {
		Weight::from_parts(700_000_000, 24000)
			.saturating_add(ParityDbWeight::get().reads(83_u64))
			.saturating_add(ParityDbWeight::get().writes(82_u64))
	}
	fn draw(t: u32, ) -> Weight {
		Weight::from_parts(15_000_000, 4000)
			.saturating_add(Weight::from_parts(20_000_000, 0).saturating_mul(t.into()))
			.saturating_add(ParityDbWeight::get().reads(3_u64))
			.saturating_add(ParityDbWeight::get().reads((4_u64).saturating_mul(t.into())))
			.saturating_add(Weight::from_parts(0, 4500).saturating_mul(t.into()))
	}
	fn draw_allowed(t: u32, ) -> Weight {
		Weight::from_parts(20_000_000, 4000)
			.saturating_add(Weight::from_parts(20_000_000, 0).saturating_mul(t.into()))
			.saturating_add(ParityDbWeight::get().reads(2_u64))
			.saturating_add(ParityDbWeight::get().reads((3_u64).saturating_mul(t.into())))
			.saturating_add(Weight::from_parts(0, 3600).saturating_mul(t.into()))
	}
	fn assigned() -> Weight {
		Weight::from_parts(25_000_000, 4500)
			.saturating_add(ParityDbWeight::get().reads(3_u64))
			.saturating_add(ParityDbWeight::get().writes(2_u64))
	}
	fn committee(t: u32, ) -> Weight {
		Weight::from_parts(10_000_000, 4000)
			.saturating_add(Weight::from_parts(15_000_000, 0).saturating_mul(t.into()))
			.saturating_add(ParityDbWeight::get().reads(1_u64))
			.saturating_add(ParityDbWeight::get().reads((3_u64).saturating_mul(t.into())))
			.saturating_add(Weight::from_parts(0, 4500).saturating_mul(t.into()))
	}
	fn missed() -> Weight {
		Weight::from_parts(700_000_000, 24000)
			.saturating_add(ParityDbWeight::get().reads(82_u64))
			.saturating_add(ParityDbWeight::get().writes(82_u64))
	}
	fn changed(m: u32, ) -> Weight {
		Weight::from_parts(40_000_000, 6000)
			.saturating_add(Weight::from_parts(80_000_000, 0).saturating_mul(m.into()))
			.saturating_add(ParityDbWeight::get().reads(5_u64))
			.saturating_add(ParityDbWeight::get().reads((11_u64).saturating_mul(m.into())))
			.saturating_add(ParityDbWeight::get().writes(4_u64))
			.saturating_add(ParityDbWeight::get().writes((11_u64).saturating_mul(m.into())))
			.saturating_add(Weight::from_parts(0, 9000).saturating_mul(m.into()))
	}
}
