// SPDX-License-Identifier: Apache-2.0
//! The presence of a job on the best chain.

use crate::fault::Fault;
use assay_primitives::JobId;

/// The number of blocks for which a job that was on the chain may be missing.
const REORGANISED: u32 = 20;

/// The presence of a job that has been on the chain. After a reorganisation it may be missing until its
/// extrinsic is included again.
#[derive(Default)]
pub struct Presence {
    /// The number of blocks for which it has been missing.
    missing: u32,
}

impl Presence {
    /// Notes whether the job is there in this block, and returns `false` once it counts as unknown.
    pub fn look(&mut self, there: bool) -> bool {
        self.missing = if there { 0 } else { self.missing + 1 };
        self.missing <= REORGANISED
    }
}

/// Returns the error for a job that the chain does not know.
pub fn unknown(job: &JobId) -> anyhow::Error {
    Fault::error(
        "jobs.JobNotFound",
        format!("the chain has no job {job:?}; check the id, or the record may be pruned already"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn job_that_was_there_may_be_missing_for_a_while() {
        let mut presence = Presence::default();
        for _ in 0..2 {
            assert!((0..REORGANISED).all(|_| presence.look(false)));
            assert!(presence.look(true));
        }
        assert!((0..REORGANISED).all(|_| presence.look(false)));
        assert!(!presence.look(false));
    }
}
