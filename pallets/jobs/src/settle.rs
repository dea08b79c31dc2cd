// SPDX-License-Identifier: Apache-2.0
//! The ends of jobs: the money of each party, and the record of it.

use crate::{types::Job, Config, Event, Jobs, JobsOfOperator, Pallet};
use assay_primitives::{
    job::{JobId, JobState, OutputCommitment, Payment},
    settlement::{AuditOutcome, Challenge, Outcome, Settlement},
    traits::{Auditor, Duty, Escrow, Operators, Performance},
    Balance, BlockNumber, Prices,
};
use frame_support::traits::Get;

/// Money out of a bond.
type CreditOf<T> =
    <<T as Config>::Escrow as Escrow<<T as frame_system::Config>::AccountId>>::Credit;

/// The facts by which a delivered job is settled.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Delivery<AccountId> {
    /// The operator that ran it.
    pub operator: AccountId,
    /// Its prices.
    pub prices: Prices,
    /// The commitment to its output.
    pub commitment: OutputCommitment,
    /// Blocks that it took.
    pub took: BlockNumber,
    /// Whether the job waits for its audit.
    pub audit: bool,
    /// The account that challenges the output.
    pub challenger: Option<AccountId>,
    /// Last block of the challenge window.
    pub until: BlockNumber,
}

/// The finding of an audit.
pub(crate) struct Found<'a, AccountId> {
    /// The outcome.
    pub audit: AuditOutcome,
    /// The verifiers that agree with it and are paid by the job.
    pub verifiers: &'a [AccountId],
    /// The number of jurors that agree with it and are not.
    pub jurors: u32,
    /// The number of members of the committee that forfeit their fees, because they have not found what
    /// was accepted.
    pub forfeited: u32,
}

impl<AccountId> Found<'_, AccountId> {
    /// Nothing, because the job was not audited.
    pub const NOTHING: Self =
        Self { audit: AuditOutcome::NotAudited, verifiers: &[], jurors: 0, forfeited: 0 };
}

/// The money that lateness costs an operator.
pub(crate) struct Lateness<Credit> {
    /// The down payment that it returns.
    pub owed: Credit,
    /// The amount that was taken out of its bond.
    pub slashed: Balance,
}

impl<T: Config> Pallet<T> {
    /// Ends a job that no operator ran: all is refunded, but for the deposit of a job whose prompt none of
    /// its operators could get.
    pub(crate) fn end_unserved(
        id: &JobId,
        job: Job<T::AccountId>,
        outcome: Outcome,
        mover: Option<&T::AccountId>,
    ) {
        let burnt = if Self::is_empty(&job, outcome) { T::Escrow::burn_deposit(id) } else { 0 };
        let settlement = Settlement { paid: burnt, burnt, ..Self::record(outcome, None) };
        Self::finish(id, job, settlement, mover);
    }

    /// Returns whether operators have had the job in their slots for nothing, because they did not get its
    /// prompt: as many as can be drawn, since one could lie; or all that were drawn, if the client itself
    /// ends a job that is open to all. Such a client may have waited for its own operator to be drawn.
    fn is_empty(job: &Job<T::AccountId>, outcome: Outcome) -> bool {
        let withdrawn = outcome == Outcome::Cancelled && job.is_open_to_all();
        let most = T::MaxAttempts::get();
        let enough = if withdrawn { job.attempts().clamp(1, most) } else { most };
        job.unserved >= enough
    }

