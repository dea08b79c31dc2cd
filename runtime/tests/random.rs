// SPDX-License-Identifier: Apache-2.0
//! Random sequences of what clients, operators, verifiers, delegators, offenders and root do, through
//! all pallets of the real runtime: every invariant of each holds after every step, no step and no
//! block makes money or loses more than it slashes, every job ends, and in the end nothing is on hold
//! nor owed.

mod blocks;
mod chain;

use assay_primitives::{
    contact::SignedContact,
    job::{FinishReason, JobId, JobSpec, JobState, NumericProfile, OutputCommitment, Payment},
    verdict_hash, DeclineReason, Privacy, RejectReason, Report, Sampling, Verdict,
};
use assay_runtime::{
    parameters::{dynamic_params, RuntimeParameters},
    presets::{self, TINY_MODEL, TINY_PRICE},
    AccountId, Addresses, Balance, Balances, Escrow, Jobs, Operators, Routing, Runtime,
    RuntimeCall, RuntimeEvent, RuntimeOrigin, System, Verification, MINUTES, UNIT,
};
use frame_support::{
    assert_ok,
    traits::{fungible::Inspect, Get},
};
use pallet_operators::{Offer, OffersOf};
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
use sp_core::{ecdsa, ed25519, Pair, H256};
use sp_keyring::Sr25519Keyring;
use sp_runtime::{
    traits::{Dispatchable, IdentifyAccount},
    MultiAddress, MultiSigner, Perbill, Storage,
};
use sp_staking::{
    offence::{OffenceDetails, OnOffenceHandler},
    SessionIndex,
};
use std::{collections::BTreeSet, sync::LazyLock};

/// Who takes part: the operators of the preset and two others, of whom each can be client, operator
/// and delegator, and one with a secp256k1 key, who has an address.
static PEOPLE: LazyLock<Vec<AccountId>> = LazyLock::new(|| {
    let known = presets::DEVELOPMENT_OPERATORS.into_iter();
    let known = known.chain([Sr25519Keyring::Eve, Sr25519Keyring::Ferdie]);
    let ecdsa = MultiSigner::from(key().public()).into_account();
    known.map(|who| who.to_account_id()).chain([ecdsa]).collect()
});

/// What the development preset stores.
static GENESIS: LazyLock<Storage> = LazyLock::new(|| chain::genesis(presets::development()));

/// Money for the last of [`PEOPLE`], and settlements that are soon forgotten.
fn begin() {
    let retention =
        dynamic_params::jobs::Parameters::Retention(dynamic_params::jobs::Retention, Some(MINUTES));
    set(RuntimeParameters::Jobs(retention));
    let (dest, value) = (MultiAddress::Id(PEOPLE[6].clone()), 100_000 * UNIT);
    call(&PEOPLE[5], pallet_balances::Call::transfer_keep_alive { dest, value });
    assert_eq!(Balances::free_balance(&PEOPLE[6]), value);
    next_block(u8::MAX, &mut Seen::new());
}

/// Root sets a parameter.
fn set(parameter: RuntimeParameters) {
    let call = pallet_parameters::Call::set_parameter { key_value: parameter };
    assert_ok!(RuntimeCall::from(call).dispatch(RuntimeOrigin::root()));
}

/// The secp256k1 key.
fn key() -> ecdsa::Pair {
    ecdsa::Pair::from_seed(&[7; 32])
}

/// One of [`PEOPLE`].
type Who = usize;

