// SPDX-License-Identifier: Apache-2.0
//! Audits that a client orders and pays for.

use crate::{mock::*, Records, WHOLE};
use assay_primitives::{
    job::JobSpec,
    settlement::{AuditOutcome, Outcome},
    Balance,
};
use frame_support::assert_ok;

/// The fee of a verifier: a tenth of the price.
const FEE: Balance = 10;

fn ordered() -> JobSpec<AccountId> {
    let verification = assay_primitives::Verification::Required;
    JobSpec { audit: true, verification, ..spec() }
}

#[test]
fn audit_on_request_needs_no_ticket() {
    with_operators(|| {
        for operator in OPERATORS {
            Records::<Test>::insert(operator, 1_000 * WHOLE);
        }
        for _ in 0..20 {
            let (id, _) = delivered_for(CLIENT, ordered());
            run_blocks(2);
            assert_eq!(judge(id, |_| accepts()).len(), 3);
            assert_eq!(settlement(&id).audit, AuditOutcome::Accepted);
        }
    });
}

#[test]
fn client_pays_the_committee_that_it_asks_for() {
    with_operators(|| {
        let (id, operator) = delivered_for(CLIENT, ordered());
        run_blocks(2);
        let committee = judge(id, |_| accepts());
        for verifier in committee {
            assert_eq!(wealth(verifier), ENDOWMENT + FEE);
        }
        assert_eq!(wealth(operator), ENDOWMENT + 113);
        assert_eq!(wealth(CLIENT), ENDOWMENT - 113 - 3 * FEE);
        assert_eq!((settlement(&id).paid, settlement(&id).audit_fees), (113 + 3 * FEE, 3 * FEE));
    });
}

#[test]
fn fees_return_where_the_audit_cannot_be_held_or_rejects() {
    with_operators(|| {
        let (id, operator) = delivered_for(CLIENT, ordered());
        // All others stop before a committee is drawn.
        for other in OPERATORS.into_iter().filter(|other| *other != operator) {
            assert_ok!(Operators::set_draining(signed(other), true));
        }
        run_blocks(2);
        assert_eq!(settlement(&id).outcome, Outcome::Unverified);
        assert_eq!(wealth(CLIENT), ENDOWMENT - PAYMENT.down);
    });
    with_operators(|| {
        let (id, _) = delivered_for(CLIENT, ordered());
        run_blocks(2);
        judge(id, |_| rejects());
        run_blocks(2);
        judge(id, |_| rejects());
        assert_eq!(settlement(&id).outcome, Outcome::Slashed);
        assert_eq!((settlement(&id).audit_fees, wealth(CLIENT)), (0, ENDOWMENT + 113));
    });
}

#[test]
fn audit_on_request_counts_as_much_as_it_would_on_average_without() {
    with_operators(|| {
        // Every job of a new operator is audited.
        let (id, operator) = delivered_for(CLIENT, ordered());
        run_blocks(2);
        judge(id, |_| accepts());
        assert_eq!(Records::<Test>::get(operator), WHOLE);
        // At the floor one job in ten is.
        for operator in OPERATORS {
            Records::<Test>::insert(operator, 1_000 * WHOLE);
        }
        let (id, operator) = delivered_for(CLIENT, ordered());
        run_blocks(2);
        judge(id, |_| accepts());
        assert_eq!(Records::<Test>::get(operator), 1_000 * WHOLE + WHOLE / 10);
    });
}

#[test]
fn audit_on_request_of_a_job_that_names_its_operator_counts_nothing() {
    with_operators(|| {
        let allowed = vec![OPERATORS[0]].try_into().unwrap();
        let (id, operator) = delivered_for(CLIENT, JobSpec { allowed, ..ordered() });
        run_blocks(2);
        judge(id, |_| accepts());
        assert_eq!(settlement(&id).audit, AuditOutcome::Accepted);
        assert_eq!(Records::<Test>::get(operator), 0);
    });
}
