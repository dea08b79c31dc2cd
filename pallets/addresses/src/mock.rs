// SPDX-License-Identifier: Apache-2.0
//! A runtime with balances and this pallet as its lookup; accounts and keys are real ones.

use crate as pallet_addresses;
use assay_primitives::{AssayAddress, Balance};
use frame_support::{
    derive_impl, parameter_types,
    traits::fungible::{Inspect, InspectHold},
};
use sp_core::{ecdsa, sr25519, Pair};
use sp_runtime::{
    traits::IdentifyAccount, AccountId32, BuildStorage, DispatchResult, MultiAddress, MultiSigner,
};
use std::{array, sync::LazyLock};

pub const EXISTENTIAL_DEPOSIT: Balance = 100;
pub const ENDOWMENT: Balance = 1_000_000;

/// Keys `0..KEYS` have [`ENDOWMENT`]; the one after them has nothing.
pub const KEYS: u8 = 4;

#[frame_support::runtime]
mod runtime {
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
        RuntimeTask
    )]
    pub struct Test;

    #[runtime::pallet_index(0)]
    pub type System = frame_system;
    #[runtime::pallet_index(1)]
    pub type Balances = pallet_balances;
    #[runtime::pallet_index(2)]
    pub type Addresses = pallet_addresses;
}

type Block = frame_system::mocking::MockBlock<Test>;

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type AccountData = pallet_balances::AccountData<Balance>;
    type AccountId = AccountId32;
    type Block = Block;
    type Lookup = Addresses;
}

parameter_types! {
    pub const ExistentialDeposit: Balance = EXISTENTIAL_DEPOSIT;
    pub static Deposit: Balance = 5_000;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
    type AccountStore = System;
    type Balance = Balance;
    type ExistentialDeposit = ExistentialDeposit;
}

impl pallet_addresses::Config for Test {
    type Currency = Balances;
    type Deposit = Deposit;
    type RuntimeHoldReason = RuntimeHoldReason;
    type Signer = MultiSigner;
    type WeightInfo = ();
}

/// Deriving a key takes longer than any test does else.
static PUBLIC: LazyLock<[ecdsa::Public; KEYS as usize + 1]> =
    LazyLock::new(|| array::from_fn(|n| ecdsa::Pair::from_seed(&[n as u8 + 1; 32]).public()));

/// The `n`-th secp256k1 key.
pub fn key(n: u8) -> ecdsa::Public {
    PUBLIC[usize::from(n)]
}

/// The account of the `n`-th key.
pub fn account(n: u8) -> AccountId32 {
    MultiSigner::Ecdsa(key(n)).into_account()
}

/// The hash of the `n`-th key.
pub fn address(n: u8) -> [u8; 20] {
    AssayAddress::of(&key(n)).0
}

/// An account with [`ENDOWMENT`] whose key is of sr25519.
pub fn other() -> AccountId32 {
    MultiSigner::Sr25519(sr25519::Pair::from_seed(&[9; 32]).public()).into_account()
}

/// Registers the address of the `n`-th key by its own account.
pub fn register(n: u8) -> DispatchResult {
    Addresses::register_address(RuntimeOrigin::signed(account(n)), key(n))
}

pub fn unregister(n: u8) -> DispatchResult {
    Addresses::unregister_address(RuntimeOrigin::signed(account(n)))
}

/// Sends money from [`other`], through the pallet as the runtime's lookup.
pub fn transfer(to: MultiAddress<AccountId32, ()>, amount: Balance) -> DispatchResult {
    Balances::transfer_keep_alive(RuntimeOrigin::signed(other()), to, amount)
}

/// What the account has free.
pub fn free(who: &AccountId32) -> Balance {
    Balances::balance(who)
}

/// What the account has on hold.
pub fn held(who: &AccountId32) -> Balance {
    Balances::total_balance_on_hold(who)
}

pub fn last_event() -> pallet_addresses::Event<Test> {
    let of_ours = |record: frame_system::EventRecord<RuntimeEvent, _>| match record.event {
        RuntimeEvent::Addresses(event) => Some(event),
        _ => None,
    };
    System::events()
        .into_iter()
        .filter_map(of_ours)
        .next_back()
        .expect("this pallet has deposited an event")
}

pub fn new_test_ext() -> sp_io::TestExternalities {
    let storage = RuntimeGenesisConfig {
        balances: pallet_balances::GenesisConfig {
            balances: (0..KEYS).map(account).chain([other()]).map(|who| (who, ENDOWMENT)).collect(),
            ..Default::default()
        },
        ..Default::default()
    }
    .build_storage()
    .unwrap();
    let mut ext = sp_io::TestExternalities::new(storage);
    ext.execute_with(|| System::set_block_number(1));
    ext
}

/// Runs `test` and then checks the invariants.
pub fn with_addresses(test: impl FnOnce()) {
    new_test_ext().execute_with(|| {
        test();
        Addresses::do_try_state().unwrap();
    });
}
