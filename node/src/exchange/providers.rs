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
const MAX_PROVIDERS: usize = 16;

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
                Event::Dht(DhtEvent::ProvidersFound(of, peers)) if of == key => {
                    add(&mut found, peers);
                    if found.len() >= MAX_PROVIDERS {
                        return;
                    }
                }
                Event::Dht(DhtEvent::NoMoreProviders(of) | DhtEvent::ProvidersNotFound(of))
                    if of == key =>
                {
                    return
                }
                _ => {}
            }
        }
    };
    // The peers that were found in time count.
    let _ = tokio::time::timeout(LOOK, look).await;
    found
}

/// Adds the peers that are not among those found, as far as there is room.
fn add(found: &mut Vec<PeerId>, peers: Vec<PeerId>) {
    for peer in peers {
        if found.len() < MAX_PROVIDERS && !found.contains(&peer) {
            found.push(peer);
        }
    }
}

fn key(hash: &H256) -> Key {
    Key::new(&hash.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn provider_that_is_found_again_takes_no_place() {
        let (first, mut found) = (PeerId::random(), Vec::new());
        add(&mut found, vec![first; 2 * MAX_PROVIDERS]);
        assert_eq!(found, [first]);
        add(&mut found, (0..2 * MAX_PROVIDERS).map(|_| PeerId::random()).collect());
        assert_eq!((found.len(), found.first()), (MAX_PROVIDERS, Some(&first)));
    }
}
