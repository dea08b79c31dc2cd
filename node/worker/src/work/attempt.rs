// SPDX-License-Identifier: Apache-2.0
//! An attempt at a piece of work. Whatever breaks it off, the node goes on, and the same piece does
//! not break it off for ever.

use super::key::WorkKey;
use crate::{context::Context, guard::guarded, store::marks::Begin, LOG_TARGET};
use assay_engine::EngineError;
use assay_primitives::{AbstainReason, DeclineReason, EngineResult, Verdict, Work};
use std::time::Instant;

/// The outcome of an attempt.
pub enum Outcome {
    /// There is a result.
    Result(EngineResult),
    /// There is none. The chain asks again as long as it wants the work.
    Nothing,
    /// The attempt cannot be made now.
    Later,
    /// The transcript is missing.
    NoTranscript,
}

/// The reason why an attempt broke off.
pub enum Broken {
    /// It panicked, with that message.
    Panicked(String),
    /// The server of its model ended by a panic, and with it all its jobs.
    ServerDied,
    /// This node cannot make it now, which says nothing of the work.
    NotNow,
    /// The request can be read, and the transcript is missing.
    NoTranscript,
}

impl Broken {
    /// Returns the reason for an error of the engine, unless the error has another cause. A job that
    /// was stopped is none of these.
    pub fn of(error: &EngineError) -> Option<Self> {
        match error {
            EngineError::Panicked { message } => Some(Self::Panicked(message.clone())),
            EngineError::ServerClosed => Some(Self::ServerDied),
            _ => None,
        }
    }
}

/// Runs a piece of work, which is marked on disk while it runs.
pub fn attempt(
    context: &Context,
    work: &Work,
    run: impl FnOnce() -> Result<Option<EngineResult>, Broken>,
) -> Outcome {
    let key = WorkKey::from(work);
    let piece = key.piece();
    match context.marks.begin(&piece) {
        Begin::Now => {}
        Begin::Later => return Outcome::Later,
        Begin::Never => return refuse_for_good(context, work),
    }
    match guarded(run).unwrap_or_else(|message| Err(Broken::Panicked(message))) {
        Ok(result) => {
            context.marks.end(&piece, result.is_some());
            result.map_or(Outcome::Nothing, Outcome::Result)
        }
        Err(Broken::Panicked(message)) => poison(context, work, &message),
        Err(Broken::NotNow) => {
            context.marks.end(&piece, false);
            Outcome::Later
        }
        Err(Broken::NoTranscript) => {
            context.marks.end(&piece, false);
            Outcome::NoTranscript
        }
        Err(Broken::ServerDied) => {
            if !context.marks.end_by_death(&piece) {
                return Outcome::Nothing;
            }
            log::error!(
                target: LOG_TARGET,
                "{} of job {:?} is not tried again: the engine's server of its model died whenever \
                 it was in progress",
                key.kind.label(),
                key.job,
            );
            context.count(|metrics| metrics.poisoned(key.kind));
            refuse_for_good(context, work)
        }
    }
}

/// Ends open work that panicked outside of an attempt.
pub fn end_by_panic(context: &Context, work: &Work, message: &str, started: Instant) {
    let key = WorkKey::from(work);
    let ended = guarded(|| match poison(context, work, message) {
        Outcome::Result(result) => context.finish(key.clone(), result, started),
        Outcome::Nothing | Outcome::Later | Outcome::NoTranscript => context.give_up(key.clone()),
    });
    if let Err(message) = ended {
        log::error!(target: LOG_TARGET, "{key:?} panicked again when it was ended: {message}");
        context.queue.done(&key);
    }
}

/// Answers work that is poisoned, and returns whether it is. An attempt that is still open ends by itself.
pub fn answer_poisoned(context: &Context, work: &Work) -> bool {
    let key = WorkKey::from(work);
    if !context.marks.is_poisoned(&key.piece()) {
        return false;
    }
    if context.queue.until(&key).is_some() {
        return true;
    }
    // A verdict that was reached before stands. Another operator of this node may be asked about a
    // job that the node was ready for at first.
    let known = context.store.results.get(&key);
    if matches!(known, None | Some(EngineResult::Ready { .. })) {
        if let Outcome::Result(result) = refuse(context, work) {
            if known.is_none() {
                context.pending.begin(&key);
            }
            context.finish(key, result, Instant::now());
        }
    }
    true
}

/// Remembers that a piece of work panicked, and refuses it.
fn poison(context: &Context, work: &Work, message: &str) -> Outcome {
    let key = WorkKey::from(work);
    log::error!(
        target: LOG_TARGET,
        "{} of job {:?} panicked and is not tried again: {message}",
        key.kind.label(),
        key.job,
    );
    let is_new = context.marks.poison(&key.piece());
    context.count(|metrics| {
        metrics.panicked(key.kind);
        if is_new {
            metrics.poisoned(key.kind);
        }
    });
    refuse_for_good(context, work)
}

/// Refuses work that is poisoned now. Without a result, that it is given up is its outcome.
fn refuse_for_good(context: &Context, work: &Work) -> Outcome {
    let outcome = refuse(context, work);
    if matches!(outcome, Outcome::Nothing) {
        context.give_up_for_good(&WorkKey::from(work));
    }
    outcome
}

/// Declines or abstains from poisoned work. The reason is the node's own: the job may be as good as
/// any other, and another operator's software may run it. A job that was accepted before cannot be
/// declined any more.
fn refuse(context: &Context, work: &Work) -> Outcome {
    match work {
        Work::Prepare { job, .. } => {
            Outcome::Result(EngineResult::Refused { job: *job, reason: DeclineReason::Resource })
        }
        Work::Generate { job, .. } => {
            context.streams.remove(job);
            context.promises.end(job);
            Outcome::Nothing
        }
        Work::Verify { job, .. } => Outcome::Result(EngineResult::Verified {
            job: *job,
            verdict: Verdict::Abstain(AbstainReason::Resource),
            salt: context.verdict_salt(job),
            work: work.id(),
        }),
    }
}
