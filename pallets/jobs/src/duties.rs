// SPDX-License-Identifier: Apache-2.0
//! The duties of operators for jobs, and the reports of their workers.

use crate::{types::Job, Config, Error, Event, Jobs, JobsOfOperator, Pallet, WeightInfo};
use alloc::vec::Vec;
use assay_primitives::{
    engine::{EngineResult, Work},
    job::{FinishReason, JobId, JobState, OutputCommitment},
    reason::DeclineReason,
    report::Report,
    traits::{Auditor, Duties, Duty, Escrow, Operators, Performance},
};
use frame_support::{dispatch::DispatchResult, ensure, traits::Get, weights::Weight};

impl<T: Config> Duties<T::AccountId> for Pallet<T> {
    fn work(operator: &T::AccountId) -> Vec<Work> {
        // Each of these jobs has one of the operator's slots, which are limited.
        JobsOfOperator::<T>::iter_key_prefix(operator)
            .filter_map(|id| {
                let job = Jobs::<T>::get(id)?;
                let task = job.task(&id, operator);
                match job.state {
                    JobState::Assigned { .. } => Some(Work::Prepare { job: id, task }),
                    JobState::Running { .. } => Some(Work::Generate { job: id, task }),
                    _ => None,
                }
            })
            .collect()
    }

    fn reports(operator: &T::AccountId, results: &[EngineResult]) -> Vec<Report> {
        results.iter().filter_map(|result| Self::report_on(operator, result)).collect()
    }

    fn weight_of(report: &Report) -> Option<Weight> {
        match report {
            Report::Accept { .. } => Some(T::WeightInfo::accept()),
            Report::Decline { .. } => {
                Some(T::WeightInfo::decline().saturating_add(Self::reopen_weight()))
            }
            Report::CommitOutput { .. } => Some(T::WeightInfo::commit_output()),
            Report::CommitVerdict { .. }
            | Report::RevealVerdict { .. }
            | Report::Vacate { .. }
            | Report::Heartbeat { .. } => None,
        }
    }

    fn handle(operator: &T::AccountId, report: &Report) -> Option<DispatchResult> {
        match report {
            Report::Accept { job } => Some(Self::do_accept(operator, job)),
            Report::Decline { job, reason } => Some(Self::do_decline(operator, job, *reason)),
            Report::CommitOutput { job, commitment } => {
                Some(Self::do_commit_output(operator, job, *commitment))
            }
            Report::CommitVerdict { .. }
            | Report::RevealVerdict { .. }
            | Report::Vacate { .. }
            | Report::Heartbeat { .. } => None,
        }
    }
}

impl<T: Config> Pallet<T> {
    /// Returns what the operator can report given that result: nothing if the job is not with it, is past
    /// that step, the report could not be in time any more, or the output is another operator's.
    fn report_on(operator: &T::AccountId, result: &EngineResult) -> Option<Report> {
        let id = result.job();
        if !JobsOfOperator::<T>::contains_key(operator, id) {
            return None;
        }
        let next = Self::now().saturating_add(1);
        let job = Jobs::<T>::get(id)?;
        let asked = Work::Generate { job: id, task: job.task(&id, operator) }.id();
        match (job.state, result) {
            (JobState::Assigned { until, .. }, EngineResult::Ready { .. }) if next <= until => {
                Some(Report::Accept { job: id })
            }
            (JobState::Assigned { .. }, EngineResult::Refused { reason, .. }) => {
                Some(Report::Decline { job: id, reason: *reason })
            }
            (JobState::Running { until, .. }, EngineResult::Generated { commitment, work, .. })
                if next <= until && asked == *work =>
            {
                Some(Report::CommitOutput { job: id, commitment: *commitment })
            }
            _ => None,
        }
    }

