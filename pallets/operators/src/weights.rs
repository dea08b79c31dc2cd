// SPDX-License-Identifier: Apache-2.0
//! Weights of `pallet_operators`: estimates by hand, with the reads and writes counted and times on
//! the high side. `scripts/weights.sh` overwrites them with measured ones.

#![cfg_attr(rustfmt, rustfmt_skip)]
#![allow(unused_parens)]
#![allow(unused_imports)]
#![allow(missing_docs)]

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::{constants::ParityDbWeight, Weight}};

/// Weight functions needed for `pallet_operators`.
pub trait WeightInfo {
	fn register(o: u32, ) -> Weight;
	fn bond_extra() -> Weight;
	fn unbond() -> Weight;
	fn withdraw_unbonded() -> Weight;
	fn set_offers(o: u32, ) -> Weight;
	fn set_worker() -> Weight;
	fn report(r: u32, ) -> Weight;
	fn set_concurrency() -> Weight;
	fn leave() -> Weight;
	fn set_draining() -> Weight;
	fn set_payout() -> Weight;
	fn set_commission() -> Weight;
	fn set_contact() -> Weight;
	fn delegate() -> Weight;
	fn undelegate() -> Weight;
	fn withdraw_delegation() -> Weight;
	fn apply_slash() -> Weight;
	fn cancel_slash() -> Weight;
	fn rank_operator() -> Weight;
	fn on_initialize() -> Weight;
	fn on_idle() -> Weight;
	fn record_slash() -> Weight;
	fn elect(n: u32, ) -> Weight;
}

