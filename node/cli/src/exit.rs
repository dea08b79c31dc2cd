// SPDX-License-Identifier: Apache-2.0
//! Exit codes, and how a failure is reported with them.

use crate::{fault::Fault, out};
use serde_json::json;
use std::process::ExitCode;

/// The end of a command that has not failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// 0: the command has done what was asked.
    Done,
    /// 3: the job ended without an accepted output.
    JobFailed,
    /// 130: the command was interrupted; the job goes on without it.
    Detached,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Done => Self::SUCCESS,
            Exit::JobFailed => Self::from(3),
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
    let message = format!("{error:#}");
    out::note(&format!("error: {message}"));
    if json {
        let code = error.downcast_ref::<Fault>().map_or("error", |fault| &fault.code);
        // A failure to write this could not be reported anywhere.
        let _ = out::object(&json!({ "error": { "code": code, "message": message } }));
    }
    ExitCode::from(1)
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
    fn broken_pipe_is_not_a_failure() {
        let error = anyhow::Error::from(std::io::Error::from(std::io::ErrorKind::BrokenPipe));
        assert!(is_broken_pipe(&error));
        assert!(!is_broken_pipe(&anyhow::anyhow!("broken pipe")));
    }
}
