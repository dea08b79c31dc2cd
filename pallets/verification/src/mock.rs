// SPDX-License-Identifier: Apache-2.0
//! A runtime with balances, escrow, operators, jobs and this pallet; randomness and what verifiers
//! find are in the hands of the test.

mod steps;

pub use steps::*;

use crate as pallet_verification;
use assay_primitives::{
    contact::SignedContact,
    job::{
        FinishReason, JobId, JobSpec, ModelId, NumericProfile, OutputCommitment, Payment,
        PeerIdBytes, Privacy, Sampling,
    },
    report::Report,
    traits::{BlockRandomness, Duty, Operators as _},
    worker::sr25519::WorkerId,
    Balance, BlockNumber, Capabilities, Engine, EngineResult, Work,
};
use frame_support::{
    derive_impl, parameter_types,
    traits::{ConstU32, ConstU8, ValidatorRegistration},
    BoundedVec, PalletId,
};
use frame_system::EnsureRoot;
use pallet_operators::{Nonce, Offer, SubmitReports};
use pallet_routing::Params;
use sp_core::{ed25519, Pair, H256};
use sp_runtime::{
    traits::{BlakeTwo256, Hash},
    BuildStorage, Perbill, Permill,
};

pub type AccountId = u64;

pub const CLIENT: AccountId = 1;
/// Someone who moves audits on.
pub const KEEPER: AccountId = 3;
/// The operators that [`with_operators`] registers.
pub const OPERATORS: [AccountId; 6] = [11, 12, 13, 14, 15, 16];

pub const ENDOWMENT: Balance = 1_000_000_000;
pub const STAKE: Balance = 100_000;
/// What the operators ask per token.
pub const PRICE: Balance = 5;
/// The longest context that they offer.
pub const CONTEXT: u32 = 200;
pub const BOUNTY: Balance = 7;
/// What [`delivered`] pays.
pub const PAYMENT: Payment = Payment { down: 10, cost: 100, tip: 3 };
/// The bond of the operator of such a job.
pub const JOB_BOND: Balance = 10 * (10 + 20 * PRICE + 3);
/// The bond of each of its verifiers.
pub const BOND: Balance = 20 * (10 + 20 * PRICE + 3);
/// What silence costs them: a twentieth, rounded up.
pub const SILENCE: Balance = BOND / 20;

pub const COMMIT_WINDOW: BlockNumber = 5;
pub const REVEAL_WINDOW: BlockNumber = 4;

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
        RuntimeTask,
        RuntimeViewFunction
    )]
    pub struct Test;

    #[runtime::pallet_index(0)]
    pub type System = frame_system;
    #[runtime::pallet_index(1)]
    pub type Balances = pallet_balances;
    #[runtime::pallet_index(2)]
    pub type Escrow = pallet_escrow;
    #[runtime::pallet_index(3)]
    pub type Operators = pallet_operators;
    #[runtime::pallet_index(4)]
    pub type Jobs = pallet_jobs;
    #[runtime::pallet_index(5)]
    pub type Verification = pallet_verification;
    #[runtime::pallet_index(6)]
    pub type Routing = pallet_routing;
}

type Block = frame_system::mocking::MockBlock<Test>;

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = Block;
    type AccountData = pallet_balances::AccountData<Balance>;
    type BlockHashCount = frame_support::traits::ConstU64<100>;
}

