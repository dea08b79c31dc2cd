// SPDX-License-Identifier: Apache-2.0
//! Verification (RASTiC): one teacher-forced prefill over input and output.
//!
//! The protocol has four checks. **Binding**: the input is the prompt's tokens as the verifier
//! computes them. **Continuity**: the model chooses the first output token after the input.
//! **Integrity**: it chooses each checked token after those before. **Truncation**: the output ends
//! with an end token, with a stop string or at `max_tokens`, and nowhere before. Where a job asks for log
//! probabilities, those at each checked token are compared too.

use crate::{
    constraint::{Masks, Ready},
    digest,
    ends::EndSearch,
    generate::check_job,
    task::{run_alone, Choice, Next, Task},
    EngineError, FinishReason, GenerateSpec, Limits, Logprobs, Model, Prompt, Threads,
};
use std::{
    ops::{ControlFlow, Range},
    sync::atomic::AtomicBool,
};

/// The output that an operator delivered, with the input that it claims.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transcript {
    /// The input tokens that the operator claims to have used.
    pub input: Vec<u32>,
    /// The output tokens.
    pub output: Vec<u32>,
    /// The reason that the operator states for the end of the output.
    pub finish: FinishReason,
    /// The log probabilities of the output tokens; empty if the job asks for none.
    pub logprobs: Logprobs,
}

/// The output tokens to check, counted from the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Positions {
    /// All of them: the default, and nearly as cheap as a few.
    All,
    /// These, and always the first and the last.
    Sample(Vec<u32>),
}

/// The result of a verification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verification {
    /// Every check holds.
    Accept {
        /// The root of the digests of logits and output, if all positions were checked.
        digest_root: Option<[u8; 32]>,
    },
    /// A check fails.
    Reject {
        /// The first failing position, counted from the first output token. For a failing input it
        /// is 0; for a wrong length it is the first position that is missing or superfluous.
        position: u32,
        /// The check that failed.
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
    /// The output stops before `max_tokens`, neither with an end token nor with a stop string.
    Truncation,
    /// An end token, or the end of a stop string, precedes the last position.
    EarlyEnd,
    /// The output has more than `max_tokens` tokens.
    TooLong,
    /// The output has no token.
    Empty,
    /// An output token is not in the vocabulary.
    UnknownToken,
    /// The claimed finish reason, or the index of the stop string, contradicts the output.
    WrongFinish,
    /// The tokens are right, but a log probability is wrong, missing or superfluous.
    Logprobs,
}

/// Verifies a transcript against the prompt and the spec of its job.
///
/// Checks that cost nothing come first. Then one prefill follows, which stops at the first failing
/// position and at the last one to check.
///
/// # Errors
/// Returns only errors that the operator does not cause: a job that no one can run
/// ([`EngineError::MaxTokensZero`], [`EngineError::EmptyInput`], [`EngineError::PromptTooLong`]), a
/// position outside the output, a constraint that does not compile or whose compiler gives up, a limit, a deadline, a
/// cancellation. A wrong or malformed output is
/// a [`Verification::Reject`].
#[allow(clippy::too_many_arguments, reason = "each is one noun of the protocol")]
pub fn verify(
    model: &Model,
    threads: &Threads,
    prompt: &Prompt,
    transcript: &Transcript,
    spec: &GenerateSpec,
    positions: &Positions,
    limits: &Limits,
    cancel: &AtomicBool,
) -> Result<Verification, EngineError> {
    match Verifying::new(model, prompt, transcript, spec, positions)? {
        ControlFlow::Break(verification) => Ok(verification),
        ControlFlow::Continue(mut task) => {
            run_alone((model, threads), &mut task, limits, cancel, &mut |_, _| ())?;
            // A task that is done has a result.
            task.result.ok_or(EngineError::Cancelled { tokens: 0 })
        }
    }
}

/// A verification in progress.
pub(crate) struct Verifying {
    /// Input and output without the last token, after which nothing is chosen.
    tokens: Vec<u32>,
    input: usize,
    output: Vec<u32>,
    logprobs: Logprobs,
    /// For each output token, whether it is checked.
    chosen: Vec<bool>,
    spec: GenerateSpec,
    masks: Option<Masks>,
    /// The first token of the output that leaves the form, as far as the masks are known.
    outside: Option<usize>,
    digests: Vec<[u8; 32]>,
    result: Option<Verification>,
}

