// SPDX-License-Identifier: Apache-2.0
//! A connection of a client, with the bytes that it owes, has read and has written.

use super::{
    limits::Limits,
    progress::{Counts, Faults, Progress},
    room::{Charge, Pool, Room},
};
use parking_lot::Mutex;
use std::{
    sync::{
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
        Arc,
    },
    time::Instant,
};
use tokio::sync::{watch, Semaphore};

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
    receiving: AtomicUsize,
    waiting: AtomicBool,
    progress: Mutex<Progress>,
    cut: watch::Sender<bool>,
}

impl Connection {
    /// Makes a connection whose room is a part of that of all.
    pub fn new(limits: Arc<Limits>, answers: Arc<Pool>, requests: Arc<Pool>) -> Arc<Self> {
        Arc::new(Self {
            answers: Room::new(limits.answers, answers),
            requests: Room::new(limits.requests, requests),
            limits,
            batches: Semaphore::new(1),
            owed: AtomicU64::new(0),
            written: AtomicU64::new(0),
            read: AtomicU64::new(0),
            busy: AtomicUsize::new(0),
            computing: AtomicUsize::new(0),
            receiving: AtomicUsize::new(0),
            waiting: AtomicBool::new(false),
            progress: Mutex::new(Progress::new(Instant::now())),
            cut: watch::Sender::new(false),
        })
    }

    /// Counts bytes that were handed to the system.
    pub fn wrote(&self, bytes: usize) {
        self.written.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Counts bytes that the client has sent.
    pub fn got(&self, bytes: usize) {
        self.read.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Notes how much room the message takes that the client is sending.
    pub fn receives(&self, bytes: usize) {
        self.receiving.store(bytes, Ordering::Relaxed);
    }

    /// Notes whether that message waits for more room, so that nothing of it is read.
    pub fn waits(&self, waits: bool) {
        self.waiting.store(waits, Ordering::Relaxed);
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

    /// Notes that a call has room and is computed, until the result is dropped.
    pub fn compute(self: &Arc<Self>) -> Computing {
        self.computing.fetch_add(1, Ordering::Relaxed);
        Computing(self.clone())
    }

    /// Looks at the progress that the client has made, and returns its faults.
    pub fn look(&self, now: Instant) -> Faults {
        let counts = Counts {
            read: self.read.load(Ordering::Relaxed),
            written: self.written.load(Ordering::Relaxed),
            owed: self.owed.load(Ordering::Relaxed),
            busy: self.busy.load(Ordering::Relaxed) > 0,
            answers: self.held(),
            request: self.receiving.load(Ordering::Relaxed),
            waits: self.waiting.load(Ordering::Relaxed),
        };
        self.progress.lock().look(now, &counts, &self.limits)
    }

    /// Returns the room for answers that the client holds. The client does not hold the room that is reserved
    /// for calls which the node still computes.
    pub fn held(&self) -> usize {
        match self.computing.load(Ordering::Relaxed) {
            0 => self.answers.taken(),
            _ => self.owed.load(Ordering::Relaxed) as usize,
        }
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
