// SPDX-License-Identifier: Apache-2.0
//! Brings the payloads of a piece of work here, and sees whether it can be done at all.

use crate::{
    promises::{Left, Load},
    queue::{Entry, Payloads, Stage, WorkKey},
    store::{MAX_PAYLOAD_BYTES, MAX_PROMPT_BYTES},
    worker::{Inner, LOG_TARGET},
};
use assay_engine::{serve::Server, Model};
use assay_primitives::{
    AbstainReason, DeclineReason, EngineResult, JobId, ModelId, Task, Verdict, Work,
};
use sp_core::H256;
use std::{sync::Arc, time::Instant};

/// How often the payloads of a job are looked for before they count as unavailable. Those of a
/// verification are looked for as long as its report can still be in time.
pub const ATTEMPTS: u32 = 8;
/// Looks in a block's time.
pub const LOOKS_PER_BLOCK: u32 = 3;

/// The longest prompt that is looked at inside a call of the runtime, which is to take milliseconds.
const AT_ONCE_BYTES: usize = 16 << 10;
/// The most bytes of a prompt that become one byte of a token: SentencePiece takes its mark of a
/// space, which has three, for one.
const MOST_FOR_A_BYTE: usize = 3;

/// The most bytes of a transcript beside its tokens and its text: three lengths, finish and salt.
const TRANSCRIPT_FRAME: usize = 3 * 4 + 1 + 32;

/// Where payloads come from that this node does not have.
pub trait PayloadSource: Send + Sync + 'static {
    /// Asks other nodes for the payload, the one with that peer id first. Blocks for half a minute at
    /// most. What it gives need not be checked: the caller compares the hash.
    fn fetch(&self, hash: H256, peer: &[u8]) -> Option<Vec<u8>>;
}

