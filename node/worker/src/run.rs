// SPDX-License-Identifier: Apache-2.0
//! Hands work to the engine and waits for it. Some threads of each kind do nothing else, and each
//! kind has half of the places and of the memory of a model's server, so that generation and
//! verification never wait for each other; the server runs their jobs together.

use crate::{
    fault::Fault,
    queue::{Entry, Kind, Payloads, Stage, WorkKey},
    streams::StreamState,
    worker::{Inner, LOG_TARGET},
};
use assay_engine::{
    self as engine,
    serve::{GenerateJob, Handle, VerifyJob},
    Limits,
};
use assay_primitives::{
    worker::Transcript, AbstainReason, EngineResult, FinishReason, JobId, OutputCommitment,
    RejectReason, Task, Verdict, Work,
};
use codec::Decode;
use sp_core::H256;
use sp_crypto_hashing::blake2_256;
use std::{sync::Arc, time::Instant};

/// Works off one kind of work until the queue closes.
pub fn run(inner: Arc<Inner>, kind: Kind) {
    while let Some(entry) = inner.queue.next_to_run(kind) {
        let started = Instant::now();
        let Entry { key, work, stage: Stage::Run(payloads) } = entry else { continue };
        let result = match &work {
            Work::Generate { job, task } => generate(&inner, &key, *job, task, &payloads),
            Work::Verify { job, task, commitment, .. } => {
                let verdict = judge(&inner, &key, task, commitment, payloads);
                let salt = inner.verdict_salt(job);
                let verified =
                    |verdict| EngineResult::Verified { job: *job, verdict, salt, work: key.work };
                verdict.map(verified)
            }
            Work::Prepare { .. } => None,
        };
        match result {
            Some(result) => inner.finish(key, result, started),
            None => inner.give_up(key, started),
        }
    }
}

fn sample_spec(job: &JobId, task: &Task) -> engine::GenerateSpec {
    engine::GenerateSpec {
        sample: engine::SampleSpec::new(
            task.seed,
            &job.0,
            engine::Sampling {
                temperature: task.sampling.temperature,
                top_k: task.sampling.top_k,
                top_p: task.sampling.top_p,
            },
        ),
        max_tokens: task.max_tokens,
    }
}

/// Generates; `None` when it was cancelled, cannot be done now, or is not to be told. What cannot be
/// done now is asked for again by the chain as long as it waits.
fn generate(
    inner: &Inner,
    key: &WorkKey,
    job: JobId,
    task: &Task,
    payloads: &Payloads,
) -> Option<EngineResult> {
    if inner.fault == Some(Fault::Silent) {
        return None;
    }
    let model = inner.engines.model(&task.model)?;
    let input = model.tokenize(&payloads.prompt);
    let generation = match inner.fault {
        Some(Fault::WrongModel) => by_another_model(inner, key, task, &input),
        _ => by_the_model(inner, key, task, &input),
    };
    let generation = match generation {
        Ok(generation) => generation,
        Err(error) => {
            if !inner.is_interrupted(&error) {
                log::error!(target: LOG_TARGET, "job {job:?} cannot be generated: {error}");
            }
            inner.streams.remove(&job);
            return None;
        }
    };
    let mut output = generation.tokens;
    let mut finish = match generation.finish {
        engine::FinishReason::EndToken => FinishReason::EndToken,
        engine::FinishReason::Length => FinishReason::Length,
    };
    falsify(inner.fault, &mut output, &mut finish);
    if let Some(metrics) = &inner.metrics {
        metrics.generated(output.len());
    }
    let text = model.detokenize(&output);
    let transcript = Transcript { input, output, text, finish, salt: inner.output_salt(&job) };
    inner.publish(&job, &transcript)?;
    let commitment = OutputCommitment {
        output_hash: transcript.hash(),
        digest_commitment: H256(blake2_256(&generation.digest_root)),
        tokens: u32::try_from(transcript.output.len()).ok()?,
        finish,
    };
    Some(EngineResult::Generated { job, commitment })
}

/// Generates beside the model's other jobs, and shows each token as it comes.
fn by_the_model(
    inner: &Inner,
    key: &WorkKey,
    task: &Task,
    input: &[u32],
) -> Result<engine::Generation, engine::EngineError> {
    let server = inner.engines.server(&task.model).ok_or(engine::EngineError::ServerClosed)?;
    let stream = inner.streams.open(&key.job);
    let handle = server.generate(GenerateJob {
        input: input.to_vec(),
        spec: sample_spec(&key.job, task),
        limits: Limits { memory_bytes: inner.memory_bytes, deadline: None },
        cancel: inner.cancellation(key),
        drafter: None,
    })?;
    while let Some((index, token)) = handle.next_token() {
        stream.push(index as usize, token);
    }
    handle.wait()
}

