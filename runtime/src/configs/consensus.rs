// SPDX-License-Identifier: Apache-2.0
//! Block authorship, finality, and the slashing of validators that equivocate.

use crate::{
    AccountId, Babe, Balances, Historical, Offences, Operators, Runtime, RuntimeCall, RuntimeEvent,
    SessionKeys, UncheckedExtrinsic, EPOCH_DURATION_IN_SLOTS, HOURS, SLOT_DURATION,
};
use alloc::vec::Vec;
use frame_support::{
    traits::{ConstU128, ConstU32, ConstU64, Get, KeyOwnerProofSystem},
    weights::Weight,
};
use pallet_session::{disabling::UpToLimitDisablingStrategy, historical};
use sp_core::crypto::KeyTypeId;
use sp_runtime::{
    traits::{ConvertInto, OpaqueKeys},
    Perbill,
};
use sp_staking::{
    offence::{OffenceDetails, OffenceSeverity, OnOffenceHandler},
    SessionIndex,
};

/// The most validators.
pub type MaxAuthorities = ConstU32<100>;
/// The number of blocks within which a report of an equivocation is included: a day.
type ReportPeriod = ConstU64<{ 24 * HOURS as u64 }>;
/// The number of sessions for which an equivocation can be reported after its own: those of a day.
/// This is shorter than the unbonding period of any stake.
pub type ReportSessions = ConstU32<{ 24 * HOURS / EPOCH_DURATION_IN_SLOTS as u32 }>;

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
    type SessionManager = historical::NoteHistoricalRoot<Self, Elections>;
    type ShouldEndSession = Babe;
    type ValidatorId = AccountId;
    type ValidatorIdOf = ConvertInto;
    type WeightInfo = pallet_session::weights::SubstrateWeight<Runtime>;
}

impl historical::Config for Runtime {
    type FullIdentification = ();
    type FullIdentificationOf = UnitIdentification;
    type RuntimeEvent = RuntimeEvent;
}

/// The identification of a validator, which is empty: its account suffices.
pub struct UnitIdentification;

impl sp_runtime::traits::Convert<AccountId, Option<()>> for UnitIdentification {
    fn convert(_: AccountId) -> Option<()> {
        Some(())
    }
}

impl pallet_offences::Config for Runtime {
    type IdentificationTuple = historical::IdentificationTuple<Self>;
    type OnOffenceHandler = Penalties;
    type RuntimeEvent = RuntimeEvent;
}

/// The session manager, by which operators elect the validators. It forgets sessions whose offences
/// can no longer be reported, so that a key which leaks later slashes nobody.
pub struct Elections;

impl historical::SessionManager<AccountId, ()> for Elections {
    fn new_session(index: SessionIndex) -> Option<Vec<(AccountId, ())>> {
        <Operators as historical::SessionManager<_, _>>::new_session(index)
    }

    fn new_session_genesis(index: SessionIndex) -> Option<Vec<(AccountId, ())>> {
        <Operators as historical::SessionManager<_, _>>::new_session_genesis(index)
    }

    fn start_session(index: SessionIndex) {
        <Operators as historical::SessionManager<_, _>>::start_session(index);
        if let Some(oldest) = index.checked_sub(ReportSessions::get()) {
            Historical::prune_up_to(oldest);
        }
    }

    fn end_session(index: SessionIndex) {
        <Operators as historical::SessionManager<_, _>>::end_session(index);
    }
}

impl pallet_session::SessionManager<AccountId> for Elections {
    fn new_session(index: SessionIndex) -> Option<Vec<AccountId>> {
        <Operators as pallet_session::SessionManager<_>>::new_session(index)
    }

    fn new_session_genesis(index: SessionIndex) -> Option<Vec<AccountId>> {
        <Operators as pallet_session::SessionManager<_>>::new_session_genesis(index)
    }

    fn start_session(index: SessionIndex) {
        <Self as historical::SessionManager<_, _>>::start_session(index);
    }

    fn end_session(index: SessionIndex) {
        <Self as historical::SessionManager<_, _>>::end_session(index);
    }
}

/// The handler of offences. It slashes an offender's stake, and disables the offender for this
/// session if enough other validators remain.
pub struct Penalties;

impl OnOffenceHandler<AccountId, (AccountId, ()), Weight> for Penalties {
    fn on_offence(
        offenders: &[OffenceDetails<AccountId, (AccountId, ())>],
        slash_fraction: &[Perbill],
        session: SessionIndex,
    ) -> Weight {
        for (details, fraction) in offenders.iter().zip(slash_fraction) {
            let (offender, ()) = &details.offender;
            crate::Session::report_offence(offender.clone(), OffenceSeverity(*fraction));
        }
        <Operators as OnOffenceHandler<_, _, _>>::on_offence(offenders, slash_fraction, session)
    }
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
