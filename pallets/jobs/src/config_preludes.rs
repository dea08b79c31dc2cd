// SPDX-License-Identifier: Apache-2.0
//! Defaults of [`Config`](crate::Config) for mocks.

use crate::DefaultConfig;
use assay_primitives::testing::ParentRandomness;
use frame_support::{
    derive_impl,
    pallet_prelude::inject_runtime_type,
    parameter_types, register_default_impl,
    traits::{ConstU128, ConstU32, ConstU8},
};
use sp_runtime::Permill;

parameter_types! {
    /// No part.
    pub const Nothing: Permill = Permill::zero();
    /// A tenth.
    pub const Tenth: Permill = Permill::from_percent(10);
}

/// Windows of a few blocks.
pub struct TestDefaultConfig;

#[derive_impl(frame_system::config_preludes::TestDefaultConfig, no_aggregated_types)]
impl frame_system::DefaultConfig for TestDefaultConfig {}

#[register_default_impl(TestDefaultConfig)]
impl DefaultConfig for TestDefaultConfig {
    type Randomness = ParentRandomness;
    type AssignmentBlocks = ConstU32<0>;
    type MinDeadline = ConstU32<5>;
    type MaxDeadline = ConstU32<100>;
    type MaxDelay = ConstU32<50>;
    type AcceptWindow = ConstU32<3>;
    type ChallengeWindow = ConstU32<10>;
    type Retention = ConstU32<20>;
    type MaxAttempts = ConstU8<3>;
    type MaxInputTokens = ConstU32<1_000>;
    type MaxOutputTokens = ConstU32<1_000>;
    type BondFactor = ConstU32<20>;
    type LatenessFraction = Tenth;
    type VerifierShare = Tenth;
    type BurnShare = Nothing;
    type VerificationPrice = ConstU128<0>;
    type CommitteeSize = ConstU32<3>;
    type Bounty = ConstU128<7>;
    type Deposit = ConstU128<0>;
    type VerifiersStake = Nothing;
    type GenerationSpeed = ConstU32<1_000>;
    type ChallengeReward = Tenth;
    type MaxFirstTriesPerBlock = ConstU32<8>;
    type MaxAssignmentsPerBlock = ConstU32<8>;
    type WeightInfo = ();
}
