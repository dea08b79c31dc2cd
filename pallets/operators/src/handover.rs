// SPDX-License-Identifier: Apache-2.0
//! The division of an operator's duties between its workers while one of them retires.
//!
//! Both workers can report on the duties from before the rotation. Two reports on one duty cost a fee,
//! and one worker must not decline what the other is about to accept. So the retiring worker attends to
//! these duties, since its node holds what they need, and the new worker to all others.
//!
//! The new worker steps in where the retiring one may fail. If both keys are on one node, it does so if it
//! alone can pay for reports. On another node it cannot know whether the retiring worker is still running,
//! so it has the work done as well, and reports on a duty only shortly before the duty is due. It never
//! declines such a job, since the retiring worker may be about to accept it. A job that neither answers
//! counts as a miss, which costs no stake.

use crate::{
    pallet::{Config, Operators, Pallet},
    rotation::{duty_of_report, Scope},
};
use alloc::vec::Vec;
use assay_primitives::{
    traits::{Duties, Duty},
    Balance, BlockNumber, EngineResult, Report,
};
use frame_support::{
    storage::{storage_prefix, transactional::with_transaction_unchecked, unhashed},
    traits::{
        fungible::Inspect,
        tokens::{Fortitude, Preservation},
        Get, PalletInfoAccess,
    },
};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_runtime::TransactionOutcome;

/// The funds with which a worker can certainly pay for its next extrinsic, a fifth of an ASY: more than the
/// fee of as many verdicts as an extrinsic takes, with the highest tip.
pub(crate) const FUNDS: Balance = 200_000_000_000;

/// The duties that a worker of this node attends to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Part {
    /// All duties of the operator, and its heartbeats.
    All,
    /// The duties that began before this rotation.
    Before(u32),
    /// Heartbeats, and the duties that began since this rotation.
    Since(u32),
    /// Heartbeats, the duties that began since this rotation, and earlier ones that are about due.
    SinceOrDue(u32),
}

impl<T: Config> Pallet<T> {
    /// Returns the part of its operator's duties that a worker attends to on a node with the keys of the
    /// workers `local`; `None` if it leaves all of them to another.
    pub(crate) fn part_of(
        stash: &T::AccountId,
        scope: Scope,
        local: &[T::AccountId],
    ) -> Option<Part> {
        let operator = Operators::<T>::get(stash)?;
        let now = Self::now();
        let Some(retiring) = operator.retiring.filter(|retiring| now <= retiring.until) else {
            return (scope == Scope::All).then_some(Part::All);
        };
        let rotation = operator.rotations;
        let is_relieved = local.contains(&operator.worker)
            && Self::can_pay(&operator.worker)
            && !Self::can_pay(&retiring.worker);
        match scope {
            Scope::Before(_) => (!is_relieved).then_some(Part::Before(rotation)),
            Scope::All if !local.contains(&retiring.worker) => Some(Part::SinceOrDue(rotation)),
            Scope::All if is_relieved => Some(Part::All),
            Scope::All => Some(Part::Since(rotation)),
        }
    }

    /// Returns whether the worker has the engine work for the duty.
    pub(crate) fn works_for(part: Part, stash: &T::AccountId, duty: Duty) -> bool {
        let is_from = |rotation| Self::is_within(Scope::Before(rotation), stash, Some(duty));
        match part {
            Part::All | Part::SinceOrDue(_) => true,
            Part::Before(rotation) => is_from(rotation),
            Part::Since(rotation) => !is_from(rotation),
        }
    }

    /// Returns the reports that the worker sends now, given the results of the engine.
    pub(crate) fn reports_of(
        part: Part,
        stash: &T::AccountId,
        results: &[EngineResult],
    ) -> Vec<Report> {
        let mut reports = T::Duties::reports(stash, results);
        let is_from = |rotation, report: &Report| {
            Self::is_within(Scope::Before(rotation), stash, duty_of_report(report))
        };
        match part {
            Part::All => {}
            Part::Before(rotation) => reports.retain(|report| is_from(rotation, report)),
            Part::Since(rotation) => reports.retain(|report| !is_from(rotation, report)),
            Part::SinceOrDue(rotation) => {
                let last = Self::now().saturating_add(Self::notice());
                // A refusal is in time until the job has no operator any more, so it always waits.
                let later = Self::in_block(last, || T::Duties::reports(stash, results));
                reports.retain(|report| !is_from(rotation, report) || !later.contains(report));
            }
        }
        reports
    }

    /// Returns the number of blocks for which a report must still be possible if it is to wait for the
    /// retiring worker: enough that the extrinsic can be sent again if the first is lost.
    fn notice() -> BlockNumber {
        T::ReportPatience::get().saturating_add(1)
    }

    /// Returns whether the account can certainly pay for reports.
    fn can_pay(worker: &T::AccountId) -> bool {
        T::Currency::reducible_balance(worker, Preservation::Preserve, Fortitude::Polite) >= FUNDS
    }

    /// Returns what `read` returns if the state is still this one in a later block. Duties say only
    /// whether a report is in time now, not when they are due.
    fn in_block<R>(number: BlockNumber, read: impl FnOnce() -> R) -> R {
        let system = <frame_system::Pallet<T> as PalletInfoAccess>::name();
        let key = storage_prefix(system.as_bytes(), b"Number");
        with_transaction_unchecked(|| {
            unhashed::put(&key, &BlockNumberFor::<T>::from(number));
            TransactionOutcome::Rollback(read())
        })
    }
}
