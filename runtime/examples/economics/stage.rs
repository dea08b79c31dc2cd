// SPDX-License-Identifier: Apache-2.0
//! One job on the real runtime, played along a path of draws that the caller chooses.

use crate::{
    assumptions::{PAYLOADS, PRICES},
    blocks, chain,
    scene::{
        accepts, ask, assigned, client, commits, create, quoted, rejects, report, spec, state,
        wealth,
    },
    strategy::{Act, Ballot, Client, Conduct, Delivery, Operator, Seat},
    tickets,
};
use assay_primitives::{
    draw::Purpose,
    job::{JobSpec, JobState},
    publication::Part,
    settlement::Outcome,
    verdict_hash, DeclineReason, JobId, Report, VacateReason, Verdict,
};
use assay_runtime::{
    presets, AccountId, Balance, Jobs, Runtime, RuntimeCall, RuntimeOrigin, TransactionPayment,
    Verification,
};
use codec::Encode;
use frame_support::{dispatch::GetDispatchInfo, traits::Get};
use pallet_verification::{Audits, Ballot as Voted, Phase, Records, Stage};
use sp_core::{crypto::AccountId32, H256};
use sp_crypto_hashing::blake2_256;
use sp_keyring::Sr25519Keyring;
use sp_runtime::Storage;
use std::{collections::HashMap, sync::LazyLock};

/// The operators of the chain: enough for three juries and the seats that are drawn again.
const OPERATORS: usize = 48;

/// The jobs without a fault after which an operator is audited at the floor.
const RECORD: u64 = 50_000 * pallet_verification::WHOLE;

/// A draw, which only chance decides.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Chance {
    /// The draw of the job for an audit: 0 or 1.
    Audit,
    /// The draw of an accepted audit for a second look: 0 or 1.
    SecondLook,
    /// The draw of so many seats: the number of them that are the group's.
    Seats(u32),
}

/// The effect of a job on the group.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Ended {
    /// The gain of the group, less its fees of extrinsics.
    pub gain: i128,
    /// The checks that members of the group made.
    pub checks: u32,
    /// The outcome of the job.
    pub outcome: Outcome,
}

/// The end of a path.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Led {
    /// To another draw.
    To(Chance),
    /// To the end of the job.
    Over(Ended),
}

/// Plays a job along the path: what each draw results in, one after the other.
pub fn play(conduct: &Conduct, path: &[u32]) -> Led {
    on_chain(|| Scene::new(conduct, path).run().map_or_else(Led::To, Led::Over))
}

/// Runs the closure in the first block of a chain with the default parameters and a crowd of operators.
pub fn on_chain<R>(run: impl FnOnce() -> R) -> R {
    static GENESIS: LazyLock<Storage> = LazyLock::new(|| chain::genesis(crowd()));
    let mut chain = sp_io::TestExternalities::new(GENESIS.clone());
    chain.execute_with(|| {
        blocks::next_block(&[]);
        run()
    })
}

/// Returns the fee of creating a job.
pub fn creation_fee(spec: &JobSpec<AccountId>) -> Balance {
    let payment = quoted(spec);
    fee(&pallet_jobs::Call::create { spec: spec.clone(), payment }.into())
}

/// Returns the fee of a signed extrinsic in quiet times.
pub fn fee(call: &RuntimeCall) -> Balance {
    // A signature, the signer and the extensions take some 110 bytes.
    let length = u32::try_from(call.encoded_size() + 110).expect("a call is short");
    TransactionPayment::compute_fee(length, &call.get_dispatch_info(), 0)
}

/// Returns the genesis of that chain.
fn crowd() -> serde_json::Value {
    let mut genesis = presets::development();
    genesis["genesisParameters"]["windows"] = serde_json::Value::Null;
    let first = genesis["operators"]["operators"][0].clone();
    let known = presets::DEVELOPMENT_OPERATORS.len();
    for n in known..OPERATORS {
        let json = |account: &AccountId| serde_json::to_value(account).expect("an account is JSON");
        let [stash, worker] = [b"bonds", b"works"]
            .map(|kind| AccountId32::new(blake2_256(&(kind, n as u32).encode())));
        let mut entry = first.clone();
        entry[0] = json(&stash);
        entry[1] = json(&worker);
        let balances = genesis["balances"]["balances"].as_array_mut().expect("a list");
        let endowment = balances[0][1].clone();
        balances.push(serde_json::Value::Array(vec![json(&stash), endowment]));
        genesis["operators"]["operators"].as_array_mut().expect("a list").push(entry);
    }
    genesis
}

/// A job on the chain, and what is decided of it.
struct Scene<'a> {
    conduct: &'a Conduct,
    path: std::slice::Iter<'a, u32>,
    everybody: Vec<AccountId>,
    before: HashMap<AccountId, Balance>,
    fees: Balance,
    job: JobId,
    operator: Option<AccountId>,
    members: Vec<AccountId>,
    seated: Vec<(u8, AccountId)>,
    looked: bool,
    checks: u32,
}

