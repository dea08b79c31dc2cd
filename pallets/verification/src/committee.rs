// SPDX-License-Identifier: Apache-2.0
//! Drawing committees, and what becomes of the bonds of their members.

use crate::{
    types::{Audit, Ballot, Offence, Phase, RoundFailure, Seat},
    Audits, Config, Event, Pallet, SeatsOf, LOG_TARGET,
};
use alloc::vec::Vec;
use assay_primitives::{
    draw::{self, Purpose},
    job::JobId,
    settlement::AuditOutcome,
    ticket,
    traits::{AuditSubject, AuditedJobs, Duty, Escrow, Operators, PastRandomness, Routing, Terms},
    Balance, BlockNumber,
};
use frame_support::{traits::Get, weights::Weight, BoundedVec};
use sp_core::H256;

impl<T: Config> Pallet<T> {
    /// Votes that decide: more than half of a full committee.
    pub(crate) fn majority() -> u32 {
        (T::CommitteeSize::get() / 2).saturating_add(1)
    }

    /// Decides whether the job is audited, and draws a committee if so. Where no block of the span
    /// has an output, or where they are forgotten because the draw had to wait, the draw is made
    /// with the blocks after this one.
    pub(crate) fn draw(job: &JobId, mut audit: Audit<T::AccountId>, now: BlockNumber) {
        let Some(randomness) = T::Randomness::of_span(audit.span.first, audit.span.count) else {
            audit.span = Self::next_span();
            audit.phase = Phase::Drawing { at: audit.span.known() };
            return Self::put(job, audit);
        };
        let Some(subject) = T::Jobs::subject(job) else {
            log::error!(target: LOG_TARGET, "job {job:?} is under audit and not delivered");
            Audits::<T>::remove(job);
            return;
        };
        if audit.round == 0 && !Self::is_drawn(job, &subject.operator, audit.span) {
            return Self::conclude(job, AuditOutcome::NotAudited, Vec::new());
        }
        Self::seat_committee(job, audit, &subject, &randomness, now);
    }

    /// Draws a committee and reserves the bonds of its members.
    fn seat_committee(
        job: &JobId,
        mut audit: Audit<T::AccountId>,
        subject: &AuditSubject<T::AccountId>,
        randomness: &H256,
        now: BlockNumber,
    ) {
        let bond = Self::bond_of(subject);
        let seed = draw::seed(randomness, job, Purpose::Committee(audit.round));
        let drawn =
            T::Routing::committee(&subject.spec.model, seed, T::CommitteeSize::get(), |account| {
                !audit.silent.contains(account) && Self::can_verify(account, subject, bond)
            });
        let seats = drawn
            .into_iter()
            .filter(|account| T::Operators::reserve(account, Duty::Verify(*job), bond).is_ok())
            .map(|verifier| Seat { verifier, ballot: Ballot::Awaited })
            .collect();
        // The committee is no larger than its bound, as the integrity test makes sure.
        audit.seats = BoundedVec::truncate_from(seats);
        for seat in &audit.seats {
            SeatsOf::<T>::insert(&seat.verifier, job, ());
        }
        if count(&audit.seats) < Self::majority() {
            let failure = RoundFailure::TooFewVerifiers;
            Self::deposit_event(Event::RoundFailed { job: *job, round: audit.round, failure });
            Self::dismiss(job, &mut audit);
            return Self::conclude(job, AuditOutcome::Undecided, Vec::new());
        }
        let until = now.saturating_add(T::CommitWindow::get());
        audit.phase = Phase::Committing { until };
        let committee = audit.seats.iter().map(|seat| seat.verifier.clone()).collect();
        let round = audit.round;
        Self::put(job, audit);
        Self::deposit_event(Event::AuditDrawn { job: *job, round, committee, until });
    }

