// SPDX-License-Identifier: Apache-2.0
//! A job that is over.

use crate::{
    exit::{note_error, Exit},
    known_output::KnownOutput,
    out::Row,
    standing::Standing,
    text_check, view,
};
use assay_primitives::{api::JobView, JobId, Settlement};
use assay_runtime::AccountId;
use serde_json::{Map, Value};

/// A job that is over.
pub struct Ended {
    /// The job as the chain has it.
    pub view: JobView<AccountId>,
    /// The settlement that ended it.
    pub settlement: Settlement<AccountId>,
    /// The output, as far as it is known.
    pub known: KnownOutput,
}

impl Ended {
    /// Returns the standing of the output.
    pub fn standing(&self) -> Standing {
        Standing::of(&self.view.state, &self.known)
    }

    /// Returns the exit code. A job has failed if nobody has shown the output that was committed to:
    /// the text could be any. A text that is not that of its tokens is an error, which is noted in the
    /// object of `--json` too.
    pub fn checked_exit(
        &self,
        job: &JobId,
        accept_unaudited: bool,
        object: &mut Map<String, Value>,
    ) -> Exit {
        let standing = self.standing();
        match text_check::ensure(job, &self.known, standing) {
            Ok(()) => standing.exit(self.settlement.outcome, accept_unaudited),
            Err(error) => {
                note_error(&error, object);
                Exit::Failed
            }
        }
    }

    /// Adds the output and its standing to a JSON object.
    pub fn put(&self, object: &mut Map<String, Value>) {
        self.known.put(object);
        self.standing().put(object);
    }

    /// Returns the end of the job as rows for a person.
    pub fn rows(&self) -> Vec<Row> {
        let mut rows = view::settlement::rows(&self.settlement);
        // After the verdict, which it follows from.
        rows.splice(1..1, self.standing().words().map(|words| ("Output", words)));
        rows
    }
}
