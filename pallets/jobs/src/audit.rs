// SPDX-License-Identifier: Apache-2.0
//! Jobs as their committees see them.

use crate::{settle::Found, Config, Event, Jobs, Pallet, LOG_TARGET};
use assay_primitives::{
    job::{JobId, JobState},
    settlement::AuditOutcome,
    traits::{AuditSubject, AuditedJobs},
};

impl<T: Config> AuditedJobs<T::AccountId> for Pallet<T> {
    fn subject(id: &JobId) -> Option<AuditSubject<T::AccountId>> {
        let job = Jobs::<T>::get(id)?;
        let delivery = Self::delivery_of(&job).filter(|delivery| delivery.audit)?;
        Some(AuditSubject {
            reward: Self::reward_of(&job, delivery.prices, delivery.commitment.tokens),
            fee: Self::fee_of(&job, delivery.prices, delivery.commitment.tokens),
            levy: Self::levy_of(&job, delivery.prices, delivery.commitment.tokens),
            client: job.client,
            operator: delivery.operator,
            spec: job.spec,
            commitment: delivery.commitment,
        })
    }

    fn conclude(
        id: &JobId,
        outcome: AuditOutcome,
        verifiers: &[T::AccountId],
        jurors: u32,
        forfeited: u32,
    ) {
        let found = Found { audit: outcome, verifiers, jurors, forfeited };
        let audited = Jobs::<T>::get(id).and_then(|job| {
            let delivery = Self::delivery_of(&job).filter(|delivery| delivery.audit)?;
            Some((job, delivery))
        });
        let Some((mut job, delivery)) = audited else {
            log::error!(target: LOG_TARGET, "an audit ends of job {id:?}, which has none");
            return;
        };
        match outcome {
            AuditOutcome::NotAudited => {
                if let JobState::Delivered { audit, .. } = &mut job.state {
                    *audit = false;
                }
                Self::put(id, job);
                Self::deposit_event(Event::AuditWaived { job: *id });
            }
            AuditOutcome::Accepted => {
                Self::end_accepted(id, job, delivery, found, None);
            }
            AuditOutcome::Undecided => Self::end_unverified(id, job, delivery),
            AuditOutcome::Rejected | AuditOutcome::Withheld => {
                Self::end_rejected(id, job, delivery, found);
            }
        }
    }
}