/// What became of an attempt.
enum Gathered {
    Result(EngineResult),
    Runnable(Payloads),
    /// A payload is not here, or there was no time to see whether the job can be run.
    Missing,
    /// It cannot be run now. The chain asks again as long as it wants it.
    Stuck(&'static str),
}

/// Works off what is to be gathered until the queue closes.
pub fn run(inner: Arc<Inner>) {
    while let Some(entry) = inner.queue.next_to_gather() {
        step(&inner, entry);
    }
}

/// One attempt at an entry.
fn step(inner: &Inner, entry: Entry) {
    if matches!(entry.stage, Stage::Run(_)) {
        return inner.queue.put_back(entry);
    }
    let started = Instant::now();
    let mut gathered = gather(inner, &entry.work, true);
    if matches!(gathered, Gathered::Missing) {
        let again = Instant::now() + inner.block_time / LOOKS_PER_BLOCK;
        // Work that is open no more is that of a job that is over.
        if inner.queue.until(&entry.key).is_some_and(|until| again < until) {
            log::debug!(target: LOG_TARGET, "{:?}: a payload is not here yet", entry.key);
            return inner.queue.put_back(Entry { stage: Stage::Gather { at: again }, ..entry });
        }
        gathered = unavailable(&entry.work, inner);
    }
    match gathered {
        Gathered::Result(result) => inner.finish(entry.key, result, started),
        Gathered::Runnable(payloads) => {
            inner.queue.put_back(Entry { stage: Stage::Run(payloads), ..entry })
        }
        Gathered::Stuck(why) => {
            log::error!(target: LOG_TARGET, "job {:?} cannot be generated: {why}", entry.key.job);
            inner.give_up(entry.key, started);
        }
        Gathered::Missing => inner.give_up(entry.key, started),
    }
}

/// Answers work that needs neither the engine nor another node; `false` where it needs one.
pub fn answer_at_once(inner: &Inner, work: &Work) -> bool {
    let started = Instant::now();
    match gather(inner, work, false) {
        Gathered::Result(result) => {
            inner.finish(WorkKey::from(work), result, started);
            true
        }
        Gathered::Runnable(_) | Gathered::Missing | Gathered::Stuck(_) => false,
    }
}

/// Without `patient` neither another node is asked nor anything long computed.
fn gather(inner: &Inner, work: &Work, patient: bool) -> Gathered {
    let (Work::Prepare { task, .. } | Work::Generate { task, .. } | Work::Verify { task, .. }) =
        work;
    let Some(server) = inner.engines.server(&task.model) else {
        return model_missing(work, inner);
    };
    let Some(prompt) = inner.payload(&task.input_hash, task, patient) else {
        return Gathered::Missing;
    };
    match work {
        Work::Prepare { .. } if !patient && prompt.len() > AT_ONCE_BYTES => Gathered::Missing,
        Work::Prepare { job, .. } => prepare(inner, server, job, task, &prompt, patient),
        Work::Generate { .. } => Gathered::Runnable(Payloads { prompt, transcript: Vec::new() }),
        Work::Verify { commitment, .. } => {
            match inner.payload(&commitment.output_hash, task, patient) {
                Some(transcript) => Gathered::Runnable(Payloads { prompt, transcript }),
                None => Gathered::Missing,
            }
        }
    }
}

/// Whether the job can be run here, and in its time.
fn prepare(
    inner: &Inner,
    server: &Server,
    job: &JobId,
    task: &Task,
    prompt: &[u8],
    patient: bool,
) -> Gathered {
    if let Err(reason) = ensure_fits(server, task, prompt) {
        return Gathered::Result(EngineResult::Refused { job: *job, reason });
    }
    if promise(inner, job, task) {
        return Gathered::Result(EngineResult::Ready { job: *job });
    }
    if !patient {
        return Gathered::Missing;
    }
    // Where nothing runs, what was last measured may be long ago and of a busy machine.
    if inner.promises.is_empty() && inner.queue.verifications().is_empty() {
        if let Err(error) = inner.engines.calibrate(server) {
            log::warn!(target: LOG_TARGET, "the speed of a model cannot be measured: {error}");
        }
        if promise(inner, job, task) {
            return Gathered::Result(EngineResult::Ready { job: *job });
        }
    }
    log::info!(
        target: LOG_TARGET,
        "job {job:?} is declined: {} tokens may not be done in {} blocks beside what was promised",
        task.max_tokens,
        task.deadline,
    );
    Gathered::Result(EngineResult::Refused { job: *job, reason: DeclineReason::Resource })
}

/// Whether prompt and output are of a size that the model and this node can take.
fn ensure_fits(server: &Server, task: &Task, prompt: &[u8]) -> Result<(), DeclineReason> {
    let model: &Model = server.model();
    let (input, output) = (task.input_tokens as usize, task.max_tokens as usize);
    // Found out before the prompt is cut into tokens, which takes long.
    let most = input.saturating_mul(model.longest_token()).saturating_mul(MOST_FOR_A_BYTE);
    if prompt.len() > most.min(MAX_PROMPT_BYTES) || model.tokenize(prompt).len() != input {
        return Err(DeclineReason::InputLength);
    }
    if input.saturating_add(output) > model.info().context_length as usize {
        return Err(DeclineReason::ContextExceeded);
    }
    // Work that could end in a transcript that no node takes is not begun.
    let bytes = (input + output) * size_of::<u32>() + output * model.longest_token();
    if bytes + TRANSCRIPT_FRAME > MAX_PAYLOAD_BYTES {
        return Err(DeclineReason::Resource);
    }
    if Server::pages(input, output) > server.share_pages() {
        return Err(DeclineReason::Resource);
    }
    Ok(())
}

/// Promises the job if it can be done in its time beside all that is to be done.
fn promise(inner: &Inner, job: &JobId, task: &Task) -> bool {
    let written = |job: &JobId| inner.streams.get(job).map_or(0, |stream| stream.len());
    let left = |job: &JobId, task: &Task| Left::of(task, written(job) as u64);
    let capacity = |model: &ModelId| inner.engines.capacity(model);
    let verifications = inner.queue.verifications();
    inner.promises.make(job, task, left, |generations, new| {
        Load { generations, verifications: &verifications, capacity: &capacity }.time(new)
    })
}

fn unavailable(work: &Work, inner: &Inner) -> Gathered {
    let why = "its prompt is not here and no node gives it";
    without(work, inner, why, DeclineReason::PayloadUnavailable, AbstainReason::PayloadUnavailable)
}

fn model_missing(work: &Work, inner: &Inner) -> Gathered {
    let why = "its model is not loaded; start the node with it before the deadline";
    without(work, inner, why, DeclineReason::ModelMissing, AbstainReason::ModelMissing)
}

/// What becomes of work that cannot be done. A job that was accepted cannot be declined any more, and
/// what is missing may come: nothing is noted of it that would outlast that.
fn without(
    work: &Work,
    inner: &Inner,
    why: &'static str,
    decline: DeclineReason,
    abstain: AbstainReason,
) -> Gathered {
    match work {
        Work::Prepare { job, .. } => {
            Gathered::Result(EngineResult::Refused { job: *job, reason: decline })
        }
        Work::Generate { .. } => Gathered::Stuck(why),
        Work::Verify { job, .. } => Gathered::Result(EngineResult::Verified {
            job: *job,
            verdict: Verdict::Abstain(abstain),
            salt: inner.verdict_salt(job),
            work: work.id(),
        }),
    }
}
