// SPDX-License-Identifier: Apache-2.0
//! The steps of an audit, and what can be seen of it.

use super::*;
use crate::{
    types::{Audit, Offence, PanelFailure, Phase, Stage},
    Event,
};
use assay_primitives::{
    job::{FinishReason, JobId, JobSpec, JobState, OutputCommitment},
    publication::Part,
    report::Report,
    settlement::{AuditOutcome, Settlement},
    traits::Duties,
    verdict::{verdict_hash, Verdict},
    AbstainReason, RejectReason, VacateReason,
};
use frame_support::{traits::Hooks, weights::Weight};
use sp_core::H256;
use sp_runtime::{
    traits::{BlakeTwo256, Hash},
    DispatchResult,
};

/// The request of every job.
pub const REQUEST: &[u8] = b"In the beginning";
/// The transcript of every job.
pub const TRANSCRIPT: &[u8] = b"God created the heaven and the earth.";
/// The digest root of every job.
pub const ROOT: H256 = H256::repeat_byte(9);

/// Returns what operators commit to.
pub fn commitment() -> OutputCommitment {
    OutputCommitment {
        output_hash: BlakeTwo256::hash(TRANSCRIPT),
        digest_commitment: BlakeTwo256::hash(ROOT.as_bytes()),
        tokens: 20,
        finish: FinishReason::Length,
    }
}

/// Returns the specification of a job with the request.
pub fn spec() -> JobSpec<AccountId> {
    JobSpec { request_hash: BlakeTwo256::hash(REQUEST), ..assay_primitives::testing::spec() }
}

pub fn signed(who: AccountId) -> RuntimeOrigin {
    RuntimeOrigin::signed(who)
}

/// Returns all that the account has, on hold or not.
pub fn wealth(who: AccountId) -> Balance {
    Balances::free_balance(who) + Balances::reserved_balance(who)
}

pub fn accepts() -> Verdict {
    Verdict::Accept { digest_root: ROOT }
}

pub fn rejects() -> Verdict {
    Verdict::Reject { position: 4, reason: RejectReason::Integrity }
}

pub fn abstains() -> Verdict {
    Verdict::Abstain(AbstainReason::PayloadUnavailable)
}

/// Brings a job of [`CLIENT`] to Delivered in this block; returns it with its operator.
pub fn delivered() -> (JobId, AccountId) {
    delivered_for(CLIENT, spec())
}

pub fn delivered_for(client: AccountId, spec: JobSpec<AccountId>) -> (JobId, AccountId) {
    let id = Jobs::next_job_id(&client, &spec);
    Jobs::create(signed(client), spec, PAYMENT).unwrap();
    run_blocks(1);
    let JobState::Assigned { operator, .. } = state(&id) else { panic!("not assigned") };
    <Jobs as Duties<_>>::handle(&operator, &Report::Accept { job: id }).unwrap().unwrap();
    let report = Report::CommitOutput { job: id, commitment: commitment() };
    <Jobs as Duties<_>>::handle(&operator, &report).unwrap().unwrap();
    (id, operator)
}

/// Brings a job to Delivered that is not drawn for an audit, of an operator with a long record; returns it
/// with its operator. What the parties have before it is what [`before`] returns.
pub fn waived() -> (JobId, AccountId) {
    for operator in OPERATORS {
        crate::Records::<Test>::insert(operator, 1_000 * crate::WHOLE);
    }
    loop {
        let known = [CLIENT, KEEPER].into_iter().chain(OPERATORS);
        let wealth = known.map(|who| (who, wealth(who))).collect();
        let required = JobSpec { verification: assay_primitives::Verification::Required, ..spec() };
        let (id, operator) = delivered_for(CLIENT, required);
        run_blocks(2);
        if is_over(&id) {
            Before::set(wealth);
            return (id, operator);
        }
        judge(id, |_| accepts());
        crate::Records::<Test>::insert(operator, 1_000 * crate::WHOLE);
    }
}

