// SPDX-License-Identifier: Apache-2.0
//! Runs work whose payloads are gathered.
//!
//! Each kind of work has threads of its own, and half of the places and of the memory of a model's
//! server. So generations and verifications never wait for each other. The server computes all its
//! jobs together.

use super::{
    attempt::{attempt, end_by_panic, Outcome},
    gather,
    generate::generate,
    key::Kind,
    queue::{Entry, Stage},
    verify::verify,
};
use crate::{context::Context, guard::guarded};
use assay_primitives::{EngineResult, Work};
use std::{sync::Arc, time::Instant};

/// Runs work of one kind until the queue closes.
pub fn run(context: Arc<Context>, kind: Kind) {
    while let Some(entry) = context.queue.next_to_run(kind) {
        let (work, started) = (entry.work.clone(), Instant::now());
        if let Err(message) = guarded(|| run_entry(&context, entry, started)) {
            end_by_panic(&context, &work, &message, started);
        }
    }
}

fn run_entry(context: &Context, entry: Entry, started: Instant) {
    let Entry { key, work, stage: Stage::Run(inputs) } = entry else { return };
    let outcome = attempt(context, &work, || {
        context.start(&key);
        match &work {
            Work::Generate { job, task } => generate(context, &key, *job, task, &inputs.request),
            Work::Verify { job, task, commitment, .. } => {
                let verdict = verify(context, &key, task, commitment, inputs)?;
                let (job, salt, work) = (*job, context.verdict_salt(job), key.work);
                Ok(verdict.map(|verdict| EngineResult::Verified { job, verdict, salt, work }))
            }
            Work::Prepare { .. } => Ok(None),
        }
    });
    match outcome {
        Outcome::Result(result) => context.finish(key, result, started),
        Outcome::Nothing => context.give_up(key),
        Outcome::Later => gather::put_off(context, key, work, started),
        Outcome::NoTranscript => gather::wait_for_transcript(context, key, work),
    }
}
