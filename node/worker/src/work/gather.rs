// SPDX-License-Identifier: Apache-2.0
//! Brings the payloads of a piece of work to this node.

use super::{
    attempt::{attempt, end_by_panic, Outcome},
    key::{Kind, WorkKey},
    prepare::prepare,
    queue::{Entry, Gather, Inputs, Stage},
    readable,
};
use crate::{context::Context, guard::guarded, request::SupportedRequest, LOG_TARGET};
use assay_engine::Prompt;
use assay_primitives::{
    AbstainReason, BlockNumber, DeclineReason, EngineResult, JobId, ModelId, Verdict, Work,
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// The number of times that the payloads of a job are looked for before they count as unavailable.
/// Those of a verification are looked for as long as its report can still be in time.
const ATTEMPTS: u32 = 8;
/// The number of looks in the time of a block.
const LOOKS_PER_BLOCK: u32 = 3;
/// The blocks before the last one in which a verdict can be reported by which a verifier reaches one,
/// if only that it abstains. Another report of the same key may delay its own.
const REPORT_BLOCKS: BlockNumber = 5;
/// The shortest and the longest time for one look, as far as there is time. In between it is half of what
/// is left, so that there is another one.
const LOOK: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(15));
/// The longest request that is looked at inside a call of the runtime, which must take milliseconds.
const AT_ONCE_BYTES: usize = 16 << 10;

/// The reason why nothing is generated on a disk that has been full for long.
const NO_ROOM: &str =
    "the worker's store cannot be written, and earlier outputs fill the memory that is kept for \
     them; free space on its disk";

/// The outcome of an attempt.
enum Gathered {
    /// The work is done.
    Result(EngineResult),
    /// All payloads are here.
    Runnable(Inputs),
    /// A payload is not here, or there was no time to find out whether the job can be run.
    Missing,
    /// The work cannot be done now. The chain asks again as long as it wants the work.
    Stuck(&'static str),
}

/// Gathers payloads of work of one kind until the queue closes.
pub fn run(context: Arc<Context>, kind: Kind) {
    while let Some(next) = context.queue.next_to_gather(kind) {
        let (Gather::Now(entry) | Gather::TooLate(entry)) = &next;
        let (work, started) = (entry.work.clone(), Instant::now());
        let gathered = guarded(|| match next {
            Gather::Now(entry) => step(&context, entry),
            Gather::TooLate(entry) => give_up_late(&context, entry),
        });
        if let Err(message) = gathered {
            end_by_panic(&context, &work, &message, started);
        }
    }
}

/// Puts back work that cannot be run now, to be looked at again soon, as long as it is of use.
pub fn put_off(context: &Context, key: WorkKey, work: Work, started: Instant) {
    let at = Instant::now() + context.block_time / LOOKS_PER_BLOCK;
    let of_use = context.queue.until(&key).is_some_and(|until| at < until);
    let entry = Entry { key, work, stage: Stage::Gather { at, read: false } };
    if of_use {
        return context.queue.put_back(entry);
    }
    let gathered = busy(&entry.work, context);
    end(context, entry, gathered, started);
}

/// Puts back a verification whose request has been read, and whose transcript is to be looked for again soon.
pub fn wait_for_transcript(context: &Context, key: WorkKey, work: Work) {
    let at = Instant::now() + context.block_time / LOOKS_PER_BLOCK;
    context.queue.put_back(Entry { key, work, stage: Stage::Gather { at, read: true } });
}

/// Returns the time until which it is of use to go on with some work.
pub fn until(context: &Context, work: &Work) -> Instant {
    let now = Instant::now();
    match work {
        Work::Prepare { .. } | Work::Generate { .. } => {
            now + context.block_time * ATTEMPTS / LOOKS_PER_BLOCK
        }
        // If the time is short, half of it is used.
        Work::Verify { left, .. } => {
            now + context.block_time.saturating_mul(left - REPORT_BLOCKS.min(left / 2))
        }
    }
}

/// Answers work that needs neither the engine nor another node, and returns whether it did.
pub fn answer_at_once(context: &Context, work: &Work) -> bool {
    let started = Instant::now();
    match guarded(|| gather(context, work, None, true)) {
        Ok(Gathered::Result(result)) => {
            context.finish(WorkKey::from(work), result, started);
            true
        }
        Ok(Gathered::Runnable(_) | Gathered::Missing | Gathered::Stuck(_)) => false,
        Err(message) => {
            end_by_panic(context, work, &message, started);
            true
        }
    }
}

/// Makes one attempt at an entry.
fn step(context: &Context, entry: Entry) {
    let started = Instant::now();
    let until = context.queue.until(&entry.key);
    let read = matches!(entry.stage, Stage::Gather { read: true, .. });
    let mut gathered = gather(context, &entry.work, Some(look_until(started, until)), read);
    // Work that is no longer open was answered meanwhile, or its job is over.
    let Some(until) = context.queue.until(&entry.key) else {
        return context.give_up(entry.key);
    };
    if matches!(gathered, Gathered::Missing) {
        let again = Instant::now() + context.block_time / LOOKS_PER_BLOCK;
        if again < until {
            log::debug!(target: LOG_TARGET, "{:?}: a payload is not here yet", entry.key);
            let stage = Stage::Gather { at: again, read };
            return context.queue.put_back(Entry { stage, ..entry });
        }
        gathered = out_of_time(&entry.work, context);
    }
    end(context, entry, gathered, started);
}

/// Ends an attempt at an entry.
fn end(context: &Context, entry: Entry, gathered: Gathered, started: Instant) {
    match gathered {
        Gathered::Result(result) => context.finish(entry.key, result, started),
        Gathered::Runnable(inputs) => {
            context.queue.put_back(Entry { stage: Stage::Run(inputs), ..entry })
        }
        Gathered::Stuck(reason) => {
            log::error!(target: LOG_TARGET, "job {:?} cannot be generated: {reason}", entry.key.job);
            context.give_up(entry.key);
        }
        Gathered::Missing => context.give_up(entry.key),
    }
}

/// Returns the time until which other nodes are asked in a look that begins now, at work that is of use
/// `until` then.
fn look_until(now: Instant, until: Option<Instant>) -> Instant {
    let (shortest, longest) = LOOK;
    let left = until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now));
    now + (left / 2).max(left.min(shortest)).min(longest)
}

