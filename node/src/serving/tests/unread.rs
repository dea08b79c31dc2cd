// SPDX-License-Identifier: Apache-2.0
//! Answers that clients do not read, or read late.

use super::{
    client::{call, Client, HttpClient},
    given::{limits, until, Given, LONGEST},
};
use futures::future::join_all;
use serde_json::{json, Value};
use std::{collections::BTreeSet, time::Duration};

/// The length of an answer.
const ANSWER: usize = 256 << 10;
/// The room of a connection.
const ROOM: usize = 4 << 20;
/// The most that the system keeps of a connection, which depends on its settings.
const SYSTEM: usize = 8 << 20;
/// The answers that can be unread.
const UNREAD: usize = (ROOM + SYSTEM) / ANSWER;

fn text(answer: &Value) -> &str {
    answer["result"].as_str().unwrap()
}

/// Waits until a connection has no room for another answer.
async fn full(given: &Given) {
    let connection = given.connection();
    until(|| connection.answers.taken() > ROOM - LONGEST || given.computed() > UNREAD).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn client_that_reads_late_gets_every_answer_and_few_of_them_wait() {
    const CALLS: usize = 2_000;
    let given = Given::serve(limits(ROOM, 4 * ROOM));
    let mut client = Client::connect(given.address).await;
    for id in 0..CALLS {
        client.send(&call(id, "long", json!([ANSWER]))).await;
    }
    full(&given).await;
    let mut read = BTreeSet::new();
    while read.len() < CALLS {
        let unread = given.computed() - read.len();
        assert!(unread <= UNREAD, "{unread} answers wait");
        let answer = client.read().await.unwrap();
        assert_eq!(text(&answer).len(), ANSWER);
        assert!(read.insert(answer["id"].as_u64().unwrap()));
    }
    assert_eq!(given.computed(), CALLS);
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_of_subscriptions_wait_where_they_come_from() {
    const MESSAGES: usize = 500;
    let given = Given::serve(limits(ROOM, 4 * ROOM));
    let mut client = Client::connect(given.address).await;
    client.send(&call(1, "subscribe", json!([MESSAGES, ANSWER]))).await;
    full(&given).await;
    assert_eq!(client.read().await.unwrap()["id"], 1);
    for read in 0..MESSAGES {
        let unread = given.computed() - read;
        assert!(unread <= UNREAD, "{unread} messages wait");
        let message = client.read().await.unwrap();
        assert_eq!(message["params"]["result"].as_str().unwrap().len(), ANSWER);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn subscriptions_that_begin_together_do_not_wait_for_each_other() {
    const SUBSCRIPTIONS: usize = 12;
    const MESSAGES: usize = 8;
    let given = Given::serve_subscriptions(limits(2 * LONGEST, ROOM), SUBSCRIPTIONS as u32);
    let mut client = Client::connect(given.address).await;
    for id in 0..SUBSCRIPTIONS {
        client.send(&call(id, "subscribe", json!([MESSAGES, 10]))).await;
        client.send(&call(SUBSCRIPTIONS + id, "long", json!([10]))).await;
    }
    let batched: Vec<_> = (0..4).map(|id| call(id, "unsubscribe", json!(["none"]))).collect();
    client.send(&format!("[{}]", batched.join(","))).await;
    for _ in 0..SUBSCRIPTIONS * (2 + MESSAGES) + 1 {
        assert!(client.read().await.is_some());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_over_http_count_until_they_are_written() {
    const CLIENTS: usize = 12;
    let given = Given::serve(limits(ROOM, 2 * LONGEST));
    let mut clients = Vec::new();
    let batch: Vec<_> = (0..3).map(|id| call(id, "long", json!([ANSWER]))).collect();
    let batch = format!("[{}]", batch.join(","));
    for _ in 0..CLIENTS {
        let mut client = HttpClient::connect(given.address).await;
        for _ in 0..16 {
            client.send(&batch).await;
        }
        clients.push(client);
    }
    until(|| given.connections.longest_wait().is_some()).await;
    let read = clients.iter_mut().map(async |client| {
        for _ in 0..16 {
            assert!(given.connections.taken() <= 2 * LONGEST);
            let answers = client.read().await;
            let lengths = answers.as_array().unwrap().iter().map(|answer| text(answer).len());
            assert_eq!(lengths.collect::<Vec<_>>(), [ANSWER; 3]);
        }
    });
    join_all(read).await;
    until(|| given.connections.taken() == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn request_over_http_counts_until_it_is_answered() {
    let given = Given::serve(limits(ROOM, LONGEST));
    let other = given.connections.open();
    let held = other.answers.take(LONGEST).await;
    let request = call(1, "long", json!([10]));
    let mut client = HttpClient::connect(given.address).await;
    client.send(&request).await;
    let taken = || given.connections.live().iter().map(|it| it.requests.taken()).sum::<usize>();
    until(|| taken() == request.len()).await;
    drop(held);
    assert_eq!(text(&client.read().await).len(), 10);
    until(|| taken() == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn client_that_reads_nothing_is_closed_and_others_are_served() {
    let mut limits = limits(ROOM, 4 * ROOM);
    limits.patience = Duration::from_millis(100);
    let given = Given::serve(limits);
    let mut stalled = Client::connect(given.address).await;
    for id in 0..200 {
        stalled.send(&call(id, "long", json!([ANSWER]))).await;
    }
    let connection = given.connection();
    let mut other = Client::connect(given.address).await;
    let mut id = 0;
    while !connection.is_cut() {
        let answer = other.ask(&call(id, "long", json!([10]))).await;
        assert_eq!((answer["id"].as_u64(), text(&answer).len()), (Some(id as u64), 10));
        id += 1;
    }
    let mut read = 0;
    while stalled.read().await.is_some() {
        read += 1;
    }
    assert!(read < 200, "{read} answers are read");
    until(|| connection.answers.taken() == 0).await;
    assert_eq!(text(&other.ask(&call(0, "long", json!([10]))).await).len(), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn client_that_holds_the_room_of_all_makes_way_for_another() {
    let mut limits = limits(ROOM, ROOM);
    limits.pressed = Duration::from_millis(50);
    let given = Given::serve(limits);
    let mut stalled = Client::connect(given.address).await;
    for id in 0..200 {
        stalled.send(&call(id, "long", json!([ANSWER]))).await;
    }
    full(&given).await;
    let connection = given.connection();
    let mut other = Client::connect(given.address).await;
    assert_eq!(text(&other.ask(&call(0, "long", json!([10]))).await).len(), 10);
    assert!(connection.is_cut());
}

#[tokio::test(flavor = "multi_thread")]
async fn node_has_room_for_all_connections_together() {
    const CLIENTS: usize = 6;
    const CALLS: usize = 100;
    let given = Given::serve(limits(ROOM, 2 * ROOM));
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        let mut client = Client::connect(given.address).await;
        for id in 0..CALLS {
            client.send(&call(id, "long", json!([ANSWER]))).await;
        }
        clients.push(client);
    }
    until(|| given.connections.longest_wait().is_some()).await;
    let read = clients.iter_mut().map(async |client| {
        for _ in 0..CALLS {
            let taken = given.connections.taken();
            assert!(taken <= 2 * ROOM, "{taken} bytes are taken");
            assert_eq!(text(&client.read().await.unwrap()).len(), ANSWER);
        }
    });
    join_all(read).await;
}