/// Something that happens. Numbers of jobs and delegations are reduced to those that there are.
#[derive(Clone, Debug)]
enum Step {
    Create { client: Who, payment: (u8, u8, u8), tokens: u32, delay: u32, only: Option<Who> },
    Raise { job: usize, more: u8 },
    Cancel { job: usize },
    Confirm { job: usize },
    Settle { job: usize },
    Expire { job: usize },
    Advance { job: usize },
    Work { commit: bool, tokens: u32 },
    Decline { job: usize },
    CommitVerdicts { verdict: u8, keep_silent: usize },
    RevealVerdicts { verdict: u8, keep_silent: usize },
    Register { who: Who, bond: Balance },
    Bond { who: Who, amount: Balance },
    Unbond { who: Who, amount: Balance },
    Withdraw { who: Who },
    Contact { who: Who },
    Worker { who: Who, worker: u8 },
    Rank { who: Who },
    Offers { who: Who, price: Option<u8> },
    Concurrency { who: Who, jobs: u32 },
    Drain { who: Who, draining: bool },
    Leave { who: Who },
    Payout { who: Who, to: Who },
    Commission { who: Who, percent: u32 },
    Delegate { who: Who, operator: Who, amount: Balance },
    Undelegate { delegation: usize, amount: Balance },
    WithdrawDelegation { delegation: usize },
    Offend { who: Who, percent: u32, reporter: Option<Who>, session: SessionIndex },
    ApplySlash { slash: u32 },
    CancelSlash { slash: u32 },
    Elect { session: SessionIndex },
    RegisterAddress,
    UnregisterAddress,
    Transfer { from: Who, to: Option<Who>, amount: Balance },
    Claim { who: Who },
    Bounty { hundredths: Option<u8> },
    Blocks { count: u8, alive: u8 },
}

fn who() -> impl Strategy<Value = Who> {
    0..7usize
}

/// Amounts of stake: dust, some, a lot, and more than there is.
fn stake() -> impl Strategy<Value = Balance> {
    prop_oneof![
        1 => 0..UNIT,
        6 => (0..4_000u128).prop_map(|units| units * UNIT),
        2 => (0..200_000u128).prop_map(|units| units * UNIT),
        1 => Just(Balance::MAX),
    ]
}

fn market() -> impl Strategy<Value = Step> {
    let job = || 0..100usize;
    prop_oneof![
        6 => (who(), any::<(u8, u8, u8)>(), 0..20u32, 0..6u32, prop::option::weighted(0.2, who()))
            .prop_map(|(client, payment, tokens, delay, only)| {
                Step::Create { client, payment, tokens, delay, only }
            }),
        1 => (job(), any::<u8>()).prop_map(|(job, more)| Step::Raise { job, more }),
        1 => job().prop_map(|job| Step::Cancel { job }),
        1 => job().prop_map(|job| Step::Confirm { job }),
        1 => job().prop_map(|job| Step::Settle { job }),
        1 => job().prop_map(|job| Step::Expire { job }),
        1 => job().prop_map(|job| Step::Advance { job }),
        8 => (any::<bool>(), 0..20u32).prop_map(|(commit, tokens)| Step::Work { commit, tokens }),
        1 => job().prop_map(|job| Step::Decline { job }),
        6 => (0..8u8, 0..12usize)
            .prop_map(|(verdict, keep_silent)| Step::CommitVerdicts { verdict, keep_silent }),
        6 => (0..8u8, 0..12usize)
            .prop_map(|(verdict, keep_silent)| Step::RevealVerdicts { verdict, keep_silent }),
        12 => (1..6u8, any::<u8>()).prop_map(|(count, alive)| Step::Blocks { count, alive }),
    ]
}

fn operators() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => (who(), stake()).prop_map(|(who, bond)| Step::Register { who, bond }),
        1 => (who(), stake()).prop_map(|(who, amount)| Step::Bond { who, amount }),
        2 => (who(), stake()).prop_map(|(who, amount)| Step::Unbond { who, amount }),
        2 => who().prop_map(|who| Step::Withdraw { who }),
        1 => who().prop_map(|who| Step::Contact { who }),
        1 => (who(), 100..110u8).prop_map(|(who, worker)| Step::Worker { who, worker }),
        1 => who().prop_map(|who| Step::Rank { who }),
        2 => (who(), prop::option::weighted(0.8, any::<u8>()))
            .prop_map(|(who, price)| Step::Offers { who, price }),
        1 => (who(), 0..6u32).prop_map(|(who, jobs)| Step::Concurrency { who, jobs }),
        1 => (who(), any::<bool>()).prop_map(|(who, draining)| Step::Drain { who, draining }),
        1 => who().prop_map(|who| Step::Leave { who }),
        1 => (who(), who()).prop_map(|(who, to)| Step::Payout { who, to }),
        1 => (who(), 0..20u32).prop_map(|(who, percent)| Step::Commission { who, percent }),
        3 => (who(), who(), stake())
            .prop_map(|(who, operator, amount)| Step::Delegate { who, operator, amount }),
        2 => (0..100usize, stake())
            .prop_map(|(delegation, amount)| Step::Undelegate { delegation, amount }),
        2 => (0..100usize).prop_map(|delegation| Step::WithdrawDelegation { delegation }),
    ]
}

