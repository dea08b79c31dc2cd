// SPDX-License-Identifier: Apache-2.0
//! The count of a panel's ballots, and the decision that follows.

use crate::{
    panel::count,
    types::{Audit, PanelFailure, Seat, Stage},
    Config, Event, Pallet, LOG_TARGET,
};
use alloc::vec::Vec;
use assay_primitives::{
    job::JobId,
    settlement::AuditOutcome,
    traits::{AuditSubject, AuditedJobs},
    Balance,
};
use frame_support::traits::Get;

/// The ballots of a panel whose reveals are over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Count {
    /// Votes that the output is right.
    accept: u32,
    /// Votes that it is wrong.
    reject: u32,
    /// Ballots of verifiers that could not fetch what they had to check.
    unavailable: u32,
    /// Ballots that were not revealed.
    withheld: u32,
}

impl Count {
    /// Counts the seats that are left, in addition to those that withheld their ballots.
    fn of<AccountId>(seats: &[Seat<AccountId>], withheld: u32) -> Self {
        let votes = |vote: Option<AuditOutcome>| {
            let same = seats.iter().filter(|seat| seat.vote() == vote).count();
            u32::try_from(same).unwrap_or(u32::MAX)
        };
        Self {
            accept: votes(Some(AuditOutcome::Accepted)),
            reject: votes(Some(AuditOutcome::Rejected)),
            unavailable: votes(None),
            withheld,
        }
    }

    /// Returns the number of ballots that do not accept.
    fn others(self) -> u32 {
        self.reject.saturating_add(self.unavailable).saturating_add(self.withheld)
    }

    /// Returns whether all ballots accept, and enough of them.
    fn is_unanimous(self, fewest: u32) -> bool {
        self.others() == 0 && self.accept >= fewest
    }

    /// Returns whether the panel is without a majority because verifiers could not fetch what they
    /// had to check. After the operator has published it, none of them says so.
    fn is_short(self) -> bool {
        self.unavailable > 0 && self.majority().is_none()
    }

    /// Returns the outcome for which the majority of the votes is, if a majority of the seats has
    /// voted and the votes are not equal.
    fn majority(self) -> Option<AuditOutcome> {
        let votes = self.accept.saturating_add(self.reject);
        let silent = self.unavailable.saturating_add(self.withheld);
        if votes <= silent || self.accept == self.reject {
            return None;
        }
        let accepted = self.accept > self.reject;
        Some(if accepted { AuditOutcome::Accepted } else { AuditOutcome::Rejected })
    }
}

impl<T: Config> Pallet<T> {
    /// No more reveals: a committee accepts with one voice or a jury is called, and the majority of
    /// a jury decides. If it is short because payloads are unavailable, the operator publishes them.
    pub(crate) fn tally(job: &JobId, mut audit: Audit<T::AccountId>) {
        let withheld = Self::expel_withholding(job, &mut audit);
        let ballots = Count::of(&audit.seats, withheld);
        if !audit.stage.is_jury() {
            return if ballots.is_unanimous(Self::fewest_seats(audit.stage)) {
                Self::accept(job, audit)
            } else {
                audit.forfeited = ballots.others();
                Self::hear(job, &mut audit);
                Self::sit(job, audit, Stage::Jury)
            };
        }
        if let Some(outcome) = ballots.majority() {
            return Self::decide(job, audit, outcome);
        }
        match T::Jobs::subject(job).filter(|_| ballots.is_short()) {
            Some(subject) => Self::produce(job, audit, &subject.operator),
            None => Self::fail(job, audit, PanelFailure::NoMajority),
        }
    }

    /// The committee has accepted. Some of these outputs are looked at a second time; which ones is
    /// decided by blocks after the last vote.
    fn accept(job: &JobId, mut audit: Audit<T::AccountId>) {
        if T::SecondLooks::get().is_zero() {
            Self::decide(job, audit, AuditOutcome::Accepted);
        } else {
            Self::hear(job, &mut audit);
            Self::sit(job, audit, Stage::SecondLook);
        }
    }

