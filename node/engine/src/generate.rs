// SPDX-License-Identifier: Apache-2.0
//! Generation: one token after the other, each with the digest of its logits.
//!
//! A drafter may guess tokens ahead. They go through the model with the last decided token, and the
//! rows decide how many of them stand. The sequence is rolled back to the first that does not. So
//! tokens and digests are those of a generation without a drafter.

use crate::{
    constraint::{Masks, Ready},
    digest,
    draft::{Drafter, Pace},
    ends::EndSearch,
    prompt::ensure_known,
    task::{run_alone, Choice, Next, Task},
    EngineError, FinishReason, GenerateSpec, Limits, Logprobs, Model, Threads,
};
use std::{ops::Range, sync::atomic::AtomicBool};

/// An output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generation {
    /// The output tokens, including the end token, or those of the stop string.
    pub tokens: Vec<u32>,
    /// The reason why it ends.
    pub finish: FinishReason,
    /// The digest of the logits that chose each token.
    pub digests: Vec<[u8; 32]>,
    /// The log probabilities of the tokens, if the spec asks for them.
    pub logprobs: Logprobs,
    /// [`digest::root`] of `digests` and `tokens`.
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
    ensure_known(model, input)
}

/// A generation in progress.
pub(crate) struct Generating {
    /// The input, the output so far, and then the draft.
    tokens: Vec<u32>,
    input: usize,
    decided: usize,
    digests: Vec<[u8; 32]>,
    logprobs: Logprobs,
    spec: GenerateSpec,
    ends: EndSearch,
    masks: Option<Masks>,
    vocab: u32,
    drafter: Option<Box<dyn Drafter>>,
    pace: Pace,
    finish: Option<FinishReason>,
}

impl Generating {
    pub(crate) fn new(
        model: &Model,
        input: Vec<u32>,
        spec: &GenerateSpec,
        drafter: Option<Box<dyn Drafter>>,
    ) -> Result<Self, EngineError> {
        check_job(model, &input, spec)?;
        let masks = spec.constraint()?.map(|form| Masks::new(form, model)).transpose()?;
        Ok(Self {
            input: input.len(),
            decided: input.len(),
            tokens: input,
            digests: Vec::new(),
            logprobs: Logprobs::default(),
            spec: spec.clone(),
            ends: EndSearch::new(model.tokenizer(), &spec.stops, spec.ignore_end),
            masks,
            vocab: model.info().vocab_size,
            drafter,
            pace: Pace::default(),
            finish: None,
        })
    }

    /// Returns whether the input has gone through, so that each row is an output token.
    pub(crate) fn decodes(&self) -> bool {
        self.decided > self.input
    }

    /// Returns the output, once the task is done.
    pub(crate) fn into_generation(mut self) -> Option<Generation> {
        let finish = self.finish?;
        let tokens = self.tokens.split_off(self.input);
        let digest_root = digest::root(&self.spec.digest_key, &self.digests, &tokens);
        let (digests, logprobs) = (self.digests, self.logprobs);
        Some(Generation { tokens, finish, digests, logprobs, digest_root })
    }

    /// Takes the token that a row chooses, and returns whether the draft after it still stands.
    fn decide(&mut self, choice: &Choice, on_token: &mut dyn FnMut(u32, u32)) -> bool {
        on_token(self.digests.len() as u32, choice.token);
        self.digests.push(choice.digest);
        if let Some(logprobs) = &choice.logprobs {
            self.logprobs.push(logprobs);
        }
        let stands = self.tokens.get(self.decided) == Some(&choice.token);
        if !stands {
            self.tokens.truncate(self.decided);
            self.tokens.push(choice.token);
        }
        self.decided += 1;
        let full = self.digests.len() >= self.spec.max_tokens as usize;
        self.finish = self.ends.push(choice.token).or(full.then_some(FinishReason::Length));
        stands
    }
}

impl Task for Generating {
    /// Returns the capacity; the last token is chosen and never sent through the model.
    fn capacity(&self) -> usize {
        self.input + self.spec.max_tokens as usize - 1
    }

