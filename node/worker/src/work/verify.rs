// SPDX-License-Identifier: Apache-2.0
//! Verifies the output of a job.

use super::{
    attempt::Broken,
    generate::alone,
    key::{Kind, WorkKey},
    queue::Inputs,
    readable::{self, Readable},
};
use crate::{
    context::Context,
    engine::translate::{engine_finish_reason, engine_logprobs, generate_spec, reject_reason},
    fault::Fault,
    LOG_TARGET,
};
use assay_engine::{
    serve::{Handle, VerifyJob},
    EngineError, Limits, Model, Positions, Verification,
};
use assay_primitives::{
    worker::Transcript, AbstainReason, OutputCommitment, RejectReason, Task, Verdict,
};
use codec::Decode;
use sp_core::H256;
use sp_crypto_hashing::blake2_256;
use std::time::Instant;

/// Verifies an output, honestly unless the operator is told to cheat as a verifier.
///
/// Returns `None` if the work was stopped, or found the engine's server dead. A verification that
/// cannot be done in its time abstains in time, which costs nothing.
///
/// # Errors
///
/// The job panicked in the engine, the engine's server died, the request cannot be read now, or the transcript
/// is missing.
pub fn verify(
    context: &Context,
    key: &WorkKey,
    task: &Task,
    commitment: &OutputCommitment,
    inputs: Inputs,
) -> Result<Option<Verdict>, Broken> {
    let malformed = Verdict::Reject { position: 0, reason: RejectReason::Malformed };
    let Some(model) = context.servers.model(&task.model) else {
        return Ok(Some(Verdict::Abstain(AbstainReason::ModelMissing)));
    };
    // Reading a chat may take long, and an abstention must still be in time.
    if context.queue.until(key).is_some_and(|until| until <= Instant::now()) {
        return Ok(Some(Verdict::Abstain(AbstainReason::Resource)));
    }
    let request = match readable::read(model, task.input_tokens, &inputs.request) {
        Ok(request) => request,
        // All verifiers find this alike, and no honest operator accepts such a job.
        Err(error) => match error.reject() {
            Some(reason) => return Ok(Some(Verdict::Reject { position: 0, reason })),
            None => return Err(Broken::NotNow),
        },
    };
    let Some(transcript) = inputs.transcript else { return Err(Broken::NoTranscript) };
    if let Some(fault) = &context.fault {
        fault.panic_in(Kind::Verify, &request.prompt);
    }
    match context.fault {
        Some(Fault::Reject) => return Ok(Some(malformed)),
        Some(Fault::Collude) => return Ok(collude(context, key, task, model, &request)),
        _ => {}
    }
    let Some(server) = context.servers.server(&task.model) else { return Ok(None) };
    // The hash was compared when the payload came, so the operator committed to a malformed one.
    let mut bytes = transcript.as_slice();
    let Ok(transcript) = Transcript::decode(&mut bytes) else { return Ok(Some(malformed)) };
    if transcript.job != key.job {
        return Ok(Some(malformed));
    }
    if transcript.input.len() != task.input_tokens as usize {
        let binding = Verdict::Reject { position: 0, reason: RejectReason::Binding };
        return Ok(Some(binding));
    }
    if !bytes.is_empty()
        || transcript.output.len() != commitment.tokens as usize
        || transcript.finish != commitment.finish
        || transcript.text != model.detokenize(&transcript.output)
    {
        return Ok(Some(malformed));
    }
    let finish = engine_finish_reason(transcript.finish);
    let logprobs = engine_logprobs(transcript.logprobs);
    let (input, output) = (transcript.input, transcript.output);
    let claimed = assay_engine::Transcript { input, output, finish, logprobs };
    let begun = server.verify(VerifyJob {
        prompt: request.prompt,
        transcript: claimed,
        spec: generate_spec(&key.job, task, &request.asked),
        positions: Positions::All,
        limits: Limits { memory_bytes: context.memory_bytes, deadline: context.queue.until(key) },
        cancel: context.cancellations.flag(key),
    });
    // A job that found its server dead is not to blame for that.
    if matches!(begun, Err(EngineError::ServerClosed)) {
        return Ok(None);
    }
    let verdict = match begun.and_then(Handle::wait) {
        Ok(Verification::Accept { digest_root: Some(root) }) => {
            if blake2_256(&root) == commitment.digest_commitment.0 {
                Verdict::Accept { digest_root: H256(root) }
            } else {
                Verdict::Reject { position: 0, reason: RejectReason::Digest }
            }
        }
        Ok(Verification::Accept { digest_root: None }) => Verdict::Abstain(AbstainReason::Resource),
        Ok(Verification::Reject { position, reason }) => {
            Verdict::Reject { position, reason: reject_reason(reason) }
        }
        Err(error) if context.is_interrupted(&error) => return Ok(None),
        // All verifiers find this alike, and no honest operator accepts such a job.
        Err(
            EngineError::EmptyInput
            | EngineError::MaxTokensZero
            | EngineError::PromptTooLong { .. },
        ) => Verdict::Reject { position: 0, reason: RejectReason::Request },
        Err(error) => {
            log::error!(target: LOG_TARGET, "job {:?} cannot be verified: {error}", key.job);
            if let Some(broken) = Broken::of(&error) {
                return Err(broken);
            }
            Verdict::Abstain(AbstainReason::Resource)
        }
    };
    if !matches!(verdict, Verdict::Abstain(_)) {
        context.count(|metrics| metrics.verified(commitment.tokens));
    }
    Ok(Some(verdict))
}

/// Accepts an output without checking it. The digest root is that of the honest output, to which an operator
/// that colludes has committed as well.
fn collude(
    context: &Context,
    key: &WorkKey,
    task: &Task,
    model: &Model,
    request: &Readable,
) -> Option<Verdict> {
    let input = request.prompt.input(model).ok()?;
    let spec = generate_spec(&key.job, task, &request.asked);
    let honest = alone(context, key, &spec, model, &input, &mut |_, _| {}).ok()?;
    Some(Verdict::Accept { digest_root: H256(honest.digest_root) })
}
