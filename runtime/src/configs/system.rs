// SPDX-License-Identifier: Apache-2.0
//! Accounts, money, fees, and the pallets that every chain has.

use super::addresses::WithLookups;
use crate::{
    fees::FeesFollowDemand,
    parameters::{checked::Checked, RuntimeParameters},
    AccountId, Addresses, Balance, Balances, Block, BlockNumber, Nonce, OriginCaller, PalletInfo,
    Runtime, RuntimeCall, RuntimeEvent, RuntimeFreezeReason, RuntimeHoldReason, RuntimeOrigin,
    RuntimeTask, System, BLOCK_COMPUTE, EXISTENTIAL_DEPOSIT, MICRO_UNIT, SLOT_DURATION, VERSION,
};
use frame_support::{
    derive_impl,
    dispatch::DispatchClass,
    parameter_types,
    traits::{ConstU128, ConstU32, ConstU64, ConstU8, VariantCountOf},
    weights::{constants::ParityDbWeight, ConstantMultiplier, IdentityFee},
};
use frame_system::{limits, EnsureNever, EnsureRoot};
use pallet_transaction_payment::{FungibleAdapter, Multiplier};
use sp_runtime::{traits::One, FixedPointNumber, Perbill, Perquintill};
use sp_version::RuntimeVersion;

/// The fraction of a block that normal extrinsics may fill; the rest is for operational ones.
const NORMAL_RATIO: Perbill = Perbill::from_percent(75);

parameter_types! {
    /// The number of recent block hashes that are kept: two hours.
    pub const BlockHashCount: BlockNumber = 2_400;
    pub const Version: RuntimeVersion = VERSION;
    pub const SS58Prefix: u8 = 42;
    /// The limits of a block's weight.
    pub BlockWeights: limits::BlockWeights =
        limits::BlockWeights::with_sensible_defaults(BLOCK_COMPUTE, NORMAL_RATIO);
    /// The limit of a block's length, at most 5 MiB.
    pub RuntimeBlockLength: limits::BlockLength = limits::BlockLength::builder()
        .max_length(5 * 1024 * 1024)
        .modify_max_length_for_class(DispatchClass::Normal, |max| *max = NORMAL_RATIO * *max)
        .build();
}

#[derive_impl(frame_system::config_preludes::SolochainDefaultConfig)]
impl frame_system::Config for Runtime {
    type AccountData = pallet_balances::AccountData<Balance>;
    type AccountId = AccountId;
    type Block = Block;
    type BlockHashCount = BlockHashCount;
    type BlockLength = RuntimeBlockLength;
    type BlockWeights = BlockWeights;
    type DbWeight = ParityDbWeight;
    type Lookup = Addresses;
    type MaxConsumers = ConstU32<16>;
    type Nonce = Nonce;
    type SS58Prefix = SS58Prefix;
    type SystemWeightInfo = frame_system::weights::SubstrateWeight<Runtime>;
    type Version = Version;
}

impl pallet_timestamp::Config for Runtime {
    type MinimumPeriod = ConstU64<{ SLOT_DURATION / 2 }>;
    type Moment = u64;
    type OnTimestampSet = crate::Babe;
    type WeightInfo = pallet_timestamp::weights::SubstrateWeight<Runtime>;
}

impl pallet_balances::Config for Runtime {
    type AccountStore = System;
    type Balance = Balance;
    type DoneSlashHandler = ();
    type DustRemoval = ();
    type ExistentialDeposit = ConstU128<EXISTENTIAL_DEPOSIT>;
    type FreezeIdentifier = RuntimeFreezeReason;
    type MaxFreezes = VariantCountOf<RuntimeFreezeReason>;
    type MaxLocks = ConstU32<0>;
    type MaxReserves = ConstU32<0>;
    type ReserveIdentifier = [u8; 8];
    type RuntimeEvent = RuntimeEvent;
    type RuntimeFreezeReason = RuntimeFreezeReason;
    type RuntimeHoldReason = RuntimeHoldReason;
    type WeightInfo = WithLookups<pallet_balances::weights::SubstrateWeight<Runtime>>;
}

parameter_types! {
    /// The fullness of blocks at which fees neither rise nor fall.
    pub const TargetFullness: Perquintill = Perquintill::from_percent(25);
    /// The speed at which fees follow demand: full blocks double them in about 50 minutes.
    pub AdjustmentVariable: Multiplier = Multiplier::saturating_from_rational(1, 1_000);
    /// Fees in quiet times.
    pub LowestMultiplier: Multiplier = Multiplier::one();
    /// The most that fees rise.
    pub HighestMultiplier: Multiplier = Multiplier::saturating_from_integer(10_000);
}

impl pallet_transaction_payment::Config for Runtime {
    type FeeMultiplierUpdate =
        FeesFollowDemand<TargetFullness, AdjustmentVariable, LowestMultiplier, HighestMultiplier>;
    type LengthToFee = ConstantMultiplier<Balance, ConstU128<MICRO_UNIT>>;
    type OnChargeTransaction = FungibleAdapter<Balances, ()>;
    type OperationalFeeMultiplier = ConstU8<5>;
    type RuntimeEvent = RuntimeEvent;
    type WeightInfo = pallet_transaction_payment::weights::SubstrateWeight<Runtime>;
    type WeightToFee = IdentityFee<Balance>;
}

impl pallet_utility::Config for Runtime {
    type PalletsOrigin = OriginCaller;
    type RuntimeCall = RuntimeCall;
    type RuntimeEvent = RuntimeEvent;
    type WeightInfo = pallet_utility::weights::SubstrateWeight<Runtime>;
}

impl crate::parameters::genesis::Config for Runtime {}

impl pallet_parameters::Config for Runtime {
    // The origin does not see the value: parameters change by `settings.set` alone, which checks it.
    type AdminOrigin = EnsureNever<()>;
    type RuntimeEvent = RuntimeEvent;
    type RuntimeParameters = RuntimeParameters;
    type WeightInfo = ();
}

impl pallet_settings::Config for Runtime {
    type AdminOrigin = EnsureRoot<AccountId>;
    type MaxChanges = ConstU32<64>;
    type Parameters = Checked;
    type WeightInfo = pallet_settings::weights::SubstrateWeight<Runtime>;
}

// Only the development preset sets a key. Without a key no call of the pallet can ever succeed.
impl pallet_sudo::Config for Runtime {
    type RuntimeCall = RuntimeCall;
    type RuntimeEvent = RuntimeEvent;
    type WeightInfo = WithLookups<pallet_sudo::weights::SubstrateWeight<Runtime>>;
}
