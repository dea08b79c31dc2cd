// SPDX-License-Identifier: Apache-2.0
//! A runtime with this pallet alone; the test sets the output of the parent block.

use crate as pallet_beacon;
use assay_primitives::{testing::ParentRandomness, BlockNumber};
use frame_support::{construct_runtime, derive_impl, parameter_types, traits::Hooks};
use sp_core::H256;
use sp_runtime::BuildStorage;

/// The number of blocks whose outputs are kept.
pub const DEPTH: BlockNumber = 5;

construct_runtime! {
    pub enum Test {
        System: frame_system,
        Beacon: pallet_beacon,
    }
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = frame_system::mocking::MockBlock<Test>;
}

parameter_types! {
    pub static Kept: BlockNumber = DEPTH;
}

impl pallet_beacon::Config for Test {
    type Source = ParentRandomness;
    type Depth = Kept;
    type WeightInfo = ();
}

pub fn new_test_ext() -> sp_io::TestExternalities {
    ParentRandomness::reset();
    Kept::set(DEPTH);
    let genesis = RuntimeGenesisConfig::default();
    sp_io::TestExternalities::new(genesis.build_storage().unwrap())
}

/// Begins block `now`, whose parent has that output.
pub fn begin(now: BlockNumber, output: Option<H256>) {
    System::set_block_number(now.into());
    ParentRandomness::set(output);
    Beacon::on_initialize(now.into());
    Beacon::do_try_state().unwrap();
}

/// Returns the output of a block in which all have one.
pub fn output(block: BlockNumber) -> H256 {
    H256::from_low_u64_be(u64::from(block) + 1_000)
}

/// Begins the blocks up to `now`, all of whose parents have outputs.
pub fn begin_all(now: BlockNumber) {
    for block in 1..=now {
        begin(block, Some(output(block - 1)));
    }
}