fn others() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => (who(), 0..101u32, prop::option::of(who()), 0..20u32).prop_map(
            |(who, percent, reporter, session)| Step::Offend { who, percent, reporter, session }
        ),
        1 => (0..4u32).prop_map(|slash| Step::ApplySlash { slash }),
        1 => (0..4u32).prop_map(|slash| Step::CancelSlash { slash }),
        1 => (0..20u32).prop_map(|session| Step::Elect { session }),
        1 => Just(Step::RegisterAddress),
        1 => Just(Step::UnregisterAddress),
        2 => (who(), prop::option::of(who()), stake())
            .prop_map(|(from, to, amount)| Step::Transfer { from, to, amount }),
        1 => who().prop_map(|who| Step::Claim { who }),
        1 => prop::option::of(any::<u8>()).prop_map(|hundredths| Step::Bounty { hundredths }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![6 => market(), 2 => operators(), 1 => others()]
}

/// The job that a number stands for.
fn pick(n: usize) -> JobId {
    let mut all: Vec<_> = pallet_jobs::Jobs::<Runtime>::iter_keys().collect();
    all.sort();
    all.get(n % all.len().max(1)).copied().unwrap_or_default()
}

/// The delegation that a number stands for: operator and delegator.
fn pick_delegation(n: usize) -> Option<(AccountId, AccountId)> {
    let mut all: Vec<_> = pallet_operators::Delegations::<Runtime>::iter_keys().collect();
    all.sort();
    all.get(n % all.len().max(1)).cloned()
}

/// A call of somebody's. What is refused changes nothing, so that both outcomes are fine.
fn call(who: &AccountId, call: impl Into<RuntimeCall>) {
    let _ = call.into().dispatch(RuntimeOrigin::signed(who.clone()));
}

fn offers(price: Option<u8>) -> OffersOf<Runtime> {
    let offer = |price: u8| Offer {
        model: TINY_MODEL,
        price: TINY_PRICE / 16 * Balance::from(price % 32),
        context: 2_048,
    };
    OffersOf::<Runtime>::truncate_from(price.into_iter().map(offer).collect())
}

fn spec(tokens: u32, delay: u32, only: Option<Who>) -> JobSpec<AccountId> {
    JobSpec {
        model: TINY_MODEL,
        input_hash: H256::repeat_byte(1),
        input_tokens: 17,
        max_tokens: tokens,
        seed: 7,
        sampling: Sampling::GREEDY,
        profile: NumericProfile::N1,
        not_before: System::block_number() + delay,
        deadline: 20,
        privacy: Privacy::Public,
        output_key: None,
        auto_lock: true,
        peer: Default::default(),
        allowed: only
            .map(|who| PEOPLE[who].clone())
            .into_iter()
            .collect::<Vec<_>>()
            .try_into()
            .unwrap(),
    }
}

/// Where somebody's node is reached.
fn contact(who: Who) -> SignedContact {
    let node = ed25519::Pair::from_seed(&[who as u8; 32]);
    SignedContact::new(&node, Default::default(), &System::block_hash(0), &PEOPLE[who])
}

