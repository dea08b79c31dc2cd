// SPDX-License-Identifier: Apache-2.0
//! A runtime with balances, escrow, operators and this pallet; randomness and audits are in the hands
//! of the test.

use crate as pallet_jobs;
use crate::{types::Job, Event};
use assay_primitives::{
    contact::SignedContact,
    job::{
        FinishReason, JobId, JobSpec, JobState, ModelId, NumericProfile, OutputCommitment, Payment,
        PeerIdBytes, Privacy, Sampling,
    },
    report::Report,
    settlement::Settlement,
    traits::{Auditor, BlockRandomness, Duties, Duty, Operators as _},
    worker::sr25519::WorkerId,
    Balance, BlockNumber, Capabilities, Engine, EngineResult, Work,
};
use frame_support::{
    derive_impl, parameter_types,
    traits::{ConstU32, ConstU8, Hooks, ValidatorRegistration},
    weights::Weight,
    BoundedVec, PalletId,
};
use frame_system::EnsureRoot;
use pallet_operators::{Nonce, Offer, SubmitReports};
use pallet_routing::Params;
use sp_core::{ed25519, Pair, H256};
use sp_runtime::{BuildStorage, DispatchResult, Perbill, Permill};

pub type AccountId = u64;

pub const CLIENT: AccountId = 1;
pub const OTHER_CLIENT: AccountId = 2;
/// Someone who moves jobs on.
pub const KEEPER: AccountId = 3;
/// The operators that [`with_jobs`] registers.
pub const OPERATORS: [AccountId; 4] = [11, 12, 13, 14];
/// Someone who can become an operator.
pub const NEWCOMER: AccountId = 15;

pub const ENDOWMENT: Balance = 1_000_000_000;
pub const STAKE: Balance = 100_000;
/// What the operators ask per token.
pub const PRICE: Balance = 5;
/// The longest context that they offer.
pub const CONTEXT: u32 = 200;
pub const BOUNTY: Balance = 7;
/// What [`order`] pays.
pub const PAYMENT: Payment = Payment { down: 10, cost: 100, tip: 3 };
/// The bond of a job that [`order`] creates.
pub const BOND: Balance = 10 * (10 + 20 * PRICE + 3);

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
    /// What each verifier gets of the price.
    pub static VerifierShare: Permill = Permill::from_percent(10);
    /// How many times its reward a job's bond is.
    pub static BondFactor: u32 = 10;
    pub const CapShare: Permill = Permill::from_percent(20);
    /// How often in a row an operator can miss: nobody falls silent unless a test asks for it.
    pub static MaxMisses: u32 = 1_000;
    /// What scores are reckoned with.
    pub const Scores: Params = Params::even(1_000, STAKE * 1_000);
    /// The randomness of the parent block.
    pub static ParentRandomness: Option<H256> = Some(H256::repeat_byte(7));
    /// The deliveries that the auditor was told of.
    pub static Delivered: Vec<(JobId, AccountId)> = vec![];
    /// The settlements that it was told of.
    pub static Faults: Vec<(AccountId, bool)> = vec![];
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
    type Duties = Jobs;
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
    type Auditor = RecordingAuditor;
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
    type BondFactor = BondFactor;
    type LatenessFraction = LatenessFraction;
    type VerifierShare = VerifierShare;
    type CommitteeSize = ConstU32<3>;
    type AuditFloor = AuditFloor;
    type Bounty = Bounty;
    type MaxAssignmentsPerBlock = ConstU32<2>;
    type WeightInfo = ();
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = Scene;
}

impl BlockRandomness for ParentRandomness {
    fn of_parent() -> Option<H256> {
        Self::get()
    }
}

/// Remembers what it was told.
pub struct RecordingAuditor;
impl Auditor<AccountId> for RecordingAuditor {
    fn delivered(job: &JobId, operator: &AccountId) {
        Delivered::mutate(|all| all.push((*job, *operator)));
    }

