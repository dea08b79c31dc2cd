// SPDX-License-Identifier: Apache-2.0
//! Generates the output of a job.

use super::key::WorkKey;
use crate::{
    context::Context,
    engine::translate::{finish_reason, generate_spec},
    fault::Fault,
    streams::StreamState,
    LOG_TARGET,
};
use assay_engine::{serve::GenerateJob, EngineError, Generation, Limits};
use assay_primitives::{worker::Transcript, EngineResult, JobId, OutputCommitment, Task};
use codec::Encode;
use sp_core::H256;
use sp_crypto_hashing::blake2_256;

/// Generates the output of a job and stores its transcript.
///
/// Returns `None` if the work was cancelled, if it cannot be done now, or if the operator is told to
/// stay silent. The chain asks again as long as it waits for the output.
pub fn generate(
    context: &Context,
    key: &WorkKey,
    job: JobId,
    task: &Task,
    prompt: &[u8],
) -> Option<EngineResult> {
    if context.fault == Some(Fault::Silent) {
        return None;
    }
    let model = context.servers.model(&task.model)?;
    let input = model.tokenize(prompt);
    let generation = match context.fault {
        Some(Fault::WrongModel) => with_another_model(context, key, task, &input),
        _ => with_the_model(context, key, task, &input),
    };
    let generation = match generation {
        Ok(generation) => generation,
        Err(error) => {
            if !context.is_interrupted(&error) {
                log::error!(target: LOG_TARGET, "job {job:?} cannot be generated: {error}");
            }
            context.streams.remove(&job);
            return None;
        }
    };
    let mut output = generation.tokens;
    let mut finish = finish_reason(generation.finish);
    if let Some(fault) = context.fault {
        fault.falsify(&mut output, &mut finish);
    }
    if let Some(metrics) = &context.metrics {
        metrics.generated(output.len());
    }
    let text = model.detokenize(&output);
    let transcript = Transcript { input, output, text, finish, salt: context.output_salt(&job) };
    publish(context, &job, &transcript)?;
    let commitment = OutputCommitment {
        output_hash: transcript.hash(),
        digest_commitment: H256(blake2_256(&generation.digest_root)),
        tokens: u32::try_from(transcript.output.len()).ok()?,
        finish,
    };
    Some(EngineResult::Generated { job, commitment })
}

/// Generates together with the model's other jobs, and streams each token.
fn with_the_model(
    context: &Context,
    key: &WorkKey,
    task: &Task,
    input: &[u32],
) -> Result<Generation, EngineError> {
    let server = context.servers.server(&task.model).ok_or(EngineError::ServerClosed)?;
    let stream = context.streams.open(&key.job);
    let handle = server.generate(GenerateJob {
        input: input.to_vec(),
        spec: generate_spec(&key.job, task),
        limits: Limits { memory_bytes: context.memory_bytes, deadline: None },
        cancel: context.cancellations.flag(key),
        drafter: None,
    })?;
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
    input: &[u32],
) -> Result<Generation, EngineError> {
    let model = context.servers.model(&task.model).ok_or(EngineError::ServerClosed)?;
    let (cheap, stream) = (model.requantised_q4_0()?, context.streams.open(&key.job));
    let (spec, cancel) = (generate_spec(&key.job, task), context.cancellations.flag(key));
    let limits = Limits { memory_bytes: context.memory_bytes, deadline: None };
    let threads = &context.servers.threads;
    let mut push = |index: u32, token| stream.push(index as usize, token);
    assay_engine::generate(&cheap, threads, input, &spec, &limits, &cancel, &mut push)
}

/// Keeps an output and completes its stream.
fn publish(context: &Context, job: &JobId, transcript: &Transcript) -> Option<()> {
    if let Err(error) = context.keep_output(job, &transcript.encode()) {
        log::error!(target: LOG_TARGET, "the output of job {job:?} is lost: {error}");
        context.streams.remove(job);
        return None;
    }
    context.streams.open(job).complete(StreamState {
        tokens: transcript.output.clone(),
        finish: Some(transcript.finish),
    });
    Some(())
}