/// Mostly the truth, which is that the output of one job in four is wrong.
fn verdict(n: u8, job: &JobId) -> Verdict {
    match (n, job.0[0] % 4) {
        (0, _) => Verdict::Accept { digest_root: H256::zero() },
        (_, 0) => Verdict::Reject { position: 1, reason: RejectReason::Integrity },
        _ => Verdict::Accept { digest_root: H256::repeat_byte(9) },
    }
}

/// The seats of all committees, each with the round of its audit, but for those who keep silent.
fn seats(keep_silent: usize) -> Vec<(JobId, u8, AccountId)> {
    let mut all: Vec<_> = pallet_verification::Audits::<Runtime>::iter()
        .flat_map(|(job, audit)| {
            let round = audit.round;
            audit.seats.into_iter().map(move |seat| (job, round, seat.verifier))
        })
        .collect();
    all.sort();
    let silent = |index: usize| index % 12 == keep_silent;
    all.into_iter().enumerate().filter(|(index, _)| !silent(*index)).map(|(_, seat)| seat).collect()
}

fn take(step: Step, seen: &mut Seen) {
    if let Step::Blocks { count, alive } = step {
        for _ in 0..count {
            next_block(alive, seen);
        }
        return;
    }
    watched(seen, || act(step));
}

fn act(step: Step) {
    type Operator = pallet_operators::Call<Runtime>;
    type Job = pallet_jobs::Call<Runtime>;
    let person = |who: Who| PEOPLE[who].clone();
    let keeper = &PEOPLE[5];
    let client_of = |job: &JobId| {
        pallet_jobs::Jobs::<Runtime>::get(job).map_or(keeper.clone(), |job| job.client)
    };
    match step {
        Step::Create { client, payment: (down, cost, tip), tokens, delay, only } => {
            let part = |n: u8| TINY_PRICE / 4 * Balance::from(n);
            let payment = Payment { down: part(down % 8), cost: part(cost), tip: part(tip % 8) };
            call(&person(client), Job::create { spec: spec(tokens, delay, only), payment });
        }
        Step::Raise { job, more } => {
            let job = pick(job);
            let more = TINY_PRICE * Balance::from(more);
            let more = Payment { down: more / 10, cost: more, tip: more / 20 };
            call(&client_of(&job), Job::raise_payment { job, more });
        }
        Step::Cancel { job } => {
            let job = pick(job);
            call(&client_of(&job), Job::cancel { job });
        }
        Step::Confirm { job } => {
            let job = pick(job);
            call(&client_of(&job), Job::confirm_received { job });
        }
        Step::Settle { job } => call(keeper, Job::settle { job: pick(job) }),
        Step::Expire { job } => call(keeper, Job::expire { job: pick(job) }),
        Step::Advance { job } => {
            call(keeper, pallet_verification::Call::advance { job: pick(job) });
        }
        Step::Work { commit, tokens } => {
            let jobs: Vec<_> = pallet_jobs::Jobs::<Runtime>::iter().collect();
            for (job, record) in jobs {
                let commitment = OutputCommitment {
                    output_hash: H256::repeat_byte(8),
                    digest_commitment: H256(sp_crypto_hashing::blake2_256(&[9; 32])),
                    tokens: tokens.min(record.spec.max_tokens),
                    finish: FinishReason::Length,
                };
                match record.state {
                    JobState::Assigned { operator, .. } => {
                        blocks::report(&operator, Report::Accept { job });
                    }
                    JobState::Running { operator, .. } if commit => {
                        blocks::report(&operator, Report::CommitOutput { job, commitment });
                    }
                    _ => (),
                }
            }
        }
        Step::Decline { job } => {
            let job = pick(job);
            let state = pallet_jobs::Jobs::<Runtime>::get(job).map(|job| job.state);
            if let Some(JobState::Assigned { operator, .. }) = state {
                blocks::report(&operator, Report::Decline { job, reason: DeclineReason::Resource });
            }
        }
        Step::CommitVerdicts { verdict: n, keep_silent } => {
            for (job, round, verifier) in seats(keep_silent) {
                let salt = H256::repeat_byte(5);
                let hash = verdict_hash(&job, round, &verifier, &verdict(n, &job), &salt);
                blocks::report(&verifier, Report::CommitVerdict { job, hash });
            }
        }
        Step::RevealVerdicts { verdict: n, keep_silent } => {
            for (job, _, verifier) in seats(keep_silent) {
                let (verdict, salt) = (verdict(n, &job), H256::repeat_byte(5));
                blocks::report(&verifier, Report::RevealVerdict { job, verdict, salt });
            }
        }
        Step::Register { who, bond } => {
            let (stash, worker) = (person(who), AccountId::new([100 + who as u8; 32]));
            let (contact, offers) = (contact(who), offers(Some(16)));
            call(&stash, Operator::register { worker, contact, offers, concurrency: 2, bond });
        }
        Step::Contact { who } => {
            call(&person(who), Operator::set_contact { contact: contact(who) });
        }
        Step::Worker { who, worker } => {
            let worker = AccountId::new([worker; 32]);
            call(&person(who), Operator::set_worker { worker });
        }
        Step::Rank { who } => {
            call(keeper, Operator::rank_operator { operator: person(who) });
        }
        Step::Bond { who, amount } => call(&person(who), Operator::bond_extra { amount }),
        Step::Unbond { who, amount } => call(&person(who), Operator::unbond { amount }),
        Step::Withdraw { who } => {
            call(keeper, Operator::withdraw_unbonded { stash: person(who) });
        }
        Step::Offers { who, price } => {
            call(&person(who), Operator::set_offers { offers: offers(price) });
        }
        Step::Concurrency { who, jobs } => {
            call(&person(who), Operator::set_concurrency { concurrency: jobs });
        }
        Step::Drain { who, draining } => call(&person(who), Operator::set_draining { draining }),
        Step::Leave { who } => call(&person(who), Operator::leave {}),
        Step::Payout { who, to } => {
            call(&person(who), Operator::set_payout { payout: person(to) });
        }
        Step::Commission { who, percent } => {
            let commission = Perbill::from_percent(percent);
            call(&person(who), Operator::set_commission { commission });
        }
        Step::Delegate { who, operator, amount } => {
            call(&person(who), Operator::delegate { operator: person(operator), amount });
        }
        Step::Undelegate { delegation, amount } => {
            if let Some((operator, delegator)) = pick_delegation(delegation) {
                call(&delegator, Operator::undelegate { operator, amount });
            }
        }
        Step::WithdrawDelegation { delegation } => {
            if let Some((operator, delegator)) = pick_delegation(delegation) {
                call(keeper, Operator::withdraw_delegation { operator, delegator });
            }
        }
        Step::Offend { who, percent, reporter, session } => {
            let reporters = reporter.map(person).into_iter().collect();
            let offence = OffenceDetails { offender: (person(who), ()), reporters };
            Operators::on_offence(&[offence], &[Perbill::from_percent(percent)], session);
        }
        Step::ApplySlash { slash } => call(keeper, Operator::apply_slash { slash }),
        Step::CancelSlash { slash } => {
            let cancel = RuntimeCall::from(Operator::cancel_slash { slash });
            let _ = cancel.dispatch(RuntimeOrigin::root());
        }
        Step::Elect { session } => {
            <Operators as pallet_session::SessionManager<_>>::new_session(session);
        }
        Step::RegisterAddress => {
            let public = key().public();
            call(&PEOPLE[6], pallet_addresses::Call::register_address { public });
        }
        Step::UnregisterAddress => {
            call(&PEOPLE[6], pallet_addresses::Call::unregister_address {});
        }
        Step::Transfer { from, to, amount } => {
            let address = assay_primitives::AssayAddress::of(&key().public());
            let dest = to.map_or(MultiAddress::Address20(address.0), |to| person(to).into());
            let value = amount / 8;
            call(&person(from), pallet_balances::Call::transfer_allow_death { dest, value });
        }
        Step::Claim { who } => call(&person(who), pallet_escrow::Call::claim {}),
        Step::Bounty { hundredths } => {
            let bounty = hundredths.map(|n| UNIT / 100 * Balance::from(n));
            let key = dynamic_params::jobs::Bounty;
            set(RuntimeParameters::Jobs(dynamic_params::jobs::Parameters::Bounty(key, bounty)));
        }
        Step::Blocks { .. } => unreachable!("blocks are not an act of anybody's"),
    }
}

