// SPDX-License-Identifier: Apache-2.0
//! The nodes that provide a payload through the DHT.

use futures::StreamExt;
use sc_network::{service::traits::NetworkService, DhtEvent, Event, PeerId};
use sc_network_types::kad::Key;
use sp_core::H256;
use std::{sync::Arc, time::Duration};

/// The longest that the DHT is asked.
const LOOK: Duration = Duration::from_secs(5);
/// The most providers of a payload that are asked for it.
const MOST: usize = 16;

/// Says in the DHT that this node has a payload.
pub fn provide(network: &Arc<dyn NetworkService>, hash: &H256) {
    network.start_providing(key(hash));
}

/// Stops saying so. Other nodes forget it within hours.
pub fn stop_providing(network: &Arc<dyn NetworkService>, hash: &H256) {
    network.stop_providing(key(hash));
}

/// Returns the nodes that say in the DHT that they have a payload.
pub async fn providers(network: &Arc<dyn NetworkService>, hash: &H256) -> Vec<PeerId> {
    let key = key(hash);
    let mut events = network.event_stream("assay-exchange");
    network.get_providers(key.clone());
    let mut found = Vec::new();
    let look = async {
        while let Some(event) = events.next().await {
            match event {
                Event::Dht(DhtEvent::ProvidersFound(of, peers)) if of == key => found.extend(peers),
                Event::Dht(DhtEvent::NoMoreProviders(of) | DhtEvent::ProvidersNotFound(of))
                    if of == key =>
                {
                    return
                }
                _ => {}
            }
        }
    };
    // What was found in time counts.
    let _ = tokio::time::timeout(LOOK, look).await;
    found.truncate(MOST);
    found
}

fn key(hash: &H256) -> Key {
    Key::new(&hash.0)
}
