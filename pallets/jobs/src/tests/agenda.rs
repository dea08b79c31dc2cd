// SPDX-License-Identifier: Apache-2.0
//! The agenda, of which this pallet has three.

use crate::{mock::*, AssignmentCursor, AssignmentEntries, Assignments};
use assay_primitives::{agenda::MAX_PASSES, JobId};

type Agenda = Assignments<Test>;

fn id(n: u64) -> JobId {
    JobId::from_low_u64_be(n)
}

fn left() -> usize {
    AssignmentEntries::<Test>::iter().count()
}

#[test]
fn agenda_gives_what_is_due_and_no_more() {
    new_test_ext().execute_with(|| {
        Agenda::add(3, &id(1));
        Agenda::add(4, &id(2));
        assert_eq!(Agenda::take_due(2, 10), vec![]);
        assert_eq!(Agenda::take_due(3, 10), vec![id(1)]);
        assert_eq!(Agenda::take_due(4, 10), vec![id(2)]);
        assert_eq!(left(), 0);
    });
}

#[test]
fn agenda_keeps_what_does_not_fit() {
    new_test_ext().execute_with(|| {
        for n in 0..5 {
            Agenda::add(1, &id(n));
        }
        Agenda::add(2, &id(5));
        let mut taken = Agenda::take_due(2, 2);
        assert_eq!(taken.len(), 2);
        taken.extend(Agenda::take_due(2, 2));
        taken.extend(Agenda::take_due(2, 2));
        assert_eq!(taken.last(), Some(&id(5)), "later blocks come last");
        taken.sort();
        assert_eq!(taken, (0..6).map(id).collect::<Vec<_>>());
    });
}

#[test]
fn agenda_never_loses_what_comes_late() {
    new_test_ext().execute_with(|| {
        Agenda::take_due(9, 20);
        assert_eq!(AssignmentCursor::<Test>::get(), 10);
        Agenda::add(3, &id(1));
        assert_eq!(Agenda::take_due(10, 1), vec![id(1)]);
    });
}

#[test]
fn agenda_passes_a_bounded_number_of_blocks() {
    new_test_ext().execute_with(|| {
        Agenda::add(100, &id(1));
        assert_eq!(Agenda::take_due(100, 1), vec![]);
        assert_eq!(AssignmentCursor::<Test>::get(), 2);
        assert_eq!(Agenda::take_due(100, u32::MAX), vec![]);
        assert_eq!(AssignmentCursor::<Test>::get(), 2 + MAX_PASSES);
        assert_eq!(Agenda::take_due(100, u32::MAX), vec![id(1)]);
    });
}

#[test]
fn agenda_takes_nothing_of_nothing() {
    new_test_ext().execute_with(|| {
        Agenda::add(0, &id(1));
        assert_eq!(Agenda::take_due(5, 0), vec![]);
        assert_eq!(left(), 1);
    });
}
