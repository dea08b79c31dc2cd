// SPDX-License-Identifier: Apache-2.0
//! A runtime with this pallet alone: operators, jobs and randomness are in the hands of the test.

use crate as pallet_routing;
use crate::{
    fixed::{Billionths, ONE},
    markets::StoredTree,
    score::Params,
    tree,
    types::{Buffer, Kind, MemberOf, Served},
    Event,
};
use assay_primitives::{
    api::Allocation,
    report::heartbeat_answer,
    traits::{
        BlockRandomness, Drawn, Duties, Eligible, Offered, OperatorChanged, Performance as _,
        Routing as _, Standing, Standings,
    },
    Balance, BlockNumber, ModelId, Report,
};
use frame_support::{
    derive_impl, parameter_types,
    storage::with_storage_layer,
    traits::{ConstU32, Hooks},
    weights::Weight,
};
use sp_core::H256;
use sp_runtime::{BuildStorage, DispatchResult, Permill};
use std::collections::BTreeMap;

pub type AccountId = u64;

/// The operators of most tests.
pub const OPERATORS: [AccountId; 4] = [11, 12, 13, 14];
/// The most that counts of a stake.
pub const CAP: Balance = 1_000_000;
pub const MIN_STAKE: Balance = 1_000;
/// What the operators stake.
pub const STAKE: Balance = 100_000;
pub const PRICE: Balance = 5;
/// The longest context that they offer.
pub const CONTEXT: u32 = 200;
pub const LENGTH: BlockNumber = 20;
pub const WINDOW: BlockNumber = 5;

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
    pub type Routing = pallet_routing;
}

type Block = frame_system::mocking::MockBlock<Test>;

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = Block;
    type BlockHashCount = frame_support::traits::ConstU64<100>;
}

/// What scores are reckoned with here.
pub const PARAMS: Params = Params::even(MIN_STAKE, CAP);

parameter_types! {
    /// What scores are reckoned with.
    pub static Parameters: Params = PARAMS;
    pub static EpochLength: BlockNumber = LENGTH;
    pub static HeartbeatWindow: BlockNumber = WINDOW;
    /// No operator is given a larger part of the jobs.
    pub static CapShare: Permill = Permill::from_percent(20);
    pub static CapMinimum: u32 = 1_000;
    pub static MaxOperators: u32 = 64;
    pub static MaxVisits: u32 = 4;
    pub static MaxTries: u32 = 4;
    /// The randomness of the parent block.
    pub static ParentRandomness: Option<H256> = Some(H256::repeat_byte(7));
    /// How the operators stand.
    pub static Stands: BTreeMap<AccountId, Standing> = BTreeMap::new();
}

impl Standings<AccountId> for Stands {
    fn standing(operator: &AccountId) -> Option<Standing> {
        Self::get().get(operator).cloned()
    }
}

impl pallet_routing::Config for Test {
    type Operators = Stands;
    type Randomness = ParentRandomness;
    type Parameters = Parameters;
    type EpochLength = EpochLength;
    type HeartbeatWindow = HeartbeatWindow;
    type MaxMisses = ConstU32<3>;
    type CapShare = CapShare;
    type CapMinimum = CapMinimum;
    type BlockMillis = ConstU32<3_000>;
    type MaxOperators = MaxOperators;
    type MaxModels = ConstU32<3>;
    type MaxVisits = MaxVisits;
    type MaxTries = MaxTries;
    type WeightInfo = ();
}

impl BlockRandomness for ParentRandomness {
    fn of_parent() -> Option<H256> {
        Self::get()
    }
}

pub fn model(n: u64) -> ModelId {
    ModelId::from_low_u64_be(n)
}

pub fn seed(n: u64) -> H256 {
    H256::from_low_u64_be(n)
}

/// An operator that serves these models.
pub fn serve(operator: AccountId, stake: Balance, models: &[ModelId]) {
    let models = models.iter().map(|model| Offered { model: *model, context: CONTEXT }).collect();
    stand(operator, Some(Standing { stake, models, active: true }));
}

/// The operator stands like this now, and the pallet is told.
pub fn stand(operator: AccountId, standing: Option<Standing>) {
    set_standing(operator, standing.clone());
    Routing::changed(&operator, standing);
}

/// The operator stands like this now, and the pallet is not told.
pub fn set_standing(operator: AccountId, standing: Option<Standing>) {
    Stands::mutate(|all| match standing {
        Some(standing) => all.insert(operator, standing),
        None => all.remove(&operator),
    });
}

pub fn drain(operator: AccountId) {
    let member = member(operator);
    let offered = |served: &Served| Offered { model: served.model, context: served.context };
    let models = member.served.iter().map(offered).collect();
    stand(operator, Some(Standing { stake: member.stake, models, active: false }));
}

pub fn leave(operator: AccountId) {
    stand(operator, None);
}

pub fn member(operator: AccountId) -> MemberOf<Test> {
    pallet_routing::Members::<Test>::get(operator).expect("a member")
}

pub fn epoch() -> crate::Epoch {
    pallet_routing::CurrentEpoch::<Test>::get()
}

pub fn allocation(operator: AccountId) -> Allocation<AccountId> {
    Routing::allocation(model(1), operator).expect("it serves model 1")
}

pub fn score(operator: AccountId) -> u64 {
    allocation(operator).score
}

/// Anyone can take it, and nobody is busy.
pub fn anyone(_: &AccountId) -> Option<Eligible> {
    Some(Eligible { price: PRICE, running: 0 })
}

