// SPDX-License-Identifier: Apache-2.0
//! A runtime with balances, sessions and this pallet; duties that reserve real stake; an engine and
//! a transaction pool that only record.

use crate as pallet_operators;
use crate::{Nonce, Offer, OffersOf, SubmitReports};
use assay_primitives::{
    contact::SignedContact,
    traits::{Duties, Duty, OperatorChanged, Operators as OperatorsTrait, Standing},
    worker::sr25519::WorkerId,
    Balance, Capabilities, Engine, EngineResult, JobId, ModelId, PeerIdBytes, Report, Sampling,
    Task, Work,
};
use frame_support::{
    derive_impl, parameter_types,
    traits::{ConstU32, Imbalance},
    weights::Weight,
    BoundedVec, PalletId,
};
use frame_system::EnsureRoot;
use sp_application_crypto::ByteArray;
use sp_core::{ed25519, Pair};
use sp_keystore::{testing::MemoryKeystore, KeystoreExt};
use sp_runtime::{
    impl_opaque_keys,
    testing::UintAuthorityId,
    traits::{ConstU64, ConvertInto},
    BuildStorage, DispatchError, DispatchResult, Perbill,
};
use sp_staking::{
    offence::{OffenceDetails, OnOffenceHandler},
    SessionIndex,
};
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
/// Blocks until what is unbonded can be withdrawn.
pub const UNBONDING: u64 = 20;
/// Blocks in which a slash can be cancelled.
pub const SLASH_DELAY: u64 = 8;
/// What a duty of [`MockDuties`] reserves.
pub const JOB_BOND: Balance = 300;

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
    pub type Session = pallet_session;
    #[runtime::pallet_index(3)]
    pub type Operators = pallet_operators;
}

type Block = frame_system::mocking::MockBlock<Test>;

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = Block;
    type AccountData = pallet_balances::AccountData<Balance>;
}

parameter_types! {
    pub const ExistentialDeposit: Balance = EXISTENTIAL_DEPOSIT;
    pub const MinBond: Balance = MIN_BOND;
    pub const KeyDeposit: Balance = 0;
    pub const MinDelegation: Balance = MIN_DELEGATION;
    pub const VaultPalletId: PalletId = PalletId(*b"vault   ");
    pub const MaxCommissionRaise: Perbill = Perbill::from_percent(10);
    /// Jobs that are assigned, each to its operator.
    pub static Assigned: Vec<(AccountId, JobId)> = vec![];
    /// The session of the last offence.
    pub static NextOffence: SessionIndex = 6;
    /// What the listener was told last of each operator.
    pub static Told: BTreeMap<AccountId, Option<Standing>> = BTreeMap::new();
    /// Whether the node has an engine.
    pub static HasEngine: bool = true;
    /// How much more the engine's queue takes.
    pub static QueueSpace: usize = usize::MAX;
    /// What the engine was asked to do.
    pub static Queue: Vec<Work> = vec![];
    /// What the engine has found.
    pub static Results: Vec<EngineResult> = vec![];
    /// How often the engine was asked for results.
    pub static Polls: u32 = 0;
    /// Whether the pool takes extrinsics.
    pub static PoolOpen: bool = true;
    /// The extrinsics that were sent.
    pub static Pool: Vec<Sent> = vec![];
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
    type Balance = Balance;
    type ExistentialDeposit = ExistentialDeposit;
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
    type KeyDeposit = KeyDeposit;
}

impl pallet_operators::Config for Test {
    type Currency = Balances;
    type RuntimeHoldReason = RuntimeHoldReason;
    type MinBond = MinBond;
    type UnbondingPeriod = ConstU32<{ UNBONDING as u32 }>;
    type PalletId = VaultPalletId;
    type MinDelegation = MinDelegation;
    type MaxDelegationPercent = ConstU32<400>;
    type MaxCommissionRaise = MaxCommissionRaise;
    type SlashDelay = ConstU32<{ SLASH_DELAY as u32 }>;
    type OffenceSessions = ConstU32<3>;
    type SlashCancelOrigin = EnsureRoot<AccountId>;
    type MaxSlashes = ConstU32<2>;
    type MaxCandidates = ConstU32<3>;
    type MaxOperators = ConstU32<4>;
    type MaxOffers = ConstU32<3>;
    type MaxUnbonding = ConstU32<2>;
    type MaxConcurrency = ConstU32<4>;
    type MaxReports = ConstU32<3>;
    type MaxFreeReports = ConstU32<4>;
    type MaxValidators = ConstU32<3>;
    type ReportPatience = ConstU32<5>;
    type Sessions = Session;
    type Listener = Told;
    type Duties = MockDuties;
    type Engine = RecordingEngine;
    type Submitter = RecordingSubmitter;
    type WeightInfo = ();
}

