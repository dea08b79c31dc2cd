// SPDX-License-Identifier: Apache-2.0
//! The first messages of new subscriptions, for which room is held until they are sent.

use super::room::Charge;
use jsonrpsee::{core::traits::IdProvider, types::SubscriptionId};
use parking_lot::Mutex;
use serde::Deserialize;
use std::{
    sync::{Arc, Weak},
    time::Duration,
};
use tokio::{sync::Notify, time::timeout};

/// The first message of a subscription, known by the id of that. It is also the source of that id.
#[derive(Debug)]
pub struct First {
    id: SubscriptionId<'static>,
    came: Notify,
}

impl First {
    /// Holds room until the message comes, or for at most so long.
    pub async fn hold(&self, room: Charge, most: Duration) {
        // The room of a subscription without messages is of use to others.
        let _ = timeout(most, self.came.notified()).await;
        drop(room);
    }
}

impl IdProvider for First {
    fn next_id(&self) -> SubscriptionId<'static> {
        self.id.clone()
    }
}

/// The first messages that a connection waits for.
#[derive(Clone, Default)]
pub struct Firsts(Arc<Mutex<Vec<Weak<First>>>>);

/// A message of a subscription, as far as it is read here.
#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    params: Params<'a>,
}

#[derive(Deserialize)]
struct Params<'a> {
    #[serde(borrow)]
    subscription: SubscriptionId<'a>,
}

impl Firsts {
    /// Adds the first message of a subscription with that id, for as long as the result is in use.
    pub fn expect(&self, id: SubscriptionId<'static>) -> Arc<First> {
        let first = Arc::new(First { id, came: Notify::new() });
        let mut expected = self.0.lock();
        expected.retain(|first| first.strong_count() > 0);
        expected.push(Arc::downgrade(&first));
        first
    }

    /// Notes that a message is about to be sent, and releases the room that is held for it.
    pub fn came(&self, text: &str) {
        let mut expected = self.0.lock();
        expected.retain(|first| first.strong_count() > 0);
        if expected.is_empty() {
            return;
        }
        // Those that are not of a subscription are answers to calls that subscribe.
        let Ok(message) = serde_json::from_str::<Message<'_>>(text) else { return };
        expected.retain(|first| match first.upgrade() {
            Some(first) if first.id == message.params.subscription => {
                first.came.notify_one();
                false
            }
            first => first.is_some(),
        });
    }
}
