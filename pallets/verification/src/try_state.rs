// SPDX-License-Identifier: Apache-2.0
//! What holds between any two blocks.

use crate::{
    types::{Ballot, Phase},
    AgendaCursor, AgendaEntries, Audits, Config, Pallet, SeatsOf,
};
use alloc::collections::BTreeSet;
use assay_primitives::{
    job::JobId,
    traits::{AuditedJobs, Duty, Operators},
};
use frame_support::{ensure, traits::Get};
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
    /// Every audit is of a delivered job and on the agenda; every seat is backed by a bond and listed
    /// with its verifier.
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        let cursor = AgendaCursor::<T>::get();
        let mut due = BTreeSet::<JobId>::new();
        for (at, job, ()) in AgendaEntries::<T>::iter() {
            ensure!(at >= cursor, "an entry of the agenda lies before its cursor");
            due.insert(job);
        }
        let mut seats = 0usize;
        for (job, audit) in Audits::<T>::iter() {
            ensure!(due.contains(&job), "an audit is not on the agenda");
            ensure!(T::Jobs::subject(&job).is_some(), "an audit is of no delivered job");
            ensure!(audit.round < T::MaxRounds::get(), "an audit has too many rounds");
            let drawing = matches!(audit.phase, Phase::Drawing { .. });
            ensure!(
                audit.seats.is_empty() == drawing,
                "a committee is there too early or too late"
            );
            for seat in &audit.seats {
                seats = seats.saturating_add(1);
                ensure!(SeatsOf::<T>::contains_key(&seat.verifier, job), "a seat is missing");
                let bond = T::Operators::reserved(&seat.verifier, Duty::Verify(job));
                ensure!(bond > 0, "a verifier has no bond");
                let fits = match audit.phase {
                    Phase::Drawing { .. } => false,
                    Phase::Committing { .. } => !matches!(seat.ballot, Ballot::Revealed { .. }),
                    Phase::Revealing { .. } => seat.ballot != Ballot::Awaited,
                };
                ensure!(fits, "a ballot does not fit the phase of its audit");
            }
        }
        ensure!(SeatsOf::<T>::iter().count() == seats, "SeatsOf names a seat that is none");
        Ok(())
    }
}
