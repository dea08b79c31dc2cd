// SPDX-License-Identifier: Apache-2.0
//! A job that is over.

use crate::{
    exit::{note_error, Exit},
    known_output::KnownOutput,
    out::{self, Row},
    standing::Standing,
    text_check,
    view::{self, logprobs::Logprobs},
};
use anyhow::Result;
use assay_primitives::{api::JobView, JobId, Settlement};
use assay_runtime::AccountId;
use serde_json::{Map, Value};

/// A job that is over.
pub struct Ended {
    /// Id of the job.
    pub job: JobId,
    /// The job as the chain has it.
    pub view: JobView<AccountId>,
    /// The settlement that ended it.
    pub settlement: Settlement<AccountId>,
    /// The output, as far as it is known.
    pub known: KnownOutput,
}

/// The facts about a job that only its order tells.
#[derive(Default)]
pub struct Facts {
    /// The rows for a person.
    pub rows: Vec<Row>,
    /// The fields for the object of `--json`.
    pub fields: Map<String, Value>,
}

impl Ended {
    /// Returns the standing of the output.
    pub fn standing(&self) -> Standing {
        Standing::of(&self.view.state, &self.known)
    }

    /// Shows the end of the job, as tables below its text or as JSON, and returns the exit code. A job has
    /// failed if nobody has shown the output that was committed to: the text could be any. A text that is
    /// not that of its tokens is an error, which is noted in the object of `--json` too.
    pub fn report(&self, json: bool, accept_unaudited: bool, facts: Facts) -> Result<Exit> {
        if !json {
            self.known.logprobs().map_or(Ok(()), Logprobs::show)?;
            out::line("")?;
            out::pairs(&self.rows(facts.rows))?;
        }
        let standing = self.standing();
        let mut object = view::job::json(&self.job, &self.view);
        object.extend(facts.fields);
        self.known.put(&mut object);
        standing.put(&mut object);
        let exit = match text_check::ensure(&self.job, &self.known, standing) {
            Ok(()) => standing.exit(self.settlement.outcome, accept_unaudited),
            Err(error) => {
                note_error(&error, &mut object);
                Exit::Failed
            }
        };
        if json {
            out::object(&Value::Object(object))?;
        }
        Ok(exit)
    }

    fn rows(&self, facts: Vec<Row>) -> Vec<Row> {
        let mut rows = view::settlement::rows(&self.settlement);
        // After the verdict, which it follows from.
        rows.splice(1..1, self.standing().words().map(|words| ("Output", words)));
        rows.extend(facts);
        rows.push(("Job", format!("{:?}", self.job).into()));
        rows
    }
}