impl Verifying {
    /// Creates a verification to run, or returns the result if the form alone decides it.
    pub(crate) fn new(
        model: &Model,
        prompt: &Prompt,
        transcript: &Transcript,
        spec: &GenerateSpec,
        positions: &Positions,
    ) -> Result<ControlFlow<Verification, Self>, EngineError> {
        let input = match prompt.input(model) {
            Ok(input) => input,
            // The system lacks something, which says nothing of the output.
            Err(error @ EngineError::Io { .. }) => return Err(error),
            // No input is that of a prompt without tokens, which no honest operator accepts.
            Err(_) => return Ok(ControlFlow::Break(reject(0, RejectReason::Binding))),
        };
        check_job(model, &input, spec)?;
        let constraint = spec.constraint()?;
        if input != transcript.input {
            return Ok(ControlFlow::Break(reject(0, RejectReason::Binding)));
        }
        if let Some(rejected) = check_form(model, transcript, spec) {
            return Ok(ControlFlow::Break(rejected));
        }
        let masks = constraint.map(|form| Masks::new(form, model)).transpose()?;
        let (output, logprobs) = (transcript.output.clone(), transcript.logprobs.clone());
        let chosen = selection(positions, output.len())?;
        let mut tokens = input;
        let input = tokens.len();
        tokens.extend_from_slice(&output[..output.len() - 1]);
        let (spec, digests, result) = (spec.clone(), Vec::new(), None);
        let outside = None;
        Ok(ControlFlow::Continue(Self {
            tokens,
            input,
            output,
            logprobs,
            chosen,
            spec,
            masks,
            outside,
            digests,
            result,
        }))
    }

    /// Makes every pass panic that reaches the output token at `position`.
    #[cfg(test)]
    pub(crate) fn spoil(&mut self, position: usize) {
        self.chosen.truncate(position);
    }

    /// Returns the result, once the task is done.
    pub(crate) fn result(&self) -> Option<Verification> {
        self.result
    }

    /// Checks the output token that a row chooses.
    fn check(&mut self, choice: &Choice) -> Option<Verification> {
        let position = choice.index + 1 - self.input;
        // Behind a token that leaves the form there are no masks.
        if let Some(outside) = self.outside.filter(|&outside| outside < position) {
            return Some(wrong(outside));
        }
        if choice.token != self.output[position] {
            return Some(wrong(position));
        }
        let agree = |expected| self.logprobs.agree(position, expected);
        if !choice.logprobs.as_ref().is_none_or(agree) {
            return Some(reject(position, RejectReason::Logprobs));
        }
        self.digests.push(choice.digest);
        (position + 1 == self.output.len()).then(|| {
            let all = self.digests.len() == self.output.len();
            let root = || digest::root(&self.spec.digest_key, &self.digests, &self.output);
            Verification::Accept { digest_root: all.then(root) }
        })
    }
}

impl Task for Verifying {
    fn capacity(&self) -> usize {
        self.tokens.len()
    }

    fn tokens(&self) -> &[u32] {
        &self.tokens
    }

    fn input(&self) -> usize {
        self.input
    }

    fn wanted(&self, index: usize) -> bool {
        // The row after token input - 1 + i chooses output i.
        (index + 1).checked_sub(self.input).is_some_and(|position| self.chosen[position])
    }

    fn constrain(&mut self, indices: Range<usize>) -> Result<(), EngineError> {
        let Some(masks) = &mut self.masks else { return Ok(()) };
        let (input, chosen) = (self.input, &self.chosen);
        let positions = indices.filter_map(|index| (index + 1).checked_sub(input));
        let wanted = positions.filter(|&position| chosen[position]);
        let outside = masks.prepare(&self.output, self.output.len(), wanted)?;
        self.outside = self.outside.or(outside);
        Ok(())
    }

    fn masks(&self) -> Option<&Ready> {
        self.masks.as_ref().map(Masks::ready)
    }

    fn spec(&self) -> &GenerateSpec {
        &self.spec
    }

    fn accept(&mut self, choices: &[Choice], _on_token: &mut dyn FnMut(u32, u32)) -> Next {
        self.result = choices.iter().find_map(|choice| self.check(choice));
        if self.result.is_some() {
            Next::Done
        } else {
            Next::More
        }
    }
}

/// Rejects the output for a token that is not the one that the model chooses.
fn wrong(position: usize) -> Verification {
    let first = position == 0;
    reject(position, if first { RejectReason::Continuity } else { RejectReason::Integrity })
}

fn reject(position: usize, reason: RejectReason) -> Verification {
    Verification::Reject { position: u32::try_from(position).unwrap_or(u32::MAX), reason }
}

/// Checks an output as far as possible without the model.
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
    let mut ends = EndSearch::new(model.tokenizer(), &spec.stops, spec.ignore_end);
    if let Some(at) = earlier.iter().position(|&token| ends.push(token).is_some()) {
        return Some(reject(at, RejectReason::EarlyEnd));
    }
    let finish = match ends.push(last) {
        Some(finish) => finish,
        None if output.len() == max => FinishReason::Length,
        None => return Some(reject(output.len(), RejectReason::Truncation)),
    };
    if finish != transcript.finish {
        return Some(reject(earlier.len(), RejectReason::WrongFinish));
    }
    // A small vocabulary has fewer than the job asks for.
    let count = u32::from(spec.logprobs).min(model.info().vocab_size) as usize;
    let misfit = transcript.logprobs.misfit(output.len(), count);
    misfit.map(|at| reject(at, RejectReason::Logprobs))
}

/// Returns for each output token whether it is checked.
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
