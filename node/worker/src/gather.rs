// SPDX-License-Identifier: Apache-2.0
//! Brings the payloads of a piece of work here, and sees whether it can be done at all.

use crate::{
    queue::{Entry, Kind, Payloads, Stage, WorkKey},
    store::MAX_PAYLOAD_BYTES,
    worker::{Inner, LOG_TARGET},
};
use assay_primitives::{AbstainReason, DeclineReason, EngineResult, JobId, Task, Verdict, Work};
use sp_core::H256;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// How often payloads are looked for before they count as unavailable.
const ATTEMPTS: u32 = 8;
/// How long to wait between two looks.
const RETRY: Duration = Duration::from_secs(1);

/// The most bytes of a transcript beside its tokens and its text: three lengths, finish and salt.
const TRANSCRIPT_FRAME: usize = 3 * 4 + 1 + 32;

/// Where payloads come from that this node does not have.
pub trait PayloadSource: Send + Sync + 'static {
    /// Asks other nodes for the payload, the one with that peer id first. Blocks for some seconds at
    /// most. What it gives need not be checked: the caller compares the hash.
    fn fetch(&self, hash: H256, peer: &[u8]) -> Option<Vec<u8>>;
}

/// What became of an attempt.
enum Gathered {
    Result(EngineResult),
    Runnable(Payloads),
    Missing,
}

/// Works off what is to be gathered until the queue closes.
pub fn run(inner: Arc<Inner>) {
    while let Some(entry) = inner.queue.next_to_gather() {
        step(&inner, entry);
    }
}

/// One attempt at an entry.
fn step(inner: &Inner, entry: Entry) {
    let Stage::Gather { attempts, .. } = entry.stage else { return inner.queue.put_back(entry) };
    let key = WorkKey::from(&entry.work);
    match gather(inner, &entry.work, true) {
        Gathered::Result(result) => inner.finish(key, result, Instant::now()),
        Gathered::Runnable(payloads) => {
            inner.queue.put_back(Entry { work: entry.work, stage: Stage::Run(payloads) })
        }
        Gathered::Missing if attempts + 1 >= ATTEMPTS => {
            inner.finish(key, unavailable(&entry.work, inner), Instant::now())
        }
        Gathered::Missing => {
            log::debug!(target: LOG_TARGET, "{key:?}: a payload is not here yet");
            let stage = Stage::Gather { attempts: attempts + 1, at: Instant::now() + RETRY };
            inner.queue.put_back(Entry { work: entry.work, stage })
        }
    }
}

/// Answers work that needs neither the engine nor another node; `false` where it needs one.
pub fn answer_at_once(inner: &Inner, work: &Work) -> bool {
    match gather(inner, work, false) {
        Gathered::Result(result) => {
            inner.finish(WorkKey::from(work), result, Instant::now());
            true
        }
        Gathered::Runnable(_) | Gathered::Missing => false,
    }
}

fn gather(inner: &Inner, work: &Work, ask: bool) -> Gathered {
    let (kind, task) = match work {
        Work::Prepare { task, .. } => (Kind::Prepare, task),
        Work::Generate { task, .. } => (Kind::Generate, task),
        Work::Verify { task, .. } => (Kind::Verify, task),
    };
    if inner.engines.model(&task.model).is_none() {
        return Gathered::Result(model_missing(work, inner));
    }
    let Some(prompt) = inner.payload(&task.input_hash, task, ask) else { return Gathered::Missing };
    match (kind, work) {
        (Kind::Prepare, Work::Prepare { job, .. }) => {
            Gathered::Result(prepare(inner, job, task, &prompt))
        }
        (Kind::Verify, Work::Verify { commitment, .. }) => {
            match inner.payload(&commitment.output_hash, task, ask) {
                Some(transcript) => Gathered::Runnable(Payloads { prompt, transcript }),
                None => Gathered::Missing,
            }
        }
        _ => Gathered::Runnable(Payloads { prompt, transcript: Vec::new() }),
    }
}

/// Whether the job can be run here.
fn prepare(inner: &Inner, job: &JobId, task: &Task, prompt: &[u8]) -> EngineResult {
    let refused = |reason| EngineResult::Refused { job: *job, reason };
    let Some(model) = inner.engines.model(&task.model) else {
        return refused(DeclineReason::ModelMissing);
    };
    let tokens = model.tokenize(prompt).len();
    if tokens != task.input_tokens as usize {
        return refused(DeclineReason::InputLength);
    }
    if tokens.saturating_add(task.max_tokens as usize) > model.info().context_length as usize {
        return refused(DeclineReason::ContextExceeded);
    }
    // Work that could end in a transcript that no node takes is not begun.
    let output = task.max_tokens as usize;
    let bytes = (tokens + output) * size_of::<u32>() + output * model.longest_token();
    if bytes + TRANSCRIPT_FRAME > MAX_PAYLOAD_BYTES {
        return refused(DeclineReason::Resource);
    }
    EngineResult::Ready { job: *job }
}

fn unavailable(work: &Work, inner: &Inner) -> EngineResult {
    without(work, inner, DeclineReason::PayloadUnavailable, AbstainReason::PayloadUnavailable)
}

fn model_missing(work: &Work, inner: &Inner) -> EngineResult {
    without(work, inner, DeclineReason::ModelMissing, AbstainReason::ModelMissing)
}

/// The result of work that cannot be done.
fn without(
    work: &Work,
    inner: &Inner,
    decline: DeclineReason,
    abstain: AbstainReason,
) -> EngineResult {
    match work {
        Work::Prepare { job, .. } | Work::Generate { job, .. } => {
            EngineResult::Refused { job: *job, reason: decline }
        }
        Work::Verify { job, .. } => EngineResult::Verified {
            job: *job,
            verdict: Verdict::Abstain(abstain),
            salt: inner.verdict_salt(job),
        },
    }
}
