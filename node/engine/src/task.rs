// SPDX-License-Identifier: Apache-2.0
//! The interface between a job and the forward pass. Generation and verification are the same work:
//! tokens that are assumed correct go through the model, and each row says which token should have
//! come next.

use crate::{
    choose, constraint::Ready, digest, forward::CHUNK, logprobs, sampling::choose_among, Context,
    EngineError, GenerateSpec, Limits, Model, Row, Session, Threads, TokenLogprobs,
};
use std::{ops::Range, sync::atomic::AtomicBool};

/// The model's choice after one token.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    /// Index of the token that the row follows.
    pub index: usize,
    /// The token that the row chooses.
    pub token: u32,
    /// The digest of the row.
    pub digest: [u8; 32],
    /// The log probabilities, if the job asks for them.
    pub logprobs: Option<TokenLogprobs>,
}

/// Returns the choice of a row, among the tokens that its mask allows if it has one. The first `input` of the tokens
/// are the input.
pub(crate) fn judge(
    row: Row<'_>,
    (tokens, input): (&[u32], usize),
    spec: &GenerateSpec,
    masks: Option<&Ready>,
) -> Choice {
    let before = Context { tokens: &tokens[..=row.position], input };
    let mask = masks.and_then(|masks| masks.at((row.position + 1).checked_sub(input)?));
    let token = match mask {
        Some(mask) => choose_among(row.logits, before, &spec.sample, &spec.adjustments, mask),
        None => choose(row.logits, before, &spec.sample, &spec.adjustments),
    };
    let digest = digest::position(&spec.digest_key, row.logits);
    let count = usize::from(spec.logprobs);
    let logprobs = (count > 0).then(|| logprobs::of_row(row.logits, token, count));
    Choice { index: row.position, token, digest, logprobs }
}

/// The next action after some rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Send the tokens that have not gone through yet.
    More,
    /// Forget all tokens except this number, and send the others.
    RollBack(usize),
    /// Stop, since the result is available.
    Done,
}

/// A job as the forward pass sees it.
pub(crate) trait Task {
    /// Returns the most tokens that it ever sends through the model.
    fn capacity(&self) -> usize;

    /// Prepares the next step, in which `room` tokens may go through.
    fn prepare(&mut self, _room: usize) {}

    /// Returns all tokens. Those that have not gone through go next; there is at least one.
    fn tokens(&self) -> &[u32];

    /// Returns the number of tokens of the input.
    fn input(&self) -> usize;

    /// Returns the number of tokens at the beginning whose rows are never wanted.
    fn unjudged(&self) -> usize {
        self.input() - 1
    }

    /// Returns whether the row after the token at `index` is wanted.
    fn wanted(&self, index: usize) -> bool;

    /// Makes the masks ready for the rows after the tokens at these indices, if the output has a constraint.
    ///
    /// # Errors
    /// Returns [`EngineError::ConstraintResource`].
    fn constrain(&mut self, indices: Range<usize>) -> Result<(), EngineError>;

    /// Returns the masks that are ready, by the positions of the output; `None` without a constraint.
    fn masks(&self) -> Option<&Ready>;

    /// Returns the rule by which tokens are chosen, and the key of their digests.
    fn spec(&self) -> &GenerateSpec;

    /// Takes the wanted rows of a step, in order. `on_token` is called with the index and the id of
    /// each output token that they decide.
    fn accept(&mut self, choices: &[Choice], on_token: &mut dyn FnMut(u32, u32)) -> Next;
}

/// Runs a task that has the model to itself.
pub(crate) fn run_alone(
    (model, threads): (&Model, &Threads),
    task: &mut dyn Task,
    limits: &Limits,
    cancel: &AtomicBool,
    on_token: &mut dyn FnMut(u32, u32),
) -> Result<(), EngineError> {
    limits.check(cancel, 0)?;
    let mut session = Session::new(model, threads, task.capacity(), limits)?;
    let spec = task.spec().clone();
    loop {
        task.prepare(CHUNK);
        let sent = session.len()..task.tokens().len().min(session.len() + CHUNK);
        task.constrain(sent)?;
        let pending = &task.tokens()[session.len()..];
        let tokens = &pending[..pending.len().min(CHUNK)];
        let wanted = |index| task.wanted(index);
        let before = (task.tokens(), task.input());
        let masks = task.masks();
        let judge = |row: Row<'_>| judge(row, before, &spec, masks);
        let choices = session.forward(tokens, limits, cancel, &wanted, &judge)?;
        match task.accept(&choices, on_token) {
            Next::More => {}
            Next::RollBack(length) => session.truncate(length),
            Next::Done => return Ok(()),
        }
    }
}
