// SPDX-License-Identifier: Apache-2.0
//! Operators, routing, jobs, escrow and verification.

use crate::{
    parameters, submit::SignedReports, AccountId, Balances, Beacon, Escrow, Jobs, Operators,
    Routing, Runtime, RuntimeHoldReason, Verification, SLOT_DURATION, UNIT,
};
use assay_primitives::{engine::MAX_JOBS, traits::BlockRandomness};
use frame_support::{
    parameter_types,
    traits::{ConstU128, ConstU32, ConstU8, Randomness as _},
    PalletId,
};
use frame_system::EnsureRoot;
use sp_core::H256;

parameter_types! {
    pub const EscrowPalletId: PalletId = PalletId(*b"asy/escr");
    pub const FundId: PalletId = PalletId(*b"asy/fund");
    pub const VaultPalletId: PalletId = PalletId(*b"asy/valt");
}

/// The number of verifiers of a committee.
type CommitteeSize = ConstU32<3>;

/// The pallets whose duties the workers fulfil, heartbeats first.
pub type WorkerDuties = (Routing, Jobs, Verification);

/// The most operators.
type MaxOperators = ConstU32<16_384>;
/// The most models that an operator serves.
type MaxModels = ConstU32<8>;

/// The source of randomness: BABE's VRF output of the parent block.
pub struct Randomness;

impl Randomness {
    /// The bytes before the VRF output in the hash that is the randomness of a block.
    pub const SUBJECT: &'static [u8] = b"assay";
}

