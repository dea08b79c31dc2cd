// SPDX-License-Identifier: Apache-2.0
//! The progress that a client makes from one look at its connection to the next.

use super::limits::Limits;
use std::time::Instant;

/// The counters of a connection at one time.
#[derive(Clone, Copy)]
pub struct Counts {
    /// The bytes that the client has sent.
    pub read: u64,
    /// The bytes that were handed to the system.
    pub written: u64,
    /// The bytes of answers that are not written yet.
    pub owed: u64,
    /// Whether the connection has a request, or is a WebSocket.
    pub busy: bool,
    /// The room for answers that the client holds.
    pub held: usize,
}

/// The state of a connection when it was last looked at.
pub struct Progress {
    /// The time since which nothing was written that is owed, and the bytes written then.
    idle: (Instant, u64),
    /// The time since which there was no request and no byte read or written, and those bytes then.
    quiet: (Instant, u64),
    /// The pace at which the client takes answers.
    answers: Pace,
}

impl Progress {
    /// Starts with a connection that is new.
    pub const fn new(now: Instant) -> Self {
        Self { idle: (now, 0), quiet: (now, 0), answers: Pace::new(now) }
    }

    /// Looks at the counters.
    pub fn look(&mut self, now: Instant, counts: &Counts, limits: &Limits) {
        if counts.owed == 0 || counts.written != self.idle.1 {
            self.idle = (now, counts.written);
        }
        let bytes = counts.read + counts.written;
        if counts.busy || bytes != self.quiet.1 {
            self.quiet = (now, bytes);
        }
        if now.duration_since(self.answers.start.0) >= limits.pressed {
            self.answers.turn(now, counts.written, counts.held);
        }
    }

    /// Returns whether the client has taken nothing for too long of the answers that it is owed.
    pub fn is_stalled(&self, now: Instant, limits: &Limits) -> bool {
        now.duration_since(self.idle.0) >= limits.patience
    }

    /// Returns whether the client has asked for nothing for too long.
    pub fn is_idle(&self, now: Instant, limits: &Limits) -> bool {
        now.duration_since(self.quiet.0) >= limits.idle
    }

    /// Returns whether the client takes answers too slowly for the room that it holds.
    pub fn is_slow(&self, held: usize) -> bool {
        self.answers.is_slow(held)
    }
}

/// The pace at which bytes free room, measured in periods.
struct Pace {
    /// The beginning of a period, the bytes until then, and the room that was held.
    start: (Instant, u64, usize),
    /// The bytes of the last whole period, and the room that was held when it began.
    recent: Option<(u64, usize)>,
}

impl Pace {
    const fn new(now: Instant) -> Self {
        Self { start: (now, 0, 0), recent: None }
    }

    /// Ends a period and begins another.
    fn turn(&mut self, now: Instant, bytes: u64, held: usize) {
        self.recent = Some((bytes - self.start.1, self.start.2));
        self.start = (now, bytes, held);
    }

    /// Returns whether room was held for the whole last period, and fewer bytes came than an eighth of that.
    fn is_slow(&self, held: usize) -> bool {
        let Some((recent, before)) = self.recent else { return false };
        let throughout = held.min(before);
        throughout > 0 && recent < (throughout as u64).div_ceil(8)
    }
}
