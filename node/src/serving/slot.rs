// SPDX-License-Identifier: Apache-2.0
//! The room that the answer to one message takes, before it is computed and after.

use super::{
    connection::{Computing, Connection},
    room::Charge,
};
use std::sync::Arc;
use tokio::sync::Mutex;

/// The room of the answer to one message, which can be a batch of calls. Calls find it among their
/// extensions.
#[derive(Clone)]
pub struct Slot {
    connection: Arc<Connection>,
    most: usize,
    taken: Arc<Mutex<Taken>>,
}

#[derive(Default)]
struct Taken {
    charge: Option<Charge>,
    /// The bytes of what is answered so far.
    answered: usize,
    /// Whether the message is a batch.
    batch: bool,
}

impl Taken {
    fn bytes(&self) -> usize {
        self.charge.as_ref().map_or(0, Charge::bytes)
    }
}

/// The client has left while its call waited for room.
#[derive(Debug)]
pub struct Gone;

impl Slot {
    /// Makes a slot that has no room yet. A call is answered with at most `most` bytes.
    pub fn new(connection: Arc<Connection>, most: usize) -> Self {
        Self { connection, most, taken: Arc::default() }
    }

    /// Makes this the room of a batch. It takes room once, for all that it can be answered with and for one
    /// more answer: batches that took room answer by answer could wait for each other.
    pub async fn batch(&self) {
        self.taken.lock().await.batch = true;
    }

    /// Waits until there is room for another answer, however long it is.
    pub async fn reserve(&self) -> Result<(), Gone> {
        let mut taken = self.taken.lock().await;
        let bytes = if taken.batch { self.most.saturating_mul(2) } else { self.most };
        self.adjust(&mut taken, bytes).await
    }

    /// Notes that a call which has its room is computed, until the result is dropped.
    pub fn compute(&self) -> Computing {
        self.connection.compute()
    }

    /// Takes room for what is answered so far and so many bytes in addition.
    pub async fn answered(&self, bytes: usize) -> Result<(), Gone> {
        let mut taken = self.taken.lock().await;
        taken.answered = taken.answered.saturating_add(bytes);
        let (bytes, has) = (taken.answered, taken.bytes());
        // A batch keeps the room for its next answer.
        let bytes = if taken.batch { bytes.max(has) } else { bytes };
        self.adjust(&mut taken, bytes).await
    }

    /// Keeps no more room than for what is answered so far, while a call waits for something else.
    pub async fn rest(&self) {
        let mut taken = self.taken.lock().await;
        let answered = taken.answered;
        if let Some(charge) = &mut taken.charge {
            charge.shrink(answered);
        }
    }

    /// Returns the room of the whole answer, which has so many bytes.
    pub async fn close(&self, bytes: usize) -> Result<Charge, Gone> {
        let mut taken = self.taken.lock().await;
        if taken.bytes() < bytes {
            // A batch in front of this can wait for all room, even for the part that this has.
            taken.charge = None;
        }
        self.adjust(&mut taken, bytes).await?;
        match taken.charge.take() {
            Some(charge) => Ok(charge),
            None => self.take(bytes).await,
        }
    }

    async fn adjust(&self, taken: &mut Taken, bytes: usize) -> Result<(), Gone> {
        let bytes = bytes.min(self.connection.answers.size());
        let has = taken.bytes();
        let more = if has < bytes { Some(self.take(bytes - has).await?) } else { None };
        match (&mut taken.charge, more) {
            (Some(charge), Some(more)) => charge.add(more),
            (Some(charge), None) => charge.shrink(bytes),
            (charge, more) => *charge = more,
        }
        Ok(())
    }

    /// Takes room at once, whether the client is there or not, or waits for it as long as the client does.
    async fn take(&self, bytes: usize) -> Result<Charge, Gone> {
        tokio::select! {
            biased;
            charge = self.connection.answers.take(bytes) => Ok(charge),
            () = self.connection.until_cut() => Err(Gone),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serving::{connections::Connections, limits::Limits};
    use futures::poll;
    use std::pin::pin;

    fn connection() -> Arc<Connection> {
        Connections::new(Limits { answers: 40, ..Limits::new(0, 0) }).open()
    }

    #[tokio::test]
    async fn call_takes_room_for_the_longest_answer_and_keeps_what_it_needs() {
        let connection = connection();
        let room = &connection.answers;
        let slot = Slot::new(connection.clone(), 15);
        slot.reserve().await.unwrap();
        assert_eq!(room.taken(), 15);
        slot.answered(10).await.unwrap();
        assert_eq!(room.taken(), 10);
        let charge = slot.close(10).await.unwrap();
        assert_eq!((room.taken(), charge.bytes()), (10, 10));
        drop((slot, charge));
        assert_eq!(room.taken(), 0);
    }

    #[tokio::test]
    async fn batch_takes_its_room_once_and_not_while_a_call_waits() {
        let connection = connection();
        let room = &connection.answers;
        let slot = Slot::new(connection.clone(), 15);
        slot.batch().await;
        for answered in 0..3 {
            slot.reserve().await.unwrap();
            assert_eq!(room.taken(), 30);
            slot.answered(4).await.unwrap();
            assert_eq!(room.taken(), 30, "after answer {answered}");
        }
        slot.rest().await;
        assert_eq!(room.taken(), 12);
        slot.answered(2).await.unwrap();
        assert_eq!(room.taken(), 14);
        let charge = slot.close(19).await.unwrap();
        assert_eq!((room.taken(), charge.bytes()), (19, 19), "brackets and commas count");
    }

    #[tokio::test]
    async fn answer_that_needs_more_room_does_not_hold_up_a_batch_in_front_of_it() {
        let connection = connection();
        let slot = || Slot::new(connection.clone(), 20);
        let (subscription, batch) = (slot(), slot());
        subscription.answered(3).await.unwrap();
        batch.batch().await;
        {
            let mut reserved = pin!(batch.reserve());
            assert!(poll!(&mut reserved).is_pending(), "it needs all room");
            let mut closed = pin!(subscription.close(15));
            assert!(poll!(&mut closed).is_pending(), "it waits for the batch");
            assert!(poll!(&mut reserved).is_ready());
            drop(batch.close(10).await.unwrap());
            assert_eq!(closed.await.unwrap().bytes(), 15);
        }
        assert_eq!(connection.answers.taken(), 0);
    }

    #[tokio::test]
    async fn answer_without_a_reservation_takes_its_room_afterwards() {
        let connection = connection();
        let charge = Slot::new(connection.clone(), 15).close(3).await.unwrap();
        assert_eq!((connection.answers.taken(), charge.bytes()), (3, 3));
    }

    #[tokio::test]
    async fn call_of_a_client_that_has_left_waits_for_no_room() {
        let connection = connection();
        let slot = || Slot::new(connection.clone(), 30);
        let (first, second) = (slot(), slot());
        connection.cut();
        first
            .reserve()
            .await
            .expect("there is room, and the client may not have waited for an answer");
        assert!(second.reserve().await.is_err());
    }
}
