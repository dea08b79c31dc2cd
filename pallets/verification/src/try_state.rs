// SPDX-License-Identifier: Apache-2.0
//! The invariants of audits between any two blocks.

use crate::{
    panel::count,
    types::{Ballot, Phase, Stage},
    AgendaCursor, AgendaEntries, Audits, Chunks, Config, Obsolete, Pallet, ProducingOf,
    Publications, SeatsOf,
};
use alloc::collections::BTreeSet;
use assay_primitives::{
    job::JobId,
    publication::Part,
    traits::{AuditedJobs, Duty, Operators},
};
use codec::Encode;
use frame_support::{ensure, traits::Get};
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
    /// Every audit is of a delivered job and on the agenda; every seat, and every vote that was heard,
    /// is backed by a bond; every seat is listed with its verifier.
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
            let Some(subject) = T::Jobs::subject(&job) else {
                return Err("an audit is of no delivered job".into());
            };
            if let Some(challenger) = &subject.challenger {
                let panel = matches!(audit.stage, Stage::Challenge | Stage::Published);
                ensure!(panel, "a challenge is before another panel than a jury of its own");
                let bond = Self::bond_on_hold(&job, &subject.client, challenger);
                ensure!(bond > 0, "no bond stands against a challenge");
            } else {
                ensure!(audit.stage != Stage::Challenge, "a jury hears a challenge of nobody");
            }
            ensure!(audit.round <= T::MaxRounds::get(), "a panel was drawn too often");
            ensure!(count(&audit.seats) <= audit.size, "a panel has more seats than were drawn");
            for seat in &audit.seats {
                seats = seats.saturating_add(1);
                ensure!(SeatsOf::<T>::contains_key(&seat.verifier, job), "a seat is missing");
                ensure!(seat.stage == audit.stage, "a seat is of another panel");
                let fits = match audit.phase {
                    Phase::Drawing { .. } => matches!(seat.ballot, Ballot::Committed { .. }),
                    Phase::Committing { .. } => !matches!(seat.ballot, Ballot::Revealed { .. }),
                    Phase::Revealing { .. } => seat.ballot != Ballot::Awaited,
                    Phase::Producing { .. } => false,
                };
                ensure!(fits, "a ballot does not fit the phase of its audit");
            }
            ensure!(
                audit.heard.iter().all(|seat| seat.vote().is_some()),
                "an audit remembers a verifier that has not voted"
            );
            let mut verifiers = BTreeSet::new();
            for seat in audit.seats.iter().chain(&audit.heard) {
                let bond = T::Operators::reserved(&seat.verifier, Duty::Verify(job));
                ensure!(bond > 0, "a verifier has no bond");
                ensure!(!audit.left.contains(&seat.verifier), "a verifier has left its seat");
                ensure!(verifiers.insert(seat.verifier.encode()), "a verifier has two seats");
            }
        }
        for (operator, job, ()) in ProducingOf::<T>::iter() {
            let producing = Audits::<T>::get(job)
                .is_some_and(|audit| matches!(audit.phase, Phase::Producing { .. }));
            let subject = T::Jobs::subject(&job);
            ensure!(
                producing && subject.is_some_and(|subject| subject.operator == operator),
                "an operator is said to publish what nobody asks for"
            );
        }
        let mut chunks = 0usize;
        for job in Publications::<T>::iter_keys() {
            ensure!(Audits::<T>::contains_key(job), "a publication outlives its audit");
            ensure!(!Obsolete::<T>::contains_key(job), "a publication is over and is not");
        }
        for (job, publication) in Publications::<T>::iter().chain(Obsolete::<T>::iter()) {
            for part in Part::ALL {
                for index in 0..publication.of(part).chunks {
                    chunks = chunks.saturating_add(1);
                    ensure!(Chunks::<T>::contains_key(job, (part, index)), "a chunk is missing");
                }
            }
        }
        ensure!(Chunks::<T>::iter().count() == chunks, "a chunk is of no publication");
        ensure!(SeatsOf::<T>::iter().count() == seats, "SeatsOf names a seat that is none");
        Ok(())
    }
}