/// Weights for `pallet_operators` with the database of the runtime.
pub struct SubstrateWeight<T>(PhantomData<T>);
impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	fn register(o: u32, ) -> Weight {
		Weight::from_parts(110_000_000, 24_000)
			.saturating_add(Weight::from_parts(300_000, 0).saturating_mul(o.into()))
			.saturating_add(T::DbWeight::get().reads(11_u64))
			.saturating_add(T::DbWeight::get().writes(6_u64))
	}
	fn bond_extra() -> Weight {
		Weight::from_parts(100_000_000, 24_000)
			.saturating_add(T::DbWeight::get().reads(5_u64))
			.saturating_add(T::DbWeight::get().writes(4_u64))
	}
	fn unbond() -> Weight {
		Weight::from_parts(60_000_000, 24_000)
			.saturating_add(T::DbWeight::get().reads(5_u64))
			.saturating_add(T::DbWeight::get().writes(2_u64))
	}
	fn withdraw_unbonded() -> Weight {
		Weight::from_parts(110_000_000, 24_000)
			.saturating_add(T::DbWeight::get().reads(7_u64))
			.saturating_add(T::DbWeight::get().writes(9_u64))
	}
	fn set_offers(o: u32, ) -> Weight {
		Weight::from_parts(16_000_000, 24_000)
			.saturating_add(Weight::from_parts(310_000, 0).saturating_mul(o.into()))
			.saturating_add(T::DbWeight::get().reads(1_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	fn set_worker() -> Weight {
		Weight::from_parts(26_000_000, 24_000)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	fn report(r: u32, ) -> Weight {
		Weight::from_parts(16_000_000, 24_000)
			.saturating_add(Weight::from_parts(5_600_000, 0).saturating_mul(r.into()))
			.saturating_add(T::DbWeight::get().reads(1_u64))
			.saturating_add(T::DbWeight::get().reads((1_u64).saturating_mul(r.into())))
			.saturating_add(Weight::from_parts(0, 4_000).saturating_mul(r.into()))
	}
	fn set_concurrency() -> Weight {
		Weight::from_parts(16_000_000, 24_000)
			.saturating_add(T::DbWeight::get().reads(1_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	fn leave() -> Weight {
		Weight::from_parts(60_000_000, 24_000)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(2_u64))
	}
	fn set_draining() -> Weight {
		Weight::from_parts(16_000_000, 24_000)
			.saturating_add(T::DbWeight::get().reads(1_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	fn set_payout() -> Weight {
		Weight::from_parts(16_000_000, 24_000)
			.saturating_add(T::DbWeight::get().reads(1_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	fn set_commission() -> Weight {
		Weight::from_parts(18_000_000, 24_000)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	fn set_contact() -> Weight {
		Weight::from_parts(90_000_000, 24_000)
			.saturating_add(T::DbWeight::get().reads(2_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	fn delegate() -> Weight {
		Weight::from_parts(140_000_000, 24_000)
			.saturating_add(T::DbWeight::get().reads(11_u64))
			.saturating_add(T::DbWeight::get().writes(6_u64))
	}
	fn undelegate() -> Weight {
		Weight::from_parts(70_000_000, 24_000)
			.saturating_add(T::DbWeight::get().reads(6_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	fn withdraw_delegation() -> Weight {
		Weight::from_parts(120_000_000, 24_000)
			.saturating_add(T::DbWeight::get().reads(6_u64))
			.saturating_add(T::DbWeight::get().writes(6_u64))
	}
	fn apply_slash() -> Weight {
		Weight::from_parts(150_000_000, 24_000)
			.saturating_add(T::DbWeight::get().reads(9_u64))
			.saturating_add(T::DbWeight::get().writes(8_u64))
	}
	fn cancel_slash() -> Weight {
		Weight::from_parts(30_000_000, 24_000)
			.saturating_add(T::DbWeight::get().reads(2_u64))
			.saturating_add(T::DbWeight::get().writes(2_u64))
	}
	fn rank_operator() -> Weight {
		Weight::from_parts(45_000_000, 24_000)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	fn on_initialize() -> Weight {
		Weight::from_parts(1_000_000, 24_000)
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	fn on_idle() -> Weight {
		Weight::from_parts(5_000_000, 24_000)
			.saturating_add(T::DbWeight::get().reads(2_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	fn record_slash() -> Weight {
		Weight::from_parts(50_000_000, 24_000)
			.saturating_add(T::DbWeight::get().reads(4_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	fn elect(n: u32, ) -> Weight {
		Weight::from_parts(60_000_000, 24_000)
			.saturating_add(Weight::from_parts(7_000_000, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(7_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
			.saturating_add(T::DbWeight::get().reads((2_u64).saturating_mul(n.into())))
			.saturating_add(Weight::from_parts(0, 4_000).saturating_mul(n.into()))
	}
}

// For mocks.
impl WeightInfo for () {
	fn register(o: u32, ) -> Weight {
		Weight::from_parts(110_000_000, 24_000)
			.saturating_add(Weight::from_parts(300_000, 0).saturating_mul(o.into()))
			.saturating_add(ParityDbWeight::get().reads(11_u64))
			.saturating_add(ParityDbWeight::get().writes(6_u64))
	}
	fn bond_extra() -> Weight {
		Weight::from_parts(100_000_000, 24_000)
			.saturating_add(ParityDbWeight::get().reads(5_u64))
			.saturating_add(ParityDbWeight::get().writes(4_u64))
	}
	fn unbond() -> Weight {
		Weight::from_parts(60_000_000, 24_000)
			.saturating_add(ParityDbWeight::get().reads(5_u64))
			.saturating_add(ParityDbWeight::get().writes(2_u64))
	}
	fn withdraw_unbonded() -> Weight {
		Weight::from_parts(110_000_000, 24_000)
			.saturating_add(ParityDbWeight::get().reads(7_u64))
			.saturating_add(ParityDbWeight::get().writes(9_u64))
	}
	fn set_offers(o: u32, ) -> Weight {
		Weight::from_parts(16_000_000, 24_000)
			.saturating_add(Weight::from_parts(310_000, 0).saturating_mul(o.into()))
			.saturating_add(ParityDbWeight::get().reads(1_u64))
			.saturating_add(ParityDbWeight::get().writes(1_u64))
	}
	fn set_worker() -> Weight {
		Weight::from_parts(26_000_000, 24_000)
			.saturating_add(ParityDbWeight::get().reads(3_u64))
			.saturating_add(ParityDbWeight::get().writes(3_u64))
	}
	fn report(r: u32, ) -> Weight {
		Weight::from_parts(16_000_000, 24_000)
			.saturating_add(Weight::from_parts(5_600_000, 0).saturating_mul(r.into()))
			.saturating_add(ParityDbWeight::get().reads(1_u64))
			.saturating_add(ParityDbWeight::get().reads((1_u64).saturating_mul(r.into())))
			.saturating_add(Weight::from_parts(0, 4_000).saturating_mul(r.into()))
	}
	fn set_concurrency() -> Weight {
		Weight::from_parts(16_000_000, 24_000)
			.saturating_add(ParityDbWeight::get().reads(1_u64))
			.saturating_add(ParityDbWeight::get().writes(1_u64))
	}
	fn leave() -> Weight {
		Weight::from_parts(60_000_000, 24_000)
			.saturating_add(ParityDbWeight::get().reads(3_u64))
			.saturating_add(ParityDbWeight::get().writes(2_u64))
	}
	fn set_draining() -> Weight {
		Weight::from_parts(16_000_000, 24_000)
			.saturating_add(ParityDbWeight::get().reads(1_u64))
			.saturating_add(ParityDbWeight::get().writes(1_u64))
	}
	fn set_payout() -> Weight {
		Weight::from_parts(16_000_000, 24_000)
			.saturating_add(ParityDbWeight::get().reads(1_u64))
			.saturating_add(ParityDbWeight::get().writes(1_u64))
	}
	fn set_commission() -> Weight {
		Weight::from_parts(18_000_000, 24_000)
			.saturating_add(ParityDbWeight::get().reads(3_u64))
			.saturating_add(ParityDbWeight::get().writes(1_u64))
	}
	fn set_contact() -> Weight {
		Weight::from_parts(90_000_000, 24_000)
			.saturating_add(ParityDbWeight::get().reads(2_u64))
			.saturating_add(ParityDbWeight::get().writes(1_u64))
	}
	fn delegate() -> Weight {
		Weight::from_parts(140_000_000, 24_000)
			.saturating_add(ParityDbWeight::get().reads(11_u64))
			.saturating_add(ParityDbWeight::get().writes(6_u64))
	}
	fn undelegate() -> Weight {
		Weight::from_parts(70_000_000, 24_000)
			.saturating_add(ParityDbWeight::get().reads(6_u64))
			.saturating_add(ParityDbWeight::get().writes(3_u64))
	}
	fn withdraw_delegation() -> Weight {
		Weight::from_parts(120_000_000, 24_000)
			.saturating_add(ParityDbWeight::get().reads(6_u64))
			.saturating_add(ParityDbWeight::get().writes(6_u64))
	}
	fn apply_slash() -> Weight {
		Weight::from_parts(150_000_000, 24_000)
			.saturating_add(ParityDbWeight::get().reads(9_u64))
			.saturating_add(ParityDbWeight::get().writes(8_u64))
	}
	fn cancel_slash() -> Weight {
		Weight::from_parts(30_000_000, 24_000)
			.saturating_add(ParityDbWeight::get().reads(2_u64))
			.saturating_add(ParityDbWeight::get().writes(2_u64))
	}
	fn rank_operator() -> Weight {
		Weight::from_parts(45_000_000, 24_000)
			.saturating_add(ParityDbWeight::get().reads(3_u64))
			.saturating_add(ParityDbWeight::get().writes(1_u64))
	}
	fn on_initialize() -> Weight {
		Weight::from_parts(1_000_000, 24_000)
			.saturating_add(ParityDbWeight::get().writes(1_u64))
	}
	fn on_idle() -> Weight {
		Weight::from_parts(5_000_000, 24_000)
			.saturating_add(ParityDbWeight::get().reads(2_u64))
			.saturating_add(ParityDbWeight::get().writes(1_u64))
	}
	fn record_slash() -> Weight {
		Weight::from_parts(50_000_000, 24_000)
			.saturating_add(ParityDbWeight::get().reads(4_u64))
			.saturating_add(ParityDbWeight::get().writes(3_u64))
	}
	fn elect(n: u32, ) -> Weight {
		Weight::from_parts(60_000_000, 24_000)
			.saturating_add(Weight::from_parts(7_000_000, 0).saturating_mul(n.into()))
			.saturating_add(ParityDbWeight::get().reads(7_u64))
			.saturating_add(ParityDbWeight::get().writes(1_u64))
			.saturating_add(ParityDbWeight::get().reads((2_u64).saturating_mul(n.into())))
			.saturating_add(Weight::from_parts(0, 4_000).saturating_mul(n.into()))
	}
}