parameter_types! {
    pub const ExistentialDeposit: Balance = 10;
    pub const MinBond: Balance = 1_000;
    pub const EscrowPalletId: PalletId = PalletId(*b"as/escro");
    pub const VaultPalletId: PalletId = PalletId(*b"vault   ");
    pub const MaxCommissionRaise: Perbill = Perbill::from_percent(10);
    pub const LatenessFraction: Permill = Permill::from_percent(10);
    pub const AuditFloor: Permill = Permill::from_percent(10);
    pub const Bounty: Balance = BOUNTY;
    pub const VerifierShare: Permill = Permill::from_percent(10);
    pub const SilenceFraction: Permill = Permill::from_percent(5);
    pub const MinVerifierBond: Balance = 1_000;
    /// Members of a committee.
    pub static CommitteeSize: u32 = 3;
    /// Audits moved on per block.
    pub static MaxAuditsPerBlock: u32 = 4;
    pub const CapShare: Permill = Permill::from_percent(20);
    /// How often in a row an operator can miss: nobody falls silent unless a test asks for it.
    pub static MaxMisses: u32 = 1_000;
    /// What scores are reckoned with.
    pub const Scores: Params = Params::even(1_000, STAKE * 1_000);
    /// The randomness of the parent block.
    pub static ParentRandomness: Option<H256> = Some(H256::repeat_byte(7));
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

impl pallet_operators::Config for Test {
    type Currency = Balances;
    type RuntimeHoldReason = RuntimeHoldReason;
    type MinBond = MinBond;
    type UnbondingPeriod = ConstU32<50>;
    type PalletId = VaultPalletId;
    type MinDelegation = MinBond;
    type MaxDelegationPercent = ConstU32<400>;
    type MaxCommissionRaise = MaxCommissionRaise;
    type SlashDelay = ConstU32<10>;
    type OffenceSessions = ConstU32<6>;
    type SlashCancelOrigin = EnsureRoot<AccountId>;
    type MaxSlashes = ConstU32<4>;
    type MaxCandidates = ConstU32<8>;
    type MaxOperators = ConstU32<64>;
    type MaxOffers = ConstU32<4>;
    type MaxUnbonding = ConstU32<2>;
    type MaxConcurrency = ConstU32<64>;
    type MaxReports = ConstU32<8>;
    type MaxFreeReports = ConstU32<8>;
    type MaxValidators = ConstU32<4>;
    type ReportPatience = ConstU32<5>;
    type Sessions = NoSessions;
    type Listener = Routing;
    type Duties = (Jobs, Verification);
    type Engine = NoEngine;
    type Submitter = NoPool;
    type WeightInfo = ();
}

impl pallet_routing::Config for Test {
    type Randomness = ParentRandomness;
    type Operators = Operators;
    type Parameters = Scores;
    type EpochLength = ConstU32<20>;
    type HeartbeatWindow = ConstU32<5>;
    type MaxMisses = MaxMisses;
    type CapShare = CapShare;
    type CapMinimum = ConstU32<1_000>;
    type BlockMillis = ConstU32<3_000>;
    type MaxOperators = ConstU32<64>;
    type MaxModels = ConstU32<4>;
    type MaxVisits = ConstU32<4>;
    type MaxTries = ConstU32<16>;
    type WeightInfo = ();
}

impl pallet_jobs::Config for Test {
    type Escrow = Escrow;
    type Operators = Operators;
    type Routing = Routing;
    type Auditor = Verification;
    type Randomness = ParentRandomness;
    type MinDeadline = ConstU32<5>;
    type MaxDeadline = ConstU32<100>;
    type MaxDelay = ConstU32<50>;
    type AcceptWindow = ConstU32<3>;
    type ChallengeWindow = ConstU32<10>;
    type Retention = ConstU32<20>;
    type MaxAttempts = ConstU8<3>;
    type MaxInputTokens = ConstU32<1_000>;
    type MaxOutputTokens = ConstU32<1_000>;
    type BondFactor = ConstU32<10>;
    type LatenessFraction = LatenessFraction;
    type VerifierShare = VerifierShare;
    type CommitteeSize = CommitteeSize;
    type AuditFloor = AuditFloor;
    type Bounty = Bounty;
    type MaxAssignmentsPerBlock = ConstU32<8>;
    type WeightInfo = ();
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = Scene;
}

impl pallet_verification::Config for Test {
    type Jobs = Jobs;
    type Operators = Operators;
    type Routing = Routing;
    type Escrow = Escrow;
    type Randomness = ParentRandomness;
    type CommitteeSize = CommitteeSize;
    type MaxRounds = ConstU8<3>;
    type CommitWindow = ConstU32<COMMIT_WINDOW>;
    type RevealWindow = ConstU32<REVEAL_WINDOW>;
    type AuditAllFirst = ConstU32<5>;
    type AuditFloor = AuditFloor;
    type VerifierBondFactor = ConstU32<20>;
    type MinVerifierBond = MinVerifierBond;
    type SilenceFraction = SilenceFraction;
    type MaxAuditsPerBlock = MaxAuditsPerBlock;
    type WeightInfo = ();
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = Scene;
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkJobs = Jobs;
}

impl BlockRandomness for ParentRandomness {
    fn of_parent() -> Option<H256> {
        Self::get()
    }
}

pub struct NoSessions;
impl ValidatorRegistration<AccountId> for NoSessions {
    fn is_registered(_: &AccountId) -> bool {
        false
    }
}

pub struct NoEngine;
impl Engine for NoEngine {
    fn capabilities() -> Option<Capabilities> {
        None
    }
    fn submit(_: Work) -> bool {
        false
    }
    fn poll(_: u32) -> Vec<EngineResult> {
        vec![]
    }
}

pub struct NoPool;
impl SubmitReports<AccountId, ConstU32<8>> for NoPool {
    fn submit(
        _: &AccountId,
        _: &WorkerId,
        _: BoundedVec<Report, ConstU32<8>>,
        _: Nonce,
        _: Balance,
    ) -> Result<(), ()> {
        Err(())
    }
    fn worker_account(_: &WorkerId) -> AccountId {
        0
    }
}

/// The scene of the benchmarks.
#[cfg(feature = "runtime-benchmarks")]
pub struct Scene;
#[cfg(feature = "runtime-benchmarks")]
impl assay_primitives::benchmarking::BenchmarkHelper<AccountId> for Scene {
    fn client(index: u32) -> AccountId {
        let client = 1_000 + AccountId::from(index);
        fund(client);
        client
    }

    fn operators(model: &ModelId, price: Balance, count: u32) -> Vec<AccountId> {
        (0..count)
            .map(|index| {
                let stash = 2_000 + AccountId::from(index);
                fund(stash);
                serve(stash, *model, price, u32::MAX, STAKE * 1_000);
                stash
            })
            .collect()
    }

    fn set_randomness(randomness: H256) {
        ParentRandomness::set(Some(randomness));
    }
}

pub fn model(n: u64) -> ModelId {
    ModelId::from_low_u64_be(n)
}

/// A job of 20 tokens at most from model 1.
pub fn spec() -> JobSpec<AccountId> {
    JobSpec {
        model: model(1),
        input_hash: H256::repeat_byte(1),
        input_tokens: 10,
        max_tokens: 20,
        seed: 42,
        sampling: Sampling::GREEDY,
        profile: NumericProfile::N1,
        not_before: 0,
        deadline: 20,
        privacy: Privacy::Public,
        output_key: None,
        auto_lock: true,
        peer: PeerIdBytes::default(),
        allowed: BoundedVec::new(),
    }
}

/// The digest root of every job.
pub const ROOT: H256 = H256::repeat_byte(9);

/// What operators commit to.
pub fn commitment() -> OutputCommitment {
    OutputCommitment {
        output_hash: H256::repeat_byte(2),
        digest_commitment: BlakeTwo256::hash(ROOT.as_bytes()),
        tokens: 20,
        finish: FinishReason::Length,
    }
}

pub fn signed(who: AccountId) -> RuntimeOrigin {
    RuntimeOrigin::signed(who)
}

/// All that the account has.
pub fn wealth(who: AccountId) -> Balance {
    Balances::free_balance(who) + Balances::reserved_balance(who)
}

#[cfg(feature = "runtime-benchmarks")]
pub fn fund(who: AccountId) {
    use frame_support::traits::fungible::Mutate;
    Balances::set_balance(&who, ENDOWMENT);
}

/// Registers an operator.
pub fn serve(stash: AccountId, model: ModelId, price: Balance, context: u32, bond: Balance) {
    let offers = BoundedVec::truncate_from(vec![Offer { model, price, context }]);
    let key = ed25519::Pair::from_seed(&[7; 32]);
    let contact = SignedContact::new(&key, Default::default(), &System::block_hash(0), &stash);
    Operators::register(signed(stash), stash + 100_000, contact, offers, 16, bond).unwrap();
}

pub fn new_test_ext() -> sp_io::TestExternalities {
    ParentRandomness::set(Some(H256::repeat_byte(7)));
    MaxMisses::set(1_000);
    let endowed = [CLIENT, KEEPER].into_iter().chain(OPERATORS);
    let storage = RuntimeGenesisConfig {
        balances: pallet_balances::GenesisConfig {
            balances: endowed.map(|who| (who, ENDOWMENT)).collect(),
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

/// Runs the test with six operators that serve model 1, then checks the invariants.
pub fn with_operators<R>(test: impl FnOnce() -> R) -> R {
    with_some_operators(OPERATORS.len(), test)
}

/// The same with so many operators.
pub fn with_some_operators<R>(count: usize, test: impl FnOnce() -> R) -> R {
    new_test_ext().execute_with(|| {
        for stash in OPERATORS.into_iter().take(count) {
            serve(stash, model(1), PRICE, CONTEXT, STAKE);
        }
        let result = test();
        check_state();
        result
    })
}

/// The pallet's invariants; and that the operators have reserved what jobs and audits ask for.
pub fn check_state() {
    Verification::do_try_state().unwrap();
    for operator in OPERATORS {
        let Some(record) = pallet_operators::Operators::<Test>::get(operator) else { continue };
        let duties =
            pallet_jobs::Jobs::<Test>::iter_keys().flat_map(|id| [Duty::Run(id), Duty::Verify(id)]);
        let sum: Balance = duties.map(|duty| Operators::reserved(&operator, duty)).sum();
        assert_eq!(record.reserved, sum, "reservations of operator {operator}");
        for (id, audit) in crate::Audits::<Test>::iter() {
            let seated = audit.seats.iter().any(|seat| seat.verifier == operator);
            let bond = if seated { BOND } else { 0 };
            assert_eq!(reserved(operator, &id), bond, "bond of verifier {operator}");
        }
    }
}

/// Everything that all accounts have.
pub fn everything() -> Balance {
    let known = [CLIENT, KEEPER].into_iter().chain(OPERATORS);
    let pots = Balances::free_balance(Escrow::pot()) + wealth(Operators::vault());
    known.map(wealth).sum::<Balance>() + pots
}
