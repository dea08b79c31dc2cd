// SPDX-License-Identifier: Apache-2.0
//! The acts as calls and reports.

use crate::{
    blocks,
    counts::Counts,
    people::{key, Who, PEOPLE, STRANGER},
    steps::Act,
};
use assay_primitives::{
    contact::SignedContact,
    job::{FinishReason, JobId, JobSpec, JobState, OutputCommitment, Payment},
    publication::Part,
    verdict_hash, AbstainReason, AssayAddress, Prices, RejectReason, Report, Verdict, Verification,
};
use assay_runtime::{
    parameters::{dynamic_params, RuntimeParameters},
    presets::{TINY_CONTEXT, TINY_MODEL, TINY_PRICES},
    AccountId, Balance, Operators, Runtime, RuntimeCall, RuntimeOrigin, System,
    EXISTENTIAL_DEPOSIT, UNIT,
};
use frame_support::traits::GetCallMetadata;
use pallet_operators::{Offer, OffersOf, SlashId};
use sp_core::{ed25519, Pair, H256};
use sp_runtime::{traits::Dispatchable, MultiAddress, Perbill};
use sp_staking::offence::{OffenceDetails, OnOffenceHandler};

/// Sets a parameter as root.
pub fn set(counts: &mut Counts, parameter: RuntimeParameters) {
    let call = pallet_settings::Call::set { changes: vec![parameter].try_into().unwrap() };
    dispatch(counts, RuntimeOrigin::root(), call.into());
}

/// Returns the one with that number.
fn nth<T: Ord>(n: usize, all: impl Iterator<Item = T>) -> Option<T> {
    let mut all: Vec<_> = all.collect();
    all.sort();
    (!all.is_empty()).then(|| all.swap_remove(n % all.len()))
}

/// Returns the job with that number.
fn pick(n: usize) -> JobId {
    nth(n, pallet_jobs::Jobs::<Runtime>::iter_keys()).unwrap_or_default()
}

/// Returns the slash with that number.
fn pick_slash(n: usize) -> SlashId {
    nth(n, pallet_operators::Slashes::<Runtime>::iter_keys()).unwrap_or_default()
}

/// Returns the delegation with that number as delegator and operator.
fn pick_delegation(n: usize) -> Option<(AccountId, AccountId)> {
    nth(n, pallet_operators::Delegations::<Runtime>::iter_keys())
}

/// Dispatches a call, and counts it if it succeeds. A refused call changes nothing, so both outcomes are
/// fine.
pub fn call(counts: &mut Counts, who: &AccountId, call: impl Into<RuntimeCall>) {
    dispatch(counts, RuntimeOrigin::signed(who.clone()), call.into());
}

fn dispatch(counts: &mut Counts, origin: RuntimeOrigin, call: RuntimeCall) {
    let metadata = call.get_call_metadata();
    if call.dispatch(origin).is_ok() {
        counts.call(metadata);
    }
}

/// Handles a report, and counts it if it is taken.
fn report(counts: &mut Counts, stash: &AccountId, report: Report) {
    if blocks::report(stash, report) {
        counts.report(&report);
    }
}

fn offers(price: Option<u8>) -> OffersOf<Runtime> {
    let offer = |price: u8| {
        let prices = Prices {
            input: TINY_PRICES.input / 4 * Balance::from(price % 8),
            output: TINY_PRICES.output / 16 * Balance::from(price % 32),
        };
        let offer = Offer::unlimited(TINY_MODEL, prices, TINY_CONTEXT);
        // One offer in eight takes on small jobs alone.
        let max_reward = if price >= 224 { UNIT / 20 } else { Balance::MAX };
        Offer { max_reward, ..offer }
    };
    OffersOf::<Runtime>::truncate_from(price.into_iter().map(offer).collect())
}

fn spec(tokens: u32, delay: u32, only: Option<Who>) -> JobSpec<AccountId> {
    JobSpec {
        model: TINY_MODEL,
        input_tokens: 17,
        max_tokens: tokens,
        request_hash: hash_of(REQUEST),
        // Of few people it takes most to check a job.
        verification: if tokens % 2 == 1 {
            Verification::Required
        } else {
            Verification::IfPossible
        },
        not_before: System::block_number() + delay,
        allowed: only
            .map(|who| PEOPLE[who].clone())
            .into_iter()
            .collect::<Vec<_>>()
            .try_into()
            .unwrap(),
        ..assay_primitives::testing::spec()
    }
}

