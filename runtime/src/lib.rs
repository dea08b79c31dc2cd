// SPDX-License-Identifier: Apache-2.0
//! The runtime of the Assay chain: its pallets and their composition. It holds no logic of its own;
//! each folder or file is one concern.

#![cfg_attr(not(feature = "std"), no_std)]
#![recursion_limit = "256"]
#![allow(missing_docs, reason = "most items are written by macros, which do not document them")]

extern crate alloc;

#[cfg(feature = "wasm-builder")]
include!(concat!(env!("OUT_DIR"), "/wasm_binary.rs"));

mod apis;
#[cfg(feature = "runtime-benchmarks")]
mod benchmarks;
pub mod configs;
pub mod fees;
pub mod parameters;
pub mod presets;
pub mod reporters;
pub mod submit;

pub use apis::{api, RuntimeApi};
pub use assay_primitives::{Balance, BlockNumber};

use alloc::borrow::Cow;
#[cfg_attr(
    feature = "std",
    allow(unused_imports, reason = "macros name it, where no prelude has it")
)]
use alloc::vec::Vec;
use frame_support::weights::Weight;
use sp_runtime::{
    generic, impl_opaque_keys,
    traits::{BlakeTwo256, IdentifyAccount, Verify},
    MultiAddress, MultiSignature,
};
use sp_version::RuntimeVersion;

/// The types that nodes need to follow the chain through upgrades without knowing the runtime's
/// calls.
pub mod opaque {
    use super::{BlakeTwo256, BlockNumber};
    use sp_runtime::generic;
    pub use sp_runtime::OpaqueExtrinsic as UncheckedExtrinsic;

    /// A block's header.
    pub type Header = generic::Header<BlockNumber, BlakeTwo256>;
    /// A block whose extrinsics are bytes.
    pub type Block = generic::Block<Header, UncheckedExtrinsic>;
}

/// A signature by sr25519, ed25519 or ECDSA on secp256k1.
pub type Signature = MultiSignature;
/// An account.
pub type AccountId = <<Signature as Verify>::Signer as IdentifyAccount>::AccountId;
/// The number of extrinsics that an account has sent.
pub type Nonce = u32;
/// A blake2_256 hash.
pub type Hash = sp_core::H256;
/// The form in which calls name an account.
pub type Address = MultiAddress<AccountId, ()>;
/// A block's header.
pub type Header = generic::Header<BlockNumber, BlakeTwo256>;
/// A block.
pub type Block = generic::Block<Header, UncheckedExtrinsic>;
/// The extensions that every extrinsic carries in addition to its call.
pub type TxExtension = (
    frame_system::CheckNonZeroSender<Runtime>,
    frame_system::CheckSpecVersion<Runtime>,
    frame_system::CheckTxVersion<Runtime>,
    frame_system::CheckGenesis<Runtime>,
    frame_system::CheckEra<Runtime>,
    frame_system::CheckNonce<Runtime>,
    frame_system::CheckWeight<Runtime>,
    pallet_transaction_payment::ChargeTransactionPayment<Runtime>,
    frame_metadata_hash_extension::CheckMetadataHash<Runtime>,
    reporters::CheckReporter,
    frame_system::WeightReclaim<Runtime>,
);
/// An extrinsic.
pub type UncheckedExtrinsic =
    generic::UncheckedExtrinsic<Address, RuntimeCall, Signature, TxExtension>;
/// The payload that the sender of an extrinsic signs.
pub type SignedPayload = generic::SignedPayload<RuntimeCall, TxExtension>;
/// The executive, which dispatches extrinsics and runs the hooks.
pub type Executive = frame_executive::Executive<
    Runtime,
    Block,
    frame_system::ChainContext<Runtime>,
    Runtime,
    AllPalletsWithSystem,
>;

impl_opaque_keys! {
    /// The keys of a validator.
    pub struct SessionKeys {
        /// The key that authors blocks.
        pub babe: Babe,
        /// The key that finalises blocks.
        pub grandpa: Grandpa,
    }
}

/// One ASY.
pub const UNIT: Balance = 1_000_000_000_000;
/// A thousandth of an ASY.
pub const MILLI_UNIT: Balance = UNIT / 1_000;
/// A millionth of an ASY.
pub const MICRO_UNIT: Balance = UNIT / 1_000_000;
/// The smallest balance of an account.
pub const EXISTENTIAL_DEPOSIT: Balance = MILLI_UNIT;

