// SPDX-License-Identifier: Apache-2.0
//! Brings the payloads of a piece of work to this node.

use super::{
    key::WorkKey,
    prepare::prepare,
    queue::{Entry, Inputs, Stage},
};
use crate::{context::Context, LOG_TARGET};
use assay_primitives::{AbstainReason, BlockNumber, DeclineReason, EngineResult, Verdict, Work};
use std::{sync::Arc, time::Instant};

/// The number of times that the payloads of a job are looked for before they count as unavailable.
/// Those of a verification are looked for as long as its report can still be in time.
const ATTEMPTS: u32 = 8;
/// The number of looks in the time of a block.
const LOOKS_PER_BLOCK: u32 = 3;
/// The blocks before the last one in which a verdict can be reported by which a verifier reaches one,
/// if only that it abstains. Another report of the same key may delay its own.
const REPORT_BLOCKS: BlockNumber = 5;
/// The longest prompt that is looked at inside a call of the runtime, which must take milliseconds.
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

/// Gathers payloads until the queue closes.
pub fn run(context: Arc<Context>) {
    while let Some(entry) = context.queue.next_to_gather() {
        step(&context, entry);
    }
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
    match gather(context, work, false) {
        Gathered::Result(result) => {
            context.finish(WorkKey::from(work), result, started);
            true
        }
        Gathered::Runnable(_) | Gathered::Missing | Gathered::Stuck(_) => false,
    }
}

/// Makes one attempt at an entry.
fn step(context: &Context, entry: Entry) {
    if matches!(entry.stage, Stage::Run(_)) {
        return context.queue.put_back(entry);
    }
    let started = Instant::now();
    let mut gathered = gather(context, &entry.work, true);
    if matches!(gathered, Gathered::Missing) {
        let again = Instant::now() + context.block_time / LOOKS_PER_BLOCK;
        // Work that is no longer open belongs to a job that is over.
        if context.queue.until(&entry.key).is_some_and(|until| again < until) {
            log::debug!(target: LOG_TARGET, "{:?}: a payload is not here yet", entry.key);
            return context.queue.put_back(Entry { stage: Stage::Gather { at: again }, ..entry });
        }
        gathered = unavailable(&entry.work, context);
    }
    match gathered {
        Gathered::Result(result) => context.finish(entry.key, result, started),
        Gathered::Runnable(inputs) => {
            context.queue.put_back(Entry { stage: Stage::Run(inputs), ..entry })
        }
        Gathered::Stuck(reason) => {
            log::error!(target: LOG_TARGET, "job {:?} cannot be generated: {reason}", entry.key.job);
            context.give_up(entry.key, started);
        }
        Gathered::Missing => context.give_up(entry.key, started),
    }
}

/// Gathers the payloads of some work. Without `patient` no other node is asked and nothing that takes
/// long is computed.
fn gather(context: &Context, work: &Work, patient: bool) -> Gathered {
    let (Work::Prepare { task, .. } | Work::Generate { task, .. } | Work::Verify { task, .. }) =
        work;
    let Some(server) = context.servers.server(&task.model) else {
        return model_missing(work, context);
    };
    match work {
        Work::Prepare { job, .. } if context.store.health.complaint().is_some() => {
            let reason = DeclineReason::Resource;
            return Gathered::Result(EngineResult::Refused { job: *job, reason });
        }
        Work::Generate { .. } if !context.store.has_room() => return Gathered::Stuck(NO_ROOM),
        _ => {}
    }
    let Some(prompt) = context.payload(&task.input_hash, task, patient) else {
        return Gathered::Missing;
    };
    match work {
        Work::Prepare { .. } if !patient && prompt.len() > AT_ONCE_BYTES => Gathered::Missing,
        Work::Prepare { job, .. } => {
            let prepared = prepare(context, server, job, task, &prompt, patient);
            prepared.map_or(Gathered::Missing, Gathered::Result)
        }
        Work::Generate { .. } => Gathered::Runnable(Inputs { prompt, transcript: Vec::new() }),
        Work::Verify { commitment, .. } => {
            match context.payload(&commitment.output_hash, task, patient) {
                Some(transcript) => Gathered::Runnable(Inputs { prompt, transcript }),
                None => Gathered::Missing,
            }
        }
    }
}

/// Ends work whose payload no node has.
fn unavailable(work: &Work, context: &Context) -> Gathered {
    let reason = "no node nearby has its prompt";
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
        Work::Verify { job, .. } => Gathered::Result(EngineResult::Verified {
            job: *job,
            verdict: Verdict::Abstain(abstain),
            salt: context.verdict_salt(job),
            work: work.id(),
        }),
    }
}
