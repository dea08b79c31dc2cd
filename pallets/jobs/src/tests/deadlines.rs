// SPDX-License-Identifier: Apache-2.0
//! The ends of states in which nobody acts.

use crate::{mock::*, Error, Event, Jobs as Stored, JobsOf, WeightInfo};
use assay_primitives::{
    job::{JobId, JobState},
    report::Report,
    settlement::{AuditOutcome, Outcome},
    traits::AuditedJobs,
};
use frame_support::{assert_noop, assert_ok, traits::Hooks, weights::Weight};

/// An open job that nobody is drawn for.
fn unserved() -> JobId {
    ParentRandomness::set(None);
    order()
}

#[test]
fn open_job_expires_by_itself_and_all_is_refunded() {
    with_jobs(|| {
        let id = unserved();
        run_to(22);
        assert!(matches!(state(&id), JobState::Open { .. }));
        run_blocks(1);
        let settlement = settlement(&id);
        assert_eq!(settlement.outcome, Outcome::Expired);
        assert_eq!((settlement.paid, settlement.refunded), (0, 113 + BOUNTY));
        assert_eq!(wealth(CLIENT), ENDOWMENT);
        assert!(Faults::get().is_empty());
    });
}

#[test]
fn open_job_past_its_deadline_is_not_assigned() {
    with_jobs(|| {
        let id = unserved();
        skip_to(21);
        ParentRandomness::set(Some(Default::default()));
        skip_block();
        assert_eq!(state(&id), JobState::Open { until: 21 });
    });
}

#[test]
fn expire_ends_an_open_job_for_the_bounty() {
    with_jobs(|| {
        let id = unserved();
        skip_to(21);
        assert_noop!(Jobs::expire(signed(KEEPER), id), Error::<Test>::NotDue);
        // The chain does it in this block, if there is room.
        skip_block();
        assert_noop!(Jobs::expire(signed(KEEPER), id), Error::<Test>::NotDue);
        skip_block();
        assert_ok!(Jobs::expire(signed(KEEPER), id));
        assert_eq!(wealth(KEEPER), ENDOWMENT + BOUNTY);
        assert_eq!(wealth(CLIENT), ENDOWMENT - BOUNTY);
        assert_eq!(settlement(&id).paid, BOUNTY);
    });
}

#[test]
fn expire_gives_an_assigned_job_to_another_without_bounty() {
    with_jobs(|| {
        let (id, first) = assigned();
        skip_to(6);
        assert_noop!(Jobs::expire(signed(KEEPER), id), Error::<Test>::NotDue);
        skip_block();
        assert_ok!(Jobs::expire(signed(KEEPER), id));
        assert_eq!(last_event(), Event::AssignmentMissed { job: id, operator: first });
        assert_eq!(state(&id), JobState::Open { until: 21 });
        assert_eq!(wealth(KEEPER), ENDOWMENT);
        assert_eq!(reserved(first, &id), 0);
        run_blocks(1);
        assert!(matches!(state(&id), JobState::Assigned { operator, .. } if operator != first));
    });
}

#[test]
fn expire_of_the_last_attempt_pays_the_bounty() {
    with_jobs(|| {
        let (id, _) = assigned();
        for _ in 0..2 {
            skip_to(now() + 5);
            assert_ok!(Jobs::expire(signed(KEEPER), id));
            skip_block();
        }
        skip_to(now() + 5);
        assert_ok!(Jobs::expire(signed(KEEPER), id));
        assert_eq!(settlement(&id).outcome, Outcome::Expired);
        assert_eq!(wealth(KEEPER), ENDOWMENT + BOUNTY);
    });
}

#[test]
fn expire_refuses_a_running_job_in_time_and_jobs_past_that() {
    with_jobs(|| {
        assert_noop!(Jobs::expire(signed(KEEPER), JobId::zero()), Error::<Test>::JobNotFound);
        let (id, _) = running();
        skip_to(now() + 20);
        assert_noop!(Jobs::expire(signed(KEEPER), id), Error::<Test>::NotDue);
        let (id, _) = delivered(3);
        skip_to(now() + 50);
        assert_noop!(Jobs::expire(signed(KEEPER), id), Error::<Test>::JobNotPending);
        Jobs::conclude(&id, AuditOutcome::Undecided, &[], 0, 0);
        assert_noop!(Jobs::expire(signed(KEEPER), id), Error::<Test>::JobNotPending);
    });
}

