// SPDX-License-Identifier: Apache-2.0
//! WebSockets that are closed, by the client or by the server.

use super::{
    super::limits::Limits,
    client::{call, frame, read_frame, upgrade},
    given::{limits, until, Given, NEVER},
};
use serde_json::json;
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const LAST_FRAGMENT: u8 = 0x80;
const CLOSE: u8 = 0x88;

fn given(life: Duration) -> Given {
    Given::serve(Limits { life, farewell: NEVER, ..limits(4 << 20, 16 << 20) })
}

/// Reads the end of a WebSocket, which has that status, and returns whether nothing follows.
async fn assert_closed(stream: &mut TcpStream, status: &[u8]) {
    assert_eq!(read_frame(stream).await, (CLOSE, status.to_vec()));
    assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn client_that_closes_gets_its_status_back() {
    let given = given(NEVER);
    for status in [&b""[..], &[3, 232], &[15, 160]] {
        let mut stream = upgrade(given.address).await;
        stream.write_all(&frame(CLOSE, status)).await.unwrap();
        assert_closed(&mut stream, status).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn client_that_breaks_the_protocol_gets_a_status_and_what_it_sends_is_forgotten() {
    let given = given(NEVER);
    let mut stream = upgrade(given.address).await;
    stream.write_all(&frame(LAST_FRAGMENT, "")).await.unwrap();
    for _ in 0..1_000 {
        stream.write_all(&[b'x'; 10_000]).await.unwrap();
    }
    assert_closed(&mut stream, &1002_u16.to_be_bytes()).await;
    drop(stream);
    until(|| given.connections.live().is_empty()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn client_without_a_sign_of_life_gets_a_status() {
    let given = given(Duration::from_millis(1));
    let mut stream = upgrade(given.address).await;
    assert_closed(&mut stream, &1008_u16.to_be_bytes()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn client_that_stays_after_its_end_is_cut() {
    let farewell = Duration::from_millis(1);
    let given = Given::serve(Limits { farewell, ..limits(4 << 20, 16 << 20) });
    let mut stream = upgrade(given.address).await;
    let connection = given.connection();
    stream.write_all(&frame(LAST_FRAGMENT, "")).await.unwrap();
    connection.until_cut().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn client_gets_a_status_when_the_node_ends() {
    let given = given(NEVER);
    let mut stream = upgrade(given.address).await;
    given.stop();
    assert_closed(&mut stream, &1001_u16.to_be_bytes()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn client_whose_bytes_are_not_read_gets_its_answers_when_the_node_ends() {
    const ANSWER: usize = 256 << 10;
    let given = given(NEVER);
    let mut stream = upgrade(given.address).await;
    let connection = given.connection();
    stream.write_all(&frame(0x81, call(1, "long", json!([ANSWER])))).await.unwrap();
    until(|| given.computed() == 1 && connection.requests.taken() == 0).await;
    let _room = connection.requests.take(connection.requests.size()).await;
    for _ in 0..100 {
        stream.write_all(&frame(0x81, [b' '; 125])).await.unwrap();
    }
    given.stop();
    let mut head = [0; 10];
    stream.read_exact(&mut head).await.unwrap();
    assert_eq!(head[..2], [0x81, 127]);
    let mut answer = vec![0; u64::from_be_bytes(head[2..].try_into().unwrap()) as usize];
    stream.read_exact(&mut answer).await.unwrap();
    assert_closed(&mut stream, &1001_u16.to_be_bytes()).await;
}
