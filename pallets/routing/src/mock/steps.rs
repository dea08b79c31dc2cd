// SPDX-License-Identifier: Apache-2.0
//! Steps of operators and blocks, and the visible state of the pallet.

use super::*;
use crate::{
    fixed::Billionths,
    types::{MemberOf, Served},
    Event,
};
use assay_primitives::{
    api::Allocation,
    report::heartbeat_answer,
    traits::{Drawn, Duties, Eligible, Offered, OperatorChanged, Performance as _, Routing as _},
    ModelId, Report,
};
use frame_support::{storage::with_storage_layer, traits::Hooks, weights::Weight};
use sp_core::H256;
use sp_runtime::DispatchResult;

pub fn seed(n: u64) -> H256 {
    H256::from_low_u64_be(n)
}

/// Makes the account an operator that serves these models.
pub fn serve(operator: AccountId, stake: Balance, models: &[ModelId]) {
    let models = models
        .iter()
        .map(|model| Offered { model: *model, context: CONTEXT, prices: PRICES })
        .collect();
    stand(operator, Some(Standing { stake, models, active: true }));
}

/// Changes the operator's standing, and tells the pallet.
pub fn stand(operator: AccountId, standing: Option<Standing>) {
    set_standing(operator, standing.clone());
    Routing::changed(&operator, standing);
}

/// Changes the operator's standing without telling the pallet.
pub fn set_standing(operator: AccountId, standing: Option<Standing>) {
    Stands::mutate(|all| match standing {
        Some(standing) => all.insert(operator, standing),
        None => all.remove(&operator),
    });
}

pub fn drain(operator: AccountId) {
    let member = member(operator);
    let offered = |served: &Served| {
        let Served { model, context, prices, .. } = *served;
        Offered { model, context, prices }
    };
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

/// Lets any operator take a job; none is busy.
pub fn anyone(_: &AccountId) -> Option<Eligible> {
    Some(Eligible { prices: PRICES, running: 0 })
}

/// Returns the operator that takes a job of model 1.
pub fn draw(n: u64) -> Option<AccountId> {
    Routing::draw(&model(1), seed(n), &[], anyone).map(|drawn: Drawn<AccountId>| drawn.operator)
}

/// Returns how many of `count` draws each operator wins.
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

/// Returns the hash of a block here.
pub fn hash_of(block: BlockNumber) -> H256 {
    H256::from_low_u64_be(u64::from(block) + 1_000)
}

/// Begins the next block; returns the weight that the pallet reports.
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
            // A silent operator's heartbeat is void if another epoch begins before it arrives, and
            // so is the one of an operator that is found inactive in that very block.
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

/// Hands a report to the pallet, all or nothing, as the pallet of operators does.
pub fn handle(operator: AccountId, report: &Report) -> DispatchResult {
    with_storage_layer(|| Routing::handle(&operator, report).expect("a report of this pallet"))
}

/// Returns the heartbeat that names that block.
pub fn heartbeat(operator: AccountId, at: BlockNumber) -> Report {
    let answer = heartbeat_answer(&epoch().challenge, &operator, at, &hash_of(at));
    Report::Heartbeat { at, answer }
}

/// Lets the operator deliver `tokens` of model 1 in that many blocks, for a fee of one for each.
pub fn deliver(operator: AccountId, tokens: u32, blocks: BlockNumber) {
    Routing::delivered(&operator, &model(1), tokens, blocks, tokens.into());
}

pub fn events() -> Vec<Event<Test>> {
    System::read_events_for_pallet()
}

/// Returns the part of `whole` in billionths.
pub fn part(part: u64, whole: u64) -> Billionths {
    crate::fixed::ratio(part.into(), whole.into())
}
