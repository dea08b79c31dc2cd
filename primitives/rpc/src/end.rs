// SPDX-License-Identifier: Apache-2.0
//! The reasons for which a stream of an output ends.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The reason for which a stream of an output ended. The last item of every `assay_subscribeOutput`
/// has one, unless the connection breaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StreamEnd {
    /// The output is complete, because the model ended it or it completes a stop string.
    Stop,
    /// The output is complete, because it reached the job's `max_tokens`.
    Length,
    /// The job is settled, and no output was delivered.
    NoOutput,
    /// The output is committed, and neither this node nor another one that it asked has the rest, or the
    /// transcript does not have as many tokens as the commitment says; or following the output failed.
    Unavailable,
    /// The operator committed to other tokens than those that were sent. The result of `assay_output`
    /// is the committed output.
    Replaced,
    /// The chain does not have the job any more.
    JobGone,
    /// The subscriber did not read in time.
    TooSlow,
    /// No token arrived for a long time that this node had room for. The job may go on.
    TimedOut,
}

impl StreamEnd {
    /// All reasons.
    pub const ALL: [Self; 8] = [
        Self::Stop,
        Self::Length,
        Self::NoOutput,
        Self::Unavailable,
        Self::Replaced,
        Self::JobGone,
        Self::TooSlow,
        Self::TimedOut,
    ];

    /// Returns the label in JSON.
    pub fn label(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Length => "length",
            Self::NoOutput => "no_output",
            Self::Unavailable => "unavailable",
            Self::Replaced => "replaced",
            Self::JobGone => "job_gone",
            Self::TooSlow => "too_slow",
            Self::TimedOut => "timed_out",
        }
    }

    /// Returns whether the output is complete.
    pub fn is_complete(self) -> bool {
        matches!(self, Self::Stop | Self::Length)
    }
}

impl fmt::Display for StreamEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}