/// Runs the blocks up to the draw that the audit waits for, and that of the draw.
pub fn run_to_draw(id: &JobId) {
    let Phase::Drawing { at } = phase(id) else { panic!("no draw is due") };
    run_blocks(at - now());
}

/// Returns what the account had before the job that [`waived`] returned.
pub fn before(who: AccountId) -> Balance {
    Before::get()[&who]
}

/// Brings a job before a committee that is drawn in this block; returns it with its operator and
/// the committee.
pub fn drawn() -> (JobId, AccountId, Vec<AccountId>) {
    let (id, operator) = delivered();
    run_blocks(2);
    let committee = Verification::committee(&id);
    assert_eq!(committee.len(), 3, "a committee was drawn");
    (id, operator, committee)
}

/// Lets the verifiers of a job commit to these verdicts; returns it with its operator and the
/// committee.
pub fn committed(verdicts: [Verdict; 3]) -> (JobId, AccountId, Vec<AccountId>) {
    let (id, operator, committee) = drawn();
    for (verifier, verdict) in committee.iter().zip(verdicts) {
        commit(*verifier, id, verdict).unwrap();
    }
    (id, operator, committee)
}

/// Lets the verifiers of a job reveal these verdicts; returns it with its operator and the
/// committee.
pub fn revealed(verdicts: [Verdict; 3]) -> (JobId, AccountId, Vec<AccountId>) {
    let (id, operator, committee) = committed(verdicts);
    for (verifier, verdict) in committee.iter().zip(verdicts) {
        reveal(*verifier, id, verdict).unwrap();
    }
    (id, operator, committee)
}

/// Returns the salt of a verifier.
pub fn salt(verifier: AccountId) -> H256 {
    H256::from_low_u64_be(verifier)
}

/// Returns the draw in which the verifier got its seat.
pub fn draw_of(verifier: AccountId, id: &JobId) -> u8 {
    let audit = crate::Audits::<Test>::get(id);
    let seats = audit.map(|audit| audit.seats).unwrap_or_default();
    seats.iter().find(|seat| seat.verifier == verifier).map_or(0, |seat| seat.draw)
}

pub fn hash_of(verifier: AccountId, id: JobId, verdict: Verdict) -> H256 {
    verdict_hash(&id, draw_of(verifier, &id), &verifier, &verdict, &salt(verifier))
}

/// Lets the verifier of each seat commit to the verdict of its place and reveal it.
pub fn judge(id: JobId, verdict: impl Fn(usize) -> Verdict) -> Vec<AccountId> {
    let panel = Verification::committee(&id);
    for (place, verifier) in panel.iter().enumerate() {
        commit(*verifier, id, verdict(place)).unwrap();
    }
    for (place, verifier) in panel.iter().enumerate() {
        reveal(*verifier, id, verdict(place)).unwrap();
    }
    panel
}

/// Brings a job before a jury because its committee has revealed these verdicts; returns it with its
/// operator, the committee and the jury.
pub fn appealed(verdicts: [Verdict; 3]) -> (JobId, AccountId, Vec<AccountId>, Vec<AccountId>) {
    let (id, operator, committee) = revealed(verdicts);
    run_blocks(2);
    let jury = Verification::committee(&id);
    (id, operator, committee, jury)
}

/// Brings a job to the phase in which its operator has to publish, because nobody could fetch anything;
/// returns it with its operator.
pub fn producing() -> (JobId, AccountId) {
    let (id, operator, _, _) = appealed([abstains(); 3]);
    judge(id, |_| abstains());
    (id, operator)
}

/// Publishes a payload of the job in chunks of that many bytes.
pub fn publish(
    who: AccountId,
    id: JobId,
    part: Part,
    payload: &[u8],
    size: usize,
) -> DispatchResult {
    let chunks: Vec<_> = payload.chunks(size).collect();
    for (index, chunk) in chunks.iter().enumerate() {
        let last = index + 1 == chunks.len();
        publish_chunk(who, id, part, index as u32, last, chunk)?;
    }
    Ok(())
}

