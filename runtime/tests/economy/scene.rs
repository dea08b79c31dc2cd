// SPDX-License-Identifier: Apache-2.0
//! The chain on which attacks are played, and the steps of a job on it.

use crate::{blocks, chain, tickets};
use assay_primitives::{
    job::{JobSpec, JobState, Payment},
    settlement::Settlement,
    verdict_hash, FinishReason, JobId, OutputCommitment, Prices, RejectReason, Report, Verdict,
    Verification,
};
use assay_runtime::{
    parameters::{dynamic_params::verification, RuntimeParametersKey, RuntimeParametersValue},
    presets, AccountId, Balance, Balances, Jobs, Operators, Runtime, RuntimeOrigin,
};
use frame_support::{
    assert_ok,
    traits::fungible::{Inspect, InspectHold},
};
use pallet_operators::{Offer, OffersOf};
use pallet_verification::{Audits, Phase, Records, Stage, WHOLE};
use sp_core::H256;
use sp_crypto_hashing::blake2_256;
use sp_keyring::Sr25519Keyring;
use sp_runtime::Permill;

/// The digest root of every output.
const DIGEST_ROOT: H256 = H256::repeat_byte(9);

/// Runs the test on the development preset, from its first block on.
pub fn on_chain<R>(test: impl FnOnce() -> R) -> R {
    let mut chain = sp_io::TestExternalities::new(chain::genesis(presets::development()));
    chain.execute_with(|| {
        next_block();
        test()
    })
}

/// Begins the next block, in which the heartbeats of all operators arrive.
pub fn next_block() {
    blocks::next_block(&operators());
}

/// Returns the operators.
pub fn operators() -> Vec<AccountId> {
    presets::DEVELOPMENT_OPERATORS.iter().map(|stash| stash.to_account_id()).collect()
}

/// Returns the client, which is not an operator.
pub fn client() -> AccountId {
    Sr25519Keyring::Ferdie.to_account_id()
}

/// Returns all that the accounts have, on hold or not.
pub fn wealth<'a>(accounts: impl IntoIterator<Item = &'a AccountId>) -> Balance {
    let of = |who: &AccountId| {
        <Balances as Inspect<AccountId>>::balance(who)
            + <Balances as InspectHold<AccountId>>::total_balance_on_hold(who)
    };
    accounts.into_iter().map(of).sum()
}

/// Returns the specification of a job of the built-in model.
pub fn spec(input_tokens: u32, max_tokens: u32) -> JobSpec<AccountId> {
    JobSpec {
        model: presets::TINY_MODEL,
        input_tokens,
        max_tokens,
        deadline: 100,
        verification: Verification::Required,
        ..assay_primitives::testing::spec()
    }
}

/// Lets the operator ask these prices for the built-in model.
pub fn ask(operator: &AccountId, prices: Prices) {
    let offer = Offer::unlimited(presets::TINY_MODEL, prices, presets::TINY_CONTEXT);
    let offers = OffersOf::<Runtime>::truncate_from(vec![offer]);
    assert_ok!(Operators::set_offers(RuntimeOrigin::signed(operator.clone()), offers));
}

/// Creates a job of the client.
pub fn create(spec: JobSpec<AccountId>, payment: Payment) -> JobId {
    let id = Jobs::next_job_id(&client(), &spec);
    assert_ok!(Jobs::create(RuntimeOrigin::signed(client()), spec, payment));
    id
}

/// Returns the payment that the chain quotes for a job.
pub fn quoted(spec: &JobSpec<AccountId>) -> Payment {
    Jobs::quote(&spec.model, spec.input_tokens, spec.max_tokens).unwrap().payment
}

pub fn state(job: &JobId) -> JobState<AccountId> {
    Jobs::view(job).unwrap().state
}

/// Returns the settlement of a job that is over.
pub fn settlement(job: &JobId) -> Settlement<AccountId> {
    match state(job) {
        JobState::Settled(settlement) => settlement,
        state => panic!("not settled: {state:?}"),
    }
}

/// Reports for the operator; the chain must take it.
pub fn report(stash: &AccountId, report: Report) {
    assert!(blocks::report(stash, report), "a report was refused");
}

/// Waits until an operator is drawn for the job, and returns it.
pub fn assigned(job: &JobId) -> AccountId {
    for _ in 0..20 {
        if let JobState::Assigned { operator, .. } = state(job) {
            return operator;
        }
        next_block();
    }
    panic!("no operator is drawn: {:?}", state(job));
}

