// SPDX-License-Identifier: Apache-2.0
//! Traits through which the pallets know each other. Each names exactly what one pallet needs of
//! another.

use crate::{
    engine::{EngineResult, Work},
    job::{JobId, JobSpec, ModelId, OutputCommitment, Payment},
    prices::Prices,
    publication::NextChunk,
    report::Report,
    sample::Sample,
    settlement::AuditOutcome,
    Balance, BlockNumber,
};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{dispatch::DispatchResult, weights::Weight};
use scale_info::TypeInfo;
use sp_core::H256;

/// The duty that a part of an operator's stake is reserved for. No stake ever backs two duties.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    TypeInfo,
    MaxEncodedLen,
)]
pub enum Duty {
    /// Running this job.
    #[codec(index = 0)]
    Run(JobId),
    /// Sitting on the committee that re-checks this job.
    #[codec(index = 1)]
    Verify(JobId),
    /// Challenging the output of this job.
    #[codec(index = 2)]
    Challenge(JobId),
}

/// The terms on which an operator serves a model now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Terms {
    /// The operator's prices.
    pub prices: Prices,
    /// The operator's longest context in tokens, prompt and output together.
    pub context: u32,
    /// The part of the operator's own stake that no duty reserves.
    pub unreserved: Balance,
    /// The most that the operator earns with one job of the model.
    pub max_reward: Balance,
    /// The most of its stake that it puts up for one job of the model.
    pub max_bond: Balance,
    /// The operator's load.
    pub load: Load,
}

/// The pallet of operators, as jobs and verification see it.
pub trait Operators<AccountId> {
    /// Money taken from a bond, as an imbalance. It is burnt when it is dropped.
    type Credit;

    /// Returns the terms on which the operator serves the model; `None` where it does not serve the
    /// model or takes no new duties.
    fn terms(operator: &AccountId, model: &ModelId) -> Option<Terms>;
    /// Returns whether the operator takes no jobs of that client.
    fn refuses(operator: &AccountId, client: &AccountId) -> bool;
    /// Returns the prices at which enough operators run a job of this size that it is routed: whichever
    /// of them runs it, the others have at least half of the other operators' stake in the model. That is
    /// little more than the stake-weighted median by the price of the job. Looks at all operators of the
    /// model, so it is for queries, not for blocks.
    fn prices(model: &ModelId, input_tokens: u32, tokens: u32) -> Option<Prices>;
    /// Reserves `amount` of the operator's stake for the duty, and takes one of its slots if the
    /// duty is [`Duty::Run`].
    fn reserve(operator: &AccountId, duty: Duty, amount: Balance) -> DispatchResult;
    /// Frees the slot of the duty and keeps its reservation: a delivered job is no more work for
    /// its operator, but its bond stays at stake until the job is settled. Does nothing where there
    /// are no slots.
    fn free_slot(_operator: &AccountId, _duty: Duty) {}
    /// Lowers the reservation for the duty to `amount`; the rest of it is free again. Does nothing
    /// where the duty reserves no more than that.
    fn shrink(operator: &AccountId, duty: Duty, amount: Balance);
    /// Ends the reservation and frees the slot. A missing reservation is not an error.
    fn release(operator: &AccountId, duty: Duty);
    /// Returns what [`Self::release`] weighs at most in addition to what is measured for an operator
    /// whose worker was not replaced.
    fn release_weight() -> Weight;
    /// Takes up to `amount` out of the reservation for the duty. The rest stays reserved.
    fn seize(operator: &AccountId, duty: Duty, amount: Balance) -> Self::Credit;
    /// Returns the amount reserved for the duty.
    fn reserved(operator: &AccountId, duty: Duty) -> Balance;
    /// Pays the operator: its commission and the part of its own stake go to its payout account,
    /// the rest to its delegators. Never fails.
    fn reward(operator: &AccountId, credit: Self::Credit);
    /// Returns whether the account has a delegation to the operator, including amounts that it is
    /// taking back.
    fn delegates(operator: &AccountId, account: &AccountId) -> bool;
    /// Returns whether the account is the operator's worker, and can act for it on this duty.
    fn acts_for(account: &AccountId, operator: &AccountId, duty: Duty) -> bool;
}

/// The parts of a levy on a payment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Levied {
    /// The amount burnt.
    pub burnt: Balance,
    /// The amount that the fund of juries keeps.
    pub kept: Balance,
}

impl Levied {
    /// Returns the sum of both parts.
    pub fn total(self) -> Balance {
        self.burnt.saturating_add(self.kept)
    }
}

