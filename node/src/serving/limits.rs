// SPDX-License-Identifier: Apache-2.0
//! The limits of a server: sizes of rooms and longest waits.

use sc_rpc_server::RpcEndpoint;
use std::time::Duration;

/// The sizes of rooms, in bytes, and the bounds of all that a server waits for.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The answers of a connection that are computed or not yet written.
    pub answers: usize,
    /// The answers of all connections.
    pub all_answers: usize,
    /// The requests of a connection that are not answered yet.
    pub requests: usize,
    /// The requests of all connections.
    pub all_requests: usize,
    /// The time without a byte written after which a connection that owes answers is closed.
    pub patience: Duration,
    /// The time without a byte read or written after which a connection is closed that has no request.
    pub idle: Duration,
    /// The time that a call waits for the room of all until connections are closed that hold it.
    pub pressed: Duration,
    /// The time between two looks at the connections.
    pub tick: Duration,
    /// The longest time until another connection is accepted after all descriptors or all memory were in use.
    pub pause: Duration,
    /// The longest time for which a new subscription holds room for its first message.
    pub first: Duration,
    /// The time between two pings of a WebSocket.
    pub ping: Duration,
    /// The time without a byte read after which a WebSocket is closed. While nothing is read, because the client
    /// is owed answers, nobody waits for one.
    pub life: Duration,
    /// The longest time for which the end of a WebSocket is written.
    pub farewell: Duration,
}

impl Limits {
    /// Returns the limits for the longest messages that any address permits.
    pub fn of(endpoints: &[RpcEndpoint]) -> Self {
        let longest = |size: fn(&RpcEndpoint) -> u32| {
            endpoints.iter().map(size).max().map_or(0, |size| (size as usize) << 20)
        };
        Self::new(
            longest(|endpoint| endpoint.max_payload_out_mb),
            longest(|endpoint| endpoint.max_payload_in_mb),
        )
    }

    /// Returns the limits for answers and requests of at most so many bytes.
    pub fn new(answer: usize, request: usize) -> Self {
        // A batch needs room for what it has answered and for the next answer.
        let answers = (32 << 20).max(answer.saturating_mul(2));
        let requests = (16 << 20).max(request);
        Self {
            answers,
            all_answers: (256 << 20).max(answers.saturating_mul(8)),
            requests,
            all_requests: (128 << 20).max(requests.saturating_mul(8)),
            patience: Duration::from_secs(30),
            // Proxies and clients keep connections over HTTP for 90 seconds at most.
            idle: Duration::from_secs(120),
            pressed: Duration::from_secs(3),
            tick: Duration::from_secs(1),
            pause: Duration::from_millis(100),
            first: Duration::from_millis(250),
            ping: Duration::from_secs(30),
            life: Duration::from_secs(180),
            farewell: Duration::from_secs(5),
        }
    }
}