    /// The audit is decided: verifiers that contradict the outcome, in whichever panel, lose their
    /// bonds, and those that agree are paid. An operator that was right pays its committee alone;
    /// jurors are paid out of the bonds of those that were wrong, and then out of the fund.
    pub(crate) fn decide(job: &JobId, mut audit: Audit<T::AccountId>, outcome: AuditOutcome) {
        let Some(subject) = T::Jobs::subject(job) else {
            log::error!(target: LOG_TARGET, "job {job:?} is under audit and not delivered");
            Self::dismiss(job, &mut audit);
            return Self::conclude(job, AuditOutcome::Undecided, Vec::new(), 0, 0);
        };
        let votes: Vec<&Seat<T::AccountId>> = audit.heard.iter().chain(&audit.seats).collect();
        let (agree, others): (Vec<_>, Vec<_>) =
            votes.into_iter().partition(|seat| seat.vote() == Some(outcome));
        let accepted = outcome == AuditOutcome::Accepted;
        let (jurors, paid): (Vec<_>, Vec<_>) =
            agree.into_iter().partition(|seat| accepted && seat.stage.is_jury());
        let mut owed: Vec<(T::AccountId, Balance)> =
            jurors.iter().map(|seat| (seat.verifier.clone(), subject.fee)).collect();
        // Either party has that at stake.
        let mut loss = subject.reward;
        if let Some(challenger) = subject.challenger.as_ref().filter(|_| accepted) {
            Self::charge_challenger(job, challenger, &subject, &mut owed, &mut loss);
        }
        let AuditSubject { operator, client, levy, challenger, .. } = subject;
        let right = if accepted { operator } else { client };
        for seat in others.into_iter().filter(|seat| seat.vote().is_some()) {
            Self::slash_contradicted(job, &seat.verifier, &right, &mut owed, &mut loss);
        }
        let most = match audit.stage {
            // The challenger has paid the jury that it called.
            _ if challenger.is_some() => 0,
            // Such jobs bring the fund as much: an operator that is its own jury gains nothing by having
            // it called.
            Stage::SecondLook => T::SecondLooks::get().saturating_reciprocal_mul_floor(levy),
            _ => levy,
        };
        Self::pay_from_fund(owed, most);
        let paid: Vec<_> = paid.into_iter().map(|seat| seat.verifier.clone()).collect();
        let jurors = u32::try_from(jurors.len()).unwrap_or(u32::MAX);
        Self::dismiss(job, &mut audit);
        Self::conclude(job, outcome, paid, jurors, audit.forfeited);
    }

    /// The panel cannot decide. Where a second look cannot be held, what the committee has accepted
    /// stands; a challenge ends as if nobody had made it; otherwise the output could not be checked.
    pub(crate) fn fail(job: &JobId, mut audit: Audit<T::AccountId>, failure: PanelFailure) {
        let (stage, round) = (audit.stage, audit.draws.saturating_sub(1));
        Self::deposit_event(Event::PanelFailed { job: *job, stage, round, failure });
        if stage == Stage::SecondLook && failure != PanelFailure::NoMajority {
            for seat in core::mem::take(&mut audit.seats) {
                Self::unseat(job, &seat.verifier);
            }
            return Self::decide(job, audit, AuditOutcome::Accepted);
        }
        // Nobody makes an output unpaid by challenging it where no jury can hear that.
        let challenged = T::Jobs::subject(job).is_some_and(|subject| subject.challenger.is_some());
        let outcome = if challenged { AuditOutcome::NotAudited } else { AuditOutcome::Undecided };
        Self::dismiss(job, &mut audit);
        Self::conclude(job, outcome, Vec::new(), 0, 0);
    }

    /// Returns whether as many verifiers as are needed have seats.
    pub(crate) fn can_decide(audit: &Audit<T::AccountId>) -> bool {
        count(&audit.seats) >= Self::fewest_seats(audit.stage)
    }
}
