// SPDX-License-Identifier: Apache-2.0
//! The progress that a client makes from one look at its connection to the next.

use super::limits::Limits;
use std::time::{Duration, Instant};

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
    pub answers: usize,
    /// The room for the request that the client sends.
    pub request: usize,
}

/// The faults of a client that a look at its connection finds.
#[derive(Clone, Copy)]
pub struct Faults {
    /// The client has taken nothing for too long of the answers that it is owed.
    pub stalled: bool,
    /// The client has asked for nothing for too long.
    pub idle: bool,
    /// The client takes answers too slowly for the room that it holds.
    pub takes_slowly: bool,
    /// The client sends a request too slowly for the room that it holds.
    pub sends_slowly: bool,
}

/// The state of a connection when it was last looked at.
pub struct Progress {
    /// The time since which nothing was written that is owed, and the bytes written then.
    idle: (Instant, u64),
    /// The time since which there was no request and no byte read or written, and those bytes then.
    quiet: (Instant, u64),
    /// The pace at which the client takes answers.
    answers: Pace,
    /// The pace at which the client sends requests.
    requests: Pace,
}

impl Progress {
    /// Starts with a connection that is new.
    pub const fn new(now: Instant) -> Self {
        let (answers, requests) = (Pace::new(now), Pace::new(now));
        Self { idle: (now, 0), quiet: (now, 0), answers, requests }
    }

    /// Looks at the counters, and returns the faults of the client.
    pub fn look(&mut self, now: Instant, counts: &Counts, limits: &Limits) -> Faults {
        if counts.owed == 0 || counts.written != self.idle.1 {
            self.idle = (now, counts.written);
        }
        let bytes = counts.read + counts.written;
        if counts.busy || bytes != self.quiet.1 {
            self.quiet = (now, bytes);
        }
        Faults {
            stalled: now.duration_since(self.idle.0) >= limits.patience,
            idle: now.duration_since(self.quiet.0) >= limits.idle,
            takes_slowly: self.answers.is_slow(now, limits.pressed, counts.written, counts.answers),
            sends_slowly: self.requests.is_slow(now, limits.pressed, counts.read, counts.request),
        }
    }
}

/// The pace at which bytes move for which room is held, measured in periods.
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

    /// Returns whether room was held for the whole last period, and fewer bytes moved than an eighth of that.
    fn is_slow(&mut self, now: Instant, period: Duration, bytes: u64, held: usize) -> bool {
        if now.duration_since(self.start.0) >= period {
            self.recent = Some((bytes - self.start.1, self.start.2));
            self.start = (now, bytes, held);
        }
        let Some((recent, before)) = self.recent else { return false };
        let throughout = held.min(before);
        throughout > 0 && recent < (throughout as u64).div_ceil(8)
    }
}
