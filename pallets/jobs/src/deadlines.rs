// SPDX-License-Identifier: Apache-2.0
//! The ends of states in which nobody acts.

use crate::{
    settle::{Delivery, Found, Lateness},
    types::Job,
    Config, Deadlines, Error, Event, Jobs, JobsOf, Pallet, WeightInfo,
};
use assay_primitives::{
    job::{JobId, JobState},
    settlement::Outcome,
    traits::{Auditor, Escrow, Operators, Performance},
    BlockNumber, Prices,
};
use frame_support::{
    dispatch::DispatchResult,
    ensure,
    traits::Get,
    weights::{Weight, WeightMeter},
};

impl<T: Config> Pallet<T> {
    /// The block in which the job is moved on if nobody does it before.
    pub(crate) fn due(job: &Job<T::AccountId>) -> BlockNumber {
        match &job.state {
            JobState::Open { until }
            | JobState::Assigned { until, .. }
            | JobState::Running { until, .. }
            | JobState::Delivered { until, .. } => until.saturating_add(1),
            JobState::Settled(settlement) => settlement.at.saturating_add(T::Retention::get()),
        }
    }

    /// Returns what it weighs at most that an operator misses its job and is freed of it, in addition
    /// to what is measured.
    pub fn reopen_weight() -> Weight {
        T::Routing::miss_weight().saturating_add(T::Operators::release_weight())
    }

    /// Moves on the jobs that are due, as many as the weight allows.
    pub(crate) fn work_off_deadlines(now: BlockNumber, meter: &mut WeightMeter) {
        let each = T::WeightInfo::work_off_deadline().saturating_add(Self::reopen_weight());
        if meter.try_consume(T::WeightInfo::on_idle()).is_err() {
            return;
        }
        let room = meter.remaining().checked_div_per_component(&each).unwrap_or(0);
        let room = u32::try_from(room).unwrap_or(u32::MAX);
        for id in Deadlines::<T>::take_due(now, room) {
            meter.consume(each);
            Self::work_off(&id, now);
        }
    }

    /// Does what is due for the job, if anything is.
    fn work_off(id: &JobId, now: BlockNumber) {
        let Some(job) = Jobs::<T>::get(id) else { return };
        if now < Self::due(&job) {
            return;
        }
        match job.state.clone() {
            JobState::Settled(_) => {
                Jobs::<T>::remove(id);
                JobsOf::<T>::remove(&job.client, id);
                Self::deposit_event(Event::JobPruned { job: *id });
            }
            // The audit ends by itself; until then the job stays on the agenda.
            JobState::Delivered { audit: true, .. } => {
                Deadlines::<T>::add(now.saturating_add(T::ChallengeWindow::get()), id);
            }
            JobState::Delivered { .. } => {
                if let Some(delivery) = Self::delivery_of(&job) {
                    Self::end_accepted(id, job, delivery, Found::NOTHING, None);
                }
            }
            JobState::Open { .. } => Self::end_unserved(id, job, Outcome::Expired, None),
            JobState::Assigned { operator, .. } => Self::miss(id, job, operator, None),
            JobState::Running { operator, prices, .. } => {
                Self::late(id, job, operator, prices, None);
            }
        }
    }

    pub(crate) fn do_expire(caller: &T::AccountId, id: &JobId) -> DispatchResult {
        let job = Jobs::<T>::get(id).ok_or(Error::<T>::JobNotFound)?;
        let due = Self::is_stalled(Self::due(&job));
        match job.state.clone() {
            JobState::Open { .. } => {
                ensure!(due, Error::<T>::NotDue);
                Self::end_unserved(id, job, Outcome::Expired, Some(caller));
            }
            JobState::Assigned { operator, .. } => {
                ensure!(due, Error::<T>::NotDue);
                Self::miss(id, job, operator, Some(caller));
            }
            JobState::Running { operator, prices, .. } => {
                ensure!(due, Error::<T>::NotDue);
                Self::late(id, job, operator, prices, Some(caller));
            }
            JobState::Delivered { .. } | JobState::Settled(_) => {
                return Err(Error::<T>::JobNotPending.into());
            }
        }
        Ok(())
    }

    pub(crate) fn do_settle(caller: &T::AccountId, id: &JobId) -> DispatchResult {
        let job = Jobs::<T>::get(id).ok_or(Error::<T>::JobNotFound)?;
        let delivery = Self::ensure_unaudited(&job)?;
        ensure!(Self::is_stalled(delivery.until.saturating_add(1)), Error::<T>::NotDue);
        Self::end_accepted(id, job, delivery, Found::NOTHING, Some(caller));
        Ok(())
    }

    /// Returns whether the chain has missed an action that was due in that block. The chain acts after all
    /// extrinsics of a block, so an extrinsic in the same block would earn a bounty for nothing.
    fn is_stalled(due: BlockNumber) -> bool {
        Self::now() > due
    }

    /// The delivery of a job that waits for no audit.
    pub(crate) fn ensure_unaudited(
        job: &Job<T::AccountId>,
    ) -> Result<Delivery<T::AccountId>, Error<T>> {
        let delivery = Self::delivery_of(job).ok_or(Error::<T>::JobNotDelivered)?;
        ensure!(!delivery.audit, Error::<T>::AuditOpen);
        Ok(delivery)
    }

    /// The operator that was drawn has not answered.
    fn miss(
        id: &JobId,
        job: Job<T::AccountId>,
        operator: T::AccountId,
        mover: Option<&T::AccountId>,
    ) {
        Self::deposit_event(Event::AssignmentMissed { job: *id, operator: operator.clone() });
        Self::note_miss(&job, &operator);
        Self::reopen(id, job, &operator, mover);
    }

    pub(crate) fn note_miss(job: &Job<T::AccountId>, operator: &T::AccountId) {
        if job.is_open_to_all() {
            T::Routing::missed(operator);
        }
    }

    /// The operator that runs the job has not delivered in time. It is fined, and another has as much
    /// time as it had, if attempts are left.
    fn late(
        id: &JobId,
        mut job: Job<T::AccountId>,
        operator: T::AccountId,
        prices: Prices,
        mover: Option<&T::AccountId>,
    ) {
        Self::note_miss(&job, &operator);
        if job.attempts() >= T::MaxAttempts::get() {
            return Self::end_late(id, job, operator, prices, mover);
        }
        let Lateness { owed, slashed } = Self::fine_late(id, &job, &operator, prices);
        T::Escrow::put_back(id, owed);
        T::Auditor::faulted(&operator);
        Self::deposit_event(Event::OperatorLate { job: *id, operator: operator.clone(), slashed });
        job.since = Self::now();
        Self::reopen(id, job, &operator, mover);
    }

    /// Takes the job from its operator. Another is drawn as soon as it can be, if that is not too late
    /// and attempts are left.
    pub(crate) fn reopen(
        id: &JobId,
        mut job: Job<T::AccountId>,
        operator: &T::AccountId,
        mover: Option<&T::AccountId>,
    ) {
        Self::unbind(id, operator);
        let next = Self::first_try();
        let until = job.open_until();
        if job.attempts() >= T::MaxAttempts::get() || next > until {
            return Self::end_unserved(id, job, Outcome::Expired, mover);
        }
        Self::seek(id, &job, next);
        job.state = JobState::Open { until };
        Self::put(id, job);
    }
}
