// SPDX-License-Identifier: Apache-2.0
//! Defaults of [`Config`](crate::Config) for mocks, with room for more than most tests need.

use crate::DefaultConfig;
use frame_support::{
    derive_impl,
    pallet_prelude::inject_runtime_type,
    parameter_types, register_default_impl,
    traits::{ConstU128, ConstU32, ValidatorRegistration},
    PalletId,
};
use frame_system::EnsureRoot;
use sp_runtime::Perbill;

parameter_types! {
    /// From which the account of the vault is derived.
    pub const VaultPalletId: PalletId = PalletId(*b"vault   ");
    /// The most by which a commission rises at a time.
    pub const MaxCommissionRaise: Perbill = Perbill::from_percent(10);
}

/// No account has session keys.
pub struct NoSessions;

impl<ValidatorId> ValidatorRegistration<ValidatorId> for NoSessions {
    fn is_registered(_: &ValidatorId) -> bool {
        false
    }
}

/// Operators without duties and without a node, of whom nobody hears. Accounts are `u64`, as in the
/// tests of FRAME.
pub struct TestDefaultConfig;

#[derive_impl(frame_system::config_preludes::TestDefaultConfig, no_aggregated_types)]
impl frame_system::DefaultConfig for TestDefaultConfig {}

#[register_default_impl(TestDefaultConfig)]
impl DefaultConfig for TestDefaultConfig {
    #[inject_runtime_type]
    type RuntimeHoldReason = ();
    type MinBond = ConstU128<1_000>;
    type PalletId = VaultPalletId;
    type MinDelegation = ConstU128<1_000>;
    type MaxDelegationPercent = ConstU32<400>;
    type MaxCommissionRaise = MaxCommissionRaise;
    type SlashDelay = ConstU32<10>;
    type OffenceSessions = ConstU32<6>;
    type SlashCancelOrigin = EnsureRoot<u64>;
    type UnbondingPeriod = ConstU32<50>;
    type MaxOperators = ConstU32<64>;
    type MaxOffers = ConstU32<4>;
    type MaxSlashes = ConstU32<4>;
    type MaxCandidates = ConstU32<8>;
    type MaxUnbonding = ConstU32<2>;
    type MaxConcurrency = ConstU32<64>;
    type MaxRefused = ConstU32<3>;
    type MaxRefusedReports = ConstU32<4>;
    type MaxReports = ConstU32<8>;
    type MaxFreeReports = ConstU32<8>;
    type MaxValidators = ConstU32<4>;
    type ReportPatience = ConstU32<5>;
    type RetirementPeriod = ConstU32<30>;
    type Sessions = NoSessions;
    type Listener = ();
    type Duties = ();
    type Engine = ();
    type Submitter = ();
    type WeightInfo = ();
}
