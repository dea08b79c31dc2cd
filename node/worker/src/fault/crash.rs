// SPDX-License-Identifier: Apache-2.0
//! Crashes over some jobs, which show on a development chain that the node survives them.

use crate::work::key::Kind;
use assay_engine::{draft::Drafter, Prompt, SampleSpec};

/// A crash over each job whose prompt contains a marker.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Crash {
    /// The kind of crash.
    pub kind: CrashKind,
    /// The text in the prompts of the jobs.
    pub marker: String,
}

/// A kind of crash.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CrashKind {
    /// A pass of the engine panics while the job is generated.
    Panic,
    /// The process aborts while the job is generated.
    Abort,
    /// The worker panics when it prepares the job.
    PanicPrepare,
    /// The worker panics when it verifies the job.
    PanicVerify,
}

impl CrashKind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Panic, Self::Abort, Self::PanicPrepare, Self::PanicVerify];

    /// Returns the name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Panic => "panic",
            Self::Abort => "abort",
            Self::PanicPrepare => "panic-prepare",
            Self::PanicVerify => "panic-verify",
        }
    }
}

impl Crash {
    fn strikes(&self, prompt: &Prompt) -> bool {
        let marker = self.marker.as_bytes();
        let has = |text: &[u8]| text.windows(marker.len()).any(|part| part == marker);
        marker.is_empty() || matches!(prompt, Prompt::Text(text) if has(text))
    }

    /// Panics if work of that kind on a job with that prompt is to panic on the worker's thread.
    pub(super) fn panic_in(&self, kind: Kind, prompt: &Prompt) {
        let is_now = matches!(
            (self.kind, kind),
            (CrashKind::PanicPrepare, Kind::Prepare) | (CrashKind::PanicVerify, Kind::Verify)
        );
        if is_now && self.strikes(prompt) {
            self.panic();
        }
    }

    /// Returns the drafter of a generation that is to crash on the engine's thread. It is called in
    /// each pass after the one that chooses the first token, unless the next token is the last.
    pub(super) fn drafter(&self, prompt: &Prompt) -> Option<Box<dyn Drafter>> {
        let on_the_engine = matches!(self.kind, CrashKind::Panic | CrashKind::Abort);
        (on_the_engine && self.strikes(prompt)).then(|| Box::new(Crasher(self.clone())) as Box<_>)
    }

    fn panic(&self) -> ! {
        panic!("an injected fault, because the prompt contains '{}'", self.marker)
    }
}

/// A drafter that crashes.
struct Crasher(Crash);

impl Drafter for Crasher {
    fn draft(&mut self, _sample: &SampleSpec, _tokens: &[u32], _count: usize) -> Vec<u32> {
        match self.0.kind {
            CrashKind::Panic => self.0.panic(),
            CrashKind::Abort => std::process::abort(),
            CrashKind::PanicPrepare | CrashKind::PanicVerify => Vec::new(),
        }
    }
}
