// SPDX-License-Identifier: Apache-2.0
//! The invariants of jobs between any two blocks.

use crate::{
    types::Job, AssignmentCursor, AssignmentEntries, Config, DeadlineCursor, DeadlineEntries,
    FirstTryCursor, FirstTryEntries, Jobs, JobsOf, JobsOfOperator, Pallet,
};
use alloc::collections::BTreeSet;
use assay_primitives::{
    job::{JobId, JobState},
    traits::{Duty, Escrow, Operators},
    BlockNumber, Prices,
};
use frame_support::ensure;
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
    /// Every job that is not over is paid for, on the agenda, and backed by a bond; every index is
    /// the inverse of the jobs.
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        let due = deadlines::<T>()?;
        let sought = assignments::<T>()?;
        let mut live = 0u32;
        for (id, job) in Jobs::<T>::iter() {
            ensure!(due.contains(&id), "a job is on no agenda");
            ensure!(JobsOf::<T>::contains_key(&job.client, id), "a job is missing in JobsOf");
            let open = T::Escrow::payment(&id);
            if matches!(job.state, JobState::Settled(_)) {
                ensure!(open.is_none(), "a settled job has an escrow");
                continue;
            }
            live = live.saturating_add(1);
            ensure!(open == Some(job.payment), "an escrow is not the payment of its job");
            Self::check_state(&id, &job, &sought)?;
        }
        let indexed = JobsOf::<T>::iter().count();
        ensure!(indexed == Jobs::<T>::iter().count(), "JobsOf names a job that is none");
        for (operator, id, ()) in JobsOfOperator::<T>::iter() {
            let state = Jobs::<T>::get(id).map(|job| job.state);
            let with = match state {
                Some(JobState::Assigned { operator, .. } | JobState::Running { operator, .. }) => {
                    Some(operator)
                }
                _ => None,
            };
            ensure!(with == Some(operator), "JobsOfOperator names a job that is not with it");
        }
        Ok(())
    }

    /// Checks what the state of the job requires.
    fn check_state(
        id: &JobId,
        job: &Job<T::AccountId>,
        sought: &BTreeSet<JobId>,
    ) -> Result<(), TryRuntimeError> {
        match &job.state {
            JobState::Open { until } => {
                ensure!(*until == job.open_until(), "an open job is open for another time");
                ensure!(
                    Self::now() > *until || sought.contains(id),
                    "no operator is sought for an open job"
                );
            }
            JobState::Assigned { operator, .. } | JobState::Running { operator, .. } => {
                ensure!(
                    JobsOfOperator::<T>::contains_key(operator, id),
                    "a job is missing in JobsOfOperator"
                );
                Self::check_bond(id, operator, job)?;
            }
            JobState::Delivered { operator, audit, challenger, .. } => {
                ensure!(*audit || challenger.is_none(), "a challenged job waits for no jury");
                Self::check_bond(id, operator, job)?;
            }
            JobState::Settled(_) => {}
        }
        Ok(())
    }

    /// The operator of a job has its bond reserved, unless the job pays nothing.
    fn check_bond(
        id: &JobId,
        operator: &T::AccountId,
        job: &Job<T::AccountId>,
    ) -> Result<(), TryRuntimeError> {
        ensure!(job.drawn.last() == Some(operator), "an operator was not the last to be drawn");
        ensure!(!job.routed || job.is_open_to_all(), "a job of named operators is routed");
        let reserved = T::Operators::reserved(operator, Duty::Run(*id));
        ensure!(reserved > 0 || Self::reward_at(job, Prices::default()) == 0, "a job has no bond");
        Ok(())
    }
}

/// The jobs with a deadline.
fn deadlines<T: Config>() -> Result<BTreeSet<JobId>, TryRuntimeError> {
    beyond(DeadlineEntries::<T>::iter(), DeadlineCursor::<T>::get())
}

/// The jobs that operators are sought for.
fn assignments<T: Config>() -> Result<BTreeSet<JobId>, TryRuntimeError> {
    let mut all = beyond(FirstTryEntries::<T>::iter(), FirstTryCursor::<T>::get())?;
    all.extend(beyond(AssignmentEntries::<T>::iter(), AssignmentCursor::<T>::get())?);
    Ok(all)
}

/// The jobs of an agenda; an error if one stands before the cursor and would never be worked off.
fn beyond(
    entries: impl Iterator<Item = (BlockNumber, JobId, ())>,
    cursor: BlockNumber,
) -> Result<BTreeSet<JobId>, TryRuntimeError> {
    entries
        .map(|(at, id, ())| {
            ensure!(at >= cursor, "an entry of an agenda lies before its cursor");
            Ok(id)
        })
        .collect()
}
