// SPDX-License-Identifier: Apache-2.0
//! New subscriptions, which hold room for their first messages.

use super::{
    client::{call, Client},
    given::{limits, until, Given, NEVER},
};
use serde_json::json;
use std::time::Duration;

/// The room that a subscription holds for its first message.
const FIRST: usize = 1 << 20;
/// Room for the answers to calls that subscribe.
const ANSWERS: usize = 4 << 10;

/// Serves with room for two first messages, which subscriptions hold for at most so long.
fn given(first: Duration) -> Given {
    let mut limits = limits(2 * FIRST + ANSWERS, 8 << 20);
    limits.first = first;
    Given::serve(limits)
}

/// Subscribes to so many messages of one byte.
async fn subscribe(client: &mut Client, messages: usize) {
    let answer = client.ask(&call(1, "subscribe", json!([messages, 1]))).await;
    assert!(answer["result"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn room_for_a_first_message_is_free_when_that_is_sent() {
    let given = given(NEVER);
    let mut client = Client::connect(given.address).await;
    subscribe(&mut client, 1).await;
    assert_eq!(client.read().await.unwrap()["params"]["result"], "x");
    until(|| given.connections.taken() == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn room_for_a_first_message_is_held_while_others_get_theirs() {
    let given = given(NEVER);
    let mut client = Client::connect(given.address).await;
    subscribe(&mut client, 0).await;
    until(|| given.connections.taken() == FIRST).await;
    subscribe(&mut client, 1).await;
    assert_eq!(client.read().await.unwrap()["params"]["result"], "x");
    until(|| given.connections.taken() == FIRST).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn room_for_a_first_message_that_does_not_come_is_free_in_the_end() {
    let given = given(Duration::from_millis(1));
    let mut client = Client::connect(given.address).await;
    subscribe(&mut client, 0).await;
    until(|| given.connections.taken() == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn room_for_a_first_message_is_free_when_the_connection_ends() {
    let given = given(NEVER);
    let mut client = Client::connect(given.address).await;
    subscribe(&mut client, 0).await;
    until(|| given.connections.taken() == FIRST).await;
    drop(client);
    until(|| given.connections.taken() == 0).await;
}