/// Lets the order ask for an audit, which only one that requires verification can.
fn audited(audit: bool, spec: JobSpec<AccountId>) -> JobSpec<AccountId> {
    let audit = audit && spec.verification == Verification::Required;
    JobSpec { audit, ..spec }
}

/// Returns the contact of somebody's node.
fn contact(who: Who) -> SignedContact {
    let node = ed25519::Pair::from_seed(&[who as u8; 32]);
    SignedContact::new(&node, Default::default(), &System::block_hash(0), &PEOPLE[who])
}

/// The request of every job.
const REQUEST: &[u8] = b"In the beginning";
/// The transcript of every output.
const TRANSCRIPT: &[u8] = b"God created the heaven and the earth.";

fn hash_of(payload: &[u8]) -> H256 {
    H256(sp_crypto_hashing::blake2_256(payload))
}

/// Returns mostly the true verdict, which is that the output of one job in four is wrong, and that of
/// another unavailable.
fn verdict(n: u8, job: &JobId) -> Verdict {
    let wrong = Verdict::Reject { position: 1, reason: RejectReason::Integrity };
    match (n, job.0[0] % 4) {
        // The chain refuses it.
        (0, _) => Verdict::Accept { digest_root: H256::zero() },
        (1, _) | (3.., 0) => wrong,
        (3.., 1) => Verdict::Abstain(AbstainReason::PayloadUnavailable),
        (2, _) | (3.., _) => Verdict::Accept { digest_root: H256::repeat_byte(9) },
    }
}

/// Returns the seats of all panels, each with the draw that filled it, without those that keep
/// silent.
fn seats(keep_silent: usize) -> Vec<(JobId, u8, AccountId)> {
    let mut all: Vec<_> = pallet_verification::Audits::<Runtime>::iter()
        .flat_map(|(job, audit)| {
            audit.seats.into_iter().map(move |seat| (job, seat.draw, seat.verifier))
        })
        .collect();
    all.sort();
    let silent = |index: usize| index % 12 == keep_silent;
    all.into_iter().enumerate().filter(|(index, _)| !silent(*index)).map(|(_, seat)| seat).collect()
}

