// SPDX-License-Identifier: Apache-2.0
//! The connections of clients: what each owes its client, and what it has written.

use super::room::{Charge, Pool, Room};
use parking_lot::Mutex;
use std::{
    cmp::Reverse,
    sync::{
        atomic::{AtomicU64, AtomicUsize, Ordering},
        Arc, Weak,
    },
    time::{Duration, Instant},
};
use tokio::sync::{futures::Notified, watch, Notify, Semaphore};

/// The sizes of rooms, in bytes, and the bounds of all that a server waits for.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The answers of a connection that are computed or not yet written.
    pub answers: usize,
    /// The answers of all connections.
    pub all_answers: usize,
    /// The requests of a connection that are not answered yet.
    pub requests: usize,
    /// The requests of all connections.
    pub all_requests: usize,
    /// The time without a byte written after which a connection that owes answers is closed.
    pub patience: Duration,
    /// The time without a byte read or written after which a connection is closed that has no request.
    pub idle: Duration,
    /// The time that a call waits for the room of all until connections are closed that hold it.
    pub pressed: Duration,
    /// The time between two looks at the connections.
    pub tick: Duration,
    /// The longest time until another connection is accepted after all descriptors were in use.
    pub pause: Duration,
    /// The longest time for which a new subscription holds room for its first message.
    pub first: Duration,
    /// The time between two pings of a WebSocket.
    pub ping: Duration,
    /// The time without a byte read after which a WebSocket is closed. While nothing is read, because the client
    /// is owed answers, nobody waits for one.
    pub life: Duration,
    /// The longest time for which the end of a WebSocket is written.
    pub farewell: Duration,
}

impl Limits {
    /// Returns the limits for answers and requests of at most so many bytes.
    pub fn new(answer: usize, request: usize) -> Self {
        // A batch needs room for what it has answered and for the next answer.
        let answers = (32 << 20).max(answer.saturating_mul(2));
        let requests = (16 << 20).max(request);
        Self {
            answers,
            all_answers: (256 << 20).max(answers.saturating_mul(8)),
            requests,
            all_requests: (128 << 20).max(requests.saturating_mul(8)),
            patience: Duration::from_secs(30),
            // Proxies and clients keep connections over HTTP for 90 seconds at most.
            idle: Duration::from_secs(120),
            pressed: Duration::from_secs(3),
            tick: Duration::from_secs(1),
            pause: Duration::from_millis(100),
            first: Duration::from_millis(250),
            ping: Duration::from_secs(30),
            life: Duration::from_secs(180),
            farewell: Duration::from_secs(5),
        }
    }
}

/// A connection of a client, over TCP.
pub struct Connection {
    /// The limits of all connections.
    pub limits: Arc<Limits>,
    /// The room for answers.
    pub answers: Room,
    /// The room for requests.
    pub requests: Room,
    /// The turn of batches: what one has answered cannot stand in the way of another.
    pub batches: Semaphore,
    owed: AtomicU64,
    written: AtomicU64,
    read: AtomicU64,
    busy: AtomicUsize,
    computing: AtomicUsize,
    seen: Mutex<Seen>,
    cut: watch::Sender<bool>,
}

/// The state of a connection when it was last looked at.
struct Seen {
    /// The time since which nothing was written that is owed, and the bytes written then.
    idle: (Instant, u64),
    /// The time since which there was no request and no byte read or written, and those bytes then.
    quiet: (Instant, u64),
    /// The beginning of a period, the bytes written then, and the room that the client held.
    period: (Instant, u64, usize),
    /// The bytes written in the last whole period, and the room that the client held when it began.
    recent: Option<(u64, usize)>,
}