/// Generates by a cheaper model than the one that is paid for.
fn by_another_model(
    inner: &Inner,
    key: &WorkKey,
    task: &Task,
    input: &[u32],
) -> Result<engine::Generation, engine::EngineError> {
    let model = inner.engines.model(&task.model).ok_or(engine::EngineError::ServerClosed)?;
    let (cheap, stream) = (model.requantised_q4_0()?, inner.streams.open(&key.job));
    let (spec, cancel) = (sample_spec(&key.job, task), inner.cancellation(key));
    let limits = Limits { memory_bytes: inner.memory_bytes, deadline: None };
    let threads = &inner.engines.threads;
    engine::generate(&cheap, threads, input, &spec, &limits, &cancel, &mut |index, token| {
        stream.push(index as usize, token);
    })
}

/// What a dishonest operator does to its output.
fn falsify(fault: Option<Fault>, output: &mut Vec<u32>, finish: &mut FinishReason) {
    match fault {
        Some(Fault::WrongToken) => {
            let middle = output.len() / 2;
            if let Some(token) = output.get_mut(middle) {
                *token ^= 1;
            }
        }
        Some(Fault::Truncate) => {
            output.truncate(output.len().div_ceil(2));
            *finish = FinishReason::EndToken;
        }
        Some(Fault::WrongModel | Fault::Silent) | None => {}
    }
}

/// Re-checks an output, whatever this node itself may do as an operator; `None` when it was broken
/// off. Who cannot be done in time says so in time, which costs nothing.
fn judge(
    inner: &Inner,
    key: &WorkKey,
    task: &Task,
    commitment: &OutputCommitment,
    payloads: Payloads,
) -> Option<Verdict> {
    let malformed = Verdict::Reject { position: 0, reason: RejectReason::Malformed };
    let Some(server) = inner.engines.server(&task.model) else {
        return Some(Verdict::Abstain(AbstainReason::ModelMissing));
    };
    // The hash was compared when the payload came, so a wrong form is the operator's own.
    let mut bytes = payloads.transcript.as_slice();
    let Ok(transcript) = Transcript::decode(&mut bytes) else { return Some(malformed) };
    if !bytes.is_empty()
        || transcript.output.len() != commitment.tokens as usize
        || transcript.finish != commitment.finish
        || transcript.text != server.model().detokenize(&transcript.output)
    {
        return Some(malformed);
    }
    let claimed = engine::Transcript {
        input: transcript.input,
        output: transcript.output,
        finish: match transcript.finish {
            FinishReason::EndToken => engine::FinishReason::EndToken,
            FinishReason::Length => engine::FinishReason::Length,
        },
    };
    let verification = server.verify(VerifyJob {
        prompt: payloads.prompt,
        transcript: claimed,
        spec: sample_spec(&key.job, task),
        positions: engine::Positions::All,
        limits: Limits { memory_bytes: inner.memory_bytes, deadline: inner.queue.until(key) },
        cancel: inner.cancellation(key),
    });
    let verdict = match verification.and_then(Handle::wait) {
        Ok(engine::Verification::Accept { digest_root: Some(root) }) => {
            if blake2_256(&root) == commitment.digest_commitment.0 {
                Verdict::Accept { digest_root: H256(root) }
            } else {
                Verdict::Reject { position: 0, reason: RejectReason::Digest }
            }
        }
        Ok(engine::Verification::Accept { digest_root: None }) => {
            Verdict::Abstain(AbstainReason::Resource)
        }
        Ok(engine::Verification::Reject { position, reason }) => {
            Verdict::Reject { position, reason: reject_reason(reason) }
        }
        Err(error) if inner.is_interrupted(&error) => return None,
        Err(error) => {
            log::error!(target: LOG_TARGET, "job {:?} cannot be verified: {error}", key.job);
            Verdict::Abstain(AbstainReason::Resource)
        }
    };
    Some(verdict)
}

fn reject_reason(reason: engine::RejectReason) -> RejectReason {
    match reason {
        engine::RejectReason::Binding => RejectReason::Binding,
        engine::RejectReason::Continuity => RejectReason::Continuity,
        engine::RejectReason::Integrity => RejectReason::Integrity,
        engine::RejectReason::Truncation
        | engine::RejectReason::EarlyEnd
        | engine::RejectReason::WrongFinish => RejectReason::Truncation,
        engine::RejectReason::TooLong
        | engine::RejectReason::Empty
        | engine::RejectReason::UnknownToken => RejectReason::Malformed,
    }
}

impl Inner {
    /// Whether the work was broken off: the job is over, or the node ends and does it again when it
    /// is back. Neither says anything of the job. A server that has ended while the node goes on is
    /// something else.
    fn is_interrupted(&self, error: &engine::EngineError) -> bool {
        match error {
            engine::EngineError::Cancelled { .. } => true,
            engine::EngineError::ServerClosed => self.queue.is_closed(),
            _ => false,
        }
    }

    /// Stores an output, and shows it to who listens.
    fn publish(&self, job: &JobId, transcript: &Transcript) -> Option<()> {
        use codec::Encode;
        let stored = self
            .keep_payload(&transcript.encode())
            .and_then(|hash| self.store.put_output(job, &hash));
        if let Err(error) = stored {
            log::error!(target: LOG_TARGET, "the output of job {job:?} is lost: {error}");
            return None;
        }
        self.streams.open(job).complete(StreamState {
            tokens: transcript.output.clone(),
            finish: Some(transcript.finish),
        });
        Some(())
    }
}