    /// Ends a job whose output stands: operator and verifiers are paid out of the escrow.
    pub(crate) fn end_accepted(
        id: &JobId,
        job: Job<T::AccountId>,
        delivery: Delivery<T::AccountId>,
        found: Found<'_, T::AccountId>,
        mover: Option<&T::AccountId>,
    ) {
        let Found { audit, verifiers, jurors, forfeited } = found;
        let Delivery { operator, prices, commitment, took, challenger, .. } = delivery;
        let price = Self::price_of(&job, prices, commitment.tokens);
        let Payment { down, tip, .. } = job.payment;
        let fee = Self::fee_of(&job, prices, commitment.tokens);
        let tip_burnt = Self::burnt_of(tip);
        let levied = T::Escrow::levy(id, Self::levy_of(&job, prices, commitment.tokens));
        let earned = price.saturating_sub(levied.total().saturating_sub(tip_burnt));
        let mut left = earned;
        let mut audit_fees: Balance = 0;
        for verifier in verifiers {
            if job.spec.audit {
                let credit = T::Escrow::draw_audit(id, verifier, fee);
                audit_fees = audit_fees.saturating_add(T::Escrow::value(&credit));
                T::Operators::reward(verifier, credit);
            } else {
                left = left.saturating_sub(Self::pay_operator(id, verifier, fee.min(left)));
            }
        }
        let verified = earned.saturating_sub(left);
        // An operator gains nothing by what it keeps from verifiers, and keeps nothing where the client
        // pays them.
        let forfeited = if job.spec.audit { 0 } else { forfeited };
        let forfeited = fee.saturating_mul(forfeited.into()).min(left);
        let forfeited = T::Escrow::levy(id, forfeited);
        let left = left.saturating_sub(forfeited.total());
        let (fund, burnt) = (
            levied.kept.saturating_add(forfeited.kept),
            levied.burnt.saturating_add(forfeited.burnt),
        );
        let pay = left.saturating_add(tip.saturating_sub(tip_burnt));
        let pay = Self::pay_operator(id, &operator, pay);
        if audit == AuditOutcome::Accepted && challenger.is_none() && job.routed {
            // Neither client nor operator has these.
            let fees = Self::burnt_of(down)
                .saturating_add(fund)
                .saturating_add(burnt)
                .saturating_add(verified);
            let (model, tokens) = (&job.spec.model, commitment.tokens);
            T::Routing::delivered(&operator, model, tokens, took, fees);
        }
        let settlement = Settlement {
            audit,
            verifiers: count(verifiers).saturating_add(jurors),
            output_hash: Some(commitment.output_hash),
            tokens: commitment.tokens,
            paid: down
                .saturating_add(fund)
                .saturating_add(burnt)
                .saturating_add(verified)
                .saturating_add(audit_fees)
                .saturating_add(pay),
            audit_fees,
            challenge: challenger.map(|challenger| Challenge { challenger, reward: 0 }),
            burnt: burnt.saturating_add(Self::burnt_of(down)),
            fund,
            ..Self::record(Outcome::Paid, Some(operator))
        };
        Self::finish(id, job, settlement, mover);
    }

    /// Takes the down payment and the fine out of the bond of an operator that was late.
    pub(crate) fn fine_late(
        id: &JobId,
        job: &Job<T::AccountId>,
        operator: &T::AccountId,
        prices: Prices,
    ) -> Lateness<CreditOf<T>> {
        let down = job.payment.down;
        let bond = Self::bond_of(Self::reward_at(job, prices));
        let fine = T::LatenessFraction::get().mul_floor(bond);
        let credit = T::Operators::seize(operator, Duty::Run(*id), down.saturating_add(fine));
        let slashed = T::Escrow::value(&credit);
        // The fine is burnt: whoever can make operators late, with full blocks or blocks of its own, would
        // otherwise be paid for that as their client.
        let (owed, _burnt) = T::Escrow::split(credit, down);
        Lateness { owed, slashed }
    }

