// SPDX-License-Identifier: Apache-2.0
//! Challenges: an account says that an output which was not drawn for an audit is wrong, and puts up a
//! bond. A jury decides, which is drawn when the challenge window is over.
//!
//! Whoever challenges a right output loses the bond, which is [`Pallet::challenge_bond`]: it pays all
//! jurors, and at least half of what is left of it goes to nobody who could be a party to the
//! challenge. With F for what jurors get of it, R for the job's reward and B for the bond, a group of
//! challenger, operator and jurors loses at least (B − F)/2 ≥ R/2, because B ≥ R + F.

use crate::{
    types::{Audit, Span, Stage},
    Audits, Config, Error, Event, Pallet, Publications,
};
use assay_primitives::{
    job::{JobId, Verification},
    traits::{AuditSubject, AuditedJobs, Challengeable, Duty, Escrow, Operators},
    Balance,
};
use frame_support::{dispatch::DispatchResult, ensure, traits::Get};

impl<T: Config> Pallet<T> {
    /// Returns the bond of whoever challenges the output: the fees of the most jurors that can vote for
    /// an outcome, which are those of a whole jury and of the votes of one without a majority, and what
    /// the job pays its operator.
    pub(crate) fn bond_of_challenge(subject: &AuditSubject<T::AccountId>) -> Balance {
        let jury = T::JurySize::get();
        let fees = subject.fee.saturating_mul(jury.saturating_add(jury / 2).into());
        fees.saturating_add(subject.reward).max(T::MinVerifierBond::get())
    }

    /// Returns the bond of whoever challenges the output of the job now, or of the account that does;
    /// `None` where it is not open to challenges.
    pub fn challenge_bond(job: &JobId) -> Option<Balance> {
        if let Some(subject) = T::Jobs::subject(job) {
            return subject.challenger.is_some().then(|| Self::bond_of_challenge(&subject));
        }
        let Challengeable { subject, until } = T::Jobs::challengeable(job)?;
        let open = Self::now() <= until && is_checkable(&subject);
        open.then(|| Self::bond_of_challenge(&subject))
    }

    pub(crate) fn do_challenge(challenger: &T::AccountId, job: &JobId) -> DispatchResult {
        ensure!(!Audits::<T>::contains_key(job), Error::<T>::AuditOpen);
        let open = T::Jobs::challengeable(job).ok_or(Error::<T>::JobNotDelivered)?;
        let Challengeable { subject, until } = open;
        ensure!(is_checkable(&subject), Error::<T>::VerificationNotRequired);
        ensure!(Self::now() <= until, Error::<T>::ChallengeWindowOver);
        let bond = Self::bond_of_challenge(&subject);
        if *challenger == subject.client {
            T::Escrow::hold_bond(job, bond)?;
        } else {
            ensure!(Self::can_verify(challenger, &subject), Error::<T>::NotAVerifier);
            T::Operators::reserve(challenger, Duty::Challenge(*job), bond)?;
        }
        T::Jobs::challenge(job, challenger);
        // The draw is the same whenever the challenge comes.
        let span = Span::after(until, T::DrawBlocks::get());
        let audit = Audit { stage: Stage::Challenge, ..Audit::new(span) };
        Self::put(job, audit);
        let challenger = challenger.clone();
        Self::deposit_event(Event::OutputChallenged { job: *job, challenger, bond });
        Ok(())
    }

    /// Takes the bond of a challenger that was wrong: jurors are paid what they are owed out of it, the
    /// operator gets back what it has paid to publish, and half of the rest at most up to its `loss`.
    /// What is left is burnt.
    pub(crate) fn charge_challenger(
        job: &JobId,
        challenger: &T::AccountId,
        subject: &AuditSubject<T::AccountId>,
        owed: &mut [(T::AccountId, Balance)],
        loss: &mut Balance,
    ) {
        let bond = if *challenger == subject.client {
            T::Escrow::seize_bond(job)
        } else {
            T::Operators::seize(challenger, Duty::Challenge(*job), Balance::MAX)
        };
        let amount = T::Escrow::value(&bond);
        let rest = Self::pay_jurors(bond, owed);
        let spent = Publications::<T>::get(job).map_or(0, |publication| publication.burnt);
        let (spent, rest) = T::Escrow::split(rest, spent);
        if T::Escrow::value(&spent) > 0 {
            T::Escrow::deposit(&subject.operator, spent);
        }
        Self::give_half(rest, &subject.operator, loss);
        let challenger = challenger.clone();
        Self::deposit_event(Event::ChallengeLost { job: *job, challenger, amount });
    }

    /// Returns the bond of the challenger, or what is left of it.
    pub(crate) fn return_challenge_bond(job: &JobId) {
        let Some(AuditSubject { client, challenger: Some(challenger), .. }) = T::Jobs::subject(job)
        else {
            return;
        };
        let amount = Self::bond_on_hold(job, &client, &challenger);
        if challenger == client {
            T::Escrow::release_bond(job);
        } else {
            T::Operators::release(&challenger, Duty::Challenge(*job));
        }
        if amount > 0 {
            Self::deposit_event(Event::ChallengeBondReturned { job: *job, challenger, amount });
        }
    }

    /// Returns what stands against the challenge.
    pub(crate) fn bond_on_hold(
        job: &JobId,
        client: &T::AccountId,
        challenger: &T::AccountId,
    ) -> Balance {
        if challenger == client {
            T::Escrow::bond(job)
        } else {
            T::Operators::reserved(challenger, Duty::Challenge(*job))
        }
    }
}

/// Returns whether the job was assigned only because enough operators could check it.
fn is_checkable<AccountId>(subject: &AuditSubject<AccountId>) -> bool {
    subject.spec.verification == Verification::Required
}
