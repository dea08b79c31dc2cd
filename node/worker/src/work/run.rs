// SPDX-License-Identifier: Apache-2.0
//! Runs work whose payloads are gathered.
//!
//! Each kind of work has threads of its own, and half of the places and of the memory of a model's
//! server. So generations and verifications never wait for each other. The server computes all its
//! jobs together.

use super::{
    generate::generate,
    key::Kind,
    queue::{Entry, Stage},
    verify::verify,
};
use crate::context::Context;
use assay_primitives::{EngineResult, Work};
use std::{sync::Arc, time::Instant};

/// Runs work of one kind until the queue closes.
pub fn run(context: Arc<Context>, kind: Kind) {
    while let Some(entry) = context.queue.next_to_run(kind) {
        let started = Instant::now();
        let Entry { key, work, stage: Stage::Run(inputs) } = entry else { continue };
        context.start(&key);
        let result = match &work {
            Work::Generate { job, task } => generate(&context, &key, *job, task, &inputs.prompt),
            Work::Verify { job, task, commitment, .. } => {
                let verdict = verify(&context, &key, task, commitment, inputs);
                let salt = context.verdict_salt(job);
                let verified =
                    |verdict| EngineResult::Verified { job: *job, verdict, salt, work: key.work };
                verdict.map(verified)
            }
            Work::Prepare { .. } => None,
        };
        match result {
            Some(result) => context.finish(key, result, started),
            None => context.give_up(key),
        }
    }
}