/// Lets the job's operator accept and deliver an output of `tokens`; returns the operator.
pub fn deliver(job: &JobId, tokens: u32) -> AccountId {
    let operator = assigned(job);
    report(&operator, Report::Accept { job: *job });
    next_block();
    report(&operator, commits(job, tokens, H256::repeat_byte(8)));
    operator
}

/// Creates and delivers jobs of one token until one is not drawn for an audit, as happens to operators with
/// a long record; returns it with its operator. `before` is called before each of them.
pub fn waived(
    spec: &JobSpec<AccountId>,
    payment: Payment,
    mut before: impl FnMut(),
) -> (JobId, AccountId) {
    let key = verification::ParametersKey::AuditFloor(verification::AuditFloor);
    let value = verification::ParametersValue::AuditFloor(Permill::from_percent(13));
    pallet_parameters::Parameters::<Runtime>::insert(
        RuntimeParametersKey::Verification(key),
        RuntimeParametersValue::Verification(value),
    );
    for operator in operators() {
        Records::<Runtime>::insert(operator, 1_000_000 * WHOLE);
    }
    loop {
        before();
        let job = create(spec.clone(), payment);
        let operator = deliver(&job, 1);
        while Audits::<Runtime>::get(job).is_some_and(|audit| audit.draws == 0) {
            next_block();
        }
        if matches!(state(&job), JobState::Delivered { audit: false, .. }) {
            return (job, operator);
        }
        judge(&job, |_, _, _| accepts());
    }
}

/// Challenges the output of the job.
pub fn challenge(job: &JobId, who: &AccountId) {
    assert_ok!(pallet_verification::Pallet::<Runtime>::challenge(
        RuntimeOrigin::signed(who.clone()),
        *job
    ));
}

/// Returns the report that commits the job's operator to an output of `tokens` with that hash.
pub fn commits(job: &JobId, tokens: u32, output_hash: H256) -> Report {
    let most = Jobs::view(job).unwrap().spec.max_tokens;
    let finish = if tokens == most { FinishReason::Length } else { FinishReason::EndToken };
    let digest_commitment = H256(blake2_256(DIGEST_ROOT.as_bytes()));
    let commitment = OutputCommitment { output_hash, digest_commitment, tokens, finish };
    Report::CommitOutput { job: *job, commitment }
}

/// Returns the verdict that the output is right.
pub fn accepts() -> Verdict {
    Verdict::Accept { digest_root: DIGEST_ROOT }
}

/// Returns the verdict that the output is wrong.
pub fn rejects() -> Verdict {
    Verdict::Reject { position: 0, reason: RejectReason::Integrity }
}

/// The panels of an audit, in the order in which they sat.
pub type Panels = Vec<(Stage, Vec<AccountId>)>;

/// Plays the audit of the job to its end, without a second look. `vote` returns the verdict of the
/// verifier that has the given seat of that many on a panel.
pub fn judge(job: &JobId, vote: impl Fn(Stage, usize, usize) -> Verdict) -> Panels {
    judge_with_look(job, false, vote)
}

/// Does what [`judge`] does; `is_looked_at` says whether an output that a committee accepts is looked
/// at a second time.
pub fn judge_with_look(
    job: &JobId,
    is_looked_at: bool,
    vote: impl Fn(Stage, usize, usize) -> Verdict,
) -> Panels {
    let salt = H256::repeat_byte(5);
    let mut panels = Panels::new();
    for _ in 0..100 {
        if matches!(state(job), JobState::Settled(_)) {
            return panels;
        }
        let audit = Audits::<Runtime>::get(job).expect("the job is under audit");
        let (stage, seats) = (audit.stage, audit.seats);
        let members = seats.iter().enumerate();
        let verdicts: Vec<_> =
            members.map(|(index, seat)| (seat, vote(stage, index, seats.len()))).collect();
        match audit.phase {
            Phase::Committing { .. } => {
                panels.push((stage, seats.iter().map(|seat| seat.verifier.clone()).collect()));
                for (seat, verdict) in verdicts {
                    let hash = verdict_hash(job, seat.draw, &seat.verifier, &verdict, &salt);
                    report(&seat.verifier, Report::CommitVerdict { job: *job, hash });
                }
            }
            Phase::Revealing { .. } => {
                for (seat, verdict) in verdicts {
                    report(&seat.verifier, Report::RevealVerdict { job: *job, verdict, salt });
                }
            }
            Phase::Drawing { .. } if stage == Stage::SecondLook => {
                tickets::next_block_of_look(&operators(), job, is_looked_at)
            }
            Phase::Drawing { .. } | Phase::Producing { .. } => next_block(),
        }
    }
    panic!("the audit does not end: {:?}", state(job));
}