    fn do_accept(operator: &T::AccountId, id: &JobId) -> DispatchResult {
        let mut job = Jobs::<T>::get(id).ok_or(Error::<T>::JobNotFound)?;
        let JobState::Assigned { operator: drawn, prices, until } = &job.state else {
            return Err(Error::<T>::JobNotAssigned.into());
        };
        ensure!(drawn == operator, Error::<T>::NotTheOperator);
        let now = Self::now();
        ensure!(now <= *until, Error::<T>::DeadlineOver);
        let until = now.saturating_add(job.spec.deadline);
        T::Escrow::burn_down(id, Self::burnt_of(job.payment.down));
        T::Operators::reward(operator, T::Escrow::draw_down(id, operator));
        // A job that one operator can run was declined by others for reasons of their own.
        for other in core::mem::take(&mut job.declined) {
            if job.is_open_to_all() {
                T::Routing::declined(&other);
            }
        }
        job.state = JobState::Running { operator: operator.clone(), prices: *prices, until };
        Self::put(id, job);
        Self::deposit_event(Event::JobAccepted { job: *id, operator: operator.clone(), until });
        Ok(())
    }

    fn do_decline(operator: &T::AccountId, id: &JobId, reason: DeclineReason) -> DispatchResult {
        let mut job = Jobs::<T>::get(id).ok_or(Error::<T>::JobNotFound)?;
        let JobState::Assigned { operator: drawn, until, .. } = &job.state else {
            return Err(Error::<T>::JobNotAssigned.into());
        };
        ensure!(drawn == operator, Error::<T>::NotTheOperator);
        let is_late = Self::now() > *until;
        Self::deposit_event(Event::JobDeclined { job: *id, operator: operator.clone(), reason });
        if is_late {
            Self::note_miss(&job, operator);
        } else {
            if job.is_open_to_all() {
                T::Routing::alive(operator);
            }
            // There is room for everyone that can be drawn.
            let _ = job.declined.try_push(operator.clone());
        }
        if !is_late && reason.is_clients_fault() {
            job.unserved = job.unserved.saturating_add(1);
        }
        Self::reopen(id, job, operator, None);
        Ok(())
    }

    fn do_commit_output(
        operator: &T::AccountId,
        id: &JobId,
        commitment: OutputCommitment,
    ) -> DispatchResult {
        let mut job = Jobs::<T>::get(id).ok_or(Error::<T>::JobNotFound)?;
        let JobState::Running { operator: runs, prices, until } = &job.state else {
            return Err(Error::<T>::JobNotRunning.into());
        };
        ensure!(runs == operator, Error::<T>::NotTheOperator);
        let now = Self::now();
        ensure!(now <= *until, Error::<T>::DeadlineOver);
        Self::ensure_length(&job, &commitment)?;
        let accepted = until.saturating_sub(job.spec.deadline);
        let took = now.saturating_sub(accepted);
        let until = now.saturating_add(T::ChallengeWindow::get());
        // From here on no more is at stake than what was delivered is worth.
        let bond = Self::bond_of(Self::reward_of(&job, *prices, commitment.tokens));
        job.state = JobState::Delivered {
            operator: operator.clone(),
            prices: *prices,
            commitment,
            took,
            audit: true,
            challenger: None,
            until,
        };
        JobsOfOperator::<T>::remove(operator, id);
        let duty = Duty::Run(*id);
        T::Operators::free_slot(operator, duty);
        T::Operators::shrink(operator, duty, bond);
        // To accept is not enough: an operator that delivers nothing is never counted as there.
        if job.is_open_to_all() {
            T::Routing::answered(operator);
        }
        Self::put(id, job);
        Self::deposit_event(Event::OutputCommitted {
            job: *id,
            operator: operator.clone(),
            commitment,
            until,
        });
        T::Auditor::delivered(id, operator);
        Ok(())
    }

    /// Refuses a commitment whose length cannot be right.
    fn ensure_length(job: &Job<T::AccountId>, commitment: &OutputCommitment) -> DispatchResult {
        let most = job.spec.max_tokens;
        ensure!((1..=most).contains(&commitment.tokens), Error::<T>::TokensOutOfRange);
        ensure!(
            commitment.finish != FinishReason::Length || commitment.tokens == most,
            Error::<T>::LengthNotReached
        );
        Ok(())
    }
}
