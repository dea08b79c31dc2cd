// SPDX-License-Identifier: Apache-2.0
//! Translation between the chain's types and the engine's, which knows of no chain.

use crate::request::Asked;
use assay_engine as engine;
use assay_primitives::{
    worker::{Likely, Logprobs},
    FinishReason, JobId, RejectReason, Task,
};

/// Returns what the engine generates or verifies for a job whose request asks for this.
pub fn generate_spec(job: &JobId, task: &Task, asked: &Asked) -> engine::GenerateSpec {
    engine::GenerateSpec {
        sample: engine::SampleSpec::new(
            task.seed,
            &job.0,
            engine::Sampling {
                temperature: task.sampling.temperature,
                top_k: task.sampling.top_k,
                top_p: task.sampling.top_p,
                min_p: asked.min_p,
            },
        ),
        adjustments: asked.adjustments.clone(),
        max_tokens: task.max_tokens,
        stops: asked.stops.clone(),
        ignore_end: asked.ignore_end,
        constraint: None,
        logprobs: asked.logprobs,
        digest_key: task.digest_key.0,
    }
}

/// Returns the engine's finish reason as the chain's.
pub fn finish_reason(finish: engine::FinishReason) -> FinishReason {
    match finish {
        engine::FinishReason::EndToken => FinishReason::EndToken,
        engine::FinishReason::Stop(index) => FinishReason::Stop(index),
        engine::FinishReason::Length => FinishReason::Length,
    }
}

/// Returns the chain's finish reason as the engine's.
pub fn engine_finish_reason(finish: FinishReason) -> engine::FinishReason {
    match finish {
        FinishReason::EndToken => engine::FinishReason::EndToken,
        FinishReason::Length => engine::FinishReason::Length,
        FinishReason::Stop(index) => engine::FinishReason::Stop(index),
    }
}

/// Returns the engine's log probabilities as the chain's.
pub fn logprobs(engine::Logprobs { chosen, top }: engine::Logprobs) -> Logprobs {
    let top = top.into_iter().map(|(token, logprob)| Likely { token, logprob });
    Logprobs { chosen, top: top.collect() }
}

/// Returns the chain's log probabilities as the engine's.
pub fn engine_logprobs(Logprobs { chosen, top }: Logprobs) -> engine::Logprobs {
    let top = top.into_iter().map(|Likely { token, logprob }| (token, logprob));
    engine::Logprobs { chosen, top: top.collect() }
}

/// Returns the engine's reason for a rejection as the chain's, which has fewer.
pub fn reject_reason(reason: engine::RejectReason) -> RejectReason {
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
        engine::RejectReason::Logprobs => RejectReason::Logprobs,
    }
}