impl<'a> Scene<'a> {
    fn new(conduct: &'a Conduct, path: &'a [u32]) -> Self {
        let everybody: Vec<_> = pallet_operators::Operators::<Runtime>::iter_keys().collect();
        assert_eq!(everybody.len(), OPERATORS);
        if conduct.order.prices != PRICES {
            everybody.iter().for_each(|who| ask(who, conduct.order.prices));
        }
        everybody.iter().for_each(|who| {
            Records::<Runtime>::insert(who, if conduct.newcomer { 0 } else { RECORD });
        });
        Self {
            conduct,
            path: path.iter(),
            before: HashMap::new(),
            everybody,
            fees: 0,
            job: JobId::zero(),
            operator: None,
            members: vec![],
            seated: vec![],
            looked: false,
            checks: 0,
        }
    }

    fn take(&mut self, chance: Chance) -> Result<u32, Chance> {
        self.path.next().copied().ok_or(chance)
    }

    /// Begins the next block, whose output draws the job for that purpose or does not.
    fn block(&self, purpose: Purpose, is_drawn: bool) {
        let rate = match purpose {
            Purpose::SecondLook => <Runtime as pallet_verification::Config>::SecondLooks::get(),
            _ => Verification::audit_rate(self.operator.as_ref().expect("the job has an operator")),
        };
        tickets::next_block(&[], &self.job, purpose, rate, is_drawn);
    }

    fn wait(&self) {
        blocks::next_block(&[]);
    }

    fn run(mut self) -> Result<Ended, Chance> {
        let order = self.conduct.order;
        let payloads = PAYLOADS.map(|bytes| vec![7u8; bytes]);
        let hashes = [0, 1].map(|part: usize| H256(blake2_256(&payloads[part])));
        let mut spec = spec(order.input, order.most);
        spec.request_hash = hashes[0];
        spec.deadline = order.deadline;
        let payment =
            assay_primitives::job::Payment { down: order.down, tip: order.tip, ..quoted(&spec) };
        for who in self.everybody.iter().chain([&client(), &hunter()]) {
            self.before.insert(who.clone(), wealth([who]));
        }
        if self.conduct.client == Client::InGroup {
            self.members.push(client());
            self.fees += creation_fee(&spec);
        }
        self.job = create(spec, payment);
        if let Delivery::Declined(reason) = self.conduct.delivery {
            return Ok(self.declined(reason));
        }
        if let Delivery::Late(times) = self.conduct.delivery {
            return Ok(self.late(times));
        }
        let operator = assigned(&self.job);
        report(&operator, Report::Accept { job: self.job });
        self.wait();
        if self.conduct.operator == Operator::InGroup {
            self.members.push(operator.clone());
        }
        self.operator = Some(operator.clone());
        report(&operator, commits(&self.job, order.tokens, hashes[1]));
        let always = Verification::audit_rate(&operator) == sp_runtime::Permill::one();
        let audited = always || self.take(Chance::Audit)? == 1;
        for _ in 0..draw_blocks() + 1 {
            self.block(Purpose::Audit, audited);
        }
        loop {
            if let JobState::Settled(settlement) = state(&self.job) {
                return Ok(self.ended(settlement.outcome));
            }
            let Some(audit) = Audits::<Runtime>::get(self.job) else {
                if self.conduct.hunts {
                    self.hunt();
                }
                self.wait();
                continue;
            };
            assert!(audited, "the job is not drawn");
            match audit.phase {
                Phase::Drawing { .. } if audit.stage == Stage::SecondLook && !self.looked => {
                    self.looked = true;
                    let drawn = self.take(Chance::SecondLook)? == 1;
                    for _ in 0..draw_blocks() + 1 {
                        self.block(Purpose::SecondLook, drawn);
                    }
                }
                Phase::Drawing { .. } => self.wait(),
                Phase::Committing { .. } | Phase::Revealing { .. } => self.sit(&audit)?,
                Phase::Producing { .. } if self.conduct.publishes => self.publish(&payloads),
                // Two hours, in which operators have to show that they are there.
                Phase::Producing { .. } => blocks::next_block(&self.everybody),
            }
        }
    }

