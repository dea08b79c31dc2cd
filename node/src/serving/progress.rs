// SPDX-License-Identifier: Apache-2.0
//! The progress that a client makes from one look at its connection to the next.

use super::limits::Limits;
use std::time::{Duration, Instant};

/// The number of periods of waiting after which every client is known that was slow from the beginning. One
/// period began earlier, another has to pass as a whole, and each can be longer by the time between two looks.
const WAITS: u32 = 3;

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
    /// Whether that request waits for more room.
    pub waits: bool,
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
    /// The client holds room for a part of a request whose rest has waited for room for so long that all that
    /// are slow are known. It may send fast.
    pub waits: bool,
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
    /// The time since which a request waits for more room.
    waits: Option<Instant>,
}

impl Progress {
    /// Returns the state of a new connection.
    pub const fn new(now: Instant) -> Self {
        let (answers, requests) = (Pace::new(now), Pace::new(now));
        Self { idle: (now, 0), quiet: (now, 0), answers, requests, waits: None }
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
        self.waits = counts.waits.then(|| self.waits.unwrap_or(now));
        // Nothing is read meanwhile, however fast the client sends.
        let request = if counts.waits { 0 } else { counts.request };
        Faults {
            stalled: now.duration_since(self.idle.0) >= limits.patience,
            idle: now.duration_since(self.quiet.0) >= limits.idle,
            takes_slowly: self.answers.is_slow(now, limits.pressed, counts.written, counts.answers),
            sends_slowly: self.requests.is_slow(now, limits.pressed, counts.read, request),
            waits: self
                .waits
                .is_some_and(|since| now.duration_since(since) >= limits.pressed * WAITS),
        }
    }
}

/// The pace at which bytes move for which room is held, measured in periods.
struct Pace {
    /// The beginning of a period, the bytes until then, and the least room that has been held since.
    start: (Instant, u64, usize),
    /// The bytes of the last whole period, and the least room that was held.
    recent: Option<(u64, usize)>,
}

impl Pace {
    const fn new(now: Instant) -> Self {
        Self { start: (now, 0, 0), recent: None }
    }

    /// Returns whether room was held for the whole last period, and fewer bytes moved than an eighth of that.
    fn is_slow(&mut self, now: Instant, period: Duration, bytes: u64, held: usize) -> bool {
        self.start.2 = self.start.2.min(held);
        if now.duration_since(self.start.0) >= period {
            self.recent = Some((bytes - self.start.1, self.start.2));
            self.start = (now, bytes, held);
        }
        let Some((recent, before)) = self.recent else { return false };
        let throughout = held.min(before);
        throughout > 0 && recent < (throughout as u64).div_ceil(8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELD: usize = 80;

    /// A client that holds room for a part of a request, and its clock in seconds.
    struct Sender {
        progress: Progress,
        limits: Limits,
        start: Instant,
        read: u64,
    }

    impl Sender {
        fn new() -> Self {
            let start = Instant::now();
            Self { progress: Progress::new(start), limits: Limits::new(0, 0), start, read: 0 }
        }

        /// Looks at each second, until which so many bytes come, and returns the faults of the last.
        fn look(
            &mut self,
            seconds: std::ops::RangeInclusive<u64>,
            bytes: u64,
            waits: bool,
        ) -> Faults {
            let looks = seconds.map(|second| {
                self.read += bytes;
                let (read, request) = (self.read, HELD);
                let counts =
                    Counts { read, written: 0, owed: 0, busy: true, answers: 0, request, waits };
                let now = self.start + Duration::from_secs(second);
                self.progress.look(now, &counts, &self.limits)
            });
            looks.last().expect("there is a second")
        }
    }

    #[test]
    fn client_that_sends_less_than_an_eighth_in_a_period_is_slow() {
        let mut sender = Sender::new();
        assert!(!sender.look(1..=9, 4, false).sends_slowly);
        assert!(!sender.look(10..=11, 3, false).sends_slowly, "the period is not over");
        assert!(sender.look(12..=12, 3, false).sends_slowly);
    }

    #[test]
    fn client_that_waits_for_room_is_not_slow_and_has_another_period_afterwards() {
        let mut sender = Sender::new();
        assert!(!sender.look(1..=9, 4, false).sends_slowly);
        let faults = sender.look(10..=18, 0, true);
        assert!(!faults.sends_slowly && !faults.waits);
        let faults = sender.look(19..=19, 0, true);
        assert!(!faults.sends_slowly && faults.waits);
        let faults = sender.look(20..=23, 0, false);
        assert!(!faults.sends_slowly && !faults.waits);
        assert!(sender.look(24..=24, 0, false).sends_slowly);
    }
}
