// SPDX-License-Identifier: Apache-2.0
//! Generates the output of a job.

use super::{
    attempt::Broken,
    key::WorkKey,
    readable::{self, Unreadable},
};
use crate::{
    context::Context,
    engine::translate::{finish_reason, generate_spec, logprobs},
    fault::Fault,
    request::SupportedRequest,
    store::orders::Order,
    streams::StreamState,
    LOG_TARGET,
};
use assay_engine::{
    draft::Drafter, serve::GenerateJob, Adjustments, EngineError, GenerateSpec, Generation, Limits,
    Model, Prompt, StopStrings,
};
use assay_primitives::{worker::Transcript, EngineResult, JobId, OutputCommitment, Task};
use codec::Encode;
use sp_core::H256;
use sp_crypto_hashing::blake2_256;
use std::time::Instant;

/// Generates the output of a job and stores its transcript.
///
/// Returns `None` if the work was cancelled, if it cannot be done now, or if the operator is told to
/// stay silent. The chain asks again as long as it waits for the output.
///
/// # Errors
///
/// The job panicked in the engine, the engine's server died, or the request cannot be read now.
pub fn generate(
    context: &Context,
    key: &WorkKey,
    job: JobId,
    task: &Task,
    request: &[u8],
) -> Result<Option<EngineResult>, Broken> {
    if context.fault == Some(Fault::Silent) {
        return Ok(None);
    }
    let Some(model) = context.servers.model(&task.model) else { return Ok(None) };
    let begun = Instant::now();
    let request = match readable::read(model, task.input_tokens, request) {
        Ok(request) => request,
        Err(Unreadable::Now(_)) => return Err(Broken::NotNow),
        Err(error) => {
            log::error!(
                target: LOG_TARGET,
                "job {job:?} cannot be generated, and should have been declined: {error}",
            );
            return Ok(None);
        }
    };
    let mut spec = generate_spec(&key.job, task, &request.asked);
    match context.fault {
        Some(Fault::IgnoreStop) => spec.stops = StopStrings::NONE,
        Some(Fault::IgnoreChoice) => {
            spec.adjustments = Adjustments::NONE;
            spec.sample.sampling.min_p = 0;
        }
        _ => {}
    }
    let generated = request.prompt.input(model).and_then(|input| {
        let generation = match &context.fault {
            Some(Fault::WrongModel) => with_another_model(context, key, task, &spec, &input),
            Some(Fault::IgnoreSystem) => {
                let other = without_system(context, task, model).unwrap_or_else(|| input.clone());
                with_the_model(context, key, task, spec, &other, None)
            }
            fault => {
                let drafter = fault.as_ref().and_then(|fault| fault.drafter(&request.prompt));
                with_the_model(context, key, task, spec, &input, drafter)
            }
        };
        Ok((input, generation?))
    });
    let (input, generation) = match generated {
        Ok(generated) => generated,
        Err(error) => {
            context.streams.remove(&job);
            if context.is_interrupted(&error) {
                return Ok(None);
            }
            log::error!(target: LOG_TARGET, "job {job:?} cannot be generated: {error}");
            return Broken::of(&error).map_or(Ok(None), Err);
        }
    };
    let mut output = generation.tokens;
    let mut finish = finish_reason(generation.finish);
    let mut logprobs = logprobs(generation.logprobs);
    if let Some(fault) = &context.fault {
        fault.falsify(&mut output, &mut finish, &mut logprobs);
    }
    if let Some(metrics) = &context.metrics {
        metrics.generated(output.len(), begun.elapsed());
    }
    let text = model.detokenize(&output);
    let salt = context.output_salt(&job);
    let transcript = Transcript { job, input, output, text, finish, salt, logprobs };
    let digest_commitment = H256(blake2_256(&generation.digest_root));
    let commitment = publish(context, &job, &transcript, digest_commitment);
    // The chain can ask the operator for both until the job is over.
    let order = Order { job, request: task.request_hash, opens: 0 };
    if let Err(error) = context.keep_for(&[order]) {
        log::debug!(
            target: LOG_TARGET,
            "that the request of job {job:?} is kept waits in memory to be written: {error}",
        );
    }
    Ok(commitment.map(|commitment| EngineResult::Generated { job, commitment, work: key.work }))
}