/// The next block. Heartbeats arrive of those operators whose bit is set.
fn next_block(alive: u8, seen: &mut Seen) {
    let alive: Vec<_> = PEOPLE
        .iter()
        .enumerate()
        .filter(|(who, stash)| alive >> who & 1 == 1 && Operators::view(stash).is_some())
        .map(|(_, stash)| stash.clone())
        .collect();
    System::reset_events();
    watched(seen, || blocks::next_block(&alive));
}

/// What happened that is an end of something.
type Seen = BTreeSet<String>;

/// Does something and checks the money: all accounts together have what was issued, nothing is made,
/// and no more is lost than events say was taken.
fn watched(seen: &mut Seen, act: impl FnOnce()) {
    let (issuance, events) = (Balances::total_issuance(), System::event_count() as usize);
    act();
    let now = Balances::total_issuance();
    assert_eq!(wealth().0, now, "the sum of all money");
    assert!(now <= issuance, "money was made");
    let new: Vec<_> = System::events().into_iter().skip(events).map(|next| next.event).collect();
    assert!(issuance - now <= new.iter().map(taken).sum(), "money was lost");
    seen.extend(new.iter().filter_map(end));
}

/// All the money that accounts have, and all of it that is on hold.
fn wealth() -> (Balance, Balance) {
    frame_system::Account::<Runtime>::iter_values().fold((0, 0), |(all, held), account| {
        (all + account.data.free + account.data.reserved, held + account.data.reserved)
    })
}