    /// Ends a job whose last operator delivered nothing in time either: it is fined, and the down
    /// payment that it returns goes back to the client with all else.
    pub(crate) fn end_late(
        id: &JobId,
        job: Job<T::AccountId>,
        operator: T::AccountId,
        prices: Prices,
        mover: Option<&T::AccountId>,
    ) {
        let Lateness { owed, slashed } = Self::fine_late(id, &job, &operator, prices);
        let burnt = slashed.saturating_sub(T::Escrow::value(&owed));
        let returned = Self::give(&job.client, owed);
        let settlement = Settlement {
            paid: job.payment.down,
            refunded: returned,
            slashed,
            burnt: burnt.saturating_add(Self::burnt_of(job.payment.down)),
            ..Self::record(Outcome::Refunded, Some(operator))
        };
        Self::finish(id, job, settlement, mover);
    }

    /// Ends a job whose output was rejected, or withheld from its verifiers: the whole bond is taken.
    pub(crate) fn end_rejected(
        id: &JobId,
        job: Job<T::AccountId>,
        delivery: Delivery<T::AccountId>,
        found: Found<'_, T::AccountId>,
    ) {
        let Found { audit, verifiers, jurors, .. } = found;
        let Delivery { operator, prices, commitment, challenger, .. } = delivery;
        let duty = Duty::Run(*id);
        let bond = T::Operators::reserved(&operator, duty);
        let credit = T::Operators::seize(&operator, duty, bond);
        let slashed = T::Escrow::value(&credit);
        let (owed, mut rest) = T::Escrow::split(credit, job.payment.down);
        let returned = Self::give(&job.client, owed);
        let fee = Self::fee_of(&job, prices, commitment.tokens);
        for verifier in verifiers {
            let (pay, left) = T::Escrow::split(rest, fee);
            T::Operators::reward(verifier, pay);
            rest = left;
        }
        let most = Self::reward_of(&job, prices, commitment.tokens);
        let left = T::Escrow::value(&rest);
        // The client was wronged. An account that only found the lie is rewarded.
        let finder = challenger
            .as_ref()
            .filter(|finder| audit == AuditOutcome::Rejected && **finder != job.client);
        let share = finder.map_or(0, |_| T::ChallengeReward::get().mul_floor(left));
        let compensation = (left / 2).min(most);
        // Half is burnt in any case, so that nobody gains by slashing itself.
        let reward = share.min((left / 2).saturating_sub(compensation));
        let (given, rest) = T::Escrow::split(rest, compensation);
        let compensation = Self::give(&job.client, given);
        let (given, _burnt) = T::Escrow::split(rest, reward);
        let reward = finder.map_or(0, |finder| Self::give(finder, given));
        let burnt = left.saturating_sub(compensation).saturating_sub(reward);
        let settlement = Settlement {
            audit,
            verifiers: count(verifiers).saturating_add(jurors),
            output_hash: Some(commitment.output_hash),
            tokens: commitment.tokens,
            paid: job.payment.down,
            refunded: returned.saturating_add(compensation),
            slashed,
            challenge: challenger.map(|challenger| Challenge { challenger, reward }),
            burnt: burnt.saturating_add(Self::burnt_of(job.payment.down)),
            ..Self::record(Outcome::Slashed, Some(operator))
        };
        Self::finish(id, job, settlement, None);
    }

    /// Ends a job whose output was drawn for an audit that could not be decided. An output that was
    /// not checked is never paid in full: cost and tip return to the client. Nobody has shown a
    /// fault of the operator either, so it keeps the down payment, and its bond is free.
    pub(crate) fn end_unverified(
        id: &JobId,
        job: Job<T::AccountId>,
        delivery: Delivery<T::AccountId>,
    ) {
        let settlement = Settlement {
            audit: AuditOutcome::Undecided,
            output_hash: Some(delivery.commitment.output_hash),
            tokens: delivery.commitment.tokens,
            paid: job.payment.down,
            burnt: Self::burnt_of(job.payment.down),
            ..Self::record(Outcome::Unverified, Some(delivery.operator))
        };
        Self::finish(id, job, settlement, None);
    }

