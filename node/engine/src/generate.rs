// SPDX-License-Identifier: Apache-2.0
//! Generation: one token after the other, each with the digest of its logits.

use crate::{digest, pick, EngineError, Limits, Model, Row, SampleSpec, Session, Threads};
use std::sync::atomic::AtomicBool;

/// What to generate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GenerateSpec {
    /// How tokens are chosen.
    pub sample: SampleSpec,
    /// The most tokens to generate; the end token counts.
    pub max_tokens: u32,
}

/// Why an output ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FinishReason {
    /// The model chose its end token, which is the output's last.
    EndToken,
    /// `max_tokens` were generated and none is the end token.
    Length,
}

/// An output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generation {
    /// The output tokens, the end token included.
    pub tokens: Vec<u32>,
    /// Why it ends.
    pub finish: FinishReason,
    /// The digest of the logits that chose each token.
    pub digests: Vec<[u8; 32]>,
    /// [`digest::root`] of `digests`.
    pub digest_root: [u8; 32],
}

/// Refuses a job that no honest operator can run.
pub(crate) fn check_job(
    model: &Model,
    input: &[u32],
    spec: &GenerateSpec,
) -> Result<(), EngineError> {
    let info = model.info();
    let (max_tokens, context) = (spec.max_tokens, info.context_length);
    if input.is_empty() {
        return Err(EngineError::EmptyInput);
    }
    if max_tokens == 0 {
        return Err(EngineError::MaxTokensZero);
    }
    if input.len() as u64 + u64::from(max_tokens) > u64::from(context) {
        return Err(EngineError::PromptTooLong { tokens: input.len(), max_tokens, context });
    }
    let vocab_size = info.vocab_size;
    match input.iter().position(|&t| t >= vocab_size) {
        Some(index) => Err(EngineError::TokenOutOfVocab { index, token: input[index], vocab_size }),
        None => Ok(()),
    }
}

/// The token that a row chooses, and the row's digest.
pub(crate) fn judge(row: Row<'_>, sample: &SampleSpec) -> (u32, [u8; 32]) {
    // A position is below the context's length, which is a u32.
    let position = row.position as u32 + 1;
    (pick(row.logits, position, sample), digest::position(row.logits))
}

/// Generates up to `spec.max_tokens` tokens after `input`.
///
/// `on_token` gets each token as soon as it is chosen: its index in the output and its id.
///
/// # Errors
/// [`EngineError::EmptyInput`], [`EngineError::MaxTokensZero`], [`EngineError::PromptTooLong`],
/// [`EngineError::TokenOutOfVocab`], [`EngineError::MemoryLimit`], [`EngineError::Deadline`],
/// [`EngineError::Cancelled`].
pub fn generate(
    model: &Model,
    threads: &Threads,
    input: &[u32],
    spec: &GenerateSpec,
    limits: &Limits,
    cancel: &AtomicBool,
    on_token: &mut dyn FnMut(u32, u32),
) -> Result<Generation, EngineError> {
    check_job(model, input, spec)?;
    limits.check(cancel, 0)?;
    // The last token is chosen and never sent through the model.
    let capacity = input.len() + spec.max_tokens as usize - 1;
    let mut session = Session::new(model, threads, capacity, limits)?;
    let (mut tokens, mut digests) = (Vec::new(), Vec::new());
    let mut next: &[u32] = input;
    let mut last;
    let finish = loop {
        let end = session.len() + next.len();
        let rows = session
            .forward(next, limits, cancel, &|i| i + 1 == end, &|row| judge(row, &spec.sample))?;
        for (token, digest) in rows {
            on_token(tokens.len() as u32, token);
            tokens.push(token);
            digests.push(digest);
        }
        match tokens.last() {
            Some(&token) if token == model.end_token() => break FinishReason::EndToken,
            Some(_) if tokens.len() >= spec.max_tokens as usize => break FinishReason::Length,
            Some(&token) => last = [token],
            None => return Err(EngineError::EmptyInput),
        }
        next = &last;
    };
    let digest_root = digest::root(&digests);
    Ok(Generation { tokens, finish, digests, digest_root })
}
