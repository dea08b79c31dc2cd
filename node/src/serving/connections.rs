// SPDX-License-Identifier: Apache-2.0
//! The connections of all clients, of which those are closed that stall.

use super::{connection::Connection, limits::Limits, room::Pool};
use parking_lot::Mutex;
use std::{
    cmp::Reverse,
    sync::{Arc, Weak},
    time::Instant,
};
use tokio::sync::{futures::Notified, Notify};

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
        let (answers, requests) = (self.answers.clone(), self.requests.clone());
        let connection = Connection::new(self.limits.clone(), answers, requests);
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

    /// Closes connections whose clients stall, forever, and tells `closed` why. While others wait for room, those
    /// that hold most of it and take or send little make a quarter of it free, again and again.
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
            let faults = connection.look(now);
            if faults.stalled {
                connection.cut();
                closed(Reason::Stalled);
            } else if faults.idle {
                connection.cut();
            } else if faults.takes_slowly || faults.sends_slowly || faults.waits {
                slow.push((faults, connection));
            }
        }
        if self.is_pressed(&self.answers) {
            let slow = slow.iter().filter(|(faults, _)| faults.takes_slowly);
            let held = slow.map(|(_, connection)| (connection.held(), &**connection));
            make_way(held.collect(), self.limits.all_answers / 4, closed);
        }
        if self.is_pressed(&self.requests) {
            // A client that does not take answers holds the requests that wait for room for theirs.
            let slow = slow.iter().filter(|(_, connection)| !connection.is_cut());
            let (slow, wait): (Vec<_>, Vec<_>) =
                slow.partition(|(faults, _)| faults.takes_slowly || faults.sends_slowly);
            let mut enough = self.limits.all_requests / 4;
            for connections in [slow, wait] {
                let held = connections.into_iter().map(|(_, it)| (it.requests.taken(), &**it));
                let freed = make_way(held.collect(), enough, closed);
                enough = enough.saturating_sub(freed);
            }
        }
    }

    /// Returns whether others have waited for room for too long.
    fn is_pressed(&self, pool: &Pool) -> bool {
        pool.longest_wait().is_some_and(|waited| waited >= self.limits.pressed)
    }

    /// Returns how long somebody has waited for the room of all.
    #[cfg(test)]
    pub fn longest_wait(&self) -> Option<std::time::Duration> {
        self.answers.longest_wait().max(self.requests.longest_wait())
    }

    /// Returns the number of bytes of answers for which room is taken.
    #[cfg(test)]
    pub fn taken(&self) -> usize {
        self.answers.taken()
    }

    /// Returns the connections that are open and not being closed, and drops the others.
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

/// Closes the connections that hold most room until so much is free, and returns how much is.
fn make_way(
    mut held: Vec<(usize, &Connection)>,
    enough: usize,
    closed: &mut impl FnMut(Reason),
) -> usize {
    held.sort_by_key(|(held, _)| Reverse(*held));
    let mut freed = 0;
    for (held, connection) in held {
        if held == 0 || freed >= enough {
            break;
        }
        freed += held;
        connection.cut();
        closed(Reason::Pressed);
    }
    freed
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

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
    async fn largest_of_those_that_send_slowly_makes_room_for_others() {
        let connections = Connections::new(Limits { requests: 32, all_requests: 64, ..limits() });
        let (sends, less, more) = (connections.open(), connections.open(), connections.open());
        let now = Instant::now();
        let after = |seconds| now + Duration::from_secs(seconds);
        let mut held = Vec::new();
        for (connection, bytes) in [(&sends, 30), (&less, 10), (&more, 20)] {
            held.push(connection.requests.take(bytes).await);
            connection.receives(bytes);
        }
        assert_eq!(reasons(&connections, after(1)), [], "nobody waits");
        sends.got(30);
        let waits = connections.open();
        let mut waiting = std::pin::pin!(waits.requests.take(16));
        assert!(futures::poll!(&mut waiting).is_pending());
        assert_eq!(reasons(&connections, after(2)), [Reason::Pressed]);
        assert!(more.is_cut() && !less.is_cut() && !sends.is_cut() && !waits.is_cut());
    }

    #[tokio::test]
    async fn client_that_waits_in_a_request_makes_way_after_those_that_send_slowly() {
        let connections = Connections::new(Limits { requests: 32, all_requests: 64, ..limits() });
        let (waits, stops, other) = (connections.open(), connections.open(), connections.open());
        let now = Instant::now();
        let after = |seconds| now + Duration::from_secs(seconds);
        let mut held = Vec::new();
        for (connection, bytes) in [(&waits, 30), (&stops, 20)] {
            held.push(connection.requests.take(bytes).await);
            connection.receives(bytes);
        }
        waits.waits(true);
        assert_eq!(reasons(&connections, after(1)), [], "nobody else waits");
        let mut waiting = std::pin::pin!(other.requests.take(32));
        assert!(futures::poll!(&mut waiting).is_pending());
        assert_eq!(reasons(&connections, after(2)), [Reason::Pressed]);
        assert!(stops.is_cut() && !waits.is_cut());
        assert_eq!(reasons(&connections, after(3)), [Reason::Pressed]);
        assert!(waits.is_cut() && !other.is_cut());
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
