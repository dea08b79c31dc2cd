// SPDX-License-Identifier: Apache-2.0
//! The ends of an audit's phases.

use crate::{
    panel::count,
    types::{Audit, PanelFailure, Phase},
    Audits, Config, Due, Error, Event, Pallet,
};
use alloc::vec::Vec;
use assay_primitives::{job::JobId, settlement::AuditOutcome, traits::AuditedJobs, BlockNumber};
use frame_support::{dispatch::DispatchResult, ensure, traits::Get, weights::Weight};

impl<T: Config> Pallet<T> {
    /// Moves on the audits that are due, at most so many per block, and returns the weight of that.
    pub(crate) fn work_off(now: BlockNumber) -> Weight {
        let mut weight = Weight::zero();
        for job in Due::<T>::take_due(now, T::MaxAuditsPerBlock::get()) {
            let audit = Audits::<T>::get(job).filter(|audit| now >= audit.phase.due());
            let Some(audit) = audit else {
                weight = weight.saturating_add(T::DbWeight::get().reads_writes(2, 1));
                continue;
            };
            weight = weight.saturating_add(Self::due_weight(&audit));
            if matches!(audit.phase, Phase::Drawing { .. }) {
                Self::draw(&job, audit, now);
            } else {
                Self::close(&job, audit);
            }
        }
        weight
    }

    pub(crate) fn do_advance(job: &JobId) -> DispatchResult {
        let audit = Audits::<T>::get(job).ok_or(Error::<T>::AuditNotFound)?;
        let drawing = matches!(audit.phase, Phase::Drawing { .. });
        ensure!(!drawing && Self::now() >= audit.phase.due(), Error::<T>::NotDue);
        Self::close(job, audit);
        Ok(())
    }

    /// The window of the audit's phase is over. A draw has none.
    fn close(job: &JobId, audit: Audit<T::AccountId>) {
        match audit.phase {
            Phase::Drawing { .. } => {}
            Phase::Committing { .. } => Self::close_commits(job, audit),
            Phase::Revealing { .. } => Self::tally(job, audit),
            Phase::Producing { .. } => Self::end_withheld(job, audit),
        }
    }

    /// No more commits: seats that are vacant are drawn again, as often as that can be, and then the
    /// verifiers that have committed reveal.
    pub(crate) fn close_commits(job: &JobId, mut audit: Audit<T::AccountId>) {
        Self::expel_silent(job, &mut audit);
        if count(&audit.seats) < audit.size && audit.round < T::MaxRounds::get() {
            return Self::await_draw(job, audit);
        }
        Self::make_odd(job, &mut audit);
        if Self::can_decide(&audit) {
            Self::open_reveals(job, audit);
        } else {
            Self::fail(job, audit, PanelFailure::TooFewCommits);
        }
    }

    /// The verifiers can tell their verdicts.
    pub(crate) fn open_reveals(job: &JobId, mut audit: Audit<T::AccountId>) {
        let until = Self::now().saturating_add(T::RevealWindow::get());
        audit.phase = Phase::Revealing { until };
        Self::put(job, audit);
        Self::deposit_event(Event::RevealsOpened { job: *job, until });
    }

    /// The audit is over; its panels are dismissed already. `jurors` others agree with `verifiers`, and
    /// `forfeited` members of the committee do not.
    pub(crate) fn conclude(
        job: &JobId,
        outcome: AuditOutcome,
        verifiers: Vec<T::AccountId>,
        jurors: u32,
        forfeited: u32,
    ) {
        Self::take_off_agenda(job);
        Audits::<T>::remove(job);
        // While the job still names its operator and its challenger.
        Self::return_challenge_bond(job);
        Self::forget_publication(job);
        T::Jobs::conclude(job, outcome, &verifiers, jurors, forfeited);
        Self::deposit_event(Event::AuditConcluded { job: *job, outcome, verifiers, jurors });
    }
}
