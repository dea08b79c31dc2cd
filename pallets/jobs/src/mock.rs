// SPDX-License-Identifier: Apache-2.0
//! A runtime with balances, escrow, operators, routing and this pallet; the test sets the
//! randomness and decides on audits.

mod steps;

pub use assay_primitives::testing::{model, spec, ParentRandomness};
pub use pallet_operators::testing::serve;
pub use steps::*;

use crate as pallet_jobs;
use assay_primitives::{
    job::{JobId, Payment},
    traits::{Auditor, Duty},
    Balance, Prices,
};
use frame_support::{
    construct_runtime, derive_impl, parameter_types,
    traits::{ConstU128, ConstU32, ConstU64},
    PalletId,
};
use sp_runtime::{BuildStorage, Permill};

pub type AccountId = u64;

pub const CLIENT: AccountId = 1;
pub const OTHER_CLIENT: AccountId = 2;
/// An account that moves jobs on.
pub const KEEPER: AccountId = 3;
/// The operators that [`with_jobs`] registers.
pub const OPERATORS: [AccountId; 4] = [11, 12, 13, 14];
/// An account that can become an operator.
pub const NEWCOMER: AccountId = 15;

pub const ENDOWMENT: Balance = 1_000_000_000;
pub const STAKE: Balance = 100_000;
/// The price that the operators ask per token of the output. They read prompts for nothing.
pub const PRICE: Balance = 5;
pub const PRICES: Prices = Prices { input: 0, output: PRICE };
/// The longest context that they offer.
pub const CONTEXT: u32 = 200;
pub const BOUNTY: Balance = 7;
/// The payment of [`order`].
pub const PAYMENT: Payment = Payment { down: 10, cost: 100, tip: 3 };
/// The bond of a job that [`order`] creates, until it is delivered.
pub const BOND: Balance = bond_of(20);

/// Returns the bond of a job that [`order`] creates, after an output of `tokens` is delivered.
pub const fn bond_of(tokens: u32) -> Balance {
    20 * (PAYMENT.down + tokens as Balance * PRICE + PAYMENT.tip)
}

construct_runtime! {
    pub enum Test {
        System: frame_system,
        Balances: pallet_balances,
        Escrow: pallet_escrow,
        Operators: pallet_operators,
        Jobs: pallet_jobs,
        Routing: pallet_routing,
    }
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = frame_system::mocking::MockBlock<Test>;
    type AccountData = pallet_balances::AccountData<Balance>;
    type BlockHashCount = ConstU64<100>;
}