impl Connection {
    /// Counts bytes that were handed to the system.
    pub fn wrote(&self, bytes: usize) {
        self.written.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Counts bytes that the client has sent.
    pub fn got(&self, bytes: usize) {
        self.read.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Notes that the connection has a request that is read, or is a WebSocket, until the result is dropped.
    pub fn busy(self: &Arc<Self>) -> Busy {
        self.busy.fetch_add(1, Ordering::Relaxed);
        Busy(self.clone())
    }

    /// Notes that the client is owed an answer of so many bytes, until the result is dropped.
    pub fn owe(self: &Arc<Self>, charge: Charge, bytes: usize) -> Debt {
        let bytes = bytes as u64;
        self.owed.fetch_add(bytes, Ordering::Relaxed);
        Debt { connection: self.clone(), bytes, _charge: charge }
    }

    /// Has the connection closed, if it is not, and those that wait on its behalf give up.
    pub fn cut(&self) {
        self.cut.send_replace(true);
    }

    /// Returns whether the connection is to be closed.
    pub fn is_cut(&self) -> bool {
        *self.cut.borrow()
    }

    /// Waits until the connection is to be closed.
    pub async fn until_cut(&self) {
        // The sender lives as long as this.
        let _ = self.cut.subscribe().wait_for(|cut| *cut).await;
    }

    /// Looks at what was written, and returns whether the client has taken nothing for that long of what
    /// it is owed.
    fn is_stalled(&self, now: Instant) -> bool {
        let written = self.written.load(Ordering::Relaxed);
        let mut seen = self.seen.lock();
        if now.duration_since(seen.period.0) >= self.limits.pressed {
            seen.recent = Some((written - seen.period.1, seen.period.2));
            seen.period = (now, written, self.held());
        }
        if self.owed.load(Ordering::Relaxed) == 0 || written != seen.idle.1 {
            seen.idle = (now, written);
        }
        now.duration_since(seen.idle.0) >= self.limits.patience
    }

    /// Returns whether the client has asked for nothing for too long.
    fn is_idle(&self, now: Instant) -> bool {
        let bytes = self.read.load(Ordering::Relaxed) + self.written.load(Ordering::Relaxed);
        let mut seen = self.seen.lock();
        if self.busy.load(Ordering::Relaxed) > 0 || bytes != seen.quiet.1 {
            seen.quiet = (now, bytes);
        }
        now.duration_since(seen.quiet.0) >= self.limits.idle
    }

    /// Notes that a call has room and is computed, until the result is dropped.
    pub fn compute(self: &Arc<Self>) -> Computing {
        self.computing.fetch_add(1, Ordering::Relaxed);
        Computing(self.clone())
    }

    /// Returns the room that the client holds. The client does not hold the room that is reserved for calls which
    /// the node still computes.
    fn held(&self) -> usize {
        match self.computing.load(Ordering::Relaxed) {
            0 => self.answers.taken(),
            _ => self.owed.load(Ordering::Relaxed) as usize,
        }
    }

    /// Returns the room that the client holds if it has held room for the whole last period, and has taken
    /// less than an eighth of that.
    fn held_by_slow(&self) -> Option<usize> {
        let held = self.held();
        let (recent, before) = self.seen.lock().recent?;
        let throughout = held.min(before);
        (throughout > 0 && recent < (throughout as u64).div_ceil(8)).then_some(held)
    }
}

/// An answer that is not written yet, until it is dropped.
pub struct Debt {
    connection: Arc<Connection>,
    bytes: u64,
    _charge: Charge,
}

impl Drop for Debt {
    fn drop(&mut self) {
        self.connection.owed.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// A connection with a request, until it is dropped.
pub struct Busy(Arc<Connection>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.busy.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A call that is computed, until it is dropped.
pub struct Computing(Arc<Connection>);

impl Drop for Computing {
    fn drop(&mut self) {
        self.0.computing.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The reason for which a connection is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The client takes nothing.
    Stalled,
    /// Others wait for the room that the client holds.
    Pressed,
}

impl Reason {
    /// Returns the name of the reason among the labels of metrics.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Stalled => "stalled",
            Self::Pressed => "pressed",
        }
    }
}

/// A stream of a connection, whose end is told to those that wait for it when this is dropped.
pub struct End(Arc<Notify>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.notify_waiters();
    }
}

/// All connections.
pub struct Connections {
    /// The limits of each and of all.
    pub limits: Arc<Limits>,
    answers: Arc<Pool>,
    requests: Arc<Pool>,
    open: Mutex<Vec<Weak<Connection>>>,
    ended: Arc<Notify>,
}

impl Connections {
    /// Makes the room that connections share.
    pub fn new(limits: Limits) -> Arc<Self> {
        let (answers, requests) = (Pool::new(limits.all_answers), Pool::new(limits.all_requests));
        let (open, ended) = (Mutex::default(), Arc::default());
        Arc::new(Self { limits: Arc::new(limits), answers, requests, open, ended })
    }

    /// Adds a connection.
    pub fn open(&self) -> Arc<Connection> {
        let now = Instant::now();
        let connection = Arc::new(Connection {
            limits: self.limits.clone(),
            answers: Room::new(self.limits.answers, self.answers.clone()),
            requests: Room::new(self.limits.requests, self.requests.clone()),
            batches: Semaphore::new(1),
            owed: AtomicU64::new(0),
            written: AtomicU64::new(0),
            read: AtomicU64::new(0),
            busy: AtomicUsize::new(0),
            computing: AtomicUsize::new(0),
            seen: Mutex::new(Seen {
                idle: (now, 0),
                quiet: (now, 0),
                period: (now, 0, 0),
                recent: None,
            }),
            cut: watch::Sender::new(false),
        });
        self.open.lock().push(Arc::downgrade(&connection));
        connection
    }

    /// Notes that a connection has a stream, until the result is dropped.
    pub fn end(&self) -> End {
        End(self.ended.clone())
    }

    /// Waits until the stream of a connection has ended, from the time of this call on.
    pub fn ended(&self) -> Notified<'_> {
        self.ended.notified()
    }

    /// Closes connections whose clients do not read, forever, and tells `closed` why. While others wait for
    /// room, those that hold most of it and take little make a quarter of it free, again and again.
    pub async fn watch(self: Arc<Self>, mut closed: impl FnMut(Reason)) {
        let mut ticks = tokio::time::interval(self.limits.tick);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.look(Instant::now(), &mut closed);
        }
    }

    fn look(&self, now: Instant, closed: &mut impl FnMut(Reason)) {
        let mut slow = Vec::new();
        for connection in self.live() {
            if connection.is_stalled(now) {
                connection.cut();
                closed(Reason::Stalled);
                continue;
            }
            if connection.is_idle(now) {
                connection.cut();
                continue;
            }
            if let Some(held) = connection.held_by_slow() {
                slow.push((held, connection));
            }
        }
        if self.longest_wait().is_none_or(|waited| waited < self.limits.pressed) {
            return;
        }
        slow.sort_by_key(|(held, _)| Reverse(*held));
        let mut freed = 0;
        for (held, connection) in slow {
            if freed >= self.limits.all_answers / 4 {
                break;
            }
            freed += held;
            connection.cut();
            closed(Reason::Pressed);
        }
    }

    /// Returns how long somebody has waited for the room of all.
    pub fn longest_wait(&self) -> Option<Duration> {
        self.answers.longest_wait().max(self.requests.longest_wait())
    }

    /// Returns the number of bytes of answers for which room is taken.
    #[cfg(test)]
    pub fn taken(&self) -> usize {
        self.answers.taken()
    }

    /// Returns the connections that are open and to stay so, and forgets the others.
    pub fn live(&self) -> Vec<Arc<Connection>> {
        let mut live = Vec::new();
        self.open.lock().retain(|connection| match connection.upgrade() {
            Some(connection) => {
                if !connection.is_cut() {
                    live.push(connection);
                }
                true
            }
            None => false,
        });
        live
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> Limits {
        let second = Duration::from_secs(1);
        Limits {
            answers: 32,
            all_answers: 64,
            patience: 30 * second,
            pressed: Duration::ZERO,
            ..Limits::new(0, 0)
        }
    }

    fn reasons(connections: &Connections, now: Instant) -> Vec<Reason> {
        let mut reasons = Vec::new();
        connections.look(now, &mut |reason| reasons.push(reason));
        reasons
    }

    #[tokio::test]
    async fn connection_is_closed_when_nothing_that_it_owes_is_taken() {
        let connections = Connections::new(limits());
        let (idle, stalled) = (connections.open(), connections.open());
        let _busy = idle.busy();
        let now = Instant::now();
        let after = |seconds| now + Duration::from_secs(seconds);
        let debt = stalled.owe(stalled.answers.take(8).await, 8);
        assert_eq!(reasons(&connections, now), []);
        assert_eq!(reasons(&connections, after(29)), []);
        stalled.wrote(1);
        assert_eq!(reasons(&connections, after(31)), []);
        assert_eq!(reasons(&connections, after(60)), []);
        assert_eq!(reasons(&connections, after(61)), [Reason::Stalled]);
        assert!(stalled.is_cut() && !idle.is_cut());
        assert_eq!(reasons(&connections, after(120)), [], "it is closed once");
        drop((debt, stalled));
        assert_eq!(connections.live().len(), 1);
    }

    #[tokio::test]
    async fn largest_of_those_that_do_not_read_makes_room_for_others() {
        let connections = Connections::new(limits());
        let reads = connections.open();
        let (less, more) = (connections.open(), connections.open());
        let now = Instant::now();
        let _held = (
            reads.answers.take(30).await,
            less.answers.take(10).await,
            more.answers.take(20).await,
        );
        reads.wrote(30);
        assert_eq!(reasons(&connections, now + Duration::from_secs(1)), [], "nobody waits");
        let waits = connections.open();
        reads.wrote(30);
        let mut waiting = std::pin::pin!(waits.answers.take(16));
        assert!(futures::poll!(&mut waiting).is_pending());
        assert_eq!(reasons(&connections, now + Duration::from_secs(2)), [Reason::Pressed]);
        assert!(more.is_cut() && !less.is_cut() && !reads.is_cut() && !waits.is_cut());
    }

    #[tokio::test]
    async fn connection_without_a_request_is_closed() {
        let connections = Connections::new(limits());
        let (idle, sends, asks) = (connections.open(), connections.open(), connections.open());
        let now = Instant::now();
        let after = |seconds| now + Duration::from_secs(seconds);
        let busy = asks.busy();
        for seconds in [1, 120] {
            sends.got(1);
            assert_eq!(reasons(&connections, after(seconds)), []);
        }
        assert!(idle.is_cut() && !sends.is_cut() && !asks.is_cut());
        drop(busy);
        reasons(&connections, after(240));
        assert!(sends.is_cut() && asks.is_cut());
    }

    #[tokio::test]
    async fn client_that_has_only_begun_to_hold_room_keeps_its_connection() {
        let connections = Connections::new(limits());
        let (computes, begins, stalled) =
            (connections.open(), connections.open(), connections.open());
        let now = Instant::now();
        let after = |seconds| now + Duration::from_secs(seconds);
        // The largest is reserved for a call that takes long.
        let _held = (computes.answers.take(30).await, stalled.answers.take(10).await);
        let _computing = computes.compute();
        assert_eq!(reasons(&connections, after(1)), []);
        let _later = begins.answers.take(20).await;
        let waits = connections.open();
        let mut waiting = std::pin::pin!(waits.answers.take(16));
        assert!(futures::poll!(&mut waiting).is_pending());
        assert_eq!(reasons(&connections, after(2)), [Reason::Pressed]);
        assert!(stalled.is_cut() && !computes.is_cut() && !begins.is_cut());
    }
}
