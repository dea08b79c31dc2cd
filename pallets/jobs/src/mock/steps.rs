// SPDX-License-Identifier: Apache-2.0
//! The steps of a job, and what can be seen of it.

use super::*;
use crate::{types::Job, Event};
use assay_primitives::{
    job::{FinishReason, JobSpec, JobState, OutputCommitment},
    report::Report,
    settlement::Settlement,
    traits::Duties,
    BlockNumber,
};
use frame_support::{traits::Hooks, weights::Weight, BoundedVec};
use sp_core::H256;
use sp_runtime::DispatchResult;

/// The output hash that every commitment names.
pub const OUTPUT_HASH: H256 = H256::repeat_byte(2);

/// Returns a commitment to an output of `tokens`.
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

/// Lets all operators ask these prices.
pub fn ask(prices: Prices) {
    for stash in OPERATORS {
        let offer = pallet_operators::Offer::unlimited(model(1), prices, CONTEXT);
        Operators::set_offers(signed(stash), BoundedVec::truncate_from(vec![offer])).unwrap();
    }
}

/// Brings a job to Assigned; returns it with its operator.
pub fn assigned() -> (JobId, AccountId) {
    let id = order();
    skip_block();
    let JobState::Assigned { operator, .. } = state(&id) else { panic!("not assigned") };
    (id, operator)
}

/// Brings a job to Running; returns it with its operator.
pub fn running() -> (JobId, AccountId) {
    let (id, operator) = assigned();
    report(operator, Report::Accept { job: id }).unwrap();
    (id, operator)
}

/// Brings a job to Delivered with an output of `tokens`; returns it with its operator.
pub fn delivered(tokens: u32) -> (JobId, AccountId) {
    let (id, operator) = running();
    let report_ = Report::CommitOutput { job: id, commitment: commitment(tokens) };
    report(operator, report_).unwrap();
    (id, operator)
}

/// Makes the attempt of the job's operator its last one.
pub fn spend_attempts(id: &JobId) {
    pallet_jobs::Jobs::<Test>::mutate(id, |job| {
        let job = job.as_mut().expect("the job is there");
        let before = [101, 102].into_iter();
        let drawn: Vec<_> = before.chain(job.drawn.last().copied()).collect();
        job.drawn = BoundedVec::truncate_from(drawn);
    });
}

/// Hands a report to the pallet, all or nothing, as the pallet of operators does.
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

/// Returns the settlement of a job that is over.
pub fn settlement(id: &JobId) -> Settlement<AccountId> {
    match state(id) {
        JobState::Settled(settlement) => settlement,
        state => panic!("not settled: {state:?}"),
    }
}

pub fn reserved(operator: AccountId, id: &JobId) -> Balance {
    use assay_primitives::traits::Operators as _;
    Operators::reserved(&operator, Duty::Run(*id))
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

/// Returns all that the account has, on hold or not.
pub fn wealth(who: AccountId) -> Balance {
    Balances::free_balance(who) + Balances::reserved_balance(who)
}

pub fn events() -> Vec<Event<Test>> {
    System::read_events_for_pallet()
}

pub fn last_event() -> Event<Test> {
    events().pop().expect("this pallet has deposited an event")
}
