// SPDX-License-Identifier: Apache-2.0
//! The limits that clients can run into are in the metadata, and parameters that governance can
//! change are not: metadata is fixed with the runtime.

mod chain;

use assay_primitives::{
    api::runtime_decl_for_assay_api::AssayApi,
    contact::{MAX_ADDRESSES, MAX_ADDRESS_LENGTH},
    job::{MAX_ALLOWED_OPERATORS, MAX_PEER_ID_LENGTH},
    Balance, BlockNumber, Sampling,
};
use assay_runtime::{
    parameters::{dynamic_params, RuntimeParameters},
    presets, Runtime, RuntimeOrigin, Settings, MINUTES,
};
use codec::Encode;
use frame_metadata::RuntimeMetadata;
use frame_support::{assert_ok, traits::Get, PalletId};
use std::collections::BTreeMap;

/// The constants of a pallet in the metadata: their encoded values, by name.
fn constants(pallet: &str) -> BTreeMap<String, Vec<u8>> {
    let RuntimeMetadata::V14(metadata) = Runtime::metadata().1 else { panic!("not version 14") };
    let of_name = |it: &frame_metadata::v14::PalletMetadata<_>| it.name == pallet;
    let pallet = metadata.pallets.into_iter().find(of_name).expect("the runtime has the pallet");
    pallet.constants.into_iter().map(|constant| (constant.name, constant.value)).collect()
}

/// Asserts that each item of a pallet's configuration is in the metadata with its value.
macro_rules! assert_constants {
    ($pallet:literal, $crate_name:ident, [$($item:ident: $type:ty),* $(,)?]) => {
        let constants = constants($pallet);
        $({
            type Item = <Runtime as $crate_name::Config>::$item;
            let value = <Item as Get<$type>>::get().encode();
            let name = stringify!($item);
            assert_eq!(constants.get(name), Some(&value), "{name} of {}", $pallet);
        })*
    };
}

/// Asserts that none of these items of a pallet's configuration is in the metadata. A name that is not
/// an item does not compile.
macro_rules! assert_absent {
    ($pallet:literal, $crate_name:ident, [$($item:ident),* $(,)?]) => {
        let constants = constants($pallet);
        $({
            type _Item = <Runtime as $crate_name::Config>::$item;
            let name = stringify!($item);
            assert!(!constants.contains_key(name), "{name} of {} can change", $pallet);
        })*
    };
}

#[test]
fn limits_of_jobs_are_in_the_metadata() {
    assert_constants!(
        "Jobs",
        pallet_jobs,
        [
            MinDeadline: BlockNumber,
            MaxDeadline: BlockNumber,
            MaxDelay: BlockNumber,
            MaxAttempts: u8,
            MaxInputTokens: u32,
            MaxOutputTokens: u32,
            BondFactor: u32,
            CommitteeSize: u32,
            AssignmentBlocks: BlockNumber,
            MaxAssignmentsPerBlock: u32,
            MaxFirstTriesPerBlock: u32,
        ]
    );
    let constants = constants("Jobs");
    assert_eq!(constants.get("MaxAllowedOperators"), Some(&MAX_ALLOWED_OPERATORS.encode()));
    assert_eq!(constants.get("MaxPeerIdLength"), Some(&MAX_PEER_ID_LENGTH.encode()));
    assert_eq!(constants.get("MaxTemperature"), Some(&Sampling::MAX_TEMPERATURE.encode()));
}

#[test]
fn limits_of_verification_are_in_the_metadata() {
    assert_constants!(
        "Verification",
        pallet_verification,
        [
            CommitteeSize: u32,
            JurySize: u32,
            MinJury: u32,
            MaxRounds: u8,
            AuditAllFirst: u32,
            VerifierBondFactor: u32,
            MinVerifierBond: Balance,
            MaxAuditsPerBlock: u32,
        ]
    );
}

#[test]
fn limits_of_operators_are_in_the_metadata() {
    assert_constants!(
        "Operators",
        pallet_operators,
        [
            PalletId: PalletId,
            OffenceSessions: u32,
            MaxOperators: u32,
            MaxOffers: u32,
            MaxSlashes: u32,
            MaxCandidates: u32,
            MaxUnbonding: u32,
            MaxConcurrency: u32,
            MaxReports: u32,
            MaxRefused: u32,
            MaxRefusedReports: u32,
            MaxFreeReports: u32,
            MaxValidators: u32,
            ReportPatience: BlockNumber,
            RetirementPeriod: BlockNumber,
        ]
    );
    let constants = constants("Operators");
    assert_eq!(constants.get("MaxAddresses"), Some(&MAX_ADDRESSES.encode()));
    assert_eq!(constants.get("MaxAddressLength"), Some(&MAX_ADDRESS_LENGTH.encode()));
}

#[test]
fn limits_of_routing_are_in_the_metadata() {
    assert_constants!(
        "Routing",
        pallet_routing,
        [BlockMillis: u32, MaxOperators: u32, MaxModels: u32, MaxVisits: u32, MaxTries: u32]
    );
}

#[test]
fn limits_of_escrow_and_addresses_are_in_the_metadata() {
    assert_constants!("Beacon", pallet_beacon, [Depth: BlockNumber]);
    assert_constants!("Escrow", pallet_escrow, [PalletId: PalletId, FundId: PalletId]);
    assert_constants!("Addresses", pallet_addresses, [Deposit: Balance]);
    assert_constants!("Settings", pallet_settings, [MaxChanges: u32]);
}

#[test]
fn parameters_that_can_change_are_not_in_the_metadata() {
    assert_absent!(
        "Jobs",
        pallet_jobs,
        [
            AcceptWindow,
            ChallengeWindow,
            Retention,
            LatenessFraction,
            VerifierShare,
            Bounty,
            BurnShare,
            VerificationPrice,
            Deposit,
            VerifiersStake,
            GenerationSpeed,
            ChallengeReward
        ]
    );
    assert_absent!(
        "Verification",
        pallet_verification,
        [
            CommitWindow,
            RevealWindow,
            AuditFloor,
            SilenceFraction,
            DrawBlocks,
            ProduceWindow,
            PublicationPrice,
            RecordFee,
            VerificationSpeed,
            SecondLooks
        ]
    );
    assert_absent!("Escrow", pallet_escrow, [FundMost]);
    assert_absent!(
        "Operators",
        pallet_operators,
        [
            MinBond,
            UnbondingPeriod,
            MinDelegation,
            MaxDelegationPercent,
            MaxCommissionRaise,
            SlashDelay
        ]
    );
    assert_absent!(
        "Routing",
        pallet_routing,
        [Parameters, EpochLength, HeartbeatWindow, MaxMisses, CapShare, CapMinimum]
    );
}

#[test]
fn parameters_of_the_api_are_those_in_effect() {
    use dynamic_params::{jobs, routing};
    let mut chain = sp_io::TestExternalities::new(chain::genesis(presets::development()));
    chain.execute_with(|| {
        let before = Runtime::parameters();
        let changes = vec![
            RuntimeParameters::Jobs(jobs::Parameters::AcceptWindow(
                jobs::AcceptWindow,
                Some(MINUTES),
            )),
            RuntimeParameters::Routing(routing::Parameters::Additive(
                routing::Additive,
                Some(true),
            )),
        ];
        assert_ok!(Settings::set(RuntimeOrigin::root(), changes.try_into().unwrap()));
        let mut expected = before;
        expected.jobs.accept_window = MINUTES;
        expected.routing.additive = true;
        assert_eq!(Runtime::parameters(), expected);
    });
}