    fn settled(operator: &AccountId, fault: bool) {
        Faults::mutate(|all| all.push((*operator, fault)));
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

/// What every commitment names.
pub const OUTPUT_HASH: H256 = H256::repeat_byte(2);

/// A commitment to that many tokens.
pub fn commitment(tokens: u32) -> OutputCommitment {
    let finish = if tokens == 20 { FinishReason::Length } else { FinishReason::EndToken };
    OutputCommitment {
        output_hash: OUTPUT_HASH,
        digest_commitment: H256::repeat_byte(3),
        tokens,
        finish,
    }
}

pub fn signed(who: AccountId) -> RuntimeOrigin {
    RuntimeOrigin::signed(who)
}

/// Creates a job of [`CLIENT`] with [`spec`] and [`PAYMENT`].
pub fn order() -> JobId {
    order_with(CLIENT, spec(), PAYMENT)
}

pub fn order_with(client: AccountId, spec: JobSpec<AccountId>, payment: Payment) -> JobId {
    let id = Jobs::next_job_id(&client, &spec);
    Jobs::create(signed(client), spec, payment).unwrap();
    id
}

/// A job that is assigned, with its operator.
pub fn assigned() -> (JobId, AccountId) {
    let id = order();
    skip_block();
    let JobState::Assigned { operator, .. } = state(&id) else { panic!("not assigned") };
    (id, operator)
}

/// A job that is running, with its operator.
pub fn running() -> (JobId, AccountId) {
    let (id, operator) = assigned();
    report(operator, Report::Accept { job: id }).unwrap();
    (id, operator)
}

/// A job that is delivered with so many tokens and waits for its audit, with its operator.
pub fn delivered(tokens: u32) -> (JobId, AccountId) {
    let (id, operator) = running();
    let report_ = Report::CommitOutput { job: id, commitment: commitment(tokens) };
    report(operator, report_).unwrap();
    (id, operator)
}

/// The job is with its operator at the last attempt.
pub fn spend_attempts(id: &JobId) {
    pallet_jobs::Jobs::<Test>::mutate(id, |job| {
        let job = job.as_mut().expect("the job is there");
        let before = [101, 102].into_iter();
        let drawn: Vec<_> = before.chain(job.drawn.last().copied()).collect();
        job.drawn = BoundedVec::truncate_from(drawn);
    });
}

/// Hands a report to the pallet, all or nothing as the pallet of operators does.
pub fn report(operator: AccountId, report: Report) -> DispatchResult {
    frame_support::storage::with_storage_layer(|| {
        <Jobs as Duties<_>>::handle(&operator, &report).expect("a report of this pallet")
    })
}

pub fn job(id: &JobId) -> Job<AccountId> {
    pallet_jobs::Jobs::<Test>::get(id).expect("the job is not pruned")
}

pub fn state(id: &JobId) -> JobState<AccountId> {
    job(id).state
}

/// The settlement of a job that is over.
pub fn settlement(id: &JobId) -> Settlement<AccountId> {
    match state(id) {
        JobState::Settled(settlement) => settlement,
        state => panic!("not settled: {state:?}"),
    }
}

pub fn reserved(operator: AccountId, id: &JobId) -> Balance {
    <Operators as assay_primitives::traits::Operators<_>>::reserved(&operator, Duty::Run(*id))
}

pub fn now() -> BlockNumber {
    Jobs::now()
}

/// Ends this block, with all the weight that is needed for its deadlines, and begins the next ones.
pub fn run_blocks(count: u32) {
    for _ in 0..count {
        Jobs::on_idle(now().into(), Weight::MAX);
        skip_block();
    }
}

/// Begins the next block without work on deadlines in this one.
pub fn skip_block() {
    let next = now() + 1;
    System::set_block_number(next.into());
    Jobs::on_initialize(next.into());
}

pub fn run_to(block: BlockNumber) {
    run_blocks(block.saturating_sub(now()));
}

/// Begins blocks up to this one without work on deadlines.
pub fn skip_to(block: BlockNumber) {
    while now() < block {
        skip_block();
    }
}

/// All that the account has.
pub fn wealth(who: AccountId) -> Balance {
    Balances::free_balance(who) + Balances::reserved_balance(who)
}

pub fn events() -> Vec<Event<Test>> {
    System::events()
        .into_iter()
        .filter_map(|record| match record.event {
            RuntimeEvent::Jobs(event) => Some(event),
            _ => None,
        })
        .collect()
}

pub fn last_event() -> Event<Test> {
    events().pop().expect("this pallet has deposited an event")
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
    Delivered::take();
    Faults::take();
    let endowed = [CLIENT, OTHER_CLIENT, KEEPER, NEWCOMER].into_iter().chain(OPERATORS);
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

/// Runs the test with four operators that serve model 1, then checks the invariants.
pub fn with_jobs<R>(test: impl FnOnce() -> R) -> R {
    new_test_ext().execute_with(|| {
        for stash in OPERATORS {
            serve(stash, model(1), PRICE, CONTEXT, STAKE);
        }
        let result = test();
        check_state();
        result
    })
}

/// The pallet's invariants; and that what is on hold is what escrows and operators say.
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
        let reserved: Balance = pallet_jobs::Jobs::<Test>::iter_keys()
            .map(|id| Operators::reserved(&operator, Duty::Run(id)))
            .sum();
        assert_eq!(record.reserved, reserved, "reservations of operator {operator}");
    }
}
