// SPDX-License-Identifier: Apache-2.0
//! A runtime with balances, sessions and this pallet; duties that reserve real stake; a node that
//! only records.

mod duties;
mod node;
mod steps;

pub use assay_primitives::testing::{job, model, network_key};
pub use duties::*;
pub use node::*;
pub use steps::*;

use crate as pallet_operators;
use assay_primitives::{
    traits::{OperatorChanged, Standing},
    Balance,
};
use frame_support::{
    construct_runtime, derive_impl, parameter_types,
    traits::{ConstU128, ConstU32, ConstU64},
    weights::Weight,
};
use sp_keystore::{testing::MemoryKeystore, KeystoreExt};
use sp_runtime::{impl_opaque_keys, testing::UintAuthorityId, traits::ConvertInto, BuildStorage};
use std::collections::BTreeMap;

pub type AccountId = u64;

/// Stashes with [`ENDOWMENT`], and session keys.
pub const ALICE: AccountId = 1;
pub const BOB: AccountId = 2;
pub const CAROL: AccountId = 3;
/// A stash with [`ENDOWMENT`] and without session keys.
pub const DAVE: AccountId = 4;
/// Accounts for workers.
pub const WORKER: AccountId = 101;
pub const OTHER_WORKER: AccountId = 102;
/// Validators of genesis.
pub const VALIDATOR: AccountId = 51;
pub const OTHER_VALIDATOR: AccountId = 52;

pub const EXISTENTIAL_DEPOSIT: Balance = 10;
pub const ENDOWMENT: Balance = 1_000_000;
pub const MIN_BOND: Balance = 1_000;
pub const MIN_DELEGATION: Balance = 1_000;
/// Accounts with [`ENDOWMENT`] that delegate.
pub const EVE: AccountId = 6;
pub const FRANK: AccountId = 7;
/// An account that does not exist.
pub const NOBODY: AccountId = 99;
/// Blocks until unbonded stake can be withdrawn.
pub const UNBONDING: u64 = 20;
/// Blocks in which a slash can be cancelled.
pub const SLASH_DELAY: u64 = 8;

construct_runtime! {
    pub enum Test {
        System: frame_system,
        Balances: pallet_balances,
        Session: pallet_session,
        Operators: pallet_operators,
    }
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = frame_system::mocking::MockBlock<Test>;
    type AccountData = pallet_balances::AccountData<Balance>;
}

parameter_types! {
    /// What the listener was told last of each operator.
    pub static Told: BTreeMap<AccountId, Option<Standing>> = BTreeMap::new();
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
    type Balance = Balance;
    type ExistentialDeposit = ConstU128<EXISTENTIAL_DEPOSIT>;
    type AccountStore = System;
}

impl_opaque_keys! {
    pub struct SessionKeys {
        pub dummy: UintAuthorityId,
    }
}

type Sessions = pallet_session::PeriodicSessions<ConstU64<10>, ConstU64<0>>;

impl pallet_session::Config for Test {
    type RuntimeEvent = RuntimeEvent;
    type ValidatorId = AccountId;
    type ValidatorIdOf = ConvertInto;
    type ShouldEndSession = Sessions;
    type NextSessionRotation = Sessions;
    type SessionManager = Operators;
    type SessionHandler = pallet_session::TestSessionHandler;
    type Keys = SessionKeys;
    type DisablingStrategy = ();
    type WeightInfo = ();
    type Currency = Balances;
    type KeyDeposit = ConstU128<0>;
}

#[derive_impl(pallet_operators::config_preludes::TestDefaultConfig)]
impl pallet_operators::Config for Test {
    type Currency = Balances;
    type MinBond = ConstU128<MIN_BOND>;
    type UnbondingPeriod = ConstU32<{ UNBONDING as u32 }>;
    type MinDelegation = ConstU128<MIN_DELEGATION>;
    type SlashDelay = ConstU32<{ SLASH_DELAY as u32 }>;
    type OffenceSessions = ConstU32<3>;
    type MaxSlashes = ConstU32<2>;
    type MaxCandidates = ConstU32<3>;
    type MaxOperators = ConstU32<4>;
    type MaxOffers = ConstU32<3>;
    type MaxConcurrency = ConstU32<4>;
    type MaxReports = ConstU32<3>;
    type MaxFreeReports = ConstU32<4>;
    type MaxValidators = ConstU32<3>;
    type Sessions = Session;
    type Listener = Told;
    type Duties = MockDuties<Test>;
    type Engine = RecordingEngine;
    type Submitter = RecordingSubmitter;
}

/// A listener that remembers what it was told.
impl OperatorChanged<AccountId> for Told {
    fn changed(operator: &AccountId, standing: Option<Standing>) {
        Self::mutate(|all| all.insert(*operator, standing));
    }

    fn weight() -> Weight {
        Weight::from_parts(7, 7)
    }
}

/// Builds the genesis with this configuration of the pallet.
pub fn new_test_ext_with(
    operators: pallet_operators::GenesisConfig<Test>,
) -> sp_io::TestExternalities {
    let keys = |who: AccountId| (who, who, SessionKeys { dummy: UintAuthorityId(who) });
    let storage = RuntimeGenesisConfig {
        balances: pallet_balances::GenesisConfig {
            balances: [ALICE, BOB, CAROL, DAVE, 5, EVE, FRANK, VALIDATOR, OTHER_VALIDATOR]
                .map(|who| (who, ENDOWMENT))
                .into(),
            ..Default::default()
        },
        session: pallet_session::GenesisConfig {
            keys: [VALIDATOR, OTHER_VALIDATOR].map(keys).into(),
            non_authority_keys: [ALICE, BOB, CAROL].map(keys).into(),
        },
        operators,
        ..Default::default()
    }
    .build_storage()
    .unwrap();
    Told::take();
    NextOffence::set(6);
    let mut ext = sp_io::TestExternalities::new(storage);
    ext.register_extension(KeystoreExt::new(MemoryKeystore::new()));
    ext.execute_with(|| System::set_block_number(1));
    ext
}

pub fn new_test_ext() -> sp_io::TestExternalities {
    new_test_ext_with(pallet_operators::GenesisConfig {
        operators: vec![],
        validators: vec![VALIDATOR, OTHER_VALIDATOR],
    })
}

/// Runs `test` and then checks the invariants.
pub fn with_operators(test: impl FnOnce()) {
    new_test_ext().execute_with(|| {
        test();
        Operators::do_try_state().unwrap();
    });
}