/// The pallet that holds the payments.
pub trait Escrow<AccountId> {
    /// An imbalance of the same currency.
    type Credit;

    /// Puts payment, bounty and deposit on hold from the client.
    fn open(
        job: &JobId,
        client: &AccountId,
        payment: Payment,
        bounty: Balance,
        deposit: Balance,
    ) -> DispatchResult;
    /// Adds to the payment.
    fn raise(job: &JobId, more: Payment) -> DispatchResult;
    /// Puts another amount on hold from the client for the fees of the audit that it asks for.
    fn hold_audit(job: &JobId, amount: Balance) -> DispatchResult;
    /// Takes up to `amount` of the fees of the audit out for a verifier, as an imbalance that
    /// [`Operators::reward`] pays to it.
    fn draw_audit(job: &JobId, verifier: &AccountId, amount: Balance) -> Self::Credit;
    /// Puts the client's bond for a challenge on hold.
    fn hold_bond(job: &JobId, amount: Balance) -> DispatchResult;
    /// Returns the client's bond for a challenge that is on hold.
    fn bond(job: &JobId) -> Balance;
    /// Takes the client's bond for a challenge.
    fn seize_bond(job: &JobId) -> Self::Credit;
    /// Returns the client's bond for a challenge to the client, and the amount.
    fn release_bond(job: &JobId) -> Balance;
    /// Returns the payment put on hold.
    fn payment(job: &JobId) -> Option<Payment>;
    /// Takes the down payment out of the escrow for the operator, as an imbalance that
    /// [`Operators::reward`] pays to it.
    fn draw_down(job: &JobId, operator: &AccountId) -> Self::Credit;
    /// Takes up to `amount` of the remainder out for the operator, as an imbalance that
    /// [`Operators::reward`] pays to it.
    fn draw(job: &JobId, operator: &AccountId, amount: Balance) -> Self::Credit;
    /// Burns up to `amount` of the down payment and returns the amount burnt.
    fn burn_down(job: &JobId, amount: Balance) -> Balance;
    /// Takes up to `amount` of the remainder for nobody: the fund of juries keeps it as far as it has
    /// room, and the rest is burnt. Returns both parts.
    fn levy(job: &JobId, amount: Balance) -> Levied;
    /// Takes up to `amount` out of the fund of juries, as an imbalance that [`Operators::reward`]
    /// pays to a juror.
    fn draw_fund(amount: Balance) -> Self::Credit;
    /// Puts a down payment that its operator has returned back on hold from the client. Never
    /// fails: an amount that cannot be put on hold is paid to the client.
    fn put_back(job: &JobId, credit: Self::Credit);
    /// Pays up to `amount` of the remainder to the payee and returns the amount paid. Never fails:
    /// an amount that cannot be paid becomes a claim of the payee.
    fn pay(job: &JobId, payee: &AccountId, amount: Balance) -> Balance;
    /// Pays the bounty to the account that moved the job on and returns the amount paid. Never
    /// fails.
    fn pay_bounty(job: &JobId, payee: &AccountId) -> Balance;
    /// Burns the deposit and returns the amount burnt.
    fn burn_deposit(job: &JobId) -> Balance;
    /// Returns the remainder to the client, ends the escrow, and returns the amount.
    fn refund(job: &JobId) -> Balance;
    /// Pays an imbalance out to the payee, or turns it into a claim of the payee, and returns the
    /// amount.
    fn deposit(payee: &AccountId, credit: Self::Credit) -> Balance;
    /// Returns the value of `credit`.
    fn value(credit: &Self::Credit) -> Balance;
    /// Splits `credit` in two, the first worth at most `amount`.
    fn split(credit: Self::Credit, amount: Balance) -> (Self::Credit, Self::Credit);
}

/// A job as its committee sees it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AuditSubject<AccountId> {
    /// The client, which never sits on the committee.
    pub client: AccountId,
    /// The operator that ran the job, which never sits on the committee.
    pub operator: AccountId,
    /// The specification of the job.
    pub spec: JobSpec<AccountId>,
    /// The operator's commitment.
    pub commitment: OutputCommitment,
    /// The job's pay to its operator, from which verifiers' bonds are computed.
    pub reward: Balance,
    /// The fee of each verifier that the job pays.
    pub fee: Balance,
    /// The levy on the job if its output is accepted.
    pub levy: Balance,
    /// The account that challenges the output, which never sits on the jury; `None` if nobody does.
    pub challenger: Option<AccountId>,
}