/// Remembers what it was told.
impl OperatorChanged<AccountId> for Told {
    fn changed(operator: &AccountId, standing: Option<Standing>) {
        Self::mutate(|all| all.insert(*operator, standing));
    }

    fn weight() -> Weight {
        Weight::from_parts(7, 7)
    }
}

/// Jobs to run: `Accept` reserves stake, `CommitOutput` releases it, `Decline` reserves some and
/// then fails.
pub struct MockDuties;
impl Duties<AccountId> for MockDuties {
    fn work(operator: &AccountId) -> Vec<Work> {
        let work = |job: JobId| match reservation(*operator, job) {
            Some(_) => Work::Generate { job, task: task() },
            None => Work::Prepare { job, task: task() },
        };
        assigned(*operator).into_iter().map(work).collect()
    }

    fn reports(operator: &AccountId, results: &[EngineResult]) -> Vec<Report> {
        let report = |result: &EngineResult| {
            let job = result.job();
            let accepted = reservation(*operator, job).is_some();
            match result {
                EngineResult::Ready { .. } => (!accepted).then_some(Report::Accept { job }),
                EngineResult::Generated { commitment, .. } => {
                    accepted.then_some(Report::CommitOutput { job, commitment: *commitment })
                }
                _ => None,
            }
        };
        results
            .iter()
            .filter(|result| assigned(*operator).contains(&result.job()))
            .filter_map(report)
            .collect()
    }

    fn weight_of(report: &Report) -> Option<Weight> {
        match report {
            Report::Accept { .. } => Some(Weight::from_parts(1_000, 10)),
            Report::CommitOutput { .. } => Some(Weight::from_parts(2_000, 20)),
            Report::Decline { .. } => Some(Weight::from_parts(4_000, 40)),
            _ => None,
        }
    }

    fn handle(operator: &AccountId, report: &Report) -> Option<DispatchResult> {
        match report {
            Report::Accept { job } => Some(Operators::reserve(operator, Duty::Run(*job), JOB_BOND)),
            Report::CommitOutput { job, .. } => {
                <Operators as OperatorsTrait<_>>::release(operator, Duty::Run(*job));
                Some(Ok(()))
            }
            Report::Decline { job, .. } => Some(
                Operators::reserve(operator, Duty::Verify(*job), JOB_BOND)
                    .and(Err(DispatchError::Other("declined"))),
            ),
            _ => None,
        }
    }
}

/// The jobs that are assigned to the operator.
fn assigned(operator: AccountId) -> Vec<JobId> {
    Assigned::get().into_iter().filter(|next| next.0 == operator).map(|next| next.1).collect()
}

/// What running the job reserves of the operator's stake.
pub fn reservation(operator: AccountId, job: JobId) -> Option<Balance> {
    pallet_operators::Reservations::<Test>::get(operator, Duty::Run(job))
        .map(|reservation| reservation.amount)
}

pub struct RecordingEngine;
impl Engine for RecordingEngine {
    fn capabilities() -> Option<Capabilities> {
        HasEngine::get().then(|| Capabilities { models: vec![model(1)] })
    }

    fn submit(work: Work) -> bool {
        let taken = QueueSpace::get() > Queue::get().len();
        if taken {
            Queue::mutate(|queue| queue.push(work));
        }
        taken
    }

    fn poll(max: u32) -> Vec<EngineResult> {
        Polls::mutate(|polls| *polls += 1);
        Results::get().into_iter().take(max as usize).collect()
    }
}

/// An extrinsic that was sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sent {
    pub worker: AccountId,
    pub public: WorkerId,
    pub reports: Vec<Report>,
    pub nonce: Nonce,
    pub tip: Balance,
}

pub struct RecordingSubmitter;
impl SubmitReports<AccountId, ConstU32<3>> for RecordingSubmitter {
    fn submit(
        worker: &AccountId,
        public: &WorkerId,
        reports: BoundedVec<Report, ConstU32<3>>,
        nonce: Nonce,
        tip: Balance,
    ) -> Result<(), ()> {
        let sent =
            Sent { worker: *worker, public: public.clone(), reports: reports.into(), nonce, tip };
        Pool::mutate(|pool| pool.push(sent));
        PoolOpen::get().then_some(()).ok_or(())
    }

    fn worker_account(public: &WorkerId) -> AccountId {
        let mut head = [0; 8];
        head.copy_from_slice(&public.as_slice()[..8]);
        AccountId::from_le_bytes(head)
    }
}

pub fn job(n: u64) -> JobId {
    JobId::from_low_u64_be(n)
}

pub fn model(n: u64) -> ModelId {
    ModelId::from_low_u64_be(n)
}

