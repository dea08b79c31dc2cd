// SPDX-License-Identifier: Apache-2.0
//! Jobs as their committees see them.

use crate::{
    settle::{Delivery, Found},
    types::Job,
    Config, Event, Jobs, Pallet, LOG_TARGET,
};
use assay_primitives::{
    job::{JobId, JobState},
    settlement::AuditOutcome,
    traits::{AuditSubject, AuditedJobs, Challengeable},
};

impl<T: Config> AuditedJobs<T::AccountId> for Pallet<T> {
    fn subject(id: &JobId) -> Option<AuditSubject<T::AccountId>> {
        let job = Jobs::<T>::get(id)?;
        let delivery = Self::delivery_of(&job).filter(|delivery| delivery.audit)?;
        Some(Self::subject_of(job, delivery))
    }

    fn challengeable(id: &JobId) -> Option<Challengeable<T::AccountId>> {
        let job = Jobs::<T>::get(id)?;
        let delivery = Self::delivery_of(&job).filter(|delivery| !delivery.audit)?;
        let until = delivery.until;
        Some(Challengeable { subject: Self::subject_of(job, delivery), until })
    }

    fn challenge(id: &JobId, by: &T::AccountId) {
        Jobs::<T>::mutate_extant(id, |job| {
            if let JobState::Delivered { audit, challenger, .. } = &mut job.state {
                *audit = true;
                *challenger = Some(by.clone());
            }
        });
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
            // A challenge that nobody could hear leaves the output as good as it was.
            AuditOutcome::NotAudited if delivery.challenger.is_some() => {
                Self::end_accepted(id, job, delivery, Found::NOTHING, None);
            }
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

impl<T: Config> Pallet<T> {
    /// Returns a delivered job as its verifiers see it.
    fn subject_of(
        job: Job<T::AccountId>,
        delivery: Delivery<T::AccountId>,
    ) -> AuditSubject<T::AccountId> {
        let Delivery { operator, prices, commitment, challenger, .. } = delivery;
        AuditSubject {
            reward: Self::reward_of(&job, prices, commitment.tokens),
            fee: Self::fee_of(&job, prices, commitment.tokens),
            levy: Self::levy_of(&job, prices, commitment.tokens),
            client: job.client,
            operator,
            spec: job.spec,
            commitment,
            challenger,
        }
    }
}