/// Abstains from a verification for whose payloads there was no room in time.
fn give_up_late(context: &Context, entry: Entry) {
    let started = Instant::now();
    match verified(context, &entry.work, Verdict::Abstain(AbstainReason::Resource)) {
        Some(result) => context.finish(entry.key, result, started),
        None => context.give_up(entry.key),
    }
}

/// Gathers the payloads of some work. Other nodes are asked until `ask`; without it, none is asked and
/// nothing that takes long is computed. If no node has the transcript, a verification whose request was not
/// `read` yet runs without it, because an unreadable request is rejected whatever the transcript says.
fn gather(context: &Context, work: &Work, ask: Option<Instant>, read: bool) -> Gathered {
    let (Work::Prepare { job, task }
    | Work::Generate { job, task }
    | Work::Verify { job, task, .. }) = work;
    let (job, patient): (JobId, bool) = (*job, ask.is_some());
    let Some(server) = context.servers.server(&task.model) else {
        return no_server(work, context, &task.model);
    };
    match work {
        Work::Prepare { job, .. } if context.store.health.complaint().is_some() => {
            let reason = DeclineReason::Resource;
            return Gathered::Result(EngineResult::Refused { job: *job, reason });
        }
        Work::Generate { .. } if !context.store.has_room() => return Gathered::Stuck(NO_ROOM),
        _ => {}
    }
    let Some(request) = context.payload(job, &task.request_hash, task, ask) else {
        return Gathered::Missing;
    };
    match work {
        Work::Prepare { .. } if !patient && takes_long(&request) => Gathered::Missing,
        Work::Prepare { .. } => {
            let run = || {
                let read = readable::read(server.model(), task.input_tokens, &request);
                Ok(prepare(context, &server, &job, task, read, patient))
            };
            match attempt(context, work, run) {
                Outcome::Result(result) => Gathered::Result(result),
                Outcome::Nothing | Outcome::NoTranscript => Gathered::Missing,
                Outcome::Later => busy(work, context),
            }
        }
        Work::Generate { .. } => Gathered::Runnable(Inputs { request, transcript: None }),
        Work::Verify { commitment, .. } => {
            // A request that no engine honours is rejected without its transcript.
            let ask = ask.filter(|_| read || SupportedRequest::read(&request).is_ok());
            match context.payload(job, &commitment.output_hash, task, ask) {
                None if read => Gathered::Missing,
                transcript => Gathered::Runnable(Inputs { request, transcript }),
            }
        }
    }
}

