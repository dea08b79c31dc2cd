// SPDX-License-Identifier: Apache-2.0
//! The replacement of an operator's worker.
//!
//! The node of the previous worker holds what the operator's open duties need: the outputs that it has
//! committed to, and the salts of its verdicts. So the previous worker can still report on the duties
//! that were open when it was replaced, and on no others. That ends with the last of these duties, and
//! after [`Config::RetirementPeriod`] blocks at the latest. The new worker can report on everything at
//! once. The stash can also end it at any time, since a key that was stolen must not report at all.

use crate::{
    pallet::{Config, Error, Event, Operators, Pallet, Reservations, Workers},
    types::{OperatorOf, Retiring},
};
use assay_primitives::{traits::Duty, Report, Work};
use frame_support::{ensure, traits::Get};
use sp_runtime::{DispatchError, DispatchResult};

/// The duties that a worker can report on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Scope {
    /// All duties of the operator, and its heartbeats.
    All,
    /// The duties that began before this rotation.
    Before(u32),
}

impl<T: Config> Pallet<T> {
    pub(crate) fn do_set_worker(stash: T::AccountId, worker: T::AccountId) -> DispatchResult {
        let now = Self::now();
        let retiring = Self::try_change(&stash, |operator| {
            // An expired entry goes first, so that its key can be the worker again.
            if let Some(retiring) = operator.retiring.take() {
                ensure!(retiring.until < now, Error::<T>::WorkerRetiring);
                Workers::<T>::remove(&retiring.worker);
            }
            Self::ensure_worker(&stash, &worker)?;
            let previous = core::mem::replace(&mut operator.worker, worker.clone());
            operator.rotations = operator.rotations.saturating_add(1);
            if operator.duties == 0 {
                Workers::<T>::remove(&previous);
            } else {
                let until = now.saturating_add(T::RetirementPeriod::get());
                let duties = operator.duties;
                operator.retiring = Some(Retiring { worker: previous, duties, until });
            }
            Workers::<T>::insert(&worker, &stash);
            Ok(operator.retiring.clone())
        })?;
        Self::deposit_event(Event::WorkerSet { operator: stash.clone(), worker });
        if let Some(Retiring { worker, until, .. }) = retiring {
            Self::deposit_event(Event::WorkerRetiring { operator: stash, worker, until });
        }
        Ok(())
    }

    pub(crate) fn do_retire_worker(stash: T::AccountId) -> DispatchResult {
        Self::try_change(&stash, |operator| {
            ensure!(operator.retiring.is_some(), Error::<T>::NoRetiringWorker);
            Self::retire(&stash, operator);
            Ok::<_, DispatchError>(())
        })
    }

    /// Counts the end of a duty that began before that rotation, which may be the last that the previous
    /// worker could report on.
    pub(crate) fn end_duty_of(stash: &T::AccountId, operator: &mut OperatorOf<T>, rotation: u32) {
        if rotation == operator.rotations {
            return;
        }
        let Some(retiring) = &mut operator.retiring else { return };
        retiring.duties = retiring.duties.saturating_sub(1);
        if retiring.duties == 0 {
            Self::retire(stash, operator);
        }
    }

    fn retire(stash: &T::AccountId, operator: &mut OperatorOf<T>) {
        let Some(Retiring { worker, .. }) = operator.retiring.take() else { return };
        Workers::<T>::remove(&worker);
        Self::deposit_event(Event::WorkerRetired { operator: stash.clone(), worker });
    }

    /// Returns the operator that an account is the worker of, with the duties that it can report on.
    pub(crate) fn operator_of(worker: &T::AccountId) -> Option<(T::AccountId, Scope)> {
        let stash = Workers::<T>::get(worker)?;
        let operator = Operators::<T>::get(&stash)?;
        if operator.worker == *worker {
            return Some((stash, Scope::All));
        }
        let retiring = operator.retiring.filter(|retiring| retiring.worker == *worker)?;
        (Self::now() <= retiring.until).then_some((stash, Scope::Before(operator.rotations)))
    }

    /// Returns whether the duty is one of those that a worker can report on. No duty stands for a
    /// heartbeat.
    pub(crate) fn is_within(scope: Scope, stash: &T::AccountId, duty: Option<Duty>) -> bool {
        match (scope, duty) {
            (Scope::All, _) => true,
            (Scope::Before(rotations), Some(duty)) => Reservations::<T>::get(stash, duty)
                .is_some_and(|reservation| reservation.rotation < rotations),
            (Scope::Before(_), None) => false,
        }
    }
}

/// Returns the duty that a report is on; `None` for a heartbeat.
pub(crate) fn duty_of_report(report: &Report) -> Option<Duty> {
    match report {
        Report::Accept { job } | Report::Decline { job, .. } | Report::CommitOutput { job, .. } => {
            Some(Duty::Run(*job))
        }
        Report::CommitVerdict { job, .. }
        | Report::RevealVerdict { job, .. }
        | Report::Vacate { job, .. } => Some(Duty::Verify(*job)),
        Report::Heartbeat { .. } => None,
    }
}

/// Returns the duty that work is for.
pub(crate) fn duty_of_work(work: &Work) -> Duty {
    match work {
        Work::Prepare { job, .. } | Work::Generate { job, .. } => Duty::Run(*job),
        Work::Verify { job, .. } => Duty::Verify(*job),
    }
}
