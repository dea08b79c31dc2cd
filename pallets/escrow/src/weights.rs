// SPDX-License-Identifier: Apache-2.0
//! Weights of pallet-escrow.
//!
//! Estimated by hand, above what the reads and writes of each call suggest. Replaced by the
//! generated file of the same shape.

#![allow(missing_docs)]

use core::marker::PhantomData;
use frame_support::{
    traits::Get,
    weights::{constants::RocksDbWeight, Weight},
};

/// Weight functions needed for `pallet_escrow`.
pub trait WeightInfo {
    fn claim() -> Weight;
}

/// Weights for `pallet_escrow` with the runtime's database weights.
pub struct SubstrateWeight<T>(PhantomData<T>);
impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    /// Reads and writes `Escrow::Claims` and `System::Account` of the pot and of the caller.
    fn claim() -> Weight {
        Weight::from_parts(80_000_000, 6_196)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(3))
    }
}

impl WeightInfo for () {
    fn claim() -> Weight {
        Weight::from_parts(80_000_000, 6_196)
            .saturating_add(RocksDbWeight::get().reads(3))
            .saturating_add(RocksDbWeight::get().writes(3))
    }
}
