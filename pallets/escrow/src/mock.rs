// SPDX-License-Identifier: Apache-2.0
//! A runtime with balances and this pallet.

pub use assay_primitives::testing::job;

use crate as pallet_escrow;
use assay_primitives::{traits::Escrow as _, Balance, JobId, Payment};
use frame_support::{
    construct_runtime, derive_impl, parameter_types,
    traits::{fungible::Inspect, ConstU128},
    PalletId,
};
use sp_runtime::BuildStorage;

pub type AccountId = u64;

/// A client with [`ENDOWMENT`].
pub const CLIENT: AccountId = 1;
/// Another.
pub const OTHER_CLIENT: AccountId = 2;
/// An account that exists.
pub const OPERATOR: AccountId = 3;
/// An account that does not exist.
pub const NOBODY: AccountId = 9;

pub const EXISTENTIAL_DEPOSIT: Balance = 100;
pub const ENDOWMENT: Balance = 1_000_000;

construct_runtime! {
    pub enum Test {
        System: frame_system,
        Balances: pallet_balances,
        Escrow: pallet_escrow,
    }
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = frame_system::mocking::MockBlock<Test>;
    type AccountData = pallet_balances::AccountData<Balance>;
}

parameter_types! {
    pub const EscrowPalletId: PalletId = PalletId(*b"as/escro");
    pub const FundId: PalletId = PalletId(*b"fundescr");
    /// The most that the fund keeps: nothing unless a test asks for it.
    pub static FundMost: Balance = 0;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
    type Balance = Balance;
    type ExistentialDeposit = ConstU128<EXISTENTIAL_DEPOSIT>;
    type AccountStore = System;
}

impl pallet_escrow::Config for Test {
    type Currency = Balances;
    type RuntimeHoldReason = RuntimeHoldReason;
    type PalletId = EscrowPalletId;
    type FundId = FundId;
    type FundMost = FundMost;
    type WeightInfo = ();
}

pub fn payment(down: Balance, cost: Balance, tip: Balance) -> Payment {
    Payment { down, cost, tip }
}

/// Returns what the account can spend without being reaped.
pub fn free(who: AccountId) -> Balance {
    Balances::balance(&who)
}

/// Returns what the account has on hold for jobs.
pub fn held(who: AccountId) -> Balance {
    pallet_balances::Pallet::<Test>::reserved_balance(who)
}

/// Opens escrow 1 of [`CLIENT`]: 50 down, 1,000 cost, 20 tip, 7 bounty, no deposit.
pub fn open_first() -> JobId {
    let id = job(1);
    Escrow::open(&id, &CLIENT, payment(50, 1_000, 20), 7, 0).unwrap();
    id
}

/// Takes the down payment out and pays it to the payee.
pub fn pay_down(id: &JobId, payee: &AccountId) -> Balance {
    let credit = Escrow::draw_down(id, payee);
    Escrow::deposit(payee, credit)
}

pub fn last_event() -> pallet_escrow::Event<Test> {
    events().pop().expect("this pallet has deposited an event")
}

pub fn events() -> Vec<pallet_escrow::Event<Test>> {
    System::read_events_for_pallet()
}

pub fn new_test_ext() -> sp_io::TestExternalities {
    let balances = [CLIENT, OTHER_CLIENT, OPERATOR].map(|who| (who, ENDOWMENT)).into();
    let balances = pallet_balances::GenesisConfig { balances, ..Default::default() };
    let genesis = RuntimeGenesisConfig { balances, ..Default::default() };
    let mut ext = sp_io::TestExternalities::new(genesis.build_storage().unwrap());
    ext.execute_with(|| System::set_block_number(1));
    ext
}

/// Runs `test` and then checks the invariants, among them that the pot has nothing but claims and
/// its existential deposit.
pub fn with_escrow(test: impl FnOnce()) {
    new_test_ext().execute_with(|| {
        test();
        check_state();
    });
}

pub fn check_state() {
    Escrow::do_try_state().unwrap();
    let claims: Balance = pallet_escrow::Claims::<Test>::iter_values().sum();
    assert_eq!(Balances::balance(&Escrow::pot()), claims + EXISTENTIAL_DEPOSIT);
}
