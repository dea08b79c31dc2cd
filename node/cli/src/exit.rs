// SPDX-License-Identifier: Apache-2.0
//! Exit codes, and how a failure is reported with them.

use crate::{
    fault::{Fault, OfJob},
    out,
};
use serde_json::{json, Map, Value};
use std::process::ExitCode;

/// The end of a command that has not failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// 0: the command has done what was asked.
    Done,
    /// 1: the command has shown its result, and an error with it.
    Failed,
    /// 3: the job ended without an accepted output.
    JobFailed,
    /// 4: the job was paid, and nobody has audited its output.
    Unaudited,
    /// 5: the chain's record of an audit differs from what block data says.
    Differs,
    /// 130: the command was interrupted; the job goes on without it.
    Detached,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Done => Self::SUCCESS,
            Exit::Failed => Self::from(1),
            Exit::JobFailed => Self::from(3),
            Exit::Unaudited => Self::from(4),
            Exit::Differs => Self::from(5),
            Exit::Detached => Self::from(130),
        }
    }
}

/// Reports an error and returns exit code 1.
pub(crate) fn failure(error: &anyhow::Error, json: bool) -> ExitCode {
    if is_broken_pipe(error) {
        // The reader of the output has closed it on purpose, as `head` does.
        return ExitCode::SUCCESS;
    }
    let mut object = Map::new();
    note_error(error, &mut object);
    if json {
        // A failure to write this could not be reported anywhere.
        let _ = out::object(&Value::Object(object));
    }
    ExitCode::from(1)
}

/// Notes an error on standard error and adds it to the object of `--json`, with the job that it is
/// about.
pub fn note_error(error: &anyhow::Error, object: &mut Map<String, Value>) {
    let message = format!("{error:#}");
    out::note(&format!("error: {message}"));
    let code = error.downcast_ref::<Fault>().map_or("error", |fault| &fault.code);
    object.insert("error".into(), json!({ "code": code, "message": message }));
    if let Some(OfJob(job)) = error.downcast_ref() {
        object.insert("job".into(), json!(job));
    }
}

/// Reports arguments that cannot be parsed and returns exit code 2; shows help and version with 0.
pub(crate) fn usage(error: &clap::Error, json: bool) -> ExitCode {
    let _ = error.print();
    if !error.use_stderr() {
        return ExitCode::SUCCESS;
    }
    if json {
        let text = error.to_string();
        let message = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
        let _ = out::object(&json!({ "error": { "code": "usage", "message": message } }));
    }
    ExitCode::from(2)
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<std::io::Error>()
        .is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_about_a_job_names_it() {
        let job = assay_primitives::JobId::repeat_byte(7);
        let error = Fault::error("node_gone", "the connection is lost").context(OfJob(job));
        let mut object = Map::new();
        note_error(&error, &mut object);
        assert_eq!(object["job"], json!(job));
        assert_eq!(object["error"]["code"], "node_gone");
        let message = object["error"]["message"].as_str().unwrap();
        assert_eq!(message, format!("job {job:?}: the connection is lost"));
    }

    #[test]
    fn broken_pipe_is_not_a_failure() {
        let error = anyhow::Error::from(std::io::Error::from(std::io::ErrorKind::BrokenPipe));
        assert!(is_broken_pipe(&error));
        assert!(!is_broken_pipe(&anyhow::anyhow!("broken pipe")));
    }
}