    /// Whether the operator can re-run the job, has nothing to do with it otherwise, and can stand for
    /// its verdict.
    fn can_verify(
        account: &T::AccountId,
        subject: &AuditSubject<T::AccountId>,
        bond: Balance,
    ) -> bool {
        let involved = *account == subject.operator
            || *account == subject.client
            || T::Operators::delegates(&subject.operator, account);
        let able = |terms: Terms| bond <= terms.unreserved && subject.spec.fits(terms.context);
        !involved && T::Operators::terms(account, &subject.spec.model).is_some_and(able)
    }

    /// What a draw weighs at most, beside what is measured of it.
    pub fn draw_weight() -> Weight {
        // The operator's record, and whether it has delegated.
        T::Routing::committee_weight(T::CommitteeSize::get(), T::DbWeight::get().reads(2))
            // The outputs of the span, once for the hash and once for the tickets.
            .saturating_add(T::DbWeight::get().reads(ticket::MAX_BLOCKS.into()))
    }

    /// What each verifier of the job has at stake.
    fn bond_of(subject: &AuditSubject<T::AccountId>) -> Balance {
        let factor = T::VerifierBondFactor::get().into();
        subject.reward.saturating_mul(factor).max(T::MinVerifierBond::get())
    }

    /// Takes the seats of those who have not come as far as the phase asks of them, and a fraction of
    /// their bonds. They are not drawn again for this job.
    pub(crate) fn expel_silent(
        job: &JobId,
        audit: &mut Audit<T::AccountId>,
        spoke: impl Fn(&Ballot) -> bool,
    ) {
        let seats = core::mem::take(&mut audit.seats);
        let (stay, leave): (Vec<_>, Vec<_>) =
            seats.into_iter().partition(|seat| spoke(&seat.ballot));
        for Seat { verifier, .. } in leave {
            let bond = T::Operators::reserved(&verifier, Duty::Verify(*job));
            let fine = T::SilenceFraction::get().mul_ceil(bond);
            // Dropped, and with that burnt.
            let _burnt = Self::slash(job, &verifier, Offence::Silent, fine);
            Self::unseat(job, &verifier);
            if audit.silent.try_push(verifier).is_err() {
                log::error!(target: LOG_TARGET, "job {job:?} has more verifiers than it can have");
            }
        }
        audit.seats = BoundedVec::truncate_from(stay);
    }

    /// Takes all of the bond of a verifier who was wrong: half goes to `right`, half is burnt.
    pub(crate) fn slash_contradicted(job: &JobId, verifier: &T::AccountId, right: &T::AccountId) {
        let bond = T::Operators::reserved(verifier, Duty::Verify(*job));
        let credit = Self::slash(job, verifier, Offence::Contradicted, bond);
        let half = T::Escrow::value(&credit) / 2;
        let (given, _burnt) = T::Escrow::split(credit, half);
        if half > 0 {
            T::Escrow::deposit(right, given);
        }
    }

    /// Takes up to `amount` out of the bond of a verifier.
    fn slash(
        job: &JobId,
        verifier: &T::AccountId,
        offence: Offence,
        amount: Balance,
    ) -> <T::Escrow as Escrow<T::AccountId>>::Credit {
        let credit = T::Operators::seize(verifier, Duty::Verify(*job), amount);
        Self::deposit_event(Event::VerifierSlashed {
            job: *job,
            verifier: verifier.clone(),
            offence,
            amount: T::Escrow::value(&credit),
        });
        credit
    }

    /// Ends the duty of all members of the committee.
    pub(crate) fn dismiss(job: &JobId, audit: &mut Audit<T::AccountId>) {
        for seat in core::mem::take(&mut audit.seats) {
            Self::unseat(job, &seat.verifier);
        }
    }

    /// Ends the duty of a verifier: what is left of its bond is free again.
    fn unseat(job: &JobId, verifier: &T::AccountId) {
        T::Operators::release(verifier, Duty::Verify(*job));
        SeatsOf::<T>::remove(verifier, job);
    }
}

/// The number of seats.
pub(crate) fn count<AccountId>(seats: &[Seat<AccountId>]) -> u32 {
    u32::try_from(seats.len()).unwrap_or(u32::MAX)
}
