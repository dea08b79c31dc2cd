// SPDX-License-Identifier: Apache-2.0
//! Weights of pallet-operators.
//!
//! Estimated by hand, above what the reads and writes of each call suggest. Replaced by the
//! generated file of the same shape.

#![allow(missing_docs)]

use core::marker::PhantomData;
use frame_support::{
    traits::Get,
    weights::{constants::RocksDbWeight, Weight},
};

/// Weight functions needed for `pallet_operators`.
pub trait WeightInfo {
    fn register(o: u32) -> Weight;
    fn bond_extra() -> Weight;
    fn unbond() -> Weight;
    fn withdraw_unbonded() -> Weight;
    fn set_offers(o: u32) -> Weight;
    fn set_worker() -> Weight;
    fn report(r: u32) -> Weight;
    fn set_concurrency() -> Weight;
    fn on_initialize() -> Weight;
    fn slash_offender() -> Weight;
    fn elect(n: u32) -> Weight;
}

/// Weights for `pallet_operators` with the runtime's database weights.
pub struct SubstrateWeight<T>(PhantomData<T>);
impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    /// Operators, its counter, Workers of stash and worker, Operators of the worker, Account, Holds.
    fn register(o: u32) -> Weight {
        Weight::from_parts(80_000_000, 6_000)
            .saturating_add(Weight::from_parts(200_000, 60).saturating_mul(o.into()))
            .saturating_add(T::DbWeight::get().reads(8))
            .saturating_add(T::DbWeight::get().writes(5))
    }
    /// Operators, Account, Holds.
    fn bond_extra() -> Weight {
        Weight::from_parts(60_000_000, 6_000)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(3))
    }
    /// Operators.
    fn unbond() -> Weight {
        Weight::from_parts(30_000_000, 4_000)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    /// Operators, its counter, Workers, Reservations, Account, Holds.
    fn withdraw_unbonded() -> Weight {
        Weight::from_parts(90_000_000, 7_000)
            .saturating_add(T::DbWeight::get().reads(6))
            .saturating_add(T::DbWeight::get().writes(5))
    }
    /// Operators.
    fn set_offers(o: u32) -> Weight {
        Weight::from_parts(30_000_000, 4_000)
            .saturating_add(Weight::from_parts(200_000, 60).saturating_mul(o.into()))
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    /// Operators twice, Workers twice.
    fn set_worker() -> Weight {
        Weight::from_parts(40_000_000, 7_000)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(3))
    }
    /// Workers, FreeReports; what handles a report has its own weight.
    fn report(r: u32) -> Weight {
        Weight::from_parts(30_000_000, 4_000)
            .saturating_add(Weight::from_parts(15_000_000, 0).saturating_mul(r.into()))
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    /// Operators.
    fn set_concurrency() -> Weight {
        Weight::from_parts(25_000_000, 4_000)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    /// FreeReports.
    fn on_initialize() -> Weight {
        Weight::from_parts(3_000_000, 0).saturating_add(T::DbWeight::get().writes(1))
    }
    /// Operators, Account, Holds.
    fn slash_offender() -> Weight {
        Weight::from_parts(70_000_000, 6_000)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(3))
    }
    /// GenesisValidators, the operators' counter, Operators and session keys of each.
    fn elect(n: u32) -> Weight {
        Weight::from_parts(20_000_000, 4_000)
            .saturating_add(Weight::from_parts(10_000_000, 3_500).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().reads(2).saturating_mul(n.into()))
    }
}

impl WeightInfo for () {
    fn register(o: u32) -> Weight {
        Weight::from_parts(80_000_000, 6_000)
            .saturating_add(Weight::from_parts(200_000, 60).saturating_mul(o.into()))
            .saturating_add(RocksDbWeight::get().reads(8))
            .saturating_add(RocksDbWeight::get().writes(5))
    }
    fn bond_extra() -> Weight {
        Weight::from_parts(60_000_000, 6_000)
            .saturating_add(RocksDbWeight::get().reads(3))
            .saturating_add(RocksDbWeight::get().writes(3))
    }
    fn unbond() -> Weight {
        Weight::from_parts(30_000_000, 4_000)
            .saturating_add(RocksDbWeight::get().reads(1))
            .saturating_add(RocksDbWeight::get().writes(1))
    }
    fn withdraw_unbonded() -> Weight {
        Weight::from_parts(90_000_000, 7_000)
            .saturating_add(RocksDbWeight::get().reads(6))
            .saturating_add(RocksDbWeight::get().writes(5))
    }
    fn set_offers(o: u32) -> Weight {
        Weight::from_parts(30_000_000, 4_000)
            .saturating_add(Weight::from_parts(200_000, 60).saturating_mul(o.into()))
            .saturating_add(RocksDbWeight::get().reads(1))
            .saturating_add(RocksDbWeight::get().writes(1))
    }
    fn set_worker() -> Weight {
        Weight::from_parts(40_000_000, 7_000)
            .saturating_add(RocksDbWeight::get().reads(4))
            .saturating_add(RocksDbWeight::get().writes(3))
    }
    fn report(r: u32) -> Weight {
        Weight::from_parts(30_000_000, 4_000)
            .saturating_add(Weight::from_parts(15_000_000, 0).saturating_mul(r.into()))
            .saturating_add(RocksDbWeight::get().reads(2))
            .saturating_add(RocksDbWeight::get().writes(1))
    }
    fn set_concurrency() -> Weight {
        Weight::from_parts(25_000_000, 4_000)
            .saturating_add(RocksDbWeight::get().reads(1))
            .saturating_add(RocksDbWeight::get().writes(1))
    }
    fn on_initialize() -> Weight {
        Weight::from_parts(3_000_000, 0).saturating_add(RocksDbWeight::get().writes(1))
    }
    fn slash_offender() -> Weight {
        Weight::from_parts(70_000_000, 6_000)
            .saturating_add(RocksDbWeight::get().reads(3))
            .saturating_add(RocksDbWeight::get().writes(3))
    }
    fn elect(n: u32) -> Weight {
        Weight::from_parts(20_000_000, 4_000)
            .saturating_add(Weight::from_parts(10_000_000, 3_500).saturating_mul(n.into()))
            .saturating_add(RocksDbWeight::get().reads(3))
            .saturating_add(RocksDbWeight::get().reads(2).saturating_mul(n.into()))
    }
}
