// SPDX-License-Identifier: Apache-2.0
//! Verification (RASTiC): one teacher-forced prefill over input and output.
//!
//! The four checks of the protocol: **binding**, the verifier's own tokens of the prompt are the
//! input; **continuity**, the model chooses the first output token after the input; **integrity**,
//! it chooses each checked token after those before; **truncation**, the output ends with the end
//! token or at `max_tokens`, and nowhere before.

use crate::{
    digest,
    forward::CHUNK,
    generate::{check_job, judge},
    EngineError, FinishReason, GenerateSpec, Limits, Model, Session, Threads,
};
use std::sync::atomic::AtomicBool;

/// What an operator delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transcript {
    /// The input tokens that it says it used.
    pub input: Vec<u32>,
    /// The output tokens.
    pub output: Vec<u32>,
    /// Why it says that the output ends.
    pub finish: FinishReason,
}

/// Which output tokens to check, counted from the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Positions {
    /// Every one: the default, and nearly as cheap as a few.
    All,
    /// These, and always the first and the last.
    Sample(Vec<u32>),
}

/// The result of a verification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verification {
    /// Every check holds.
    Accept {
        /// The root of the logit digests, if all positions were checked.
        digest_root: Option<[u8; 32]>,
    },
    /// A check fails.
    Reject {
        /// The first failing position, counted from the first output token; for a failing input or
        /// length, where the output should have differed in length.
        position: u32,
        /// Which check.
        reason: RejectReason,
    },
}

/// The check that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RejectReason {
    /// The input is not the prompt's tokens.
    Binding,
    /// The first output token is not the one that the model chooses after the input.
    Continuity,
    /// A later output token is not the one that the model chooses.
    Integrity,
    /// The output stops without the end token before `max_tokens`.
    Truncation,
    /// An end token stands before the last position.
    EarlyEnd,
    /// The output has more than `max_tokens` tokens.
    TooLong,
    /// The output has no token.
    Empty,
    /// An output token is not in the vocabulary.
    UnknownToken,
    /// The claimed finish reason contradicts the last token.
    WrongFinish,
}

/// Verifies a transcript for the prompt (text) and the spec of its job.
///
/// Checks that cost nothing come first; then one prefill, which stops at the first failing position
/// and at the last that is checked.
///
/// # Errors
/// Only what is not the operator's doing: a job that no one can run ([`EngineError::MaxTokensZero`],
/// [`EngineError::EmptyInput`], [`EngineError::PromptTooLong`]), a position outside the output, a
/// limit, a deadline, a cancellation. A wrong or malformed output is a [`Verification::Reject`].
#[allow(clippy::too_many_arguments, reason = "each is one noun of the protocol")]
pub fn verify(
    model: &Model,
    threads: &Threads,
    prompt: &[u8],
    transcript: &Transcript,
    spec: &GenerateSpec,
    positions: &Positions,
    limits: &Limits,
    cancel: &AtomicBool,
) -> Result<Verification, EngineError> {
    let input = model.tokenize(prompt);
    check_job(model, &input, spec)?;
    if input != transcript.input {
        return Ok(reject(0, RejectReason::Binding));
    }
    if let Some(rejected) = check_form(model, transcript, spec) {
        return Ok(rejected);
    }
    limits.check(cancel, 0)?;
    let output = &transcript.output;
    let chosen = selection(positions, output.len())?;
    // The row after token input.len() - 1 + i chooses output i; the last token chooses nothing.
    let before = input.len() - 1;
    let all: Vec<u32> = input.iter().chain(output).copied().take(before + output.len()).collect();
    let wanted = |index: usize| index >= before && chosen[index - before];
    let mut session = Session::new(model, threads, all.len(), limits)?;
    let mut digests = Vec::new();
    for chunk in all.chunks(CHUNK) {
        let rows = session.forward(chunk, limits, cancel, &wanted, &|row| {
            (row.position - before, judge(row, &spec.sample))
        })?;
        for (position, (token, digest)) in rows {
            if token != output[position] {
                let reason = match position {
                    0 => RejectReason::Continuity,
                    _ => RejectReason::Integrity,
                };
                return Ok(reject(position, reason));
            }
            digests.push(digest);
        }
    }
    let digest_root = (digests.len() == output.len()).then(|| digest::root(&digests));
    Ok(Verification::Accept { digest_root })
}

fn reject(position: usize, reason: RejectReason) -> Verification {
    Verification::Reject { position: u32::try_from(position).unwrap_or(u32::MAX), reason }
}

/// What can be said of an output without the model.
fn check_form(model: &Model, transcript: &Transcript, spec: &GenerateSpec) -> Option<Verification> {
    let (output, max) = (&transcript.output, spec.max_tokens as usize);
    let Some((&last, earlier)) = output.split_last() else {
        return Some(reject(0, RejectReason::Empty));
    };
    if output.len() > max {
        return Some(reject(max, RejectReason::TooLong));
    }
    if let Some(at) = output.iter().position(|&t| t >= model.info().vocab_size) {
        return Some(reject(at, RejectReason::UnknownToken));
    }
    if let Some(at) = earlier.iter().position(|&t| t == model.end_token()) {
        return Some(reject(at, RejectReason::EarlyEnd));
    }
    let ended = last == model.end_token();
    if !ended && output.len() < max {
        return Some(reject(output.len(), RejectReason::Truncation));
    }
    let finish = if ended { FinishReason::EndToken } else { FinishReason::Length };
    (finish != transcript.finish).then(|| reject(earlier.len(), RejectReason::WrongFinish))
}

/// For each output token whether it is checked.
fn selection(positions: &Positions, tokens: usize) -> Result<Vec<bool>, EngineError> {
    let Positions::Sample(sample) = positions else { return Ok(vec![true; tokens]) };
    let mut chosen = vec![false; tokens];
    for &position in sample {
        match chosen.get_mut(position as usize) {
            Some(chosen) => *chosen = true,
            None => return Err(EngineError::PositionOutOfRange { position, tokens }),
        }
    }
    if let Some(first) = chosen.first_mut() {
        *first = true;
    }
    if let Some(last) = chosen.last_mut() {
        *last = true;
    }
    Ok(chosen)
}
