// SPDX-License-Identifier: Apache-2.0
//! Which deliveries are audited.

use crate::{
    types::{Audit, Span},
    AgendaEntries, Audits, Config, Due, Pallet, Records,
};
use assay_primitives::{
    draw::Purpose,
    job::{JobId, ModelId},
    ticket,
    traits::{AuditSubject, Auditor, Operators, PastRandomness},
    Balance,
};
use frame_support::traits::Get;
use sp_runtime::Permill;

/// A job that counts whole for the record of its operator: records are in millionths.
pub const WHOLE: u64 = 1_000_000;

/// Returns what a job counts that paid `fee`, where one that pays at least `whole` counts whole. Jobs
/// that an operator gives itself cost it a part of their fees, so a record costs what it is worth
/// however many jobs it is made of.
fn weight_of(fee: Balance, whole: Balance) -> u64 {
    let parts = fee.min(whole).saturating_mul(WHOLE.into());
    parts.checked_div(whole).and_then(|parts| u64::try_from(parts).ok()).unwrap_or(WHOLE)
}

impl<T: Config> Auditor<T::AccountId> for Pallet<T> {
    fn delivered(job: &JobId, _operator: &T::AccountId) {
        let span = Self::next_span();
        Self::put(job, Audit::new(span));
    }

    fn accepted(operator: &T::AccountId, fee: Balance) {
        let gained = weight_of(fee, T::RecordFee::get());
        Records::<T>::mutate(operator, |record| *record = record.saturating_add(gained));
    }

    fn accepted_on_request(operator: &T::AccountId, fee: Balance) {
        let gained = weight_of(fee, T::RecordFee::get());
        let rate = Self::audit_rate(operator);
        let gained = rate.mul_floor(gained);
        Records::<T>::mutate(operator, |record| *record = record.saturating_add(gained));
    }

    fn faulted(operator: &T::AccountId) {
        Records::<T>::remove(operator);
    }

    fn fewest_verifiers() -> u32 {
        T::CommitteeSize::get().saturating_add(T::MinJury::get())
    }

    fn is_involved(account: &T::AccountId, client: &T::AccountId, operator: &T::AccountId) -> bool {
        account == operator || account == client || T::Operators::delegates(operator, account)
    }

    fn can_check(operator: &T::AccountId, model: &ModelId, tokens: u32, reward: Balance) -> bool {
        let bond = Self::bond_of(reward);
        T::Operators::terms(operator, model)
            .is_some_and(|terms| bond <= terms.unreserved && tokens <= terms.context)
    }
}

impl<T: Config> Pallet<T> {
    /// Takes the end of the audit's phase off the agenda, so that it takes no place of another audit's.
    pub(crate) fn take_off_agenda(job: &JobId) {
        if let Some(audit) = Audits::<T>::get(job) {
            AgendaEntries::<T>::remove(audit.phase.due(), job);
        }
    }

    /// Stores an audit and puts the end of its phase on the agenda.
    pub(crate) fn put(job: &JobId, audit: Audit<T::AccountId>) {
        Self::take_off_agenda(job);
        Due::<T>::add(audit.phase.due(), job);
        Audits::<T>::insert(job, audit);
    }

    /// The rate at which the operator's jobs are audited now.
    pub fn audit_rate(operator: &T::AccountId) -> Permill {
        let all = u64::from(T::AuditAllFirst::get()).saturating_mul(WHOLE);
        let record = Records::<T>::get(operator);
        if record < all {
            return Permill::one();
        }
        Permill::from_rational(all, record.max(1)).max(T::AuditFloor::get())
    }

    /// The blocks after this one, with whose outputs the next draw is made.
    pub(crate) fn next_span() -> Span {
        Span::after(Self::now(), T::DrawBlocks::get())
    }

    /// Returns whether the job is audited: the client asks for it, or its ticket of one of the blocks
    /// of the span wins.
    pub(crate) fn is_drawn(job: &JobId, subject: &AuditSubject<T::AccountId>, span: Span) -> bool {
        let rate = || Self::audit_rate(&subject.operator);
        subject.spec.audit || Self::has_ticket(job, Purpose::Audit, rate(), span)
    }

    /// Returns whether a ticket of the job wins in one of the blocks of the span, at that rate over all
    /// of them.
    pub(crate) fn has_ticket(job: &JobId, purpose: Purpose, rate: Permill, span: Span) -> bool {
        let threshold = ticket::threshold(rate, span.count);
        span.blocks().any(|block| {
            let output = T::Randomness::of(block).unwrap_or_default();
            ticket::wins(&output, job, purpose, threshold)
        })
    }
}
