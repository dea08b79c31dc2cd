// SPDX-License-Identifier: Apache-2.0
//! A runtime with balances and this pallet as its lookup; accounts and keys are real ones.

use crate as pallet_addresses;
use assay_primitives::{AssayAddress, Balance};
use frame_support::{
    construct_runtime, derive_impl, parameter_types,
    traits::{
        fungible::{Inspect, InspectHold},
        ConstU128,
    },
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

construct_runtime! {
    pub enum Test {
        System: frame_system,
        Balances: pallet_balances,
        Addresses: pallet_addresses,
    }
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type AccountData = pallet_balances::AccountData<Balance>;
    type AccountId = AccountId32;
    type Block = frame_system::mocking::MockBlock<Test>;
    type Lookup = Addresses;
}

parameter_types! {
    pub static Deposit: Balance = 5_000;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
    type AccountStore = System;
    type Balance = Balance;
    type ExistentialDeposit = ConstU128<EXISTENTIAL_DEPOSIT>;
}

impl pallet_addresses::Config for Test {
    type Currency = Balances;
    type Deposit = Deposit;
    type RuntimeHoldReason = RuntimeHoldReason;
    type Signer = MultiSigner;
    type WeightInfo = ();
}

/// The keys, derived once: that takes longer than a test does otherwise.
static PUBLIC: LazyLock<[ecdsa::Public; KEYS as usize + 1]> =
    LazyLock::new(|| array::from_fn(|n| ecdsa::Pair::from_seed(&[n as u8 + 1; 32]).public()));

/// Returns the `n`-th secp256k1 key.
pub fn key(n: u8) -> ecdsa::Public {
    PUBLIC[usize::from(n)]
}

/// Returns the account of the `n`-th key.
pub fn account(n: u8) -> AccountId32 {
    MultiSigner::Ecdsa(key(n)).into_account()
}

/// Returns the hash of the `n`-th key.
pub fn address(n: u8) -> [u8; 20] {
    AssayAddress::of(&key(n)).0
}

/// Returns an account with [`ENDOWMENT`] whose key is of sr25519.
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

/// Returns what the account has free.
pub fn free(who: &AccountId32) -> Balance {
    Balances::balance(who)
}

/// Returns what the account has on hold.
pub fn held(who: &AccountId32) -> Balance {
    Balances::total_balance_on_hold(who)
}

pub fn last_event() -> pallet_addresses::Event<Test> {
    System::read_events_for_pallet().pop().expect("this pallet has deposited an event")
}

pub fn new_test_ext() -> sp_io::TestExternalities {
    let endowed = (0..KEYS).map(account).chain([other()]);
    let balances = endowed.map(|who| (who, ENDOWMENT)).collect();
    let balances = pallet_balances::GenesisConfig { balances, ..Default::default() };
    let genesis = RuntimeGenesisConfig { balances, ..Default::default() };
    let mut ext = sp_io::TestExternalities::new(genesis.build_storage().unwrap());
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
