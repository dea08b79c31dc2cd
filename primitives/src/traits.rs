// SPDX-License-Identifier: Apache-2.0
//! The traits through which the pallets know each other. Each is what one pallet needs of another,
//! no more.

use crate::{
    engine::{EngineResult, Work},
    job::{JobId, JobSpec, ModelId, OutputCommitment, Payment},
    report::Report,
    settlement::AuditOutcome,
    Balance, BlockNumber,
};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{dispatch::DispatchResult, weights::Weight};
use scale_info::TypeInfo;
use sp_core::H256;

/// What a part of an operator's stake is reserved for. One stake never backs two duties.
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
}

/// On what terms an operator serves a model now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Terms {
    /// Its price per token.
    pub price: Balance,
    /// Its longest context in tokens, prompt and output together.
    pub context: u32,
    /// The part of its own stake that nothing reserves.
    pub unreserved: Balance,
    /// How busy it is.
    pub load: Load,
}

/// The pallet of operators, as jobs and verification see it.
pub trait Operators<AccountId> {
    /// Money taken from a bond, as an imbalance: burnt where it is dropped.
    type Credit;

    /// On what terms the operator serves the model; `None` where it does not, or takes no new duties.
    fn terms(operator: &AccountId, model: &ModelId) -> Option<Terms>;
    /// The price per token of the model: the stake-weighted median of what its operators ask. Looks
    /// at all operators: for queries, not for blocks.
    fn price(model: &ModelId) -> Option<Balance>;
    /// Sets `amount` of the operator's stake aside for the duty and takes one of its slots if it is
    /// [`Duty::Run`].
    fn reserve(operator: &AccountId, duty: Duty, amount: Balance) -> DispatchResult;
    /// Frees the slot of the duty and keeps its reservation: a job that is delivered is no more work
    /// for its operator, and its bond stays at stake until it is settled. Without slots there is
    /// nothing to do.
    fn free_slot(_operator: &AccountId, _duty: Duty) {}
    /// Ends the reservation and frees the slot. A reservation that does not exist is no error.
    fn release(operator: &AccountId, duty: Duty);
    /// Takes up to `amount` out of what is reserved for the duty. The rest stays reserved.
    fn seize(operator: &AccountId, duty: Duty, amount: Balance) -> Self::Credit;
    /// What is reserved for the duty.
    fn reserved(operator: &AccountId, duty: Duty) -> Balance;
    /// Pays the operator: its commission and the part of its own stake to its payout account, the
    /// rest to those who have delegated to it. Never fails.
    fn reward(operator: &AccountId, credit: Self::Credit);
    /// Whether the account has delegated to the operator, what it takes back from it included.
    fn delegates(operator: &AccountId, account: &AccountId) -> bool;
}

/// The pallet that holds the payments.
pub trait Escrow<AccountId> {
    /// An imbalance of the same currency.
    type Credit;

    /// Puts payment and bounty on hold from the client.
    fn open(job: &JobId, client: &AccountId, payment: Payment, bounty: Balance) -> DispatchResult;
    /// Adds to the payment.
    fn raise(job: &JobId, more: Payment) -> DispatchResult;
    /// What was put on hold.
    fn payment(job: &JobId) -> Option<Payment>;
    /// Takes `down` out for the operator, as an imbalance that is paid to it by
    /// [`Operators::reward`].
    fn draw_down(job: &JobId, operator: &AccountId) -> Self::Credit;
    /// Takes up to `amount` of what is left out for the operator, as an imbalance that is paid to it
    /// by [`Operators::reward`].
    fn draw(job: &JobId, operator: &AccountId, amount: Balance) -> Self::Credit;
    /// Puts a down payment back that its operator has returned, on hold again from the client. Never
    /// fails: what cannot be on hold is given to the client.
    fn put_back(job: &JobId, credit: Self::Credit);
    /// Pays up to `amount` of what is left to the payee; gives what was paid. Never fails: what
    /// cannot be paid becomes a claim of the payee.
    fn pay(job: &JobId, payee: &AccountId, amount: Balance) -> Balance;
    /// Pays the bounty to who moved the job on; gives what was paid. Never fails.
    fn pay_bounty(job: &JobId, payee: &AccountId) -> Balance;
    /// Returns what is left to the client and ends the escrow; gives what was returned.
    fn refund(job: &JobId) -> Balance;
    /// Pays an imbalance out to the payee, or makes it a claim of its; gives the amount.
    fn deposit(payee: &AccountId, credit: Self::Credit) -> Balance;
    /// What `credit` is worth.
    fn value(credit: &Self::Credit) -> Balance;
    /// Splits `credit` in two, the first worth up to `amount`.
    fn split(credit: Self::Credit, amount: Balance) -> (Self::Credit, Self::Credit);
}