/// A delivered job that waits for the end of its challenge window.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Challengeable<AccountId> {
    /// The job.
    pub subject: AuditSubject<AccountId>,
    /// The last block of its challenge window.
    pub until: BlockNumber,
}

/// The pallet of jobs, as verification sees it.
pub trait AuditedJobs<AccountId> {
    /// Returns a job that is delivered and under audit.
    fn subject(job: &JobId) -> Option<AuditSubject<AccountId>>;
    /// Returns a job that is delivered and not under audit.
    fn challengeable(job: &JobId) -> Option<Challengeable<AccountId>>;
    /// Puts a job that is delivered under audit, because the account challenges its output.
    fn challenge(job: &JobId, challenger: &AccountId);
    /// Settles the job as the outcome of its audit demands, and pays each of `verifiers`. `jurors`
    /// others have found the same and are not paid by the job. Where the output is accepted, `forfeited`
    /// others were on the committee and did not find it right: their fees go to the fund of juries. With
    /// [`AuditOutcome::NotAudited`] the job only waits for the end of its challenge window, or is paid for
    /// if it was challenged.
    fn conclude(
        job: &JobId,
        outcome: AuditOutcome,
        verifiers: &[AccountId],
        jurors: u32,
        forfeited: u32,
    );
}

/// The pallet of verification, as jobs see it.
pub trait Auditor<AccountId> {
    /// Handles the delivery of a job. Within a bounded number of blocks the auditor calls
    /// [`AuditedJobs::conclude`] for it, with [`AuditOutcome::NotAudited`] if the job was not drawn
    /// for an audit.
    fn delivered(job: &JobId, operator: &AccountId);
    /// Handles an accepted audit of a routed job of the operator, for which the client paid `fee`: the
    /// more such fees, the fewer of the operator's next jobs are audited.
    fn accepted(operator: &AccountId, fee: Balance);
    /// Handles the same of an audit that the client asked for. It counts as much as it would on
    /// average if the draw had decided: jobs that are audited on request are no cheaper way to a record.
    fn accepted_on_request(operator: &AccountId, fee: Balance);
    /// Handles a fault of the operator: all of its next jobs are audited again.
    fn faulted(operator: &AccountId);
    /// Returns the fewest verifiers with which an audit can be held to its end: those of a committee and
    /// those of a jury.
    fn fewest_verifiers() -> u32;
    /// Returns whether the account has to do with a job of that client and operator, so that it is never
    /// drawn to check it.
    fn is_involved(account: &AccountId, client: &AccountId, operator: &AccountId) -> bool;
    /// Returns whether the operator serves the model with a context of so many tokens, and could reserve
    /// the bond of a verifier of a job that pays `reward`.
    fn can_check(operator: &AccountId, model: &ModelId, tokens: u32, reward: Balance) -> bool;
}

/// A pallet whose objects lay duties on operators, which workers fulfil and report.
pub trait Duties<AccountId> {
    /// Returns the work that the engine has to do for the operator now.
    fn work(operator: &AccountId) -> Vec<Work>;
    /// Returns the reports that the operator can make now, given the results of the engine. It is a
    /// function of the state: a lost report is derived again.
    fn reports(operator: &AccountId, results: &[EngineResult]) -> Vec<Report>;
    /// Returns the chunks that the operator has to publish next, one for each job of which it has to
    /// publish a payload, the job that is due first before the others.
    fn chunks_due(_operator: &AccountId) -> Vec<NextChunk> {
        Vec::new()
    }
    /// Returns the weight of a report; `None` where the report is not one of this pallet's.
    fn weight_of(report: &Report) -> Option<Weight>;
    /// Returns the part of that weight that the report does not need if it is handled in this state.
    fn spared(_report: &Report) -> Weight {
        Weight::zero()
    }
    /// Handles a report of the operator's worker; returns `None` where the report is not one of
    /// this pallet's.
    fn handle(operator: &AccountId, report: &Report) -> Option<DispatchResult>;
}

/// No duties: every report is refused as unknown.
impl<AccountId> Duties<AccountId> for () {
    fn work(_: &AccountId) -> Vec<Work> {
        Vec::new()
    }

    fn reports(_: &AccountId, _: &[EngineResult]) -> Vec<Report> {
        Vec::new()
    }

    fn weight_of(_: &Report) -> Option<Weight> {
        None
    }

    fn handle(_: &AccountId, _: &Report) -> Option<DispatchResult> {
        None
    }
}

