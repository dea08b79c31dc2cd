// SPDX-License-Identifier: Apache-2.0
//! A runtime with this pallet alone, and two parameters that bound each other.

use crate as pallet_settings;
use alloc::vec::Vec;
use assay_primitives::parameters::Violation;
use codec::{Decode, DecodeWithMemTracking, Encode};
use frame_support::{
    construct_runtime, derive_impl, parameter_types, storage_alias, traits::ConstU32,
    Blake2_128Concat,
};
use frame_system::EnsureRoot;
use scale_info::TypeInfo;
use sp_runtime::BuildStorage;

construct_runtime! {
    pub enum Test {
        System: frame_system,
        Settings: pallet_settings,
    }
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = frame_system::mocking::MockBlock<Test>;
}

impl pallet_settings::Config for Test {
    type AdminOrigin = EnsureRoot<u64>;
    type Parameters = TwoNumbers;
    type MaxChanges = ConstU32<4>;
    type WeightInfo = ();
}

/// A change of one of the two numbers.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub enum Number {
    /// The number of blocks until stake is free.
    Unbonding(u32),
    /// The number of blocks in which an offence can be reported.
    Offences(u32),
}

impl Default for Number {
    fn default() -> Self {
        Self::Offences(1)
    }
}

#[storage_alias]
type Numbers = StorageMap<Settings, Blake2_128Concat, bool, u32>;

parameter_types! {
    /// The numbers where none is stored.
    pub static Defaults: (u32, u32) = (20, 10);
}

/// Returns the numbers, first the one of unbonding.
pub fn numbers() -> (u32, u32) {
    let (unbonding, offences) = Defaults::get();
    (Numbers::get(true).unwrap_or(unbonding), Numbers::get(false).unwrap_or(offences))
}

/// Unbonding must take longer than reporting, and neither more than 100 blocks.
pub struct TwoNumbers;

impl crate::CheckedParameters for TwoNumbers {
    type Change = Number;

    fn set(change: Number) {
        match change {
            Number::Unbonding(blocks) => Numbers::insert(true, blocks),
            Number::Offences(blocks) => Numbers::insert(false, blocks),
        }
    }

    fn violations() -> Vec<Violation> {
        let (unbonding, offences) = numbers();
        let mut all = Vec::new();
        if unbonding > 100 {
            let parameter = "Unbonding".into();
            let value = unbonding.into();
            all.push(Violation::OutOfRange { parameter, value, least: 0, most: 100 });
        }
        if unbonding <= offences {
            let least = offences.saturating_add(1);
            all.push(Violation::UnbondingTooShort { unbonding, least });
        }
        all
    }
}

pub fn new_test_ext() -> sp_io::TestExternalities {
    Defaults::set((20, 10));
    let genesis = RuntimeGenesisConfig::default();
    let mut ext = sp_io::TestExternalities::new(genesis.build_storage().unwrap());
    ext.execute_with(|| System::set_block_number(1));
    ext
}