parameter_types! {
    pub const EscrowPalletId: PalletId = PalletId(*b"as/escro");
    pub const FundId: PalletId = PalletId(*b"fundescr");
    /// The most that the fund of juries keeps: nothing unless a test asks for it.
    pub static FundMost: Balance = 0;
    /// The part of the price that each verifier gets.
    pub static VerifierShare: Permill = Permill::from_percent(10);
    /// The part of payments that is burnt: none unless a test asks for it.
    pub static BurnShare: Permill = Permill::zero();
    /// The lowest fee for each token: none unless a test asks for it.
    pub static VerificationPrice: Balance = 0;
    /// The deposit of a job: none unless a test asks for it.
    pub static Deposit: Balance = 0;
    /// Blocks with whose outputs operators are drawn.
    pub static AssignmentBlocks: u32 = 0;
    /// The factor by which a job's bond exceeds its reward.
    pub static BondFactor: u32 = 20;
    /// The times in a row that an operator can miss: none falls silent unless a test asks for it.
    pub static MaxMisses: u32 = 1_000;
    /// The deliveries that the auditor was told of.
    pub static Delivered: Vec<(JobId, AccountId)> = vec![];
    /// The accepted audits that it was told of, each with what the job paid.
    pub static Accepted: Vec<(AccountId, Balance)> = vec![];
    /// The fewest verifiers that it wants: none unless a test asks for them.
    pub static FewestVerifiers: u32 = 0;
    /// The fewest tokens that a model is taken to write in a block.
    pub static GenerationSpeed: u32 = 1_000;
    /// The part of all stake that verifiers must hold.
    pub static VerifiersStake: Permill = Permill::zero();
    /// The accepted audits that clients had asked for, each with what the job paid.
    pub static OnRequest: Vec<(AccountId, Balance)> = vec![];
    /// The faults that it was told of.
    pub static Faults: Vec<AccountId> = vec![];
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
    type Balance = Balance;
    type ExistentialDeposit = ConstU128<10>;
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

#[derive_impl(pallet_operators::config_preludes::TestDefaultConfig)]
impl pallet_operators::Config for Test {
    type Currency = Balances;
    type Listener = Routing;
    type Duties = Jobs;
}

#[derive_impl(pallet_routing::config_preludes::TestDefaultConfig)]
impl pallet_routing::Config for Test {
    type Operators = Operators;
    type MaxMisses = MaxMisses;
}

#[derive_impl(pallet_jobs::config_preludes::TestDefaultConfig)]
impl pallet_jobs::Config for Test {
    type Escrow = Escrow;
    type Operators = Operators;
    type Routing = Routing;
    type Auditor = RecordingAuditor;
    type AssignmentBlocks = AssignmentBlocks;
    type BondFactor = BondFactor;
    type VerifierShare = VerifierShare;
    type BurnShare = BurnShare;
    type VerificationPrice = VerificationPrice;
    type Bounty = ConstU128<BOUNTY>;
    type Deposit = Deposit;
    type VerifiersStake = VerifiersStake;
    type GenerationSpeed = GenerationSpeed;
    type MaxFirstTriesPerBlock = ConstU32<2>;
    type MaxAssignmentsPerBlock = ConstU32<2>;
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = pallet_operators::testing::Scene<Test>;
}

/// An auditor that remembers what it was told.
pub struct RecordingAuditor;
impl Auditor<AccountId> for RecordingAuditor {
    fn delivered(job: &JobId, operator: &AccountId) {
        Delivered::mutate(|all| all.push((*job, *operator)));
    }

    fn accepted(operator: &AccountId, fee: Balance) {
        Accepted::mutate(|all| all.push((*operator, fee)));
    }

    fn accepted_on_request(operator: &AccountId, fee: Balance) {
        OnRequest::mutate(|all| all.push((*operator, fee)));
    }

    fn faulted(operator: &AccountId) {
        Faults::mutate(|all| all.push(*operator));
    }

    fn fewest_verifiers() -> u32 {
        FewestVerifiers::get()
    }

    fn is_involved(account: &AccountId, client: &AccountId, operator: &AccountId) -> bool {
        account == client || account == operator
    }

    fn can_check(
        operator: &AccountId,
        model: &assay_primitives::ModelId,
        tokens: u32,
        reward: Balance,
    ) -> bool {
        use assay_primitives::traits::Operators as _;
        Operators::terms(operator, model)
            .is_some_and(|terms| tokens <= terms.context && reward <= terms.unreserved)
    }
}

pub fn new_test_ext() -> sp_io::TestExternalities {
    ParentRandomness::reset();
    MaxMisses::set(1_000);
    BurnShare::set(Permill::zero());
    VerificationPrice::set(0);
    Deposit::set(0);
    FewestVerifiers::set(0);
    GenerationSpeed::set(1_000);
    VerifiersStake::set(Permill::zero());
    Delivered::take();
    Accepted::take();
    OnRequest::take();
    Faults::take();
    let endowed = [CLIENT, OTHER_CLIENT, KEEPER, NEWCOMER].into_iter().chain(OPERATORS);
    let balances = endowed.map(|who| (who, ENDOWMENT)).collect();
    let balances = pallet_balances::GenesisConfig { balances, ..Default::default() };
    let genesis = RuntimeGenesisConfig { balances, ..Default::default() };
    let mut ext = sp_io::TestExternalities::new(genesis.build_storage().unwrap());
    ext.execute_with(|| System::set_block_number(1));
    ext
}

/// Runs the test with four operators that serve model 1, then checks the invariants.
pub fn with_jobs<R>(test: impl FnOnce() -> R) -> R {
    new_test_ext().execute_with(|| {
        for stash in OPERATORS {
            serve::<Test>(stash, model(1), PRICE, CONTEXT, STAKE);
        }
        let result = test();
        check_state();
        result
    })
}

/// The pallet's invariants; and that holds and reservations are what escrows and operators say.
pub fn check_state() {
    Jobs::do_try_state().unwrap();
    for client in [CLIENT, OTHER_CLIENT] {
        let held: Balance = pallet_escrow::Escrows::<Test>::iter_values()
            .filter(|escrow| escrow.client == client)
            .map(|escrow| escrow.left.total().unwrap())
            .sum();
        assert_eq!(Balances::reserved_balance(client), held, "holds of client {client}");
    }
    for operator in OPERATORS {
        let Some(record) = pallet_operators::Operators::<Test>::get(operator) else { continue };
        let reserved: Balance =
            pallet_jobs::Jobs::<Test>::iter_keys().map(|id| reserved(operator, &id)).sum();
        assert_eq!(record.reserved, reserved, "reservations of operator {operator}");
    }
}