/// A job as its committee sees it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AuditSubject<AccountId> {
    /// Who bought it: never sits on its committee.
    pub client: AccountId,
    /// Who ran it: never sits on its committee.
    pub operator: AccountId,
    /// What was ordered.
    pub spec: JobSpec<AccountId>,
    /// What the operator stands for.
    pub commitment: OutputCommitment,
    /// What the job pays its operator, from which verifiers' bonds are reckoned.
    pub reward: Balance,
}

/// The pallet of jobs, as verification sees it.
pub trait AuditedJobs<AccountId> {
    /// A job that is delivered and under audit.
    fn subject(job: &JobId) -> Option<AuditSubject<AccountId>>;
    /// The audit is over: the job is settled accordingly, and each of `verifiers` is paid. With
    /// [`AuditOutcome::NotAudited`] the job only waits for the end of its challenge window.
    fn conclude(job: &JobId, outcome: AuditOutcome, verifiers: &[AccountId]);
}

/// The pallet of verification, as jobs see it.
pub trait Auditor<AccountId> {
    /// A job was delivered. Within a bounded number of blocks [`AuditedJobs::conclude`] is called for
    /// it, with [`AuditOutcome::NotAudited`] if it was not drawn for an audit.
    fn delivered(job: &JobId, operator: &AccountId);
    /// A job of the operator ended, and not undecided: with a fault its next jobs are all audited
    /// again.
    fn settled(operator: &AccountId, fault: bool);
}

/// A pallet whose objects lay duties on operators, which workers fulfil and report.
pub trait Duties<AccountId> {
    /// What the engine has to do for the operator now.
    fn work(operator: &AccountId) -> Vec<Work>;
    /// What the operator can report now, given what the engine has found. A function of the state:
    /// a report that is lost is derived again.
    fn reports(operator: &AccountId, results: &[EngineResult]) -> Vec<Report>;
    /// Whether a report is one of this pallet's, and if so, its weight.
    fn weight_of(report: &Report) -> Option<Weight>;
    /// Takes a report of the operator's worker; `None` where it is not one of this pallet's.
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
            fn weight_of(report: &Report) -> Option<Weight> {
                $(if let Some(weight) = $pallet::weight_of(report) { return Some(weight) })*
                None
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

/// How busy an operator is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Load {
    /// Jobs it runs.
    pub running: u32,
    /// Jobs it can run at a time.
    pub concurrency: u32,
}

impl Load {
    /// Whether it can run another job now.
    pub fn has_room(&self) -> bool {
        self.running < self.concurrency
    }
}

/// An operator that can take the job that a draw is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Eligible {
    /// Its price per token.
    pub price: Balance,
    /// Jobs that it runs.
    pub running: u32,
}

/// The operator that a draw gave.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Drawn<AccountId> {
    /// Its stash.
    pub operator: AccountId,
    /// Its price per token.
    pub price: Balance,
}

