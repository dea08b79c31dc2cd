// SPDX-License-Identifier: Apache-2.0
//! The turns of calls that take a thread, the disk or other nodes: few at a time, and a limited number
//! that wait.

use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The turns of a method's calls.
#[derive(Clone)]
pub struct Turns {
    running: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    most: usize,
}

impl Turns {
    /// Lets `running` calls have their turn at a time, and `waiting` more wait for it.
    pub fn new(running: usize, waiting: usize) -> Self {
        let semaphore = |permits| Arc::new(Semaphore::new(permits));
        Self { running: semaphore(running), waiting: semaphore(waiting), most: waiting }
    }

    /// Waits for a turn, which lasts until the result is dropped.
    ///
    /// # Errors
    ///
    /// As many calls wait as the node permits. The error says so.
    pub async fn take(&self) -> Result<OwnedSemaphorePermit, String> {
        let full = |_| {
            format!(
                "{} calls of this method wait on this node, which is its limit; call again later",
                self.most
            )
        };
        let _waits = self.waiting.clone().try_acquire_owned().map_err(full)?;
        // The semaphore is never closed.
        self.running.clone().acquire_owned().await.map_err(|closed| closed.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::{poll, task::Poll};
    use std::pin::pin;

    #[tokio::test]
    async fn calls_take_turns_and_few_wait() {
        let turns = Turns::new(1, 2);
        let first = turns.take().await.unwrap();
        let (mut second, mut third) = (pin!(turns.take()), pin!(turns.take()));
        assert!(poll!(&mut second).is_pending() && poll!(&mut third).is_pending());
        let refused = turns.take().await.unwrap_err();
        assert!(refused.starts_with("2 calls"), "{refused}");
        drop(first);
        let Poll::Ready(second) = poll!(&mut second) else { panic!("it is its turn") };
        assert!(poll!(&mut third).is_pending());
        drop(second);
        assert!(third.await.is_ok());
    }
}