pub fn task() -> Task {
    Task {
        model: model(1),
        input_hash: Default::default(),
        input_tokens: 1,
        max_tokens: 1,
        seed: 0,
        sampling: Sampling::GREEDY,
        peer: PeerIdBytes::default(),
        deadline: 10,
    }
}

/// Offers of models, each as its number, price and context.
pub fn offers(offers: &[(u64, Balance, u32)]) -> OffersOf<Test> {
    let offer =
        |&(n, price, context): &(u64, Balance, u32)| Offer { model: model(n), price, context };
    offers.iter().map(offer).collect::<Vec<_>>().try_into().unwrap()
}

/// Registers the stash with the worker `stash + 100`, model 1 at the price 5 with a context of 100,
/// two jobs at a time.
pub fn register(stash: AccountId, bond: Balance) {
    let offers = offers(&[(1, 5, 100)]);
    let contact = contact(stash, b"");
    Operators::register(signed(stash), stash + 100, contact, offers, 2, bond).unwrap();
}

/// The network key of a node.
pub fn network_key() -> ed25519::Pair {
    ed25519::Pair::from_seed(&[7; 32])
}

/// The contact of [`network_key`] for the stash, at an address of those bytes, if there are any.
pub fn contact(stash: AccountId, address: &[u8]) -> SignedContact {
    let addresses = if address.is_empty() { vec![] } else { vec![address.to_vec()] };
    let addresses = addresses.into_iter().map(BoundedVec::truncate_from).collect::<Vec<_>>();
    let addresses = BoundedVec::truncate_from(addresses);
    SignedContact::new(&network_key(), addresses, &System::block_hash(0), &stash)
}

pub fn operator(stash: AccountId) -> pallet_operators::OperatorOf<Test> {
    pallet_operators::Operators::<Test>::get(stash).expect("the stash is an operator's")
}

pub fn signed(who: AccountId) -> RuntimeOrigin {
    RuntimeOrigin::signed(who)
}

pub fn delegate(who: AccountId, operator: AccountId, amount: Balance) {
    Operators::delegate(signed(who), operator, amount).unwrap();
}

/// What the account's delegation to the operator is worth, without what it takes back.
pub fn worth(who: AccountId, operator: AccountId) -> Balance {
    let all = Operators::delegations(&who);
    all.into_iter().find(|next| next.operator == operator).map_or(0, |next| next.worth)
}

/// Pays the operator newly made money.
pub fn reward(operator: AccountId, amount: Balance) {
    use frame_support::traits::fungible::Balanced;
    <Operators as OperatorsTrait<_>>::reward(&operator, Balances::issue(amount));
}

/// Takes that fraction of all that is at stake for the operator at once; gives what was burnt.
pub fn slash(stash: AccountId, fraction: Perbill) -> Balance {
    let mut record = operator(stash);
    let cut = Operators::pro_rata_cut(&record, fraction.mul_ceil(record.at_stake()));
    let burnt = Operators::slash(&stash, &mut record, cut).peek();
    Operators::rank(&stash, Some(&record));
    pallet_operators::Operators::<Test>::insert(stash, record);
    burnt
}

/// Reports an offence of the operator, each in a session of its own, from 7 on.
pub fn offend(offender: AccountId, fraction: Perbill, reporters: Vec<AccountId>) {
    let session = NextOffence::mutate(|next| {
        *next += 1;
        *next
    });
    offend_in(session, offender, fraction, reporters);
}

/// Reports an offence of the operator in that session.
pub fn offend_in(
    session: SessionIndex,
    offender: AccountId,
    fraction: Perbill,
    reporters: Vec<AccountId>,
) {
    let details = OffenceDetails { offender: (offender, ()), reporters };
    Operators::on_offence(&[details], &[fraction], session);
}

pub fn skip(blocks: u64) {
    System::set_block_number(System::block_number() + blocks);
}

pub fn burnt(action: impl FnOnce()) -> Balance {
    let before = Balances::total_issuance();
    action();
    before - Balances::total_issuance()
}

/// The money of the account that is not on hold.
pub fn free(who: AccountId) -> Balance {
    Balances::free_balance(who)
}

pub fn held(who: AccountId) -> Balance {
    Balances::reserved_balance(who)
}

/// The events of this pallet.
pub fn events() -> Vec<pallet_operators::Event<Test>> {
    System::events()
        .into_iter()
        .filter_map(|record| match record.event {
            RuntimeEvent::Operators(event) => Some(event),
            _ => None,
        })
        .collect()
}

pub fn last_event() -> pallet_operators::Event<Test> {
    events().pop().expect("this pallet has deposited an event")
}

/// The storage of genesis with this pallet's configuration.
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
