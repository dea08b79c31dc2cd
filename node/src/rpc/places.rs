// SPDX-License-Identifier: Apache-2.0
//! The subscriptions that each connection and the node have place for.

use jsonrpsee::ConnectionId;
use parking_lot::Mutex;
use std::{collections::BTreeMap, sync::Arc};

/// The most subscriptions of one connection to outputs.
pub const PER_CONNECTION: usize = 64;
/// The most subscriptions of all connections to outputs.
pub const IN_TOTAL: usize = 1_024;

/// The subscriptions that have a place.
#[derive(Clone, Default)]
pub struct Places(Arc<Mutex<Taken>>);

#[derive(Default)]
struct Taken {
    total: usize,
    by_connection: BTreeMap<usize, usize>,
}

/// The place of a subscription, until it is dropped.
pub struct Place {
    places: Places,
    connection: usize,
}

impl Places {
    /// Takes a place for a subscription of that connection.
    ///
    /// # Errors
    ///
    /// The connection or the node has as many subscriptions as it can. The error says so.
    pub fn take(&self, connection: ConnectionId) -> Result<Place, String> {
        let ConnectionId(connection) = connection;
        let mut taken = self.0.lock();
        if taken.total >= IN_TOTAL {
            return Err(format!(
                "this node has {IN_TOTAL} subscriptions to outputs, which is its limit; subscribe \
                 again later, or read the output with assay_output"
            ));
        }
        let own = taken.by_connection.entry(connection).or_default();
        if *own >= PER_CONNECTION {
            return Err(format!(
                "this connection has {PER_CONNECTION} subscriptions to outputs, which is the limit \
                 of each; end one with assay_unsubscribeOutput first"
            ));
        }
        *own += 1;
        taken.total += 1;
        Ok(Place { places: self.clone(), connection })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.0.lock();
        taken.total -= 1;
        let own = taken.by_connection.entry(self.connection).or_default();
        *own = own.saturating_sub(1);
        if *own == 0 {
            taken.by_connection.remove(&self.connection);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connection_has_a_limited_number_of_places() {
        let places = Places::default();
        let mut own: Vec<_> =
            (0..PER_CONNECTION).map(|_| places.take(ConnectionId(1)).unwrap()).collect();
        let refused = places.take(ConnectionId(1)).map(|_| ()).unwrap_err();
        assert!(refused.contains(&PER_CONNECTION.to_string()), "{refused}");
        assert!(places.take(ConnectionId(2)).is_ok(), "another one has its own");
        own.pop();
        assert!(places.take(ConnectionId(1)).is_ok());
    }

    #[test]
    fn node_has_a_limited_number_of_places() {
        let places = Places::default();
        let all: Vec<_> =
            (0..IN_TOTAL).map(|n| places.take(ConnectionId(n / PER_CONNECTION)).unwrap()).collect();
        let refused = places.take(ConnectionId(999)).map(|_| ()).unwrap_err();
        assert!(refused.contains(&IN_TOTAL.to_string()), "{refused}");
        drop(all);
        assert!(places.take(ConnectionId(999)).is_ok());
        assert!(places.0.lock().by_connection.is_empty(), "nothing is kept of who has left");
    }
}
