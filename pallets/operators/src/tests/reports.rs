// SPDX-License-Identifier: Apache-2.0
//! Reports of workers.

use crate::{mock::*, Call, Error, Event, FreeReports, WeightInfo};
use assay_primitives::{traits::Duty, DeclineReason, FinishReason, OutputCommitment, Report};
use frame_support::{
    assert_noop, assert_ok,
    dispatch::{DispatchResultWithPostInfo, GetDispatchInfo, Pays},
    traits::{Get, Hooks},
    weights::Weight,
};
use sp_runtime::DispatchError;

fn report(reports: &[Report]) -> DispatchResultWithPostInfo {
    Operators::report(RuntimeOrigin::signed(WORKER), reports.to_vec().try_into().unwrap())
}

/// Sends reports that are to be dispatched and returns whether they were free.
fn is_free(reports: &[Report]) -> bool {
    report(reports).unwrap().pays_fee == Pays::No
}

fn accept(n: u64) -> Report {
    Report::Accept { job: job(n) }
}

fn commit(n: u64) -> Report {
    let commitment = OutputCommitment {
        output_hash: Default::default(),
        digest_commitment: Default::default(),
        tokens: 1,
        finish: FinishReason::Length,
    };
    Report::CommitOutput { job: job(n), commitment }
}

fn decline(n: u64) -> Report {
    Report::Decline { job: job(n), reason: DeclineReason::Resource }
}

fn unknown(n: u64) -> Report {
    Report::CommitVerdict { job: job(n), hash: Default::default() }
}

#[test]
fn report_reaches_the_duties_of_the_stash() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        assert!(is_free(&[accept(1), accept(2)]));
        assert_eq!(reservation(ALICE, job(1)), Some(JOB_BOND));
        assert_eq!(operator(ALICE).running, 2);
        assert!(is_free(&[commit(1)]));
        assert_eq!(reservation(ALICE, job(1)), None);
        assert_eq!(FreeReports::<Test>::get(), 3);
    });
}

#[test]
fn report_that_is_refused_changes_nothing_and_keeps_no_other_back() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        assert!(!is_free(&[decline(7), accept(1)]));
        assert_eq!(crate::Reservations::<Test>::get(ALICE, Duty::Verify(job(7))), None);
        assert_eq!(reservation(ALICE, job(1)), Some(JOB_BOND));
        assert!(events().contains(&Event::ReportRefused {
            operator: ALICE,
            job: job(7),
            error: DispatchError::Other("")
        }));
        assert_eq!(FreeReports::<Test>::get(), 0);
    });
}

#[test]
fn report_of_no_pallet_is_refused() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        assert!(!is_free(&[unknown(1)]));
        assert_eq!(
            last_event(),
            Event::ReportRefused {
                operator: ALICE,
                job: job(1),
                error: Error::<Test>::ReportUnknown.into()
            }
        );
    });
}

#[test]
fn report_pays_when_the_free_ones_of_the_block_are_used_up() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        assert!(is_free(&[commit(1), commit(2), commit(3)]));
        assert!(!is_free(&[commit(4), commit(5)]));
        assert!(is_free(&[commit(6)]));
        assert!(!is_free(&[commit(7)]));
        assert_eq!(FreeReports::<Test>::get(), 4);
        Operators::on_initialize(2);
        assert!(is_free(&[commit(8)]));
    });
}

#[test]
fn report_refuses_who_is_no_worker() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        for account in [ALICE, OTHER_WORKER] {
            assert_noop!(
                Operators::report(
                    RuntimeOrigin::signed(account),
                    vec![accept(1)].try_into().unwrap()
                ),
                Error::<Test>::NotWorker
            );
        }
    });
}

#[test]
fn report_refuses_an_old_worker() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        assert_ok!(Operators::set_worker(RuntimeOrigin::signed(ALICE), OTHER_WORKER));
        assert_noop!(report(&[accept(1)]), Error::<Test>::NotWorker);
    });
}

#[test]
fn report_refuses_no_reports() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        assert_noop!(report(&[]), Error::<Test>::NoReports);
    });
}

#[test]
fn report_weighs_what_its_reports_weigh() {
    let reports = vec![accept(1), commit(2), unknown(3)].try_into().unwrap();
    let call = RuntimeCall::Operators(Call::report { reports });
    assert_eq!(
        call.get_dispatch_info().call_weight,
        <() as WeightInfo>::report(3).saturating_add(Weight::from_parts(3_000, 30))
    );
}

#[test]
fn operator_whose_reports_are_refused_reports_no_more_in_the_block() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        let most = <Test as crate::Config>::MaxRefusedReports::get();
        for _ in 0..most {
            assert!(Operators::can_report(&ALICE));
            assert!(!is_free(&[unknown(7)]));
        }
        assert!(!Operators::can_report(&ALICE));
        assert_eq!(crate::RefusedReports::<Test>::get(ALICE).map(|(_, count)| count), Some(most));
        System::set_block_number(System::block_number() + 1);
        assert!(Operators::can_report(&ALICE));
        assert!(!is_free(&[unknown(7)]));
        assert_eq!(crate::RefusedReports::<Test>::get(ALICE).map(|(_, count)| count), Some(1));
    });
}

#[test]
fn reports_that_are_taken_are_not_counted_as_refused() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        assert!(is_free(&[accept(1), accept(2)]));
        assert_eq!(crate::RefusedReports::<Test>::get(ALICE), None);
    });
}

#[test]
fn weight_that_reports_do_not_need_is_given_back() {
    with_operators(|| {
        register(ALICE, MIN_BOND);
        let reports = [accept(1), commit(1)];
        let declared = Operators::weight_of_reports(&reports);
        let actual = report(&reports).unwrap().actual_weight.unwrap();
        assert_eq!(actual, declared - Weight::from_parts(500, 5));
    });
}