/// Who takes a job of model 1.
pub fn draw(n: u64) -> Option<AccountId> {
    Routing::draw(&model(1), seed(n), &[], anyone).map(|drawn: Drawn<AccountId>| drawn.operator)
}

/// Who wins how many of `count` draws.
pub fn wins(count: u64) -> BTreeMap<AccountId, u32> {
    let mut wins = BTreeMap::new();
    for winner in (0..count).filter_map(draw) {
        *wins.entry(winner).or_default() += 1;
    }
    wins
}

pub fn now() -> BlockNumber {
    Routing::now()
}

/// The hash of a block here.
pub fn hash_of(block: BlockNumber) -> H256 {
    H256::from_low_u64_be(u64::from(block) + 1_000)
}

/// Begins the next block; gives the weight that the pallet reports.
pub fn next_block() -> Weight {
    let parent = now();
    let next = u64::from(parent) + 1;
    frame_system::BlockHash::<Test>::insert(u64::from(parent), hash_of(parent));
    System::set_block_number(next);
    Routing::on_initialize(next)
}

/// Begins blocks, and sends the heartbeats of those operators that are due.
pub fn run_blocks(count: BlockNumber, alive: &[AccountId]) {
    for _ in 0..count {
        let reports: Vec<_> = alive
            .iter()
            .flat_map(|operator| {
                Routing::reports(operator, &[]).into_iter().map(|it| (*operator, it))
            })
            .collect();
        next_block();
        for (operator, report) in reports {
            // What a silent operator sends is void if another epoch begins before it arrives, and
            // so is what one sends that is found inactive in that very block.
            let member = member(operator);
            let void = !member.active || (member.silent && epoch().started == now());
            assert!(handle(operator, &report).is_ok() || void, "{report:?} of {operator}");
        }
    }
}

/// Runs to the first block of the next epoch.
pub fn run_epoch(alive: &[AccountId]) {
    let index = epoch().index;
    for _ in 0..1_000 {
        if epoch().index > index {
            return;
        }
        run_blocks(1, alive);
    }
    panic!("epoch {index} does not end");
}

pub fn run_epochs(count: u32, alive: &[AccountId]) {
    for _ in 0..count {
        run_epoch(alive);
    }
}

/// Hands a report to the pallet, all or nothing as the pallet of operators does.
pub fn handle(operator: AccountId, report: &Report) -> DispatchResult {
    with_storage_layer(|| Routing::handle(&operator, report).expect("a report of this pallet"))
}

/// The heartbeat that names that block.
pub fn heartbeat(operator: AccountId, at: BlockNumber) -> Report {
    let answer = heartbeat_answer(&epoch().challenge, &operator, at, &hash_of(at));
    Report::Heartbeat { at, answer }
}

/// The operator delivers so many tokens of model 1 at that many tokens per block.
pub fn deliver(operator: AccountId, tokens: u32, blocks: BlockNumber) {
    Routing::delivered(&operator, &model(1), tokens, blocks);
}

pub fn events() -> Vec<Event<Test>> {
    System::events()
        .into_iter()
        .filter_map(|record| match record.event {
            RuntimeEvent::Routing(event) => Some(event),
            _ => None,
        })
        .collect()
}

/// The part of `whole` in billionths.
pub fn part(part: u64, whole: u64) -> Billionths {
    crate::fixed::ratio(part.into(), whole.into())
}

pub fn new_test_ext() -> sp_io::TestExternalities {
    Parameters::set(PARAMS);
    EpochLength::set(LENGTH);
    HeartbeatWindow::set(WINDOW);
    CapShare::set(Permill::from_percent(20));
    CapMinimum::set(1_000);
    MaxOperators::set(64);
    MaxVisits::set(4);
    MaxTries::set(4);
    ParentRandomness::set(Some(H256::repeat_byte(7)));
    Stands::take();
    let storage = RuntimeGenesisConfig::default().build_storage().unwrap();
    let mut ext = sp_io::TestExternalities::new(storage);
    ext.execute_with(|| System::set_block_number(0));
    ext
}

/// Runs the test in the first block with four operators that serve model 1, then checks the
/// invariants.
pub fn with_operators<R>(test: impl FnOnce() -> R) -> R {
    new_test_ext().execute_with(|| {
        for operator in OPERATORS {
            serve(operator, STAKE, &[model(1)]);
        }
        next_block();
        let result = test();
        check_state().unwrap();
        result
    })
}

/// The same without operators.
pub fn with_nobody<R>(test: impl FnOnce() -> R) -> R {
    new_test_ext().execute_with(|| {
        next_block();
        let result = test();
        check_state().unwrap();
        result
    })
}

/// The pallet's invariants; and that stakes in the trees are those of the records, and that nobody
/// with a stake and an uptime is without a score, which in a runtime holds but while parameters
/// change.
pub fn check_state() -> Result<(), sp_runtime::TryRuntimeError> {
    Routing::do_try_state()?;
    for (operator, member) in crate::Members::<Test>::iter() {
        for served in &member.served {
            let stakes = StoredTree::<Test>::new(&served.model, Kind::Stakes);
            let stake = member.backed(&Parameters::get());
            assert_eq!(tree::leaf(&stakes, member.slot), stake, "stake of {operator}");
            for buffer in Buffer::ALL {
                let score = Routing::score_in(&served.model, buffer, member.slot);
                let scores = stake > 0 && member.uptime > ONE / 100;
                assert!(score > 0 || !scores, "{operator} has lost its score");
            }
        }
    }
    Ok(())
}

/// [`crate::Config::MaxTries`] here.
pub fn max_tries() -> u32 {
    MaxTries::get()
}
