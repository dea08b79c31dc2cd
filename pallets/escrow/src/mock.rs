// SPDX-License-Identifier: Apache-2.0
//! A runtime with balances and this pallet.

use crate as pallet_escrow;
use assay_primitives::{traits::Escrow as _, Balance, JobId, Payment};
use frame_support::{derive_impl, parameter_types, traits::fungible::Inspect, PalletId};
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
    pub type Escrow = pallet_escrow;
}

type Block = frame_system::mocking::MockBlock<Test>;

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = Block;
    type AccountData = pallet_balances::AccountData<Balance>;
}

parameter_types! {
    pub const ExistentialDeposit: Balance = EXISTENTIAL_DEPOSIT;
    pub const EscrowPalletId: PalletId = PalletId(*b"as/escro");
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
    type Balance = Balance;
    type ExistentialDeposit = ExistentialDeposit;
    type AccountStore = System;
}

impl pallet_escrow::Config for Test {
    type Currency = Balances;
    type RuntimeHoldReason = RuntimeHoldReason;
    type PalletId = EscrowPalletId;
    type WeightInfo = ();
}

/// The `n`-th job.
pub fn job(n: u64) -> JobId {
    JobId::from_low_u64_be(n)
}

pub fn payment(down: Balance, cost: Balance, tip: Balance) -> Payment {
    Payment { down, cost, tip }
}

/// What the account can spend without dying.
pub fn free(who: AccountId) -> Balance {
    Balances::balance(&who)
}

/// What the account has on hold for jobs.
pub fn held(who: AccountId) -> Balance {
    pallet_balances::Pallet::<Test>::reserved_balance(who)
}

/// Opens escrow 1 of [`CLIENT`]: 50 down, 1,000 cost, 20 tip, 7 bounty.
pub fn open_first() -> JobId {
    let id = job(1);
    Escrow::open(&id, &CLIENT, payment(50, 1_000, 20), 7).unwrap();
    id
}

/// Takes the down payment out and gives it to the payee.
pub fn pay_down(id: &JobId, payee: &AccountId) -> Balance {
    let credit = Escrow::draw_down(id, payee);
    Escrow::deposit(payee, credit)
}

pub fn last_event() -> pallet_escrow::Event<Test> {
    events().pop().expect("this pallet has deposited an event")
}

/// The events of this pallet.
pub fn events() -> Vec<pallet_escrow::Event<Test>> {
    System::events()
        .into_iter()
        .filter_map(|record| match record.event {
            RuntimeEvent::Escrow(event) => Some(event),
            _ => None,
        })
        .collect()
}

pub fn new_test_ext() -> sp_io::TestExternalities {
    let storage = RuntimeGenesisConfig {
        balances: pallet_balances::GenesisConfig {
            balances: [CLIENT, OTHER_CLIENT, OPERATOR].map(|who| (who, ENDOWMENT)).into(),
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