#[test]
fn silent_operators_are_replaced_by_the_chain_until_attempts_are_spent() {
    with_jobs(|| {
        let (id, _) = assigned();
        run_blocks(25);
        assert_eq!(settlement(&id).outcome, Outcome::Expired);
        assert_eq!(job(&id).drawn.len(), 3);
        assert_eq!(wealth(CLIENT), ENDOWMENT);
        let missed =
            events().iter().filter(|event| matches!(event, Event::AssignmentMissed { .. })).count();
        assert_eq!(missed, 3);
    });
}

/// A job after the last attempt, which an operator runs.
fn running_at_last() -> (JobId, AccountId) {
    let (id, mut operator) = running();
    for _ in 1..3 {
        run_blocks(22);
        let JobState::Assigned { operator: next, .. } = state(&id) else { panic!("not assigned") };
        report(next, Report::Accept { job: id }).unwrap();
        operator = next;
    }
    (id, operator)
}

#[test]
fn late_job_goes_to_another_and_the_client_pays_once() {
    with_jobs(|| {
        let (id, first) = running();
        let accepted = now();
        run_to(accepted + 20);
        assert!(matches!(state(&id), JobState::Running { .. }));
        run_blocks(1);
        // In that block's idle time, and the next assigns it.
        run_blocks(1);
        let fine = BOND / 10;
        let slashed = PAYMENT.down + fine;
        let late = Event::OperatorLate { job: id, operator: first, slashed };
        assert!(events().contains(&late));
        assert_eq!(Faults::get(), vec![first]);
        assert_eq!(reserved(first, &id), 0);
        assert_eq!(wealth(first), ENDOWMENT - fine);
        let JobState::Assigned { operator: second, .. } = state(&id) else {
            panic!("{:?}", state(&id))
        };
        assert_ne!(second, first);
        // The down payment is on hold again, for who comes now.
        assert_eq!(Balances::reserved_balance(CLIENT), 113 + BOUNTY);
        report(second, Report::Accept { job: id }).unwrap();
        assert_eq!(wealth(second), ENDOWMENT + PAYMENT.down);
        let output = Report::CommitOutput { job: id, commitment: commitment(10) };
        report(second, output).unwrap();
        Jobs::conclude(&id, AuditOutcome::Accepted, &[], 0, 0);
        let paid = PAYMENT.down + 10 * PRICE + PAYMENT.tip;
        assert_eq!(settlement(&id).paid, paid);
        assert_eq!(wealth(second), ENDOWMENT + paid);
        assert_eq!(wealth(CLIENT), ENDOWMENT - paid);
    });
}

#[test]
fn late_operator_cannot_deliver_any_more() {
    with_jobs(|| {
        let (id, first) = running();
        run_blocks(22);
        let output = Report::CommitOutput { job: id, commitment: commitment(10) };
        assert_noop!(report(first, output), Error::<Test>::JobNotRunning);
    });
}

#[test]
fn late_job_is_open_for_as_long_as_a_new_one() {
    with_jobs(|| {
        let (id, _) = running();
        ParentRandomness::set(None);
        run_blocks(22);
        assert_eq!(state(&id), JobState::Open { until: now() - 1 + 20 });
        assert_ok!(Jobs::cancel(signed(CLIENT), id));
        assert_eq!(wealth(CLIENT), ENDOWMENT);
    });
}

#[test]
fn expire_of_a_late_job_pays_no_bounty_while_attempts_are_left() {
    with_jobs(|| {
        let (id, _) = running();
        skip_to(now() + 22);
        assert_ok!(Jobs::expire(signed(KEEPER), id));
        assert!(matches!(state(&id), JobState::Open { .. }));
        assert_eq!(wealth(KEEPER), ENDOWMENT);
    });
}