    fn prepare(&mut self, room: usize) {
        let Some(drafter) = &mut self.drafter else { return };
        if self.decided == self.input || self.tokens.len() > self.decided {
            return;
        }
        let capacity = self.input + self.spec.max_tokens as usize - 1;
        let most = (capacity - self.decided).min(room.saturating_sub(1));
        let count = self.pace.length().min(most);
        if count > 0 {
            let drafted = drafter.draft(&self.spec.sample, &self.tokens, count);
            // A drafter is not trusted to respect the bounds.
            let valid = drafted.into_iter().take(count).take_while(|&token| token < self.vocab);
            self.tokens.extend(valid);
        }
    }

    fn tokens(&self) -> &[u32] {
        &self.tokens
    }

    fn input(&self) -> usize {
        self.input
    }

    fn wanted(&self, index: usize) -> bool {
        index + 1 >= self.input
    }

    fn constrain(&mut self, indices: Range<usize>) -> Result<(), EngineError> {
        let Some(masks) = &mut self.masks else { return Ok(()) };
        let (output, decided) = (&self.tokens[self.input..], self.decided - self.input);
        let positions = indices.filter_map(|index| (index + 1).checked_sub(self.input));
        // Rows after a draft that leaves the form are not used: the row before it decides otherwise.
        masks.prepare(output, decided, positions).map(drop)
    }

    fn masks(&self) -> Option<&Ready> {
        self.masks.as_ref().map(Masks::ready)
    }

    fn spec(&self) -> &GenerateSpec {
        &self.spec
    }

    fn accept(&mut self, choices: &[Choice], on_token: &mut dyn FnMut(u32, u32)) -> Next {
        let drafted = self.tokens.len() - self.decided;
        let mut stood = 0;
        for choice in choices {
            let stands = self.decide(choice, on_token);
            stood += usize::from(stands);
            if self.finish.is_some() {
                self.tokens.truncate(self.decided);
                return Next::Done;
            }
            if !stands {
                break;
            }
        }
        if choices.is_empty() || drafted == 0 {
            self.pace.step();
            return Next::More;
        }
        // A long draft may go through in several steps.
        let sent = drafted.min(choices.len());
        self.pace.learn(sent, stood);
        if stood < sent {
            Next::RollBack(self.decided - 1)
        } else {
            Next::More
        }
    }
}

/// Generates up to `spec.max_tokens` tokens after `input`.
///
/// `on_token` is called with each token as soon as it is chosen: its index in the output and its
/// id.
///
/// # Errors
/// Returns [`EngineError::EmptyInput`], [`EngineError::MaxTokensZero`],
/// [`EngineError::PromptTooLong`], [`EngineError::TokenOutOfVocab`], [`EngineError::MemoryLimit`],
/// [`EngineError::Deadline`] or [`EngineError::Cancelled`]. For a constraint, returns the errors of
/// [`Constraint::ensure_compiles`](crate::Constraint::ensure_compiles) and [`EngineError::ConstraintIgnoresEnd`].
pub fn generate(
    model: &Model,
    threads: &Threads,
    input: &[u32],
    spec: &GenerateSpec,
    limits: &Limits,
    cancel: &AtomicBool,
    on_token: &mut dyn FnMut(u32, u32),
) -> Result<Generation, EngineError> {
    run((model, threads), (input, None), spec, (limits, cancel), on_token)
}

/// Generates as [`generate`] does, with tokens guessed ahead by `drafter`. The result is the same,
/// and is available sooner if the guesses are good.
///
/// # Errors
/// Returns the errors of [`generate`].
#[allow(clippy::too_many_arguments, reason = "the arguments of `generate` and one more")]
pub fn generate_with_draft(
    model: &Model,
    threads: &Threads,
    input: &[u32],
    drafter: Box<dyn Drafter>,
    spec: &GenerateSpec,
    limits: &Limits,
    cancel: &AtomicBool,
    on_token: &mut dyn FnMut(u32, u32),
) -> Result<Generation, EngineError> {
    run((model, threads), (input, Some(drafter)), spec, (limits, cancel), on_token)
}

fn run(
    on: (&Model, &Threads),
    (input, drafter): (&[u32], Option<Box<dyn Drafter>>),
    spec: &GenerateSpec,
    (limits, cancel): (&Limits, &AtomicBool),
    on_token: &mut dyn FnMut(u32, u32),
) -> Result<Generation, EngineError> {
    let mut task = Generating::new(on.0, input.to_vec(), spec, drafter)?;
    run_alone(on, &mut task, limits, cancel, on_token)?;
    // A task that is done has a finish reason.
    task.into_generation().ok_or(EngineError::Cancelled { tokens: 0 })
}