/// Performs an act.
pub fn act(counts: &mut Counts, act: Act) {
    type Operator = pallet_operators::Call<Runtime>;
    type Job = pallet_jobs::Call<Runtime>;
    let person = |who: Who| PEOPLE[who].clone();
    let keeper = &PEOPLE[5];
    let client_of = |job: &JobId| {
        pallet_jobs::Jobs::<Runtime>::get(job).map_or(keeper.clone(), |job| job.client)
    };
    match act {
        Act::Create { client, payment: (down, cost, tip), tokens, delay, only, audit } => {
            let part = |n: u8| TINY_PRICES.output / 4 * Balance::from(n);
            // One down payment in four is less than an account can begin with.
            let down = if down % 4 == 3 { EXISTENTIAL_DEPOSIT / 10 } else { part(down % 8) };
            let payment = Payment { down, cost: part(cost), tip: part(tip % 8) };
            call(
                counts,
                &person(client),
                Job::create { spec: audited(audit, spec(tokens, delay, only)), payment },
            );
        }
        Act::Challenge { job, who } => {
            let open =
                |job: &JobId| pallet_verification::Pallet::<Runtime>::challenge_bond(job).is_some();
            if let Some(job) = nth(job, pallet_jobs::Jobs::<Runtime>::iter_keys().filter(open)) {
                let who = who.map_or_else(|| client_of(&job), person);
                call(counts, &who, pallet_verification::Call::challenge { job });
            }
        }
        Act::Raise { job, more } => {
            let job = pick(job);
            let more = TINY_PRICES.output * Balance::from(more);
            let more = Payment { down: more / 10, cost: more, tip: more / 20 };
            call(counts, &client_of(&job), Job::raise_payment { job, more });
        }
        Act::Cancel { job } => {
            let job = pick(job);
            call(counts, &client_of(&job), Job::cancel { job });
        }
        Act::Confirm { job } => {
            let job = pick(job);
            call(counts, &client_of(&job), Job::confirm_received { job });
        }
        Act::Settle { job } => call(counts, keeper, Job::settle { job: pick(job) }),
        Act::Expire { job } => call(counts, keeper, Job::expire { job: pick(job) }),
        Act::Advance { job } => {
            let audits = pallet_verification::Audits::<Runtime>::iter_keys();
            let job = nth(job, audits).unwrap_or_default();
            call(counts, keeper, pallet_verification::Call::advance { job });
        }
        Act::Work { commit, tokens } => {
            let jobs: Vec<_> = pallet_jobs::Jobs::<Runtime>::iter().collect();
            for (job, record) in jobs {
                let commitment = OutputCommitment {
                    output_hash: hash_of(TRANSCRIPT),
                    digest_commitment: H256(sp_crypto_hashing::blake2_256(&[9; 32])),
                    tokens: tokens.min(record.spec.max_tokens),
                    finish: FinishReason::Length,
                };
                match record.state {
                    JobState::Assigned { operator, .. } => {
                        report(counts, &operator, Report::Accept { job });
                    }
                    JobState::Running { operator, .. } if commit => {
                        report(counts, &operator, Report::CommitOutput { job, commitment });
                    }
                    _ => (),
                }
            }
        }
        Act::Decline { job, reason } => {
            let job = pick(job);
            let state = pallet_jobs::Jobs::<Runtime>::get(job).map(|job| job.state);
            if let Some(JobState::Assigned { operator, .. }) = state {
                report(counts, &operator, Report::Decline { job, reason });
            }
        }
        Act::CommitVerdicts { verdict: n, keep_silent } => {
            for (job, draw, verifier) in seats(keep_silent) {
                let salt = H256::repeat_byte(5);
                let hash = verdict_hash(&job, draw, &verifier, &verdict(n, &job), &salt);
                report(counts, &verifier, Report::CommitVerdict { job, hash });
            }
        }
        Act::Judge { verdict } => {
            let keep_silent = usize::MAX;
            self::act(counts, Act::CommitVerdicts { verdict, keep_silent });
            self::act(counts, Act::RevealVerdicts { verdict, keep_silent });
        }
        Act::VacateSeats { keep, reason } => {
            for (job, _, verifier) in seats(12).into_iter().step_by(keep) {
                report(counts, &verifier, Report::Vacate { job, reason });
            }
        }
        Act::RevealVerdicts { verdict: n, keep_silent } => {
            for (job, _, verifier) in seats(keep_silent) {
                let (verdict, salt) = (verdict(n, &job), H256::repeat_byte(5));
                report(counts, &verifier, Report::RevealVerdict { job, verdict, salt });
            }
        }
        Act::Publish { part } => {
            let payload = match part {
                Part::Request => REQUEST,
                Part::Transcript => TRANSCRIPT,
            };
            let due: Vec<_> = pallet_verification::ProducingOf::<Runtime>::iter_keys().collect();
            for (operator, job) in due {
                let bytes = payload.to_vec().try_into().unwrap();
                let publish =
                    pallet_verification::Call::publish { job, part, index: 0, last: true, bytes };
                call(counts, &operator, publish);
            }
        }
        Act::Register { who, bond } => {
            let (stash, worker) = (person(who), AccountId::new([100 + who as u8; 32]));
            let (contact, offers) = (contact(who), offers(Some(16)));
            call(
                counts,
                &stash,
                Operator::register { worker, contact, offers, concurrency: 2, bond },
            );
        }
        Act::Contact { who } => {
            call(counts, &person(who), Operator::set_contact { contact: contact(who) });
        }
        Act::Worker { who, worker } => {
            let worker = AccountId::new([worker; 32]);
            call(counts, &person(who), Operator::set_worker { worker });
        }
        Act::RetireWorker { rotation } => {
            let retiring = pallet_operators::Operators::<Runtime>::iter()
                .filter(|(_, operator)| operator.retiring.is_some());
            if let Some(stash) = nth(rotation, retiring.map(|(stash, _)| stash)) {
                call(counts, &stash, Operator::retire_worker {});
            }
        }
        Act::Rank { who } => {
            call(counts, keeper, Operator::rank_operator { operator: person(who) });
        }
        Act::Bond { who, amount } => call(counts, &person(who), Operator::bond_extra { amount }),
        Act::Unbond { who, amount } => call(counts, &person(who), Operator::unbond { amount }),
        Act::Withdraw { who } => {
            call(counts, keeper, Operator::withdraw_unbonded { stash: person(who) });
        }
        Act::Offers { who, price } => {
            call(counts, &person(who), Operator::set_offers { offers: offers(price) });
        }
        Act::Refuse { who, client } => {
            call(counts, &person(who), Operator::refuse_client { client: person(client) });
        }
        Act::Admit { refusal } => {
            let refusals =
                pallet_operators::Refused::<Runtime>::iter().flat_map(|(stash, clients)| {
                    clients.into_iter().map(move |client| (stash.clone(), client))
                });
            if let Some((stash, client)) = nth(refusal, refusals) {
                call(counts, &stash, Operator::admit_client { client });
            }
        }
        Act::Concurrency { who, jobs } => {
            call(counts, &person(who), Operator::set_concurrency { concurrency: jobs });
        }
        Act::Drain { who, draining } => {
            call(counts, &person(who), Operator::set_draining { draining })
        }
        Act::Leave { who } => call(counts, &person(who), Operator::leave {}),
        Act::Payout { who, to } => {
            call(
                counts,
                &person(who),
                Operator::set_payout { payout: to.map_or(STRANGER, person) },
            );
        }
        Act::Commission { who, percent } => {
            let commission = Perbill::from_percent(percent);
            call(counts, &person(who), Operator::set_commission { commission });
        }
        Act::Delegate { who, operator, amount } => {
            call(counts, &person(who), Operator::delegate { operator: person(operator), amount });
        }
        Act::Undelegate { delegation, amount } => {
            if let Some((delegator, operator)) = pick_delegation(delegation) {
                call(counts, &delegator, Operator::undelegate { operator, amount });
            }
        }
        Act::WithdrawDelegation { delegation } => {
            if let Some((delegator, operator)) = pick_delegation(delegation) {
                call(counts, keeper, Operator::withdraw_delegation { operator, delegator });
            }
        }
        Act::Offend { who, percent, reporter, session } => {
            let reporters = reporter.map(person).into_iter().collect();
            let offence = OffenceDetails { offender: (person(who), ()), reporters };
            Operators::on_offence(&[offence], &[Perbill::from_percent(percent)], session);
        }
        Act::ApplySlash { slash } => {
            let slash = pick_slash(slash);
            call(counts, keeper, Operator::apply_slash { slash });
        }
        Act::CancelSlash { slash } => {
            let slash = pick_slash(slash);
            dispatch(counts, RuntimeOrigin::root(), Operator::cancel_slash { slash }.into());
        }
        Act::Elect { session } => {
            <Operators as pallet_session::SessionManager<_>>::new_session(session);
        }
        Act::RegisterAddress => {
            let public = key().public();
            call(counts, &PEOPLE[6], pallet_addresses::Call::register_address { public });
        }
        Act::UnregisterAddress => {
            call(counts, &PEOPLE[6], pallet_addresses::Call::unregister_address {});
        }
        Act::Transfer { from, to, amount } => {
            let address = AssayAddress::of(&key().public());
            let dest = to.map_or(MultiAddress::Address20(address.0), |to| person(to).into());
            let value = amount / 8;
            call(
                counts,
                &person(from),
                pallet_balances::Call::transfer_allow_death { dest, value },
            );
        }
        Act::Bounty { hundredths } => {
            let bounty = hundredths.map(|n| UNIT / 100 * Balance::from(n % 100 + 1));
            let key = dynamic_params::jobs::Bounty;
            set(
                counts,
                RuntimeParameters::Jobs(dynamic_params::jobs::Parameters::Bounty(key, bounty)),
            );
        }
    }
}