/// What the event says was taken from somebody: as much can have been burnt.
fn taken(event: &RuntimeEvent) -> Balance {
    match event {
        RuntimeEvent::Operators(pallet_operators::Event::Seized { amount, .. })
        | RuntimeEvent::Operators(pallet_operators::Event::Slashed { amount, .. })
        | RuntimeEvent::Balances(pallet_balances::Event::DustLost { amount, .. }) => *amount,
        _ => 0,
    }
}

/// The name of an event that is the end of something.
fn end(event: &RuntimeEvent) -> Option<String> {
    use pallet_operators::Event;
    Some(match event {
        RuntimeEvent::Jobs(pallet_jobs::Event::JobSettled { settlement, .. }) => {
            format!("Job{:?}", settlement.outcome)
        }
        RuntimeEvent::Operators(Event::Registered { .. }) => "Registered".into(),
        RuntimeEvent::Operators(Event::Removed { .. }) => "Removed".into(),
        RuntimeEvent::Operators(Event::ContactSet { .. }) => "ContactSet".into(),
        RuntimeEvent::Operators(Event::WorkerSet { .. }) => "WorkerSet".into(),
        RuntimeEvent::Operators(Event::Withdrawn { .. }) => "Withdrawn".into(),
        RuntimeEvent::Operators(Event::DelegationWithdrawn { .. }) => "DelegationWithdrawn".into(),
        RuntimeEvent::Operators(Event::Seized { .. }) => "Seized".into(),
        RuntimeEvent::Operators(Event::Slashed { .. }) => "Slashed".into(),
        RuntimeEvent::Operators(Event::SlashCancelled { .. }) => "SlashCancelled".into(),
        RuntimeEvent::Addresses(pallet_addresses::Event::AddressUnregistered { .. }) => {
            "AddressUnregistered".into()
        }
        _ => return None,
    })
}

/// The invariants of every pallet.
fn check_state() {
    Addresses::do_try_state().unwrap();
    Escrow::do_try_state().unwrap();
    Jobs::do_try_state().unwrap();
    Operators::do_try_state().unwrap();
    Routing::do_try_state().unwrap();
    Verification::do_try_state().unwrap();
}