#[test]
fn job_is_refunded_after_the_last_attempt_was_late() {
    with_jobs(|| {
        let (id, operator) = running_at_last();
        run_blocks(22);
        let fine = BOND / 10;
        assert_eq!(settlement(&id).outcome, Outcome::Refunded);
        assert_eq!(settlement(&id).operator, Some(operator));
        assert_eq!(job(&id).drawn.len(), 3);
        assert_eq!(wealth(CLIENT), ENDOWMENT);
        for operator in job(&id).drawn {
            assert_eq!(wealth(operator), ENDOWMENT - fine);
        }
        assert_eq!(Faults::get().len(), 3);
    });
}

#[test]
fn expire_of_a_late_job_at_the_last_attempt_pays_the_bounty() {
    with_jobs(|| {
        let (id, _) = running_at_last();
        skip_to(now() + 22);
        assert_ok!(Jobs::expire(signed(KEEPER), id));
        assert_eq!(settlement(&id).outcome, Outcome::Refunded);
        assert_eq!(wealth(KEEPER), ENDOWMENT + BOUNTY);
    });
}

#[test]
fn unaudited_job_is_paid_by_the_chain() {
    with_jobs(|| {
        let (id, operator) = delivered(10);
        Jobs::conclude(&id, AuditOutcome::NotAudited, &[], 0, 0);
        run_blocks(11);
        assert!(matches!(state(&id), JobState::Delivered { .. }));
        run_blocks(1);
        assert_eq!(settlement(&id).outcome, Outcome::Paid);
        assert_eq!(settlement(&id).audit, AuditOutcome::NotAudited);
        assert_eq!(wealth(operator), ENDOWMENT + 63);
    });
}

#[test]
fn job_whose_audit_is_waived_after_its_window_is_paid_at_once() {
    with_jobs(|| {
        let (id, _) = delivered(10);
        run_blocks(35);
        assert!(matches!(state(&id), JobState::Delivered { audit: true, .. }));
        Jobs::conclude(&id, AuditOutcome::NotAudited, &[], 0, 0);
        run_blocks(2);
        assert_eq!(settlement(&id).outcome, Outcome::Paid);
    });
}

#[test]
fn settled_job_is_pruned_after_its_retention() {
    with_jobs(|| {
        let id = order();
        assert_ok!(Jobs::cancel(signed(CLIENT), id));
        run_blocks(20);
        assert!(Stored::<Test>::contains_key(id));
        run_blocks(1);
        assert!(!Stored::<Test>::contains_key(id));
        assert!(!JobsOf::<Test>::contains_key(CLIENT, id));
        assert_eq!(last_event(), Event::JobPruned { job: id });
    });
}

#[test]
fn deadlines_wait_for_weight_and_none_is_lost() {
    with_jobs(|| {
        let ids: Vec<_> = (0..3).map(|_| unserved()).collect();
        skip_to(60);
        let open = || ids.iter().filter(|id| matches!(state(id), JobState::Open { .. })).count();
        assert_eq!(Jobs::on_idle(60, Weight::zero()), Weight::zero());
        type Weights = ();
        let each = Weights::work_off_deadline() + Jobs::reopen_weight();
        let two = Weights::on_idle() + each * 2;
        let mut blocks = 60;
        while open() == 3 {
            blocks += 1;
            assert!(blocks < 100, "the agenda does not advance");
            assert!(Jobs::on_idle(blocks, two).all_lte(two));
        }
        assert_eq!(open(), 1, "two jobs have found room");
        assert!(Jobs::on_idle(blocks, two).all_lte(two));
        assert_eq!(open(), 0);
    });
}

#[test]
fn deadlines_that_a_job_has_left_behind_do_nothing() {
    with_jobs(|| {
        let (id, _) = delivered(10);
        Jobs::conclude(&id, AuditOutcome::Undecided, &[], 0, 0);
        let settled = settlement(&id);
        let count = events().len();
        run_blocks(19);
        assert_eq!(settlement(&id), settled);
        assert_eq!(events().len(), count);
    });
}
