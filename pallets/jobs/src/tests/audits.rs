// SPDX-License-Identifier: Apache-2.0
//! Jobs as their committees see them.

use crate::{mock::*, Event};
use assay_primitives::{
    job::JobState,
    settlement::{AuditOutcome, Outcome},
    traits::{AuditSubject, AuditedJobs},
    JobId,
};

#[test]
fn subject_is_a_delivered_job_under_audit() {
    with_jobs(|| {
        let (id, operator) = delivered(10);
        let subject = AuditSubject {
            client: CLIENT,
            operator,
            spec: spec(),
            commitment: commitment(10),
            reward: bond_of(10) / 20,
            fee: 10 * PRICE / 10,
            levy: 0,
            challenger: None,
        };
        assert_eq!(Jobs::subject(&id), Some(subject));
        Jobs::conclude(&id, AuditOutcome::NotAudited, &[], 0, 0);
        assert_eq!(Jobs::subject(&id), None);
        assert_eq!(Jobs::subject(&running().0), None);
        assert_eq!(Jobs::subject(&JobId::zero()), None);
    });
}

#[test]
fn waived_audit_leaves_the_job_to_its_window() {
    with_jobs(|| {
        let (id, _) = delivered(10);
        Jobs::conclude(&id, AuditOutcome::NotAudited, &[], 0, 0);
        assert!(matches!(state(&id), JobState::Delivered { audit: false, .. }));
        assert_eq!(last_event(), Event::AuditWaived { job: id });
    });
}

#[test]
fn conclusion_without_an_audit_changes_nothing() {
    with_jobs(|| {
        let (id, operator) = running();
        let before = (job(&id), wealth(operator), events().len());
        Jobs::conclude(&id, AuditOutcome::Rejected, &[], 0, 0);
        Jobs::conclude(&JobId::zero(), AuditOutcome::Rejected, &[], 0, 0);
        assert_eq!((job(&id), wealth(operator), events().len()), before);
    });
}

#[test]
fn conclusion_comes_once() {
    with_jobs(|| {
        let (id, _) = delivered(10);
        Jobs::conclude(&id, AuditOutcome::Accepted, &[], 0, 0);
        Jobs::conclude(&id, AuditOutcome::Rejected, &[], 0, 0);
        assert_eq!(settlement(&id).outcome, Outcome::Paid);
    });
}
