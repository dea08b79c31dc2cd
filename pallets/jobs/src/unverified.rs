// SPDX-License-Identifier: Apache-2.0
//! The end of a job whose audit could not be decided.

use crate::{settle::Delivery, types::Job, Config, Pallet};
use assay_primitives::{
    job::JobId,
    settlement::{AuditOutcome, Outcome, Settlement},
};

impl<T: Config> Pallet<T> {
    /// Ends a job whose output was drawn for an audit that could not be decided. An output that was
    /// not checked is never paid in full: cost and tip return to the client. Nobody has shown a
    /// fault of the operator either, so it keeps the down payment, and its bond is free.
    pub(crate) fn end_unverified(
        id: &JobId,
        job: Job<T::AccountId>,
        delivery: Delivery<T::AccountId>,
    ) {
        let settlement = Settlement {
            audit: AuditOutcome::Undecided,
            output_hash: Some(delivery.commitment.output_hash),
            tokens: delivery.commitment.tokens,
            paid: job.payment.down,
            burnt: Self::burnt_of(job.payment.down),
            ..Self::record(Outcome::Unverified, Some(delivery.operator))
        };
        Self::finish(id, job, settlement, None);
    }
}
