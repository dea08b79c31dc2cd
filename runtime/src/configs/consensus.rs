// SPDX-License-Identifier: Apache-2.0
//! Who makes blocks, who finalises them, and what becomes of those who make two at once.

use crate::{
    AccountId, Babe, Balances, Historical, Offences, Operators, Runtime, RuntimeCall, RuntimeEvent,
    SessionKeys, UncheckedExtrinsic, EPOCH_DURATION_IN_SLOTS, HOURS, SLOT_DURATION,
};
use frame_support::traits::{ConstU128, ConstU32, ConstU64, KeyOwnerProofSystem};
use pallet_session::disabling::UpToLimitDisablingStrategy;
use sp_core::crypto::KeyTypeId;
use sp_runtime::traits::{ConvertInto, OpaqueKeys};

/// The most validators that there can be.
pub type MaxAuthorities = ConstU32<100>;
/// Blocks within which an equivocation can be reported: a day.
type ReportPeriod = ConstU64<{ 24 * HOURS as u64 }>;

impl pallet_babe::Config for Runtime {
    type DisabledValidators = crate::Session;
    type EpochChangeTrigger = pallet_babe::ExternalTrigger;
    type EpochDuration = ConstU64<EPOCH_DURATION_IN_SLOTS>;
    type EquivocationReportSystem =
        pallet_babe::EquivocationReportSystem<Self, Offences, Historical, ReportPeriod>;
    type ExpectedBlockTime = ConstU64<SLOT_DURATION>;
    type KeyOwnerProof =
        <Historical as KeyOwnerProofSystem<(KeyTypeId, pallet_babe::AuthorityId)>>::Proof;
    type MaxAuthorities = MaxAuthorities;
    type MaxNominators = ConstU32<0>;
    type WeightInfo = ();
}

impl pallet_grandpa::Config for Runtime {
    type EquivocationReportSystem =
        pallet_grandpa::EquivocationReportSystem<Self, Offences, Historical, ReportPeriod>;
    type KeyOwnerProof =
        <Historical as KeyOwnerProofSystem<(KeyTypeId, pallet_grandpa::AuthorityId)>>::Proof;
    type MaxAuthorities = MaxAuthorities;
    type MaxNominators = ConstU32<0>;
    // The sessions of a day and one more.
    type MaxSetIdSessionEntries = ConstU64<{ 24 * HOURS as u64 / EPOCH_DURATION_IN_SLOTS + 1 }>;
    type RuntimeEvent = RuntimeEvent;
    type WeightInfo = ();
}

impl pallet_authorship::Config for Runtime {
    type EventHandler = ();
    type FindAuthor = pallet_session::FindAccountFromAuthorIndex<Self, Babe>;
}

impl pallet_session::Config for Runtime {
    type Currency = Balances;
    type DisablingStrategy = UpToLimitDisablingStrategy;
    type KeyDeposit = ConstU128<0>;
    type Keys = SessionKeys;
    type NextSessionRotation = Babe;
    type RuntimeEvent = RuntimeEvent;
    type SessionHandler = <SessionKeys as OpaqueKeys>::KeyTypeIdProviders;
    type SessionManager = pallet_session::historical::NoteHistoricalRoot<Self, Operators>;
    type ShouldEndSession = Babe;
    type ValidatorId = AccountId;
    type ValidatorIdOf = ConvertInto;
    type WeightInfo = pallet_session::weights::SubstrateWeight<Runtime>;
}

impl pallet_session::historical::Config for Runtime {
    type FullIdentification = ();
    type FullIdentificationOf = UnitIdentification;
    type RuntimeEvent = RuntimeEvent;
}

/// A validator needs no identification beside its account.
pub struct UnitIdentification;

impl sp_runtime::traits::Convert<AccountId, Option<()>> for UnitIdentification {
    fn convert(_: AccountId) -> Option<()> {
        Some(())
    }
}

impl pallet_offences::Config for Runtime {
    type IdentificationTuple = pallet_session::historical::IdentificationTuple<Self>;
    type OnOffenceHandler = Operators;
    type RuntimeEvent = RuntimeEvent;
}

impl<C> frame_system::offchain::CreateTransactionBase<C> for Runtime
where
    RuntimeCall: From<C>,
{
    type Extrinsic = UncheckedExtrinsic;
    type RuntimeCall = RuntimeCall;
}

// Reports of equivocations are the only extrinsics that nobody signs.
impl<C> frame_system::offchain::CreateBare<C> for Runtime
where
    RuntimeCall: From<C>,
{
    fn create_bare(call: RuntimeCall) -> UncheckedExtrinsic {
        UncheckedExtrinsic::new_bare(call)
    }
}
