// SPDX-License-Identifier: Apache-2.0
//! Requests that clients announce and do not send, or not as a whole.

use super::{
    client::{call, read_frame, upgrade, Client},
    given::{limits, until, Given, LONGEST},
};
use futures::future::join_all;
use serde_json::{json, Value};
use std::{net::SocketAddr, time::Duration};
use tokio::{io::AsyncWriteExt, net::TcpStream};

/// The least room that a long request takes.
const PIECE: usize = 16 << 10;

/// Announces the longest request over a WebSocket, and sends so many bytes of it.
async fn begin(address: SocketAddr, bytes: usize) -> TcpStream {
    let mut stream = upgrade(address).await;
    let mut head = vec![0x81, 0xff];
    head.extend((LONGEST as u64).to_be_bytes());
    head.extend([0; 4]);
    head.extend(vec![b' '; bytes]);
    stream.write_all(&head).await.unwrap();
    stream
}

/// Returns the room that requests take.
fn taken(given: &Given) -> usize {
    given.connections.live().iter().map(|it| it.requests.taken()).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn request_that_is_announced_takes_little_room() {
    let given = Given::serve(limits(4 << 20, 16 << 20));
    let mut clients = Vec::new();
    for _ in 0..8 {
        clients.push(begin(given.address, 100).await);
    }
    until(|| taken(&given) == clients.len() * PIECE).await;
    let mut other = Client::connect(given.address).await;
    assert_eq!(other.ask(&call(1, "long", json!([3]))).await["result"], "xxx");
    until(|| taken(&given) == clients.len() * PIECE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn client_that_stops_in_a_request_makes_way_for_another() {
    let mut limits = limits(4 << 20, 16 << 20);
    limits.all_requests = LONGEST;
    limits.pressed = Duration::from_millis(50);
    let given = Given::serve(limits);
    let _stream = begin(given.address, LONGEST - 1).await;
    let connection = given.connection();
    until(|| connection.requests.taken() == LONGEST).await;
    let mut other = Client::connect(given.address).await;
    assert_eq!(other.ask(&call(1, "long", json!([3]))).await["result"], "xxx");
    assert!(connection.is_cut());
}

/// Sends the rest of the longest request, of which so many bytes are sent, and reads the answer.
async fn end(stream: &mut TcpStream, sent: usize) {
    stream.write_all(&vec![b' '; LONGEST - sent]).await.unwrap();
    let (_, answer) = read_frame(stream).await;
    let answer: Value = serde_json::from_slice(&answer).unwrap();
    assert_eq!(answer["error"]["code"], -32_700);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_wait_for_the_room_of_each_other_are_answered() {
    let mut limits = limits(4 << 20, 16 << 20);
    limits.all_requests = LONGEST;
    let given = Given::serve(limits);
    let mut streams = Vec::new();
    for _ in 0..2 {
        streams.push(begin(given.address, LONGEST / 2 - 1).await);
    }
    until(|| taken(&given) == LONGEST).await;
    join_all(streams.iter_mut().map(|stream| end(stream, LONGEST / 2 - 1))).await;
    until(|| taken(&given) == 0).await;
}
