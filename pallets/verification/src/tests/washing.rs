// SPDX-License-Identifier: Apache-2.0
//! An operator that gives itself jobs, for a record with which fewer of its lies would be audited.

use crate::{mock::*, Records, WHOLE};
use assay_primitives::job::JobSpec;
use sp_runtime::{BoundedVec, Permill};

/// Has a job accepted by its committee; returns its operator.
fn accepted(spec: JobSpec<AccountId>) -> AccountId {
    let (id, operator) = delivered_for(CLIENT, spec);
    run_blocks(2);
    judge(id, |_| accepts());
    assert_eq!(settlement(&id).paid, 113);
    operator
}

#[test]
fn jobs_of_dust_buy_no_lower_rate_of_audits() {
    RecordFee::set(113_000);
    with_operators(|| {
        // Each counts a thousandth. Ten times as many as are all audited are not enough.
        let jobs = 50;
        for _ in 0..jobs {
            accepted(spec());
        }
        let records: u64 = Records::<Test>::iter_values().sum();
        assert_eq!(records, jobs * WHOLE / 1_000);
        for operator in OPERATORS {
            assert_eq!(Verification::audit_rate(&operator), Permill::one());
        }
    });
}

#[test]
fn jobs_that_name_their_operator_buy_no_lower_rate_of_audits() {
    with_operators(|| {
        let own = OPERATORS[0];
        let allowed = BoundedVec::truncate_from(vec![own]);
        for _ in 0..20 {
            assert_eq!(accepted(JobSpec { allowed: allowed.clone(), ..spec() }), own);
        }
        assert_eq!(Records::<Test>::get(own), 0);
        assert_eq!(Verification::audit_rate(&own), Permill::one());
    });
}

#[test]
fn jobs_that_pay_more_than_enough_count_once() {
    RecordFee::set(10);
    with_operators(|| {
        let operator = accepted(spec());
        assert_eq!(Records::<Test>::get(operator), WHOLE);
    });
}
