// SPDX-License-Identifier: Apache-2.0
//! Room in memory for the bytes of requests and answers: so much for a connection, and so much for all.

use parking_lot::Mutex;
use std::{
    collections::BTreeMap,
    sync::{
        atomic::{AtomicUsize, Ordering},
        Arc,
    },
    time::{Duration, Instant},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The room of all connections, in bytes.
pub struct Pool {
    free: Arc<Semaphore>,
    size: usize,
    /// The turn to take more room than there is.
    turn: Arc<Semaphore>,
    waiting: Mutex<Waiting>,
}

/// The times since which others wait for room, in the order in which they get it.
#[derive(Default)]
struct Waiting {
    next: u64,
    since: BTreeMap<u64, Instant>,
}

impl Pool {
    /// Makes room for so many bytes.
    pub fn new(size: usize) -> Arc<Self> {
        let size = size.min(u32::MAX as usize);
        let (free, turn) = (Arc::new(Semaphore::new(size)), Arc::new(Semaphore::new(1)));
        Arc::new(Self { free, size, turn, waiting: Mutex::default() })
    }

    /// Returns how long the first of those that wait for room has waited.
    pub fn longest_wait(&self) -> Option<Duration> {
        self.waiting.lock().since.first_key_value().map(|(_, since)| since.elapsed())
    }

    /// Returns the number of bytes for which room is taken.
    #[cfg(test)]
    pub fn taken(&self) -> usize {
        self.size - self.free.available_permits()
    }

    /// Takes room for so many bytes as soon as there is any, in the order of the calls.
    async fn take(&self, bytes: u32) -> OwnedSemaphorePermit {
        let _place = Place::new(self);
        let permit = self.free.clone().acquire_many_owned(bytes).await;
        permit.expect("the semaphore is never closed")
    }
}

/// A place among those that wait, until it is dropped.
struct Place<'a> {
    pool: &'a Pool,
    number: u64,
}

impl<'a> Place<'a> {
    fn new(pool: &'a Pool) -> Self {
        let mut waiting = pool.waiting.lock();
        let number = waiting.next;
        waiting.next += 1;
        waiting.since.insert(number, Instant::now());
        Self { pool, number }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.pool.waiting.lock().since.remove(&self.number);
    }
}

/// The room of one connection, which is a part of a pool.
#[derive(Clone)]
pub struct Room {
    own: Arc<Semaphore>,
    size: usize,
    pool: Arc<Pool>,
    /// The bytes for which room of the pool is taken. Those that wait for it have their own already.
    taken: Arc<AtomicUsize>,
}

impl Room {
    /// Makes room for so many bytes, of which no more are in use than the pool has.
    pub fn new(size: usize, pool: Arc<Pool>) -> Self {
        let size = size.min(pool.size);
        Self { own: Arc::new(Semaphore::new(size)), size, pool, taken: Arc::default() }
    }

    /// Takes room for so many bytes, or all room if that is less, as soon as it is free.
    pub async fn take(&self, bytes: usize) -> Charge {
        // Neither is larger than the pool, whose size is a `u32`.
        let bytes = bytes.min(self.size) as u32;
        let own = self.own.clone().acquire_many_owned(bytes).await;
        let own = own.expect("the semaphore is never closed");
        let all = self.pool.take(bytes).await;
        self.taken.fetch_add(all.num_permits(), Ordering::Relaxed);
        Charge { own, all, turn: None, taken: self.taken.clone() }
    }

    /// Adds room for so many bytes as soon as it is free. Those that hold a part of their room and wait for the
    /// rest could wait for each other forever, so one of them at a time needs no room of the pool.
    pub async fn grow(&self, charge: &mut Charge, bytes: usize) {
        let bytes = bytes.min(self.size) as u32;
        let own = self.own.clone().acquire_many_owned(bytes).await;
        let own = own.expect("the semaphore is never closed");
        if charge.turn.is_none() {
            tokio::select! {
                biased;
                all = self.pool.take(bytes) => charge.all.merge(all),
                turn = self.pool.turn.clone().acquire_owned() => {
                    charge.turn = Some(turn.expect("the semaphore is never closed"));
                }
            }
        }
        self.taken.fetch_add(own.num_permits(), Ordering::Relaxed);
        charge.own.merge(own);
    }

