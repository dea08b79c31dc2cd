// SPDX-License-Identifier: Apache-2.0
//! Operators, jobs, escrow and verification.

use crate::{
    parameters, submit::SignedReports, AccountId, Balances, Escrow, Jobs, Operators, Runtime,
    RuntimeHoldReason, Verification, UNIT,
};
use assay_primitives::traits::BlockRandomness;
use frame_support::{
    parameter_types,
    traits::{ConstU128, ConstU32, ConstU8, Randomness as _},
    PalletId,
};
use sp_core::H256;

parameter_types! {
    pub const EscrowPalletId: PalletId = PalletId(*b"asy/escr");
}

/// Whose duties the workers fulfil.
pub type WorkerDuties = (Jobs, Verification);

/// BABE's VRF output of the parent block.
pub struct Randomness;

impl BlockRandomness for Randomness {
    fn of_parent() -> Option<H256> {
        pallet_babe::ParentBlockRandomness::<Runtime>::random(b"assay").0
    }
}

impl pallet_escrow::Config for Runtime {
    type Currency = Balances;
    type PalletId = EscrowPalletId;
    type RuntimeHoldReason = RuntimeHoldReason;
    type WeightInfo = crate::weights::pallet_escrow::SubstrateWeight<Runtime>;
}

impl pallet_operators::Config for Runtime {
    type Currency = Balances;
    type Duties = WorkerDuties;
    type Engine = assay_host::HostEngine;
    type MaxConcurrency = ConstU32<256>;
    type MaxFreeReports = ConstU32<1_000>;
    type MaxOffers = ConstU32<8>;
    type MaxOperators = ConstU32<256>;
    type MaxReports = ConstU32<16>;
    type MaxUnbonding = ConstU32<8>;
    type MaxValidators = super::consensus::MaxAuthorities;
    type MinBond = parameters::MinBond;
    type ReportPatience = ConstU32<4>;
    type RuntimeHoldReason = RuntimeHoldReason;
    type Submitter = SignedReports;
    type UnbondingPeriod = parameters::UnbondingPeriod;
    type WeightInfo = crate::weights::pallet_operators::SubstrateWeight<Runtime>;
}

impl pallet_jobs::Config for Runtime {
    type AcceptWindow = parameters::AcceptWindow;
    type AuditFloor = parameters::AuditFloor;
    type Auditor = Verification;
    type BondFactor = ConstU32<10>;
    type Bounty = parameters::Bounty;
    type ChallengeWindow = parameters::ChallengeWindow;
    type Escrow = Escrow;
    type LatenessFraction = parameters::LatenessFraction;
    type MaxAssignmentsPerBlock = ConstU32<32>;
    type MaxAttempts = ConstU8<3>;
    type MaxDeadline = ConstU32<{ crate::DAYS }>;
    type MinDeadline = ConstU32<5>;
    type Operators = Operators;
    type Randomness = Randomness;
    type Retention = parameters::Retention;
    type VerifierShare = parameters::VerifierShare;
    type WeightInfo = crate::weights::pallet_jobs::SubstrateWeight<Runtime>;
}

impl pallet_verification::Config for Runtime {
    type AuditAllFirst = ConstU32<50>;
    type AuditFloor = parameters::AuditFloor;
    type CommitWindow = parameters::CommitWindow;
    type CommitteeSize = ConstU32<3>;
    type Escrow = Escrow;
    type Jobs = Jobs;
    type MaxRounds = ConstU8<3>;
    type MinVerifierBond = ConstU128<UNIT>;
    type Operators = Operators;
    type Randomness = Randomness;
    type RevealWindow = parameters::RevealWindow;
    type SilenceFraction = parameters::SilenceFraction;
    type VerifierBondFactor = ConstU32<2>;
    type WeightInfo = crate::weights::pallet_verification::SubstrateWeight<Runtime>;
}
