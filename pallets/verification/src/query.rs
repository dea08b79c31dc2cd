// SPDX-License-Identifier: Apache-2.0
//! The values from which anyone recomputes the draws of an audit.

use crate::{Audits, Config, Pallet};
use alloc::vec::Vec;
use assay_primitives::{
    api::AuditDraws,
    job::JobId,
    ticket,
    traits::{AuditedJobs, PastRandomness},
};

impl<T: Config> Pallet<T> {
    /// Returns what the last draw of the job's audit was made from, or what is known of what the
    /// next one will be made from; `None` if the job is not under audit.
    pub fn draws(job: &JobId) -> Option<AuditDraws> {
        let audit = Audits::<T>::get(job)?;
        let rate = Self::audit_rate(&T::Jobs::subject(job)?.operator);
        Some(AuditDraws {
            round: audit.draws,
            first: audit.span.first,
            outputs: audit.span.blocks().map(T::Randomness::of).collect::<Vec<_>>(),
            randomness: T::Randomness::of_span(audit.span.first, audit.span.count),
            rate,
            threshold: ticket::threshold(rate, audit.span.count),
        })
    }
}