    /// Lets the seats of the panel act that have not, or waits for the end of the phase.
    fn sit(&mut self, audit: &pallet_verification::Audit<AccountId>) -> Result<(), Chance> {
        let new: Vec<_> = audit
            .seats
            .iter()
            .filter(|seat| {
                !self.seated.iter().any(|(draw, who)| *draw == seat.draw && *who == seat.verifier)
            })
            .map(|seat| (seat.draw, seat.verifier.clone()))
            .collect();
        if !new.is_empty() {
            let of_group = self.take(Chance::Seats(new.len() as u32))? as usize;
            let members = new.iter().take(of_group).map(|(_, who)| who.clone());
            self.members.extend(members);
            self.seated.extend(new);
        }
        let is_member = |who: &AccountId| self.members.contains(who);
        let colluders = audit.seats.iter().filter(|seat| is_member(&seat.verifier)).count() as u32;
        let salt = H256::repeat_byte(5);
        let mut acted = false;
        for seat in &audit.seats {
            let member = is_member(&seat.verifier);
            let act = self.conduct.act(&Seat {
                stage: audit.stage,
                member,
                colluders,
                seats: audit.seats.len() as u32,
            });
            let verdict = match act {
                Act::Vote(ballot) | Act::Blind(ballot) | Act::Withhold(ballot) => told(ballot),
                Act::Copy | Act::Vacate | Act::Silent => accepts(),
            };
            let job = self.job;
            let report = match (audit.phase, &seat.ballot, act) {
                (_, _, Act::Silent) => continue,
                (Phase::Committing { .. }, Voted::Awaited, Act::Vacate) => {
                    Report::Vacate { job, reason: VacateReason::Resource }
                }
                (Phase::Committing { .. }, Voted::Awaited, _) => {
                    let checks = matches!(act, Act::Vote(_) | Act::Withhold(_));
                    self.checks += u32::from(member && checks);
                    // Whoever means to copy does not know yet what.
                    let verdict = match act {
                        Act::Copy => Verdict::Accept { digest_root: H256::zero() },
                        _ => verdict,
                    };
                    let hash = verdict_hash(&job, seat.draw, &seat.verifier, &verdict, &salt);
                    Report::CommitVerdict { job, hash }
                }
                (Phase::Revealing { .. }, Voted::Committed { .. }, Act::Withhold(_)) => continue,
                (Phase::Revealing { .. }, Voted::Committed { .. }, Act::Copy) => {
                    let copied = Report::RevealVerdict { job, verdict, salt };
                    assert!(!blocks::report(&seat.verifier, copied), "a copied verdict is taken");
                    continue;
                }
                (Phase::Revealing { .. }, Voted::Committed { .. }, _) => {
                    Report::RevealVerdict { job, verdict, salt }
                }
                _ => continue,
            };
            acted = true;
            self::report(&seat.verifier, report);
        }
        if !acted {
            self.wait();
        }
        Ok(())
    }

    /// Settles the job for its bounty, if that can be done in this block.
    fn hunt(&mut self) {
        let call = pallet_jobs::Call::settle { job: self.job };
        if Jobs::settle(RuntimeOrigin::signed(hunter()), self.job).is_ok() {
            self.members.push(hunter());
            self.fees += fee(&call.into());
        }
    }

    /// Publishes request and transcript.
    fn publish(&self, payloads: &[Vec<u8>]) {
        let operator = self.operator.clone().expect("the job has an operator");
        for (part, bytes) in Part::ALL.into_iter().zip(payloads) {
            let origin = RuntimeOrigin::signed(operator.clone());
            let bytes = bytes.clone().try_into().expect("it fits into a chunk");
            Verification::publish(origin, self.job, part, 0, true, bytes)
                .expect("the operator publishes");
        }
    }

    /// Lets the operators decline the job until it is over.
    fn declined(mut self, reason: DeclineReason) -> Ended {
        loop {
            if let JobState::Settled(settlement) = state(&self.job) {
                return self.ended(settlement.outcome);
            }
            let operator = assigned(&self.job);
            if self.conduct.operator == Operator::InGroup && !self.members.contains(&operator) {
                self.members.push(operator.clone());
            }
            report(&operator, Report::Decline { job: self.job, reason });
        }
    }

    /// Keeps so many operators from delivering in time; the next one declines, and the client gives up.
    fn late(self, times: u32) -> Ended {
        let mut late = 0;
        loop {
            match state(&self.job) {
                JobState::Settled(settlement) => return self.ended(settlement.outcome),
                JobState::Assigned { operator, .. } if late < times => {
                    late += 1;
                    report(&operator, Report::Accept { job: self.job });
                }
                JobState::Open { .. } if late == times => {
                    Jobs::cancel(RuntimeOrigin::signed(client()), self.job)
                        .expect("an open job can be cancelled");
                }
                _ => self.wait(),
            }
        }
    }

    fn ended(&self, outcome: Outcome) -> Ended {
        let mut members = self.members.clone();
        members.sort();
        members.dedup();
        let gain = |who: &AccountId| wealth([who]) as i128 - self.before[who] as i128;
        let gain = members.iter().map(gain).sum::<i128>() - self.fees as i128;
        Ended { gain, checks: self.checks, outcome }
    }
}

/// Returns an account that is neither an operator nor the client.
fn hunter() -> AccountId {
    Sr25519Keyring::Eve.to_account_id()
}

/// Returns the smallest part of jobs that is audited.
pub fn audit_floor() -> f64 {
    let floor = <Runtime as pallet_verification::Config>::AuditFloor::get();
    f64::from(floor.deconstruct()) / 1e6
}

/// Returns the blocks over which a draw is spread.
fn draw_blocks() -> u32 {
    <Runtime as pallet_verification::Config>::DrawBlocks::get()
}

fn told(ballot: Ballot) -> Verdict {
    match ballot {
        Ballot::Accept => accepts(),
        Ballot::Reject => rejects(),
        Ballot::Unavailable => {
            Verdict::Abstain(assay_primitives::AbstainReason::PayloadUnavailable)
        }
    }
}
