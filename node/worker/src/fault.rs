// SPDX-License-Identifier: Apache-2.0
//! Ways in which an operator can cheat or fail, which show on a development chain that it is caught
//! and that its node survives.

mod crash;

use crate::work::key::Kind;
use assay_engine::{draft::Drafter, Prompt};
use assay_primitives::{worker::Logprobs, EngineResult, FinishReason};
pub use crash::{Crash, CrashKind};
use sp_core::H256;
use std::{fmt, str::FromStr};

/// A way in which a dishonest operator cheats, or in which the work on some jobs fails.
///
/// The node refuses both on a chain whose specification is not of type Development. An operator that cheats
/// in one duty does its others honestly, but for one that colludes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fault {
    /// Replaces one token in the middle of the output.
    WrongToken,
    /// Leaves out the second half of the output and claims that the model ended it.
    Truncate,
    /// Answers with a coarser quantisation of the model.
    WrongModel,
    /// Ignores the stop strings of a request.
    IgnoreStop,
    /// Ignores what a request says of the choice of tokens: biases, penalties and `min_p`.
    IgnoreChoice,
    /// Answers a chat as if it had no system messages.
    IgnoreSystem,
    /// Returns another log probability than the model's for one token in the middle of the output.
    WrongLogprob,
    /// Accepts jobs and never delivers.
    Silent,
    /// Serves requests and transcripts to no other node, and publishes them where it has to.
    Hide,
    /// Serves them to no other node, and does not publish them either.
    WithholdOutput,
    /// Accepts the output of others of its kind without checking it, and delivers as `WrongToken` does.
    Collude,
    /// Rejects every output.
    Reject,
    /// Commits to verdicts and reveals none.
    WithholdVerdict,
    /// Crashes over jobs whose prompt contains a marker.
    Crash(Crash),
}

impl Fault {
    /// The ways to cheat.
    pub const DISHONEST: [Self; 13] = [
        Self::WrongToken,
        Self::Truncate,
        Self::WrongModel,
        Self::IgnoreStop,
        Self::IgnoreChoice,
        Self::IgnoreSystem,
        Self::WrongLogprob,
        Self::Silent,
        Self::Hide,
        Self::WithholdOutput,
        Self::Collude,
        Self::Reject,
        Self::WithholdVerdict,
    ];

    /// Returns the name on the command line. A crash has a marker in addition.
    pub fn name(&self) -> &'static str {
        match self {
            Self::WrongToken => "wrong-token",
            Self::Truncate => "truncate",
            Self::WrongModel => "wrong-model",
            Self::IgnoreStop => "ignore-stop",
            Self::IgnoreChoice => "ignore-choice",
            Self::IgnoreSystem => "ignore-system",
            Self::WrongLogprob => "wrong-logprob",
            Self::Silent => "silent",
            Self::Hide => "hide",
            Self::WithholdOutput => "withhold-output",
            Self::Collude => "collude",
            Self::Reject => "reject",
            Self::WithholdVerdict => "withhold-verdict",
            Self::Crash(crash) => crash.kind.name(),
        }
    }

    /// Changes an honest output as a dishonest operator does.
    pub fn falsify(
        &self,
        output: &mut Vec<u32>,
        finish: &mut FinishReason,
        logprobs: &mut Logprobs,
    ) {
        match self {
            Self::WrongToken | Self::Collude => {
                let middle = output.len() / 2;
                if let Some(token) = output.get_mut(middle) {
                    *token ^= 1;
                }
            }
            Self::Truncate => {
                output.truncate(output.len().div_ceil(2));
                *finish = FinishReason::EndToken;
            }
            Self::WrongLogprob => {
                let middle = logprobs.chosen.len() / 2;
                if let Some(logprob) = logprobs.chosen.get_mut(middle) {
                    *logprob = logprob.saturating_sub(1);
                }
            }
            _ => {}
        }
    }

    /// Changes a result as a verifier does that withholds its verdicts: with another salt each time, no
    /// verdict is the one that it has committed to.
    pub(crate) fn spoil(&self, result: &mut EngineResult) {
        if let (Self::WithholdVerdict, EngineResult::Verified { salt, .. }) = (self, result) {
            *salt = H256(rand::random());
        }
    }

    /// Returns whether the node serves payloads to no other node.
    pub(crate) fn hides(&self) -> bool {
        matches!(self, Self::Hide | Self::WithholdOutput)
    }

    /// Panics if work of that kind on a job with that prompt is to panic on the worker's thread.
    pub(crate) fn panic_in(&self, kind: Kind, prompt: &Prompt) {
        if let Self::Crash(crash) = self {
            crash.panic_in(kind, prompt);
        }
    }

    /// Returns the drafter of a generation that is to crash on the engine's thread.
    pub(crate) fn drafter(&self, prompt: &Prompt) -> Option<Box<dyn Drafter>> {
        match self {
            Self::Crash(crash) => crash.drafter(prompt),
            _ => None,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Self::Crash(crash) => write!(f, ":{}", crash.marker),
            _ => Ok(()),
        }
    }
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(fault) = Self::DISHONEST.into_iter().find(|fault| fault.name() == text) {
            return Ok(fault);
        }
        let crash = |(name, marker): (&str, &str)| {
            let kind = CrashKind::ALL.into_iter().find(|kind| kind.name() == name)?;
            // An empty marker is in every prompt.
            Some(Self::Crash(Crash { kind, marker: marker.into() }))
        };
        text.split_once(':').and_then(crash).ok_or_else(|| {
            let cheats = Self::DISHONEST.map(|fault| fault.name()).join(", ");
            let crashes = CrashKind::ALL.map(|kind| format!("{}:MARKER", kind.name())).join(", ");
            format!("unknown fault '{text}'; choose one of {cheats}, {crashes}")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fault_names_are_parsed() {
        let crash = |kind| Fault::Crash(Crash { kind, marker: "bad: word".into() });
        for fault in Fault::DISHONEST.into_iter().chain(CrashKind::ALL.map(crash)) {
            assert_eq!(fault.to_string().parse(), Ok(fault));
        }
    }

    #[test]
    fn unknown_fault_is_refused_with_the_names() {
        for text in ["lazy", "lazy:marker", "panic", "silent:marker"] {
            let error = text.parse::<Fault>().unwrap_err();
            assert!(error.contains(&format!("'{text}'")), "{error}");
            assert!(error.contains("wrong-token") && error.contains("panic:MARKER"), "{error}");
        }
    }

    #[test]
    fn truncated_output_claims_to_have_ended() {
        let (mut output, mut finish) = (vec![1, 2, 3], FinishReason::Length);
        Fault::Truncate.falsify(&mut output, &mut finish, &mut Logprobs::default());
        assert_eq!((output, finish), (vec![1, 2], FinishReason::EndToken));
    }
}
