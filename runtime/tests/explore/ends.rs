// SPDX-License-Identifier: Apache-2.0
//! The end of a job to which time alone leads.

use crate::{books::Seen, invariants, snapshot::Snapshot, time};
use assay_primitives::{job::JobState, traits::Duty};
use assay_runtime::Runtime;
use std::collections::HashSet;

/// The most times that something happens to a job in which nobody acts.
const MOST: usize = 60;

/// The states that are known to end. What has been seen to lead to one of them is not played again.
#[derive(Default)]
pub struct Ends {
    known: HashSet<[u8; 32]>,
}

impl Ends {
    /// Returns the number of states that are known to end.
    pub fn known(&self) -> usize {
        self.known.len()
    }

    /// Lets time pass from the state on, without a single operator, until the job has ended.
    pub fn check(&mut self, state: &Snapshot) {
        let mut course = Vec::new();
        let mut state = state.clone();
        loop {
            if !self.known.insert(state.id()) {
                return;
            }
            if state.read(is_over) {
                return;
            }
            course.push(format!("{:?}", state.read(time::view)));
            assert!(course.len() <= MOST, "a job does not end by time alone: {course:#?}");
            state = state.after(|| {
                time::pass(&mut Seen::new(), false, 0);
                invariants::check();
            });
        }
    }
}

/// Returns whether the job is over; if it is, nothing of it may be left.
fn is_over() -> bool {
    let (job, audit) = time::view();
    match job {
        Some(JobState::Settled(_)) => {}
        Some(_) => return false,
        None => {
            if pallet_jobs::Jobs::<Runtime>::iter_keys().next().is_some() {
                return false;
            }
        }
    }
    if audit.is_some() {
        return false;
    }
    let escrows = pallet_escrow::Escrows::<Runtime>::iter_keys().count();
    assert_eq!(escrows, 0, "the job is over and has an escrow");
    let duties: Vec<_> = pallet_operators::Reservations::<Runtime>::iter_keys()
        .filter(|(_, duty)| matches!(duty, Duty::Run(_) | Duty::Verify(_) | Duty::Challenge(_)))
        .collect();
    assert!(duties.is_empty(), "the job is over and binds stake: {duties:?}");
    true
}