macro_rules! tuple_of_duties {
    ($($pallet:ident),*) => {
        impl<AccountId, $($pallet: Duties<AccountId>),*> Duties<AccountId> for ($($pallet,)*) {
            fn work(operator: &AccountId) -> Vec<Work> {
                let mut all = Vec::new();
                $(all.extend($pallet::work(operator));)*
                all
            }
            fn reports(operator: &AccountId, results: &[EngineResult]) -> Vec<Report> {
                let mut all = Vec::new();
                $(all.extend($pallet::reports(operator, results));)*
                all
            }
            fn chunks_due(operator: &AccountId) -> Vec<NextChunk> {
                let mut all = Vec::new();
                $(all.extend($pallet::chunks_due(operator));)*
                all
            }
            fn weight_of(report: &Report) -> Option<Weight> {
                $(if let Some(weight) = $pallet::weight_of(report) { return Some(weight) })*
                None
            }
            fn spared(report: &Report) -> Weight {
                Weight::zero()$(.saturating_add($pallet::spared(report)))*
            }
            fn handle(operator: &AccountId, report: &Report) -> Option<DispatchResult> {
                $(if let Some(result) = $pallet::handle(operator, report) { return Some(result) })*
                None
            }
        }
    };
}
tuple_of_duties!(A, B);
tuple_of_duties!(A, B, C);

/// The load of an operator.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Load {
    /// The number of jobs that the operator runs.
    pub running: u32,
    /// The number of jobs that the operator can run at a time.
    pub concurrency: u32,
}

impl Load {
    /// Returns whether the operator can run another job now.
    pub fn has_room(&self) -> bool {
        self.running < self.concurrency
    }
}

/// An operator that can take the job that a draw is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Eligible {
    /// The operator's prices.
    pub prices: Prices,
    /// The number of jobs that the operator runs.
    pub running: u32,
}

/// The operator that a draw returned.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Drawn<AccountId> {
    /// The operator's stash.
    pub operator: AccountId,
    /// The operator's prices.
    pub prices: Prices,
}

/// The pallet of routing, as seen by the pallets that assign jobs and seats.
pub trait Routing<AccountId> {
    /// Draws two operators of the model in proportion to their scores. Returns the second if, with
    /// half of the job counted, it would run fewer jobs for its score than the first does, and the
    /// first otherwise. Operators that have had their part of the epoch's jobs are drawn only where
    /// no other operator can take the job. With `allowed`, only those operators are drawn from,
    /// whatever they have had. `eligible` returns `None` for an operator that cannot take the job;
    /// it is called for a bounded number of operators. The same seed and state yield the same
    /// operator.
    fn draw(
        model: &ModelId,
        seed: H256,
        allowed: &[AccountId],
        eligible: impl Fn(&AccountId) -> Option<Eligible>,
    ) -> Option<Drawn<AccountId>>;
    /// Returns the longest context in tokens among the offers of operators that take duties with
    /// the model; `None` where there is none. It is an upper bound, less than twice too high after
    /// the operator with the largest offer leaves.
    fn context(model: &ModelId) -> Option<u32>;
    /// Returns the lowest price of each kind among the offers of operators that take duties with
    /// the model; `None` where there is none. Both are lower bounds, each less than twice too low
    /// after the operator with the lowest offer leaves.
    fn lowest_prices(model: &ModelId) -> Option<Prices>;
    /// Returns the tokens that half of the model's operators, by their work, were measured to write in a
    /// block; `None` where that is not known to 1 %.
    fn tokens_per_block(model: &ModelId) -> Option<u32>;
    /// Records that a draw among all operators assigned a job of the model to the operator. It
    /// counts against the most jobs that the operator can get in an epoch.
    fn assigned(model: &ModelId, operator: &AccountId);
    /// Draws up to `count` operators of the model in proportion to their stakes, each at most once.
    /// `eligible` is called for at most `count` operators and a bounded number more.
    fn committee(
        model: &ModelId,
        seed: H256,
        count: u32,
        eligible: impl Fn(&AccountId) -> bool,
    ) -> Vec<AccountId>;
    /// Draws operators of the model in proportion to their stakes, but for `except`: all, or a bounded
    /// number of them. Operators that are in no draw, because they drain or are silent, have no stake
    /// here.
    fn sample(model: &ModelId, seed: H256, except: &AccountId) -> Sample<AccountId>;
    /// Returns all operators of the model that can be drawn. Looks at all operators, so it is for queries,
    /// not for blocks.
    fn everyone(model: &ModelId) -> Sample<AccountId>;
    /// Returns the stake of all operators that can be drawn for a model, in the unit of samples.
    fn total_stake() -> u64;
    /// Returns the largest weight of a draw, including [`Self::assigned`] and the weight `eligible`
    /// of each eligibility check.
    fn draw_weight(eligible: Weight) -> Weight;
    /// Returns the largest weight of a committee's draw, including the weight `eligible` of each
    /// eligibility check.
    fn committee_weight(count: u32, eligible: Weight) -> Weight;
    /// Returns the largest weight of a sample, including the weight `each` of what is asked of each
    /// operator in it.
    fn sample_weight(each: Weight) -> Weight;
}

