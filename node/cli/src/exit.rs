// SPDX-License-Identifier: Apache-2.0
//! Exit codes and errors.

use crate::out;
use serde_json::json;
use std::{fmt, process::ExitCode};

/// How the command ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// 0: it did what was asked.
    Done,
    /// 3: the job ended without an accepted output.
    JobFailed,
    /// 130: interrupted; the job goes on without this command.
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

/// An error with a code that scripts can match on: `pallet.ErrorName` for what the chain refuses,
/// snake_case for what this command finds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// The code.
    pub code: String,
    /// What is wrong, and what to do.
    pub message: String,
}

impl Fault {
    /// An error with that code and message.
    pub fn error(code: impl Into<String>, message: impl Into<String>) -> anyhow::Error {
        Self { code: code.into(), message: message.into() }.into()
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Fault {}

/// Reports an error, with exit code 1.
pub(crate) fn failure(error: &anyhow::Error, json: bool) -> ExitCode {
    if is_broken_pipe(error) {
        // Whoever read the output has had enough.
        return ExitCode::SUCCESS;
    }
    let message = format!("{error:#}");
    out::note(&format!("error: {message}"));
    if json {
        let code = error.downcast_ref::<Fault>().map_or("error", |fault| &fault.code);
        // Nothing is left to report a failure of this to.
        let _ = out::object(&json!({ "error": { "code": code, "message": message } }));
    }
    ExitCode::from(1)
}

/// Reports arguments that cannot be understood, with exit code 2; shows help and version with 0.
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
    use anyhow::Context;

    #[test]
    fn fault_is_found_beneath_context() {
        let error = Err::<(), _>(Fault::error("jobs.JobNotOpen", "The job is not open."))
            .context("cannot cancel")
            .unwrap_err();
        assert_eq!(
            error.downcast_ref::<Fault>().map(|fault| fault.code.as_str()),
            Some("jobs.JobNotOpen")
        );
        assert_eq!(format!("{error:#}"), "cannot cancel: The job is not open.");
    }

    #[test]
    fn broken_pipe_is_no_failure() {
        let error = anyhow::Error::from(std::io::Error::from(std::io::ErrorKind::BrokenPipe));
        assert!(is_broken_pipe(&error));
        assert!(!is_broken_pipe(&anyhow::anyhow!("broken pipe")));
    }
}
