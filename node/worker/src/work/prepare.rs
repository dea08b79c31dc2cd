// SPDX-License-Identifier: Apache-2.0
//! Finds out whether this node can run a job, and in its time.

use super::{
    key::Kind,
    readable::{Readable, Unreadable},
};
use crate::{
    context::Context,
    engine::load::{Left, Load},
    store::payloads::MAX_PAYLOAD_BYTES,
    LOG_TARGET,
};
use assay_engine::{serve::Server, Model};
use assay_primitives::{DeclineReason, EngineResult, JobId, ModelId, Task};

/// The most bytes of a transcript in addition to its tokens, its text and their log probabilities: the job,
/// five lengths, the finish reason and the salt.
const TRANSCRIPT_FRAME: usize = 32 + 5 * 4 + 2 + 32;
/// The bytes of a likely token with its log probability.
const LIKELY_BYTES: usize = 2 * size_of::<u32>();

/// Promises or declines a job with that request. `None` if that would take long and `patient` is not set.
pub fn prepare(
    context: &Context,
    server: &Server,
    job: &JobId,
    task: &Task,
    request: Result<Readable, Unreadable>,
    patient: bool,
) -> Option<EngineResult> {
    let request = match request {
        Ok(request) => request,
        Err(error) => {
            log::info!(target: LOG_TARGET, "job {job:?} is declined: {error}");
            return Some(EngineResult::Refused { job: *job, reason: error.decline() });
        }
    };
    if let Some(fault) = &context.fault {
        fault.panic_in(Kind::Prepare, &request.prompt);
    }
    if let Err(reason) = ensure_fits(server, task, &request) {
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
fn ensure_fits(server: &Server, task: &Task, request: &Readable) -> Result<(), DeclineReason> {
    let model: &Model = server.model();
    let (input, output) = (task.input_tokens as usize, task.max_tokens as usize);
    // A prompt without tokens has no length at all.
    if request.prompt.input(model).map(|tokens| tokens.len()).ok() != Some(input) {
        return Err(DeclineReason::InputLength);
    }
    if input.saturating_add(output) > model.info().context_length as usize {
        return Err(DeclineReason::ContextExceeded);
    }
    // Work is not begun if its transcript could exceed the length that nodes take.
    let token = token_bytes(model.longest_token(), request.asked.logprobs);
    if transcript_bytes(input, output, token) > MAX_PAYLOAD_BYTES {
        return Err(DeclineReason::Resource);
    }
    if Server::pages(input, output) > server.share_pages() {
        return Err(DeclineReason::Resource);
    }
    Ok(())
}

/// Returns the most bytes of a token of the output in a transcript, with its text of up to `longest` bytes and
/// that many likely tokens.
fn token_bytes(longest: usize, logprobs: u8) -> usize {
    let likely = usize::from(logprobs);
    // The token has a log probability of its own.
    size_of::<u32>() + longest + likely * LIKELY_BYTES + likely.min(1) * size_of::<i32>()
}

/// Returns the most bytes of a transcript with that many tokens, each of the output with so many bytes.
fn transcript_bytes(input: usize, output: usize, token: usize) -> usize {
    input * size_of::<u32>() + output * token + TRANSCRIPT_FRAME
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

#[cfg(test)]
mod tests {
    use super::*;
    use assay_primitives::{
        worker::{Likely, Logprobs, Transcript},
        FinishReason,
    };
    use codec::Encode;
    use sp_core::H256;

    #[test]
    fn transcript_is_no_longer_than_its_bound_and_hardly_shorter() {
        for (input, output, longest, count) in
            [(1, 1, 1, 0), (70, 20_000, 9, 0), (20_000, 70, 1, 1), (300, 20_000, 12, 16)]
        {
            let asked = usize::from(count);
            let transcript = Transcript {
                job: JobId::zero(),
                input: vec![u32::MAX; input],
                output: vec![u32::MAX; output],
                text: vec![b'a'; output * longest],
                finish: FinishReason::Stop(1),
                salt: H256::zero(),
                logprobs: Logprobs {
                    chosen: vec![-1; output * asked.min(1)],
                    top: vec![Likely { token: 1, logprob: -1 }; output * asked],
                },
            };
            let bound = transcript_bytes(input, output, token_bytes(longest, count));
            let bytes = transcript.encode().len();
            assert!(bytes <= bound && bytes + 5 * 4 > bound, "{bytes} {bound}");
        }
    }
}