    /// Returns the number of bytes for which room is taken.
    pub fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }

    /// Returns the number of bytes for which there is room.
    pub const fn size(&self) -> usize {
        self.size
    }
}

/// Room that is taken until it is dropped.
pub struct Charge {
    own: OwnedSemaphorePermit,
    all: OwnedSemaphorePermit,
    /// The turn because of which there are fewer bytes of the pool than of the connection.
    turn: Option<OwnedSemaphorePermit>,
    taken: Arc<AtomicUsize>,
}

impl Charge {
    /// Returns the number of bytes for which this is room.
    pub fn bytes(&self) -> usize {
        self.own.num_permits()
    }

    /// Gives back all but so many bytes.
    pub fn shrink(&mut self, bytes: usize) {
        let more = self.bytes().saturating_sub(bytes);
        self.taken.fetch_sub(more, Ordering::Relaxed);
        let of_all = more.min(self.all.num_permits());
        drop((self.own.split(more), self.all.split(of_all)));
    }

    /// Adds room of the same connection.
    pub fn add(&mut self, mut other: Self) {
        let bytes = other.bytes();
        if let (Some(own), Some(all)) = (other.own.split(bytes), other.all.split(bytes)) {
            self.own.merge(own);
            self.all.merge(all);
        }
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.taken.fetch_sub(self.bytes(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::poll;
    use std::pin::pin;

    #[tokio::test]
    async fn room_is_taken_of_the_connection_and_of_all() {
        let pool = Pool::new(10);
        let (one, two) = (Room::new(6, pool.clone()), Room::new(6, pool.clone()));
        let mut first = one.take(6).await;
        assert_eq!(one.taken(), 6);
        assert!(poll!(pin!(one.take(1))).is_pending(), "the connection has no room");
        let mut second = pin!(two.take(6));
        assert!(poll!(&mut second).is_pending(), "all together have no room");
        assert!(pool.longest_wait().is_some());
        assert_eq!(two.taken(), 0, "it has none yet");
        first.shrink(4);
        let second = second.await;
        assert!(pool.longest_wait().is_none());
        assert_eq!((first.bytes(), second.bytes()), (4, 6));
        drop((first, second));
        assert_eq!((one.taken(), pool.free.available_permits()), (0, 10));
    }

    #[tokio::test]
    async fn those_that_wait_for_the_room_of_each_other_have_turns() {
        let pool = Pool::new(10);
        let rooms = [(); 2].map(|()| Room::new(10, pool.clone()));
        let (mut one, mut two) = (rooms[0].take(5).await, rooms[1].take(5).await);
        rooms[0].grow(&mut one, 3).await;
        rooms[0].grow(&mut one, 1).await;
        assert_eq!((one.bytes(), rooms[0].taken()), (9, 9));
        {
            let mut waits = pin!(rooms[1].grow(&mut two, 3));
            assert!(poll!(&mut waits).is_pending(), "the other has the turn");
            assert!(pool.longest_wait().is_some());
            drop(one);
            assert!(poll!(&mut waits).is_ready());
        }
        assert!(pool.longest_wait().is_none());
        assert_eq!((two.bytes(), rooms[1].taken()), (8, 8));
        drop(two);
        assert_eq!((rooms[1].taken(), pool.free.available_permits()), (0, 10));
    }

    #[tokio::test]
    async fn more_than_all_room_is_all_room() {
        let room = Room::new(100, Pool::new(10));
        assert_eq!(room.take(1_000).await.bytes(), 10);
    }

    #[tokio::test]
    async fn whoever_gives_up_waiting_is_forgotten() {
        let pool = Pool::new(1);
        let (one, two) = (Room::new(1, pool.clone()), Room::new(1, pool.clone()));
        let held = one.take(1).await;
        {
            let mut waits = pin!(two.take(1));
            assert!(poll!(&mut waits).is_pending());
        }
        assert!(pool.longest_wait().is_none());
        drop(held);
        assert_eq!(two.take(1).await.bytes(), 1);
    }
}