/// Returns whether the prompt of a request may take longer to read than a call of the runtime may take.
fn takes_long(request: &[u8]) -> bool {
    let is_chat = |request: SupportedRequest<'_>| matches!(request.prompt(), Prompt::Chat(_));
    request.len() > AT_ONCE_BYTES || SupportedRequest::read(request).is_ok_and(is_chat)
}

/// Ends work that no server can run. A verification waits for the server as long as it has time.
fn no_server(work: &Work, context: &Context, model: &ModelId) -> Gathered {
    match work {
        _ if context.servers.model(model).is_none() => model_missing(work, context),
        Work::Verify { .. } => Gathered::Missing,
        Work::Prepare { .. } | Work::Generate { .. } => busy(work, context),
    }
}

/// Ends work while the engine cannot take it.
fn busy(work: &Work, context: &Context) -> Gathered {
    let reason =
        "the engine's server of its model is started again, or other work is suspected of \
                  having ended the node";
    without(work, context, reason, DeclineReason::Resource, AbstainReason::Resource)
}

/// Ends work that was put off as long as it is of use.
fn out_of_time(work: &Work, context: &Context) -> Gathered {
    let (Work::Prepare { task, .. } | Work::Generate { task, .. } | Work::Verify { task, .. }) =
        work;
    match context.servers.server(&task.model) {
        Some(_) => unavailable(work, context),
        None => busy(work, context),
    }
}

/// Ends work whose payload no node has.
fn unavailable(work: &Work, context: &Context) -> Gathered {
    let reason = "no node nearby has its request";
    let decline = DeclineReason::PayloadUnavailable;
    without(work, context, reason, decline, AbstainReason::PayloadUnavailable)
}

/// Ends work whose model is not loaded.
fn model_missing(work: &Work, context: &Context) -> Gathered {
    let reason = "its model is not loaded; start the node with it before the deadline";
    without(work, context, reason, DeclineReason::ModelMissing, AbstainReason::ModelMissing)
}

/// Ends work that cannot be done now. A job that was accepted cannot be declined any more, and the
/// missing part may still come. So nothing is kept that would outlast the lack.
fn without(
    work: &Work,
    context: &Context,
    reason: &'static str,
    decline: DeclineReason,
    abstain: AbstainReason,
) -> Gathered {
    match work {
        Work::Prepare { job, .. } => {
            Gathered::Result(EngineResult::Refused { job: *job, reason: decline })
        }
        Work::Generate { .. } => Gathered::Stuck(reason),
        Work::Verify { .. } => verified(context, work, Verdict::Abstain(abstain))
            .map_or(Gathered::Missing, Gathered::Result),
    }
}

/// Returns the result of a verification; `None` for other work.
fn verified(context: &Context, work: &Work, verdict: Verdict) -> Option<EngineResult> {
    let Work::Verify { job, .. } = work else { return None };
    let salt = context.verdict_salt(job);
    Some(EngineResult::Verified { job: *job, verdict, salt, work: work.id() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn look_leaves_time_for_another() {
        let now = Instant::now();
        let seconds = |left| {
            let until = now + Duration::from_secs(left);
            (look_until(now, Some(until)) - now).as_secs()
        };
        assert_eq!([0, 1, 3, 8, 20, 1_000].map(seconds), [0, 1, 2, 4, 10, 15]);
        assert_eq!(look_until(now, None), now, "nobody waits for the work any more");
    }
}
