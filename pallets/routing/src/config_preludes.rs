// SPDX-License-Identifier: Apache-2.0
//! Defaults of [`Config`](crate::Config) for mocks.

use crate::{score::Params, DefaultConfig};
use assay_primitives::testing::ParentRandomness;
use frame_support::{
    derive_impl, pallet_prelude::inject_runtime_type, parameter_types, register_default_impl,
    traits::ConstU32,
};
use sp_runtime::Permill;

parameter_types! {
    /// The parameters that scores are computed with: a stake counts from 1,000 to 100 million.
    pub const Scores: Params = Params::even(1_000, 100_000_000);
    /// The part of a model's jobs beyond which an operator is drawn last.
    pub const CapShare: Permill = Permill::from_percent(20);
}

/// Short epochs, in which no operator falls silent for what it misses.
pub struct TestDefaultConfig;

#[derive_impl(frame_system::config_preludes::TestDefaultConfig, no_aggregated_types)]
impl frame_system::DefaultConfig for TestDefaultConfig {}

#[register_default_impl(TestDefaultConfig)]
impl DefaultConfig for TestDefaultConfig {
    type Randomness = ParentRandomness;
    type Parameters = Scores;
    type EpochLength = ConstU32<20>;
    type HeartbeatWindow = ConstU32<5>;
    type MaxMisses = ConstU32<1_000>;
    type CapShare = CapShare;
    type CapMinimum = ConstU32<1_000>;
    type BlockMillis = ConstU32<3_000>;
    type MaxOperators = ConstU32<64>;
    type MaxModels = ConstU32<4>;
    type MaxVisits = ConstU32<4>;
    type MaxTries = ConstU32<16>;
    type WeightInfo = ();
}