impl BlockRandomness for Randomness {
    fn of_parent() -> Option<H256> {
        pallet_babe::ParentBlockRandomness::<Runtime>::random(Self::SUBJECT).0
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn set_of_parent(randomness: H256) {
        pallet_babe::AuthorVrfRandomness::<Runtime>::put(Some(randomness.0));
    }
}

impl pallet_beacon::Config for Runtime {
    // A draw reads 16 blocks, and can wait for over a hundred others if blocks are full of draws.
    type Depth = ConstU32<128>;
    type Source = Randomness;
    type WeightInfo = pallet_beacon::weights::SubstrateWeight<Runtime>;
}

impl pallet_escrow::Config for Runtime {
    type Currency = Balances;
    type FundId = FundId;
    type FundMost = parameters::FundMost;
    type PalletId = EscrowPalletId;
    type RuntimeHoldReason = RuntimeHoldReason;
    type WeightInfo = pallet_escrow::weights::SubstrateWeight<Runtime>;
}

impl pallet_operators::Config for Runtime {
    type Currency = Balances;
    type Duties = WorkerDuties;
    type Engine = assay_host::HostEngine;
    type Listener = Routing;
    // There are twice as many as validators, for operators without keys and those whose stake
    // falls.
    type MaxCandidates = ConstU32<200>;
    type MaxCommissionRaise = parameters::MaxCommissionRaise;
    type MaxConcurrency = ConstU32<MAX_JOBS>;
    type MaxDelegationPercent = parameters::MaxDelegationPercent;
    type MaxFreeReports = ConstU32<1_000>;
    type MaxOffers = MaxModels;
    type MaxOperators = MaxOperators;
    type MaxRefused = ConstU32<64>;
    // A full extrinsic. An honest worker has one refused now and then, when a job has gone on without it.
    type MaxRefusedReports = ConstU32<16>;
    type MaxReports = ConstU32<16>;
    type MaxSlashes = ConstU32<8>;
    type MaxUnbonding = ConstU32<8>;
    type MaxValidators = super::consensus::MaxAuthorities;
    type MinBond = parameters::MinBond;
    type MinDelegation = parameters::MinDelegation;
    type OffenceSessions = super::consensus::ReportSessions;
    type PalletId = VaultPalletId;
    type ReportPatience = ConstU32<4>;
    // A job needs reports for at most a day after it is assigned, and a seat for at most 13 hours. After two
    // panels an operator has at most a day to publish what it has delivered: 74 hours in all.
    type RetirementPeriod = ConstU32<{ 4 * crate::DAYS }>;
    type RuntimeHoldReason = RuntimeHoldReason;
    type Sessions = crate::Session;
    type SlashCancelOrigin = EnsureRoot<AccountId>;
    type SlashDelay = parameters::SlashDelay;
    type Submitter = SignedReports;
    type UnbondingPeriod = parameters::UnbondingPeriod;
    type WeightInfo = pallet_operators::weights::SubstrateWeight<Runtime>;
}

impl pallet_routing::Config for Runtime {
    type BlockMillis = ConstU32<{ SLOT_DURATION as u32 }>;
    type CapMinimum = parameters::CapMinimum;
    type CapShare = parameters::CapShare;
    type EpochLength = parameters::EpochLength;
    type HeartbeatWindow = parameters::HeartbeatWindow;
    type MaxMisses = parameters::MaxMisses;
    type MaxModels = MaxModels;
    type MaxOperators = MaxOperators;
    // This applies to each job, and so up to 96 times in a block.
    type MaxTries = ConstU32<32>;
    // At this rate all operators are visited within an hour.
    type MaxVisits = ConstU32<32>;
    type Operators = Operators;
    type Parameters = parameters::Scores;
    type Randomness = Randomness;
    type WeightInfo = pallet_routing::weights::SubstrateWeight<Runtime>;
}

impl pallet_jobs::Config for Runtime {
    type AcceptWindow = parameters::AcceptWindow;
    type GenerationSpeed = parameters::GenerationSpeed;
    type AssignmentBlocks = ConstU32<2>;
    type Auditor = Verification;
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = crate::benchmarks::Scene;
    type BondFactor = ConstU32<20>;
    type Bounty = parameters::Bounty;
    type BurnShare = parameters::BurnShare;
    type ChallengeReward = parameters::ChallengeReward;
    type ChallengeWindow = parameters::ChallengeWindow;
    type Deposit = parameters::Deposit;
    type Escrow = Escrow;
    type LatenessFraction = parameters::LatenessFraction;
    type MaxAssignmentsPerBlock = ConstU32<32>;
    type MaxFirstTriesPerBlock = ConstU32<64>;
    type MaxAttempts = ConstU8<3>;
    type CommitteeSize = CommitteeSize;
    type MaxDelay = ConstU32<{ 30 * crate::DAYS }>;
    type MaxInputTokens = ConstU32<1_000_000>;
    type MaxOutputTokens = ConstU32<1_000_000>;
    type MaxDeadline = ConstU32<{ crate::DAYS }>;
    type MinDeadline = ConstU32<5>;
    type Operators = Operators;
    type Randomness = Beacon;
    type Retention = parameters::Retention;
    type Routing = Routing;
    type VerificationPrice = parameters::VerificationPrice;
    type VerifierShare = parameters::VerifierShare;
    type VerifiersStake = parameters::VerifiersStake;
    type WeightInfo = pallet_jobs::weights::SubstrateWeight<Runtime>;
}

impl pallet_verification::Config for Runtime {
    type AuditAllFirst = ConstU32<50>;
    type AuditFloor = parameters::AuditFloor;
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = crate::benchmarks::Scene;
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkJobs = Jobs;
    type CommitWindow = parameters::CommitWindow;
    type CommitteeSize = CommitteeSize;
    type DrawBlocks = parameters::DrawBlocks;
    type Escrow = Escrow;
    type MaxAuditsPerBlock = ConstU32<32>;
    type Jobs = Jobs;
    type JurySize = ConstU32<9>;
    type MaxRounds = ConstU8<3>;
    type MinJury = ConstU32<5>;
    type MinVerifierBond = ConstU128<UNIT>;
    type Operators = Operators;
    type ProduceWindow = parameters::ProduceWindow;
    type PublicationPrice = parameters::PublicationPrice;
    type Randomness = Beacon;
    type RecordFee = parameters::RecordFee;
    type RevealWindow = parameters::RevealWindow;
    type Routing = Routing;
    type SecondLooks = parameters::SecondLooks;
    type SilenceFraction = parameters::SilenceFraction;
    type VerificationSpeed = parameters::VerificationSpeed;
    type VerifierBondFactor = ConstU32<2>;
    type WeightInfo = pallet_verification::weights::SubstrateWeight<Runtime>;
}
