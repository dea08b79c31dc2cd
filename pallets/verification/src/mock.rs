// SPDX-License-Identifier: Apache-2.0
//! A runtime with balances, escrow, operators, routing, jobs and this pallet; the test sets the
//! randomness and what verifiers find.

mod steps;

pub use assay_primitives::testing::{model, ParentRandomness};
pub use steps::*;

use crate as pallet_verification;
#[cfg(feature = "runtime-benchmarks")]
use assay_primitives::benchmarking::BenchmarkHelper;
use assay_primitives::{
    job::Payment,
    traits::{BlockRandomness, Duty, Operators as _},
    Balance, BlockNumber,
};
use frame_support::{
    construct_runtime, derive_impl, parameter_types,
    traits::{ConstU128, ConstU32, ConstU64, ConstU8},
    PalletId,
};
use pallet_operators::testing::serve;
#[cfg(feature = "runtime-benchmarks")]
use pallet_operators::testing::Scene;
use sp_core::H256;
use sp_runtime::{
    traits::{BlakeTwo256, Hash},
    BuildStorage, Permill,
};
use std::collections::BTreeMap;

pub type AccountId = u64;

pub const CLIENT: AccountId = 1;
/// An account that moves audits on.
pub const KEEPER: AccountId = 3;
/// The operators that [`with_operators`] registers.
pub const OPERATORS: [AccountId; 12] = [11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22];

pub const ENDOWMENT: Balance = 1_000_000_000;
pub const STAKE: Balance = 100_000;
/// The price that the operators ask per token.
pub const PRICE: Balance = 5;
/// The longest context that they offer.
pub const CONTEXT: u32 = 200;
pub const BOUNTY: Balance = 7;
/// The payment of a job that is [`delivered`].
pub const PAYMENT: Payment = Payment { down: 10, cost: 100, tip: 3 };
/// The fee of each of its verifiers.
pub const SHARE: Balance = 20 * PRICE / 10;
/// The bond of the operator of such a job.
pub const JOB_BOND: Balance = 20 * (10 + 20 * PRICE + 3);
/// The bond of each of its verifiers.
pub const BOND: Balance = 20 * (10 + 20 * PRICE + 3);
/// The cost of their silence: a twentieth, rounded up.
pub const SILENCE: Balance = BOND / 20;

pub const COMMIT_WINDOW: BlockNumber = 5;
pub const REVEAL_WINDOW: BlockNumber = 4;
pub const PRODUCE_WINDOW: BlockNumber = 6;
/// The price of a byte that an operator publishes.
pub const BYTE: Balance = 2;

