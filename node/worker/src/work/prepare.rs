// SPDX-License-Identifier: Apache-2.0
//! Finds out whether this node can run a job, and in its time.

use super::{key::Kind, readable::Unreadable};
use crate::{
    context::Context,
    engine::load::{Left, Load},
    store::payloads::MAX_PAYLOAD_BYTES,
    LOG_TARGET,
};
use assay_engine::{serve::Server, Model, Prompt};
use assay_primitives::{DeclineReason, EngineResult, JobId, ModelId, Task};

/// The most bytes of a transcript in addition to its tokens and its text: the job, three
/// lengths, the finish reason and the salt.
const TRANSCRIPT_FRAME: usize = 32 + 3 * 4 + 2 + 32;

/// Promises or declines a job with that prompt. `None` if that would take long and `patient` is not set.
pub fn prepare(
    context: &Context,
    server: &Server,
    job: &JobId,
    task: &Task,
    prompt: Result<Prompt, Unreadable>,
    patient: bool,
) -> Option<EngineResult> {
    let prompt = match prompt {
        Ok(prompt) => prompt,
        Err(error) => {
            log::info!(target: LOG_TARGET, "job {job:?} is declined: {error}");
            return Some(EngineResult::Refused { job: *job, reason: error.decline() });
        }
    };
    if let Some(fault) = &context.fault {
        fault.panic_in(Kind::Prepare, &prompt);
    }
    if let Err(reason) = ensure_fits(server, task, &prompt) {
        return Some(EngineResult::Refused { job: *job, reason });
    }
    if promise(context, job, task) {
        return Some(EngineResult::Ready { job: *job });
    }
    if !patient {
        return None;
    }
    // If nothing runs, the last measurement may be old and of a busy machine.
    if context.promises.is_empty() && context.queue.verifications().is_empty() {
        if let Err(error) = context.servers.calibrate(server) {
            log::warn!(
                target: LOG_TARGET,
                "the speed of model {:?} cannot be measured: {error}",
                task.model,
            );
        }
        if promise(context, job, task) {
            return Some(EngineResult::Ready { job: *job });
        }
    }
    log::info!(
        target: LOG_TARGET,
        "job {job:?} is declined: {} tokens may take longer than {} blocks with the work that was \
         promised before",
        task.max_tokens,
        task.deadline,
    );
    Some(EngineResult::Refused { job: *job, reason: DeclineReason::Resource })
}

/// Ensures that the model and this node can take a prompt and an output of these lengths.
fn ensure_fits(server: &Server, task: &Task, prompt: &Prompt) -> Result<(), DeclineReason> {
    let model: &Model = server.model();
    let (input, output) = (task.input_tokens as usize, task.max_tokens as usize);
    // A prompt without tokens has no length at all.
    if prompt.input(model).map(|tokens| tokens.len()).ok() != Some(input) {
        return Err(DeclineReason::InputLength);
    }
    if input.saturating_add(output) > model.info().context_length as usize {
        return Err(DeclineReason::ContextExceeded);
    }
    // Work is not begun if its transcript could exceed the length that nodes take.
    let bytes = (input + output) * size_of::<u32>() + output * model.longest_token();
    if bytes + TRANSCRIPT_FRAME > MAX_PAYLOAD_BYTES {
        return Err(DeclineReason::Resource);
    }
    if Server::pages(input, output) > server.share_pages() {
        return Err(DeclineReason::Resource);
    }
    Ok(())
}

/// Promises the job if it can be done in its time together with all other work, and returns whether it
/// can.
fn promise(context: &Context, job: &JobId, task: &Task) -> bool {
    let written = |job: &JobId| context.streams.get(job).map_or(0, |stream| stream.len());
    let left = |job: &JobId, task: &Task| Left::of(task, written(job) as u64);
    let capacity = |model: &ModelId| context.servers.capacity(model);
    let verifications = context.queue.verifications();
    context.promises.make(job, task, left, |generations, new| {
        Load { generations, verifications: &verifications, capacity: &capacity }.time(new)
    })
}