/// The performance of operators with jobs that a draw assigned to them for which the client named no
/// operators. Jobs that a client restricted to operators of its choice are not reported, since client and
/// operator may be one; for the same reason speed is measured on routed jobs alone, which enough others
/// could have had. Each call counts in the epoch in which it is made. It is therefore made when it is
/// known whether the operator was in time, and not when the operator was asked.
pub trait Performance<AccountId> {
    /// Records that the operator did in time what it was asked for.
    fn answered(operator: &AccountId);
    /// Records a sign of life of the operator that speaks neither for it nor against it.
    fn alive(operator: &AccountId);
    /// Records that the operator did not do in time what it was asked for.
    fn missed(operator: &AccountId);
    /// Records that the operator declined a job that another operator accepted later. It counts
    /// like a miss in the operator's uptime, and never excludes it from draws.
    fn declined(operator: &AccountId);
    /// Records that an output of the operator was verified: `tokens` of the model, generated within
    /// `blocks`. It counts in proportion to `fees`, which are what was paid for the job and neither
    /// its client nor its operator has: what is burnt, kept for juries, or paid to verifiers.
    fn delivered(
        operator: &AccountId,
        model: &ModelId,
        tokens: u32,
        blocks: BlockNumber,
        fees: Balance,
    );
    /// Returns the largest weight of [`Self::missed`]; the other calls change one record.
    fn miss_weight() -> Weight;
}

/// A model that an operator serves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Offered {
    /// The model.
    pub model: ModelId,
    /// The operator's longest context with the model in tokens.
    pub context: u32,
    /// The operator's prices.
    pub prices: Prices,
}

/// The standing of an operator: what it puts up for work.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Standing {
    /// The operator's stake, including delegations up to the limit that counts.
    pub stake: Balance,
    /// The models that it serves.
    pub models: Vec<Offered>,
    /// Whether the operator takes new duties; `false` while it drains.
    pub active: bool,
}

/// A source of operators' standings.
pub trait Standings<AccountId> {
    /// Returns the operator's current standing; `None` where the account is not an operator.
    fn standing(operator: &AccountId) -> Option<Standing>;
    /// Returns a page of the operators that offer the model, at most `limit` of them. It begins after
    /// that operator, or with the first, in an order that is the same at every block.
    fn serving(model: &ModelId, start_after: Option<&AccountId>, limit: u32) -> Vec<AccountId>;
}

/// A listener to each change by an operator or its delegators that bears on the jobs the operator
/// gets. Changes of the stake through pay and duties are visible only in [`Standings`].
pub trait OperatorChanged<AccountId> {
    /// Handles the operator's new standing; `None` once it is no longer an operator. Repeating a
    /// call changes nothing.
    fn changed(operator: &AccountId, standing: Option<Standing>);
    /// Returns the largest weight of handling a change.
    fn weight() -> Weight;
}

/// The listener of a runtime in which nothing listens.
impl<AccountId> OperatorChanged<AccountId> for () {
    fn changed(_: &AccountId, _: Option<Standing>) {}

    fn weight() -> Weight {
        Weight::zero()
    }
}

/// A source of randomness that was not known when the parent block was built: BABE's VRF output of
/// the parent block.
pub trait BlockRandomness {
    /// Returns the VRF output of the parent block; `None` if it carries none.
    fn of_parent() -> Option<H256>;
    /// Gives the parent block an output that is computed from `randomness`.
    #[cfg(feature = "runtime-benchmarks")]
    fn set_of_parent(randomness: H256);
}

/// The VRF outputs of the last blocks. Draws are made from the outputs of several blocks that come
/// after what they decide on, because an author knows the outputs of its own slots in advance.
pub trait PastRandomness {
    /// Returns the output of the block; `None` if it carries none, is not past, or is forgotten.
    fn of(block: BlockNumber) -> Option<H256>;
    /// Returns the hash of the outputs of `count` blocks from `first` on, in which a block without an
    /// output counts as zero; `None` if the last one is not past, if the first one is forgotten, or
    /// if none of them has an output.
    fn of_span(first: BlockNumber, count: BlockNumber) -> Option<H256>;
}