/// The pallet of routing, as those see it that give out jobs and seats.
pub trait Routing<AccountId> {
    /// Draws two operators of the model in proportion to their scores and gives the second where,
    /// with half of the job counted, it would run fewer for its score than the first does. Those who
    /// have had their part of the epoch's jobs are only drawn where nobody else can take the job.
    /// With `allowed` only those are drawn from, whatever they have had.
    /// `eligible` says whether an operator can take the job: it is asked about a bounded number of
    /// operators. The same seed and state give the same operator.
    fn draw(
        model: &ModelId,
        seed: H256,
        allowed: &[AccountId],
        eligible: impl Fn(&AccountId) -> Option<Eligible>,
    ) -> Option<Drawn<AccountId>>;
    /// The longest context that operators offer who take duties with the model, in tokens; `None`
    /// where there is none. After who offered the longest has left it can be too long, by less than a
    /// factor of two.
    fn context(model: &ModelId) -> Option<u32>;
    /// A job of the model was given to the operator by a draw among all: it counts against what it
    /// can get in an epoch.
    fn assigned(model: &ModelId, operator: &AccountId);
    /// Draws up to `count` operators of the model in proportion to their stakes, each at most once.
    /// `eligible` is asked about at most `count` operators and a bounded number more.
    fn committee(
        model: &ModelId,
        seed: H256,
        count: u32,
        eligible: impl Fn(&AccountId) -> bool,
    ) -> Vec<AccountId>;
    /// What a draw weighs at most, with the note that the job was given, and with what `eligible`
    /// weighs each time.
    fn draw_weight(eligible: Weight) -> Weight;
    /// What a draw of a committee weighs at most, with what `eligible` weighs each time.
    fn committee_weight(count: u32, eligible: Weight) -> Weight;
}

/// What operators are seen to do with jobs that the draw among all gave them: those that a client
/// gave to operators of its choice are not told, since client and operator may be one. Each call
/// counts in the epoch in which it is made, so it is made when it is known whether the operator was in
/// time, and not when it was asked.
pub trait Performance<AccountId> {
    /// The operator answered in time what it was asked.
    fn answered(operator: &AccountId);
    /// It did not.
    fn missed(operator: &AccountId);
    /// An output of the operator was verified: `tokens` of the model, and the blocks that they took.
    fn delivered(operator: &AccountId, model: &ModelId, tokens: u32, blocks: BlockNumber);
    /// What [`Self::missed`] weighs at most; the others change one record.
    fn miss_weight() -> Weight;
}

/// A model that an operator serves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Offered {
    /// The model.
    pub model: ModelId,
    /// The operator's longest context with it in tokens.
    pub context: u32,
}

/// What an operator puts up for work.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Standing {
    /// Its stake, with what its delegators add as far as that counts.
    pub stake: Balance,
    /// The models that it serves.
    pub models: Vec<Offered>,
    /// Whether it takes new duties; not while it drains.
    pub active: bool,
}

/// Knows how operators stand.
pub trait Standings<AccountId> {
    /// How the operator stands now; `None` where the account is no operator.
    fn standing(operator: &AccountId) -> Option<Standing>;
}

/// Hears of each change that an operator makes, or its delegators, and that bears on what it gets to
/// do. What pay adds to its stake and duties take off it is only seen in [`Standings`].
pub trait OperatorChanged<AccountId> {
    /// The operator stands like this now; `None` once it is no operator any more. Telling the same
    /// twice changes nothing.
    fn changed(operator: &AccountId, standing: Option<Standing>);
    /// What hearing of a change weighs at most.
    fn weight() -> Weight;
}

/// Nobody listens.
impl<AccountId> OperatorChanged<AccountId> for () {
    fn changed(_: &AccountId, _: Option<Standing>) {}

    fn weight() -> Weight {
        Weight::zero()
    }
}

/// Where randomness comes from that was not known when the parent block was built: BABE's VRF
/// output of the parent block.
pub trait BlockRandomness {
    /// The VRF output of the parent block; `None` when it carries none.
    fn of_parent() -> Option<H256>;
}