/// The duration of a slot in milliseconds. It cannot change once a chain has started.
pub const SLOT_DURATION: u64 = 3_000;
/// The number of blocks in a minute.
pub const MINUTES: BlockNumber = 20;
/// The number of blocks in an hour.
pub const HOURS: BlockNumber = 60 * MINUTES;
/// The number of blocks in a day.
pub const DAYS: BlockNumber = 24 * HOURS;
/// The number of slots in an epoch, which is a session.
pub const EPOCH_DURATION_IN_SLOTS: u64 = 10 * MINUTES as u64;

/// The genesis configuration of BABE. One block in four slots has a primary author. The others have
/// secondary ones with a VRF output, so that every block carries one.
pub const BABE_GENESIS_EPOCH_CONFIG: sp_consensus_babe::BabeEpochConfiguration =
    sp_consensus_babe::BabeEpochConfiguration {
        c: (1, 4),
        allowed_slots: sp_consensus_babe::AllowedSlots::PrimaryAndSecondaryVRFSlots,
    };

/// The version of this runtime. Raise `spec_version` with each release, and `transaction_version`
/// when the index or an argument of a call changes, since clients sign for it. Both are 1 until the
/// first release.
#[sp_version::runtime_version]
pub const VERSION: RuntimeVersion = RuntimeVersion {
    spec_name: Cow::Borrowed("assay"),
    impl_name: Cow::Borrowed("assay"),
    authoring_version: 1,
    spec_version: 1,
    impl_version: 1,
    apis: apis::RUNTIME_API_VERSIONS,
    transaction_version: 1,
    system_version: 1,
};

#[frame_support::runtime]
mod runtime {
    /// The runtime.
    #[runtime::runtime]
    #[runtime::derive(
        RuntimeCall,
        RuntimeEvent,
        RuntimeError,
        RuntimeOrigin,
        RuntimeFreezeReason,
        RuntimeHoldReason,
        RuntimeSlashReason,
        RuntimeLockId,
        RuntimeTask,
        RuntimeViewFunction
    )]
    pub struct Runtime;

    #[runtime::pallet_index(0)]
    pub type System = frame_system;
    // Must precede Session.
    #[runtime::pallet_index(1)]
    pub type Babe = pallet_babe;
    #[runtime::pallet_index(2)]
    pub type Timestamp = pallet_timestamp;
    #[runtime::pallet_index(3)]
    pub type Balances = pallet_balances;
    #[runtime::pallet_index(4)]
    pub type TransactionPayment = pallet_transaction_payment;
    #[runtime::pallet_index(5)]
    pub type Utility = pallet_utility;
    #[runtime::pallet_index(6)]
    pub type Parameters = pallet_parameters;
    #[runtime::pallet_index(7)]
    pub type Settings = pallet_settings;

    // Must precede Session, to note the author in the right session.
    #[runtime::pallet_index(10)]
    pub type Authorship = pallet_authorship;
    #[runtime::pallet_index(11)]
    pub type Offences = pallet_offences;
    #[runtime::pallet_index(12)]
    pub type Historical = pallet_session::historical;
    #[runtime::pallet_index(13)]
    pub type Operators = pallet_operators;
    #[runtime::pallet_index(14)]
    pub type Session = pallet_session;
    #[runtime::pallet_index(15)]
    pub type Grandpa = pallet_grandpa;

    // Must precede the pallets that draw.
    #[runtime::pallet_index(16)]
    pub type Beacon = pallet_beacon;

    #[runtime::pallet_index(20)]
    pub type Escrow = pallet_escrow;
    #[runtime::pallet_index(21)]
    pub type Jobs = pallet_jobs;
    #[runtime::pallet_index(22)]
    pub type Verification = pallet_verification;

    #[runtime::pallet_index(23)]
    pub type Addresses = pallet_addresses;
    #[runtime::pallet_index(24)]
    pub type Routing = pallet_routing;

    // Not used after genesis, where it sets parameters.
    #[runtime::pallet_index(30)]
    pub type GenesisParameters = parameters::genesis;

    #[runtime::pallet_index(255)]
    pub type Sudo = pallet_sudo;
}

/// The time that a block may take to execute: a third of a slot.
pub const BLOCK_COMPUTE: Weight =
    Weight::from_parts(frame_support::weights::constants::WEIGHT_REF_TIME_PER_SECOND, u64::MAX);