construct_runtime! {
    pub enum Test {
        System: frame_system,
        Beacon: pallet_beacon,
        Balances: pallet_balances,
        Escrow: pallet_escrow,
        Operators: pallet_operators,
        Jobs: pallet_jobs,
        Verification: pallet_verification,
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
    /// The part of payments that goes to the fund or is burnt: none unless a test asks for it.
    pub static BurnShare: Permill = Permill::zero();
    pub const AuditFloor: Permill = Permill::from_percent(10);
    pub const SilenceFraction: Permill = Permill::from_percent(5);
    /// The payment from which on a job counts whole for a record: that of all jobs of these tests.
    pub static RecordFee: Balance = 113;
    /// Members of a committee.
    pub static CommitteeSize: u32 = 3;
    /// The most members of a jury.
    pub static JurySize: u32 = 9;
    /// The fewest.
    pub static MinJury: u32 = 5;
    /// The part of accepted audits that is looked at a second time.
    pub static SecondLooks: Permill = Permill::zero();
    /// Tokens that verifiers read in a block.
    pub static VerificationSpeed: u32 = 1_000;
    /// The outputs of single blocks.
    pub static Chosen: BTreeMap<BlockNumber, H256> = BTreeMap::new();
    /// What accounts had before a job.
    pub static Before: BTreeMap<AccountId, Balance> = BTreeMap::new();
    /// Blocks with whose outputs a draw is made.
    pub static DrawBlocks: BlockNumber = 1;
    /// Audits moved on per block.
    pub static MaxAuditsPerBlock: u32 = 4;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
    type Balance = Balance;
    type ExistentialDeposit = ConstU128<10>;
    type AccountStore = System;
}

/// The output of each block: what a test chooses for the block, or else what it sets for all, mixed
/// with the number of the block.
pub struct Vrf;

impl BlockRandomness for Vrf {
    fn of_parent() -> Option<H256> {
        let now = System::block_number();
        let parent = BlockNumber::try_from(now - 1).unwrap();
        let chosen = Chosen::get().get(&parent).copied();
        chosen.or_else(|| ParentRandomness::get().map(|set| BlakeTwo256::hash_of(&(set, now))))
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn set_of_parent(randomness: H256) {
        ParentRandomness::set(Some(randomness));
    }
}

impl pallet_beacon::Config for Test {
    type Source = Vrf;
    type Depth = ConstU32<128>;
    type WeightInfo = ();
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
    type Duties = (Jobs, Verification);
}

#[derive_impl(pallet_routing::config_preludes::TestDefaultConfig)]
impl pallet_routing::Config for Test {
    type Operators = Operators;
}

#[derive_impl(pallet_jobs::config_preludes::TestDefaultConfig)]
impl pallet_jobs::Config for Test {
    type Escrow = Escrow;
    type Operators = Operators;
    type Routing = Routing;
    type Auditor = Verification;
    type CommitteeSize = CommitteeSize;
    type BurnShare = BurnShare;
    type Bounty = ConstU128<BOUNTY>;
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = Scene<Test>;
}

impl pallet_verification::Config for Test {
    type Jobs = Jobs;
    type Operators = Operators;
    type Routing = Routing;
    type Escrow = Escrow;
    type Randomness = Beacon;
    type DrawBlocks = DrawBlocks;
    type CommitteeSize = CommitteeSize;
    type JurySize = JurySize;
    type MinJury = MinJury;
    type SecondLooks = SecondLooks;
    type VerificationSpeed = VerificationSpeed;
    type ProduceWindow = ConstU32<PRODUCE_WINDOW>;
    type PublicationPrice = ConstU128<BYTE>;
    type MaxRounds = ConstU8<3>;
    type CommitWindow = ConstU32<COMMIT_WINDOW>;
    type RevealWindow = ConstU32<REVEAL_WINDOW>;
    type AuditAllFirst = ConstU32<5>;
    type AuditFloor = AuditFloor;
    type RecordFee = RecordFee;
    type VerifierBondFactor = ConstU32<20>;
    type MinVerifierBond = ConstU128<1_000>;
    type SilenceFraction = SilenceFraction;
    type MaxAuditsPerBlock = MaxAuditsPerBlock;
    type WeightInfo = ();
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = BeaconScene;
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkJobs = Jobs;
}

/// The scene of the operators' benchmarks, with outputs of all blocks.
#[cfg(feature = "runtime-benchmarks")]
pub struct BeaconScene;

#[cfg(feature = "runtime-benchmarks")]
impl BenchmarkHelper<AccountId> for BeaconScene {
    fn client(index: u32) -> AccountId {
        <Scene<Test> as BenchmarkHelper<AccountId>>::client(index)
    }

    fn operators(model: &assay_primitives::ModelId, price: Balance, count: u32) -> Vec<AccountId> {
        <Scene<Test> as BenchmarkHelper<AccountId>>::operators(model, price, count)
    }

    fn set_randomness(randomness: H256) {
        <Scene<Test> as BenchmarkHelper<AccountId>>::set_randomness(randomness);
        for block in 0..200 {
            pallet_beacon::Outputs::<Test>::insert(block, randomness);
        }
    }
}

pub fn new_test_ext() -> sp_io::TestExternalities {
    ParentRandomness::reset();
    Chosen::take();
    let endowed = [CLIENT, KEEPER].into_iter().chain(OPERATORS);
    let balances = endowed.map(|who| (who, ENDOWMENT)).collect();
    let balances = pallet_balances::GenesisConfig { balances, ..Default::default() };
    let genesis = RuntimeGenesisConfig { balances, ..Default::default() };
    let mut ext = sp_io::TestExternalities::new(genesis.build_storage().unwrap());
    ext.execute_with(|| System::set_block_number(1));
    ext
}

/// Runs the test with twelve operators that serve model 1, then checks the invariants.
pub fn with_operators<R>(test: impl FnOnce() -> R) -> R {
    with_some_operators(OPERATORS.len(), test)
}

/// Does the same with `count` operators.
pub fn with_some_operators<R>(count: usize, test: impl FnOnce() -> R) -> R {
    new_test_ext().execute_with(|| {
        for stash in OPERATORS.into_iter().take(count) {
            serve::<Test>(stash, model(1), PRICE, CONTEXT, STAKE);
        }
        let result = test();
        check_state();
        result
    })
}

/// The pallet's invariants; and that the operators have reserved what jobs and audits ask for.
pub fn check_state() {
    Beacon::do_try_state().unwrap();
    Verification::do_try_state().unwrap();
    for operator in OPERATORS {
        let Some(record) = pallet_operators::Operators::<Test>::get(operator) else { continue };
        let duties = pallet_jobs::Jobs::<Test>::iter_keys()
            .flat_map(|id| [Duty::Run(id), Duty::Verify(id), Duty::Challenge(id)]);
        let sum: Balance = duties.map(|duty| Operators::reserved(&operator, duty)).sum();
        assert_eq!(record.reserved, sum, "reservations of operator {operator}");
        for (id, audit) in crate::Audits::<Test>::iter() {
            let mut bonded = audit.seats.iter().chain(&audit.heard);
            let seated = bonded.any(|seat| seat.verifier == operator);
            let bond = if seated { BOND } else { 0 };
            assert_eq!(reserved(operator, &id), bond, "bond of verifier {operator}");
        }
    }
}

/// Returns the sum of what all accounts have.
pub fn everything() -> Balance {
    let known = [CLIENT, KEEPER].into_iter().chain(OPERATORS);
    let pots =
        [Escrow::pot(), Escrow::fund(), Operators::vault()].map(wealth).iter().sum::<Balance>();
    known.map(wealth).sum::<Balance>() + pots
}
