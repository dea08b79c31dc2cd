// SPDX-License-Identifier: Apache-2.0
//! What the verdicts add up to.

use crate::{
    types::{Audit, Ballot, RoundFailure, Seat},
    Config, Pallet, LOG_TARGET,
};
use alloc::vec::Vec;
use assay_primitives::{
    job::JobId, settlement::AuditOutcome, traits::AuditedJobs, verdict::Verdict,
};

impl<T: Config> Pallet<T> {
    /// No more reveals: a majority decides, or the round came to nothing.
    pub(crate) fn tally(job: &JobId, mut audit: Audit<T::AccountId>) {
        Self::expel_silent(job, &mut audit, |ballot| matches!(ballot, Ballot::Revealed { .. }));
        let votes = |outcome| {
            let agree = audit.seats.iter().filter(|seat| vote(seat) == Some(outcome));
            u32::try_from(agree.count()).unwrap_or(u32::MAX)
        };
        let decided = [AuditOutcome::Accepted, AuditOutcome::Rejected]
            .into_iter()
            .find(|outcome| votes(*outcome) >= Self::majority());
        match decided {
            Some(outcome) => Self::decide(job, audit, outcome),
            None => Self::fail_round(job, audit, RoundFailure::NoMajority),
        }
    }

    /// A majority has decided: who contradicts it is slashed, who agrees is paid.
    fn decide(job: &JobId, mut audit: Audit<T::AccountId>, outcome: AuditOutcome) {
        match T::Jobs::subject(job) {
            Some(subject) => {
                let accepted = outcome == AuditOutcome::Accepted;
                let right = if accepted { subject.operator } else { subject.client };
                for seat in &audit.seats {
                    if vote(seat).is_some_and(|vote| vote != outcome) {
                        Self::slash_contradicted(job, &seat.verifier, &right);
                    }
                }
            }
            None => log::error!(target: LOG_TARGET, "job {job:?} is under audit and not delivered"),
        }
        let agreeing: Vec<_> = audit
            .seats
            .iter()
            .filter(|seat| vote(seat) == Some(outcome))
            .map(|seat| seat.verifier.clone())
            .collect();
        Self::dismiss(job, &mut audit);
        Self::conclude(job, outcome, agreeing);
    }
}

/// The outcome that a verifier stands for; `None` if it abstains or has told nothing.
fn vote<AccountId>(seat: &Seat<AccountId>) -> Option<AuditOutcome> {
    match seat.ballot {
        Ballot::Revealed { verdict: Verdict::Accept { .. } } => Some(AuditOutcome::Accepted),
        Ballot::Revealed { verdict: Verdict::Reject { .. } } => Some(AuditOutcome::Rejected),
        Ballot::Revealed { verdict: Verdict::Abstain(_) }
        | Ballot::Awaited
        | Ballot::Committed { .. } => None,
    }
}
