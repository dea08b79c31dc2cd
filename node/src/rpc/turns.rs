// SPDX-License-Identifier: Apache-2.0
//! The turns of calls that take a thread, the disk or other nodes: few at a time, and a limited number
//! that wait. A connection has a part of both, so that none waits for all calls of another.

use parking_lot::Mutex;
use std::{
    collections::{btree_map, BTreeMap},
    sync::Arc,
    time::Duration,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The numbers of calls that the turns of a method permit.
#[derive(Clone, Copy, Debug)]
pub struct Most {
    /// The calls that have their turn at a time.
    pub running: usize,
    /// The calls of one connection that have their turn at a time.
    pub own_running: usize,
    /// The calls that have their turn or wait for it.
    pub calls: usize,
    /// The calls of one connection that have their turn or wait for it.
    pub own_calls: usize,
    /// The time after which a call gives up waiting.
    pub patience: Duration,
}

/// The turns of a method's calls.
#[derive(Clone)]
pub struct Turns {
    most: Most,
    running: Arc<Semaphore>,
    calls: Arc<Mutex<Calls>>,
}

/// The calls that have their turn or wait for it.
#[derive(Default)]
struct Calls {
    total: usize,
    by_connection: BTreeMap<usize, Own>,
}

/// The calls of one connection.
struct Own {
    calls: usize,
    running: Arc<Semaphore>,
}

impl Turns {
    /// Makes the turns of a method.
    pub fn new(most: Most) -> Self {
        let running = Arc::new(Semaphore::new(most.running));
        Self { most, running, calls: Arc::default() }
    }

    /// Takes a place among the calls that wait.
    ///
    /// # Errors
    ///
    /// As many calls of this connection or of all wait as the node permits. The error says so.
    pub fn place(&self, connection: usize) -> Result<Place, String> {
        let Most { calls: most, own_calls, own_running, .. } = self.most;
        let mut calls = self.calls.lock();
        if calls.total >= most {
            return Err(format!(
                "{most} calls of this method run or wait on this node, which is its limit; call again \
                 later"
            ));
        }
        let own = calls.by_connection.entry(connection).or_insert_with(|| {
            let running = Arc::new(Semaphore::new(own_running));
            Own { calls: 0, running }
        });
        if own.calls >= own_calls {
            return Err(format!(
                "{own_calls} calls of this method by this connection run or wait, which is the limit \
                 of each; call again once one of them has its answer"
            ));
        }
        own.calls += 1;
        let running = own.running.clone();
        calls.total += 1;
        Ok(Place { turns: self.clone(), connection, running })
    }
}

/// A place among the calls that have their turn or wait for it, until it is dropped.
pub struct Place {
    turns: Turns,
    connection: usize,
    /// The turns of the connection.
    running: Arc<Semaphore>,
}

impl Place {
    /// Waits for a turn, which lasts until the result is dropped.
    ///
    /// # Errors
    ///
    /// The turn does not come within the patience of a call. The error says so.
    pub async fn turn(self) -> Result<Turn, String> {
        let patience = self.turns.most.patience;
        // A call that waits for its connection's turn does not stand in the way of others.
        let permits = async {
            let own = self.running.clone().acquire_owned().await?;
            Ok::<_, tokio::sync::AcquireError>((
                own,
                self.turns.running.clone().acquire_owned().await?,
            ))
        };
        let permits = tokio::time::timeout(patience, permits).await.map_err(|_| {
            let seconds = patience.as_secs();
            format!(
                "this call has waited {seconds} s for its turn among the calls of this method, which \
                 is the limit; call again later"
            )
        })?;
        // The semaphores are never closed.
        let permits = permits.map_err(|closed| closed.to_string())?;
        Ok(Turn { _permits: permits, _place: self })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut calls = self.turns.calls.lock();
        calls.total -= 1;
        if let btree_map::Entry::Occupied(mut own) = calls.by_connection.entry(self.connection) {
            own.get_mut().calls -= 1;
            if own.get().calls == 0 {
                own.remove();
            }
        }
    }
}

/// The turn of a call, until it is dropped.
pub struct Turn {
    _permits: (OwnedSemaphorePermit, OwnedSemaphorePermit),
    _place: Place,
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::{poll, task::Poll};
    use std::pin::pin;

    fn turns(running: usize, own_running: usize, calls: usize, own_calls: usize) -> Turns {
        let patience = Duration::from_secs(3_600);
        Turns::new(Most { running, own_running, calls, own_calls, patience })
    }

    #[tokio::test]
    async fn calls_take_turns_and_few_wait() {
        let turns = turns(1, 1, 3, 3);
        let place = |connection| turns.place(connection).unwrap();
        let first = place(1).turn().await.unwrap();
        let (mut second, mut third) = (pin!(place(2).turn()), pin!(place(3).turn()));
        assert!(poll!(&mut second).is_pending() && poll!(&mut third).is_pending());
        let refused = turns.place(4).map(|_| ()).unwrap_err();
        assert!(refused.starts_with("3 calls"), "{refused}");
        drop(first);
        let Poll::Ready(second) = poll!(&mut second) else { panic!("it is its turn") };
        assert!(poll!(&mut third).is_pending());
        drop(second);
        assert!(third.await.is_ok());
        assert!(turns.calls.lock().by_connection.is_empty(), "nothing is kept of who has left");
    }

    #[tokio::test]
    async fn connection_has_a_part_of_the_turns_and_of_the_places() {
        let turns = turns(2, 1, 8, 3);
        let place = |connection| turns.place(connection).unwrap();
        let first = place(1).turn().await.unwrap();
        let (mut second, third) = (pin!(place(1).turn()), place(1));
        assert!(poll!(&mut second).is_pending(), "a turn is free, but not for this connection");
        let refused = turns.place(1).map(|_| ()).unwrap_err();
        assert!(refused.contains("this connection") && refused.starts_with("3"), "{refused}");
        assert!(place(2).turn().await.is_ok(), "another connection waits for none of them");
        drop((first, third));
        assert!(second.await.is_ok());
    }

    #[tokio::test]
    async fn call_gives_up_waiting() {
        let most = turns(1, 1, 3, 3).most;
        let turns = Turns::new(Most { patience: Duration::ZERO, ..most });
        let first = turns.place(1).unwrap().turn().await.unwrap();
        let refused = turns.place(2).unwrap().turn().await.map(|_| ()).unwrap_err();
        assert!(refused.contains("0 s") && refused.contains("call again"), "{refused}");
        drop(first);
        assert!(turns.place(2).unwrap().turn().await.is_ok());
        assert_eq!(turns.calls.lock().total, 0);
    }
}