/// Nobody acts any more: every job, audit and slash ends.
fn everything_ends(seen: &mut Seen) {
    let ended = || {
        pallet_jobs::Jobs::<Runtime>::iter_keys().next().is_none()
            && pallet_verification::Audits::<Runtime>::iter_keys().next().is_none()
            && pallet_escrow::Escrows::<Runtime>::iter_keys().next().is_none()
            && pallet_operators::Reservations::<Runtime>::iter_keys().next().is_none()
            && pallet_operators::Slashes::<Runtime>::iter_keys().next().is_none()
    };
    for _ in 0..400 {
        if ended() {
            break;
        }
        next_block(0, seen);
    }
    check_state();
    assert!(ended(), "a job, an audit, an escrow, a reservation or a slash is still there");
}

/// All leave and take what is theirs: nothing stays on hold, nor in the accounts of the pallets.
fn everybody_leaves(seen: &mut Seen) {
    type Operator = pallet_operators::Call<Runtime>;
    let delegations: Vec<_> = pallet_operators::Delegations::<Runtime>::iter_keys().collect();
    watched(seen, || {
        for (operator, delegator) in &delegations {
            let (operator, amount) = (operator.clone(), Balance::MAX);
            call(delegator, Operator::undelegate { operator, amount });
        }
        for who in PEOPLE.iter() {
            call(who, Operator::leave {});
            call(who, pallet_escrow::Call::claim {});
            call(who, pallet_addresses::Call::unregister_address {});
        }
    });
    let unbonding: u32 = <Runtime as pallet_operators::Config>::UnbondingPeriod::get();
    for _ in 0..unbonding {
        next_block(0, seen);
    }
    watched(seen, || {
        for stash in PEOPLE.iter() {
            call(&PEOPLE[5], Operator::withdraw_unbonded { stash: stash.clone() });
        }
        for (operator, delegator) in delegations {
            call(&PEOPLE[5], Operator::withdraw_delegation { operator, delegator });
        }
    });
    check_state();
    assert_eq!(pallet_operators::Operators::<Runtime>::iter().count(), 0, "operators");
    assert_eq!(pallet_operators::Orphans::<Runtime>::iter().count(), 0, "orphans");
    assert_eq!(pallet_operators::Delegations::<Runtime>::iter().count(), 0, "delegations");
    assert_eq!(pallet_escrow::Claims::<Runtime>::iter().count(), 0, "claims");
    assert_eq!(wealth().1, 0, "something is still on hold");
    for pot in [Operators::vault(), Escrow::pot()] {
        assert_eq!(
            Balances::free_balance(pot),
            <Balances as Inspect<AccountId>>::minimum_balance(),
            "what is nobody's"
        );
    }
}

/// Plays a sequence to its end; gives what was seen.
fn play(steps: Vec<Step>) -> Seen {
    let mut seen = Seen::new();
    sp_io::TestExternalities::new(GENESIS.clone()).execute_with(|| {
        begin();
        for step in steps {
            take(step, &mut seen);
            check_state();
        }
        everything_ends(&mut seen);
        everybody_leaves(&mut seen);
    });
    seen
}

fn sequence() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step(), 1..120)
}

proptest! {
    #[test]
    fn sequences_through_all_pallets_keep_the_invariants_and_the_money(steps in sequence()) {
        play(steps);
    }
}

/// The same sequences each time.
#[test]
fn sequences_reach_every_end() {
    let mut runner = TestRunner::deterministic();
    let mut seen = Seen::new();
    for _ in 0..100 {
        seen.extend(play(sequence().new_tree(&mut runner).unwrap().current()));
    }
    let all = [
        "AddressUnregistered",
        "ContactSet",
        "DelegationWithdrawn",
        "JobCancelled",
        "JobExpired",
        "JobPaid",
        "JobRefunded",
        "JobSlashed",
        "Registered",
        "Removed",
        "Seized",
        "SlashCancelled",
        "Slashed",
        "Withdrawn",
        "WorkerSet",
    ];
    assert_eq!(seen.iter().map(String::as_str).collect::<Vec<_>>(), all);
}