    /// Returns a settlement in which no money has moved.
    fn record(outcome: Outcome, operator: Option<T::AccountId>) -> Settlement<T::AccountId> {
        Settlement {
            outcome,
            operator,
            audit: AuditOutcome::NotAudited,
            verifiers: 0,
            output_hash: None,
            tokens: 0,
            paid: 0,
            audit_fees: 0,
            challenge: None,
            refunded: 0,
            slashed: 0,
            burnt: 0,
            fund: 0,
            at: Self::now(),
        }
    }

    /// Does what all ends share: the bounty goes to whoever moved the job on, or returns to the client if
    /// that was the client; the rest of the escrow returns to the client; the operator's bond is free.
    fn finish(
        id: &JobId,
        mut job: Job<T::AccountId>,
        mut settlement: Settlement<T::AccountId>,
        mover: Option<&T::AccountId>,
    ) {
        if let Some(mover) = mover.filter(|mover| **mover != job.client) {
            let bounty = T::Escrow::pay_bounty(id, mover);
            settlement.paid = settlement.paid.saturating_add(bounty);
        }
        settlement.refunded = settlement.refunded.saturating_add(T::Escrow::refund(id));
        if let Some(operator) = &settlement.operator {
            Self::unbind(id, operator);
            if matches!(settlement.outcome, Outcome::Refunded | Outcome::Slashed) {
                T::Auditor::faulted(operator);
            } else if settlement.audit == AuditOutcome::Accepted
                && settlement.challenge.is_none()
                && job.routed
            {
                // An output that nobody has judged speaks neither for the operator nor against it, and
                // client and operator may be one where no others could have had the job. A challenge
                // is no way to a record: whoever wants one would challenge itself.
                let paid = settlement.paid.saturating_sub(settlement.audit_fees);
                if job.spec.audit {
                    T::Auditor::accepted_on_request(operator, paid);
                } else {
                    T::Auditor::accepted(operator, paid);
                }
            }
        }
        job.state = JobState::Settled(settlement.clone());
        Self::put(id, job);
        Self::deposit_event(Event::JobSettled { job: *id, settlement });
    }

    /// Frees an operator of the job.
    pub(crate) fn unbind(id: &JobId, operator: &T::AccountId) {
        T::Operators::release(operator, Duty::Run(*id));
        JobsOfOperator::<T>::remove(operator, id);
    }

    /// Pays an operator, with its delegators, up to `amount` out of the escrow, and returns the amount
    /// paid.
    fn pay_operator(id: &JobId, operator: &T::AccountId, amount: Balance) -> Balance {
        let credit = T::Escrow::draw(id, operator, amount);
        let paid = T::Escrow::value(&credit);
        T::Operators::reward(operator, credit);
        paid
    }

    /// Gives money out of a bond to the payee, and returns the amount.
    fn give(payee: &T::AccountId, credit: CreditOf<T>) -> Balance {
        if T::Escrow::value(&credit) == 0 {
            return 0;
        }
        T::Escrow::deposit(payee, credit)
    }

    /// The delivery of a job that is delivered.
    pub(crate) fn delivery_of(job: &Job<T::AccountId>) -> Option<Delivery<T::AccountId>> {
        match &job.state {
            JobState::Delivered {
                operator,
                prices,
                commitment,
                took,
                audit,
                challenger,
                until,
            } => Some(Delivery {
                operator: operator.clone(),
                prices: *prices,
                commitment: *commitment,
                took: *took,
                audit: *audit,
                challenger: challenger.clone(),
                until: *until,
            }),
            _ => None,
        }
    }

    /// Stores a job and puts the end of its state on the agenda of deadlines.
    pub(crate) fn put(id: &JobId, job: Job<T::AccountId>) {
        crate::Deadlines::<T>::add(Self::due(&job), id);
        Jobs::<T>::insert(id, job);
    }
}

/// The number of verifiers.
fn count<AccountId>(verifiers: &[AccountId]) -> u32 {
    u32::try_from(verifiers.len()).unwrap_or(u32::MAX)
}
