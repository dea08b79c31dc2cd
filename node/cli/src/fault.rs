// SPDX-License-Identifier: Apache-2.0
//! An error with a code that scripts can match on.

use assay_primitives::JobId;
use std::fmt;

/// An error with a code: `pallet.ErrorName` for a refusal by the chain, snake_case for an error that
/// this command finds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// The code.
    pub code: String,
    /// The message, which says what is wrong and what to do.
    pub message: String,
}

impl Fault {
    /// Returns an error with that code and message.
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

/// The job that an error is about, as its context. A job that may have been paid for is named in every
/// error after it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OfJob(pub JobId);

impl fmt::Display for OfJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "job {:?}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context;

    #[test]
    fn fault_is_found_beneath_context() {
        let error = Err::<(), _>(Fault::error("jobs.JobNotOpen", "the job is not open"))
            .context("cannot cancel")
            .unwrap_err();
        assert_eq!(
            error.downcast_ref::<Fault>().map(|fault| fault.code.as_str()),
            Some("jobs.JobNotOpen")
        );
        assert_eq!(format!("{error:#}"), "cannot cancel: the job is not open");
    }
}
