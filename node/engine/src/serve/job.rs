// SPDX-License-Identifier: Apache-2.0
//! Jobs: the requests, the submitter's handle, and the form that the server runs.

use super::share::{Kind, Want};
use crate::{
    draft::Drafter,
    generate::Generating,
    panics::caught,
    task::{Choice, Next, Task},
    verify::Verifying,
    EngineError, GenerateSpec, Generation, Limits, Positions, Prompt, Transcript, Verification,
};
use std::{
    ops::Range,
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc::{channel, Receiver, Sender},
        Arc,
    },
};

/// A request for a generation.
pub struct GenerateJob {
    /// Tokens of the input.
    pub input: Vec<u32>,
    /// The sampling and the length of the output.
    pub spec: GenerateSpec,
    /// The memory of its cache, and its deadline, which includes the time in the queue.
    pub limits: Limits,
    /// Cancels the job when it is set.
    pub cancel: Arc<AtomicBool>,
    /// Guesses tokens ahead; `None` generates without guesses.
    pub drafter: Option<Box<dyn Drafter>>,
}

/// A request for a verification.
#[derive(Clone, Debug)]
pub struct VerifyJob {
    /// The prompt in the job's request.
    pub prompt: Prompt,
    /// The output that the operator delivered.
    pub transcript: Transcript,
    /// The spec of the job.
    pub spec: GenerateSpec,
    /// The positions to check.
    pub positions: Positions,
    /// The memory of its cache, and its deadline, which includes the time in the queue.
    pub limits: Limits,
    /// Cancels the job when it is set.
    pub cancel: Arc<AtomicBool>,
}

/// The handle that the submitter of a job holds. Dropping it cancels the job.
#[derive(Debug)]
pub struct Handle<T> {
    tokens: Receiver<(u32, u32)>,
    result: Receiver<Result<T, EngineError>>,
    cancel: Arc<AtomicBool>,
    ended: bool,
}

impl<T> Handle<T> {
    /// Waits for the next output token and returns its index and id, or `None` when the job has
    /// ended.
    pub fn next_token(&self) -> Option<(u32, u32)> {
        self.tokens.recv().ok()
    }

    /// Returns the next output token if it is available.
    pub fn try_next_token(&self) -> Option<(u32, u32)> {
        self.tokens.try_recv().ok()
    }

    /// Cancels the job, which soon ends with [`EngineError::Cancelled`].
    pub fn cancel(&self) {
        self.cancel.store(true, Ordering::Relaxed);
    }

    /// Waits for the result.
    ///
    /// # Errors
    /// Returns the errors of [`crate::generate`] or [`crate::verify`], and
    /// [`EngineError::ServerClosed`].
    pub fn wait(mut self) -> Result<T, EngineError> {
        self.ended = true;
        self.result.recv().unwrap_or(Err(EngineError::ServerClosed))
    }
}

impl<T> Drop for Handle<T> {
    fn drop(&mut self) {
        if !self.ended {
            self.cancel();
        }
    }
}

/// The server's end of a handle.
struct Reply<T> {
    tokens: Sender<(u32, u32)>,
    result: Sender<Result<T, EngineError>>,
}

fn handle<T>(cancel: &Arc<AtomicBool>) -> (Reply<T>, Handle<T>) {
    let ((token_in, tokens), (result_in, result)) = (channel(), channel());
    let handle = Handle { tokens, result, cancel: cancel.clone(), ended: false };
    (Reply { tokens: token_in, result: result_in }, handle)
}

/// Returns the handle of a result that is available already.
pub(super) fn ended<T>(result: T, cancel: &Arc<AtomicBool>) -> Handle<T> {
    let (reply, handle) = handle(cancel);
    // The send cannot fail, since the handle is alive.
    let _ = reply.result.send(Ok(result));
    handle
}

/// A job that waits or runs.
pub(super) struct Job {
    work: Work,
    limits: Limits,
    cancel: Arc<AtomicBool>,
}

enum Work {
    Generate(Box<Generating>, Reply<Generation>),
    Verify(Box<Verifying>, Reply<Verification>),
}

impl Job {
    pub(super) fn generate(
        task: Generating,
        limits: Limits,
        cancel: Arc<AtomicBool>,
    ) -> (Self, Handle<Generation>) {
        let (reply, handle) = handle(&cancel);
        (Self { work: Work::Generate(Box::new(task), reply), limits, cancel }, handle)
    }

    pub(super) fn verify(
        task: Verifying,
        limits: Limits,
        cancel: Arc<AtomicBool>,
    ) -> (Self, Handle<Verification>) {
        let (reply, handle) = handle(&cancel);
        (Self { work: Work::Verify(Box::new(task), reply), limits, cancel }, handle)
    }

    pub(super) fn kind(&self) -> Kind {
        match self.work {
            Work::Generate(..) => Kind::Generate,
            Work::Verify(..) => Kind::Verify,
        }
    }

    /// Returns whether the submitter waits for the next token.
    pub(super) fn decodes(&self) -> bool {
        matches!(&self.work, Work::Generate(task, _) if task.decodes())
    }

    pub(super) fn task(&self) -> &dyn Task {
        match &self.work {
            Work::Generate(task, _) => &**task,
            Work::Verify(task, _) => &**task,
        }
    }

    pub(super) fn prepare(&mut self, room: usize) {
        match &mut self.work {
            Work::Generate(task, _) => task.prepare(room),
            Work::Verify(task, _) => task.prepare(room),
        }
    }

    /// Makes the masks ready for the rows after the tokens at these indices.
    pub(super) fn constrain(&mut self, indices: Range<usize>) -> Result<(), EngineError> {
        match &mut self.work {
            Work::Generate(task, _) => task.constrain(indices),
            Work::Verify(task, _) => task.constrain(indices),
        }
    }

    /// Returns the rows that the job wants, when `sent` tokens have gone through.
    pub(super) fn want(&self, sent: usize) -> Want {
        Want { kind: self.kind(), rows: self.task().tokens().len().saturating_sub(sent) }
    }

    /// Returns an error once the job is cancelled or late; `sent` tokens have gone through.
    pub(super) fn check(&self, sent: usize) -> Result<(), EngineError> {
        self.limits.check(&self.cancel, sent)
    }

    pub(super) fn accept(&mut self, choices: &[Choice]) -> Next {
        match &mut self.work {
            Work::Generate(task, reply) => task.accept(choices, &mut |index, token| {
                // A submitter that has dropped the handle has also cancelled the job.
                let _ = reply.tokens.send((index, token));
            }),
            Work::Verify(task, _) => task.accept(choices, &mut |_, _| ()),
        }
    }

    /// Sends the result, which must be available. A panic of the drafter at its end is the job's.
    pub(super) fn finish(self) {
        // The submitter may have dropped the handle.
        match self.work {
            Work::Generate(task, reply) => {
                let result = match caught(|| task.into_generation()) {
                    Ok(generation) => generation.ok_or(EngineError::ServerClosed),
                    Err(message) => Err(EngineError::Panicked { message }),
                };
                let _ = reply.result.send(result);
            }
            Work::Verify(task, reply) => {
                let _ = reply.result.send(task.result().ok_or(EngineError::ServerClosed));
            }
        }
    }

    /// Sends an error in place of a result.
    pub(super) fn fail(self, error: EngineError) {
        // The submitter may have dropped the handle.
        match self.work {
            Work::Generate(_, reply) => drop(reply.result.send(Err(error))),
            Work::Verify(_, reply) => drop(reply.result.send(Err(error))),
        }
    }
}
