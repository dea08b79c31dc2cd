// SPDX-License-Identifier: Apache-2.0
//! Peers that send requests of all kinds, malformed and too large ones among them.

use crate::count::{ticks, Count};
use anyhow::{Context, Result};
use futures::{future::join_all, StreamExt};
use litep2p::{
    config::ConfigBuilder,
    protocol::request_response::{
        Config, ConfigBuilder as ProtocolBuilder, DialOptions, RequestResponseEvent,
        RequestResponseHandle,
    },
    types::{
        multiaddr::{Multiaddr, Protocol},
        protocol::ProtocolName,
    },
    Litep2p, PeerId,
};
use rand::{random, Rng};
use tokio::time::Interval;

/// The most bytes of a message that these peers take and send.
const MESSAGE: usize = 16 << 20;
/// The bytes of the largest request.
const LARGE: usize = 1 << 20;

/// Floods until the process is killed.
pub async fn flood(address: Multiaddr, protocol: String, rate: u32, peers: u32) -> Result<()> {
    let Some(Protocol::P2p(id)) = address.iter().last() else {
        anyhow::bail!("the address {address} does not end with a peer id");
    };
    let node = PeerId::from_multihash(id).ok().context("the peer id is not valid")?;
    let count = Count::default();
    let all = join_all((0..peers).map(|_| peer(&address, node, &protocol, rate, peers, &count)));
    tokio::select! {
        ended = all => ended.into_iter().collect(),
        () = count.print() => Ok(()),
    }
}

/// The refusals in a row after which a peer comes back under another name.
const PATIENCE: u32 = 64;

/// Sends its part of the requests, under one name after another.
async fn peer(
    address: &Multiaddr,
    node: PeerId,
    protocol: &str,
    rate: u32,
    parts: u32,
    count: &Count,
) -> Result<()> {
    let mut ticks = ticks(rate, parts);
    for name in 0u32.. {
        // Every other one is polite in all but the number of its requests.
        let request = if name % 2 == 0 { well_formed } else { any };
        identity(address, node, protocol, &mut ticks, request, count).await?;
    }
    Ok(())
}

/// Sends requests until so many in a row are refused that the node must have banned the peer.
async fn identity(
    address: &Multiaddr,
    node: PeerId,
    protocol: &str,
    ticks: &mut Interval,
    request: fn() -> Vec<u8>,
    count: &Count,
) -> Result<()> {
    let (config, mut requests): (Config, RequestResponseHandle) =
        ProtocolBuilder::new(ProtocolName::from(protocol.to_string()))
            .with_max_size(MESSAGE)
            .build();
    let config = ConfigBuilder::new()
        .with_tcp(Default::default())
        .with_request_response_protocol(config)
        .build();
    let mut network = Litep2p::new(config)?;
    network.add_known_address(node, std::iter::once(address.clone()));
    let mut refused = 0;
    while refused < PATIENCE {
        let answered = tokio::select! {
            _ = ticks.tick() => {
                match requests.try_send_request(node, request(), DialOptions::Dial) {
                    Ok(_) => continue,
                    // A full channel is a refusal: the node is slower than the flood.
                    Err(_) => false,
                }
            }
            _ = network.next_event() => continue,
            event = requests.next() => match event {
                Some(RequestResponseEvent::ResponseReceived { .. }) => true,
                Some(RequestResponseEvent::RequestFailed { .. }) => false,
                Some(RequestResponseEvent::RequestReceived { .. }) => continue,
                None => anyhow::bail!("the network has ended"),
            },
        };
        count.add(answered);
        refused = if answered { 0 } else { refused + 1 };
    }
    Ok(())
}

/// Makes a request that a node could send: for a range of a payload, or for the tokens of a job.
fn well_formed() -> Vec<u8> {
    let kind: u8 = rand::rng().random_range(0..2);
    [&[kind], &random::<[u8; 32]>()[..], &[0; 4]].concat()
}

/// Makes a request of which hardly anything is right: neither its kind nor its length.
fn any() -> Vec<u8> {
    let mut rng = rand::rng();
    let length = match rng.random_range(0..8) {
        0 => LARGE,
        1 => 16 << 10,
        _ => 32 + rng.random_range(0..16),
    };
    let mut request = vec![rng.random_range(0..8)];
    request.extend_from_slice(&random::<[u8; 32]>());
    request.resize(1 + length, random());
    request
}