pub fn publish_chunk(
    who: AccountId,
    id: JobId,
    part: Part,
    index: u32,
    last: bool,
    bytes: &[u8],
) -> DispatchResult {
    let bytes = bytes.to_vec().try_into().unwrap();
    frame_support::storage::with_storage_layer(|| {
        Verification::publish(signed(who), id, part, index, last, bytes)
            .map(|_| ())
            .map_err(|error| error.error)
    })
}

pub fn vacate(verifier: AccountId, job: JobId) -> DispatchResult {
    report(verifier, Report::Vacate { job, reason: VacateReason::Resource })
}

pub fn commit(verifier: AccountId, job: JobId, verdict: Verdict) -> DispatchResult {
    report(verifier, Report::CommitVerdict { job, hash: hash_of(verifier, job, verdict) })
}

pub fn reveal(verifier: AccountId, job: JobId, verdict: Verdict) -> DispatchResult {
    report(verifier, Report::RevealVerdict { job, verdict, salt: salt(verifier) })
}

/// Hands a report to the pallet, all or nothing, as the pallet of operators does.
pub fn report(verifier: AccountId, report: Report) -> DispatchResult {
    frame_support::storage::with_storage_layer(|| {
        <Verification as Duties<_>>::handle(&verifier, &report).expect("a report of this pallet")
    })
}

pub fn audit(id: &JobId) -> Audit<AccountId> {
    crate::Audits::<Test>::get(id).expect("the audit is open")
}

pub fn phase(id: &JobId) -> Phase {
    audit(id).phase
}

pub fn is_over(id: &JobId) -> bool {
    !crate::Audits::<Test>::contains_key(id)
}

pub fn state(id: &JobId) -> JobState<AccountId> {
    pallet_jobs::Jobs::<Test>::get(id).expect("the job is not pruned").state
}

/// Returns the settlement of a job that is over.
pub fn settlement(id: &JobId) -> Settlement<AccountId> {
    match state(id) {
        JobState::Settled(settlement) => settlement,
        state => panic!("not settled: {state:?}"),
    }
}

pub fn reserved(verifier: AccountId, id: &JobId) -> Balance {
    Operators::reserved(&verifier, Duty::Verify(*id))
}

pub fn now() -> BlockNumber {
    Verification::now()
}

/// Ends this block and begins the next ones.
pub fn run_blocks(count: u32) {
    for _ in 0..count {
        Jobs::on_idle(now().into(), Weight::MAX);
        Verification::on_idle(now().into(), Weight::MAX);
        let next = now() + 1;
        System::set_block_number(next.into());
        Beacon::on_initialize(next.into());
        Jobs::on_initialize(next.into());
        Verification::on_initialize(next.into());
    }
}

/// Begins the next blocks without the hooks of jobs and of this pallet.
pub fn skip_blocks(count: u32) {
    for _ in 0..count {
        let next = now() + 1;
        System::set_block_number(next.into());
        Beacon::on_initialize(next.into());
    }
}

pub fn events() -> Vec<Event<Test>> {
    System::read_events_for_pallet()
}

/// Returns the panels that could not decide, each with the cause.
pub fn failures() -> Vec<(Stage, PanelFailure)> {
    let failure = |event| match event {
        Event::PanelFailed { stage, failure, .. } => Some((stage, failure)),
        _ => None,
    };
    events().into_iter().filter_map(failure).collect()
}

/// Returns the outcomes of audits, each with the verifiers that found it.
pub fn conclusions() -> Vec<(AuditOutcome, Vec<AccountId>)> {
    let conclusion = |event| match event {
        Event::AuditConcluded { outcome, verifiers, .. } => Some((outcome, verifiers)),
        _ => None,
    };
    events().into_iter().filter_map(conclusion).collect()
}

/// Returns the slashes: verifier, offence and amount.
pub fn slashes() -> Vec<(AccountId, Offence, Balance)> {
    let slash = |event| match event {
        Event::VerifierSlashed { verifier, offence, amount, .. } => {
            Some((verifier, offence, amount))
        }
        _ => None,
    };
    events().into_iter().filter_map(slash).collect()
}