/// The error of a job that found its server dead. The job is not to blame for that.
const NOT_BEGUN: EngineError = EngineError::Cancelled { tokens: 0 };

fn not_begun(error: EngineError) -> EngineError {
    match error {
        EngineError::ServerClosed => NOT_BEGUN,
        other => other,
    }
}

/// Generates together with the model's other jobs, and streams each token.
fn with_the_model(
    context: &Context,
    key: &WorkKey,
    task: &Task,
    spec: GenerateSpec,
    input: &[u32],
    drafter: Option<Box<dyn Drafter>>,
) -> Result<Generation, EngineError> {
    let server = context.servers.server(&task.model).ok_or(NOT_BEGUN)?;
    let stream = context.streams.open(&key.job);
    let job = server.generate(GenerateJob {
        input: input.to_vec(),
        spec,
        limits: Limits { memory_bytes: context.memory_bytes, deadline: None },
        cancel: context.cancellations.flag(key),
        drafter,
    });
    let handle = job.map_err(not_begun)?;
    while let Some((index, token)) = handle.next_token() {
        stream.push(index as usize, token);
    }
    handle.wait()
}

/// Generates with a cheaper model than the one that is paid for.
fn with_another_model(
    context: &Context,
    key: &WorkKey,
    task: &Task,
    spec: &GenerateSpec,
    input: &[u32],
) -> Result<Generation, EngineError> {
    let model = context.servers.model(&task.model).ok_or(NOT_BEGUN)?;
    let (cheap, stream) = (model.requantised_q4_0()?, context.streams.open(&key.job));
    let mut push = |index: u32, token| stream.push(index as usize, token);
    alone(context, key, spec, &cheap, input, &mut push)
}

/// Returns the input of a chat without its system messages; `None` for any other request.
fn without_system(context: &Context, task: &Task, model: &Model) -> Option<Vec<u32>> {
    let request = context.store.payload(&task.request_hash).ok()??;
    let (prompt, _) = SupportedRequest::read(&request).ok()?.into_parts();
    let Prompt::Chat(mut chat) = prompt else { return None };
    chat.messages.retain(|message| message.role != "system");
    Prompt::Chat(chat).input(model).ok()
}

/// Generates apart from the model's other jobs, and tells `push` each token.
pub fn alone(
    context: &Context,
    key: &WorkKey,
    spec: &GenerateSpec,
    model: &Model,
    input: &[u32],
    push: &mut dyn FnMut(u32, u32),
) -> Result<Generation, EngineError> {
    let cancel = context.cancellations.flag(key);
    let limits = Limits { memory_bytes: context.memory_bytes, deadline: None };
    assay_engine::generate(model, &context.servers.threads, input, spec, &limits, &cancel, push)
}

/// Keeps an output, completes its stream, and returns the commitment to it.
fn publish(
    context: &Context,
    job: &JobId,
    transcript: &Transcript,
    digest_commitment: H256,
) -> Option<OutputCommitment> {
    let (output_hash, finish) = (transcript.hash(), transcript.finish);
    let tokens = u32::try_from(transcript.output.len()).ok()?;
    if let Err(error) = context.keep_output(job, &transcript.encode()) {
        log::error!(target: LOG_TARGET, "the output of job {job:?} is lost: {error}");
        context.streams.remove(job);
        return None;
    }
    context.streams.open(job).complete(StreamState {
        tokens: transcript.output.clone(),
        finish: Some(transcript.finish),
    });
    Some(OutputCommitment { output_hash, digest_commitment, tokens, finish })
}
