// SPDX-License-Identifier: Apache-2.0
//! Messages as JSON-RPC has them, valid and not.

use super::{
    client::{call, frame, read_frame, upgrade, upgrade_with, Client, HttpClient},
    given::{limits, Given, LONGEST},
};
use serde_json::{json, Value};
use std::time::Duration;
use tokio::io::AsyncWriteExt;

const TEXT: u8 = 0x81;
const FIRST_FRAGMENT: u8 = 0x01;
const LAST_FRAGMENT: u8 = 0x80;
const PING: u8 = 0x89;
const PONG: u8 = 0x8a;

fn code(answer: &Value) -> i64 {
    answer["error"]["code"].as_i64().unwrap()
}

fn given() -> Given {
    Given::serve(limits(4 << 20, 16 << 20))
}

#[tokio::test(flavor = "multi_thread")]
async fn message_that_is_no_call_is_an_error() {
    let given = given();
    let mut client = Client::connect(given.address).await;
    assert_eq!(code(&client.ask("x").await), -32_700);
    assert_eq!(code(&client.ask("").await), -32_700);
    assert_eq!(code(&client.ask("{\"id\":7").await), -32_700);
    let invalid = client.ask("{\"id\":7}").await;
    assert_eq!((code(&invalid), &invalid["id"]), (-32_600, &json!(7)));
    assert_eq!(code(&client.ask(&call(1, "unknown", json!([]))).await), -32_601);
    // A notification has no answer: the next message is that to the call.
    client.send(&json!({ "jsonrpc": "2.0", "method": "long" }).to_string()).await;
    assert_eq!(client.ask(&call(2, "long", json!([3]))).await["result"], "xxx");
    assert_eq!(client.ask(&call(3, "patient", json!([3]))).await["result"], "xxx");
}

#[tokio::test(flavor = "multi_thread")]
async fn message_that_is_too_long_is_an_error_and_the_connection_goes_on() {
    let given = given();
    let mut client = Client::connect(given.address).await;
    assert_eq!(code(&client.ask(&" ".repeat(LONGEST + 1)).await), -32_007);
    assert_eq!(client.ask(&call(2, "long", json!([3]))).await["result"], "xxx");
}

#[tokio::test(flavor = "multi_thread")]
async fn ping_between_fragments_is_answered_and_so_is_their_message() {
    let given = given();
    let mut stream = upgrade(given.address).await;
    let call = call(1, "long", json!([3]));
    let (first, last) = call.split_at(call.len() / 2);
    stream.write_all(&frame(FIRST_FRAGMENT, first)).await.unwrap();
    stream.write_all(&frame(PING, "who?")).await.unwrap();
    assert_eq!(read_frame(&mut stream).await, (PONG, b"who?".to_vec()));
    stream.write_all(&frame(PONG, "")).await.unwrap();
    stream.write_all(&frame(LAST_FRAGMENT, last)).await.unwrap();
    let (opcode, answer) = read_frame(&mut stream).await;
    let answer: Value = serde_json::from_slice(&answer).unwrap();
    assert_eq!((opcode, &answer["result"]), (TEXT, &json!("xxx")));
}

#[tokio::test(flavor = "multi_thread")]
async fn message_that_is_sent_before_the_websocket_is_open_is_answered() {
    let given = given();
    let early = frame(TEXT, call(1, "long", json!([3])));
    let (early, rest) = early.split_at(early.len() - 1);
    let mut stream = upgrade_with(given.address, early).await;
    stream.write_all(rest).await.unwrap();
    let (_, answer) = read_frame(&mut stream).await;
    assert_eq!(serde_json::from_slice::<Value>(&answer).unwrap()["result"], "xxx");
}

#[tokio::test(flavor = "multi_thread")]
async fn answer_that_is_too_long_is_an_error() {
    let given = given();
    let mut client = Client::connect(given.address).await;
    assert_eq!(code(&client.ask(&call(1, "long", json!([LONGEST]))).await), -32_008);
    let each = call(1, "long", json!([LONGEST / 2]));
    assert_eq!(code(&client.ask(&format!("[{each},{each}]")).await), -32_011);
}

#[tokio::test(flavor = "multi_thread")]
async fn batch_is_answered_as_a_whole() {
    let given = given();
    let mut client = Client::connect(given.address).await;
    let (one, two) = (call(1, "long", json!([1])), call(2, "long", json!([2])));
    let told = "{\"jsonrpc\":\"2.0\",\"method\":\"long\"}";
    let answers = client.ask(&format!(" [{one},{told},8,{two}]")).await;
    let results: Vec<_> = answers.as_array().unwrap().iter().map(|it| &it["result"]).collect();
    assert_eq!(results, [&json!("x"), &Value::Null, &json!("xx")]);
    assert_eq!(code(&answers[1]), -32_600);
    assert_eq!(code(&client.ask("[]").await), -32_600);
    assert_eq!(code(&client.ask("[1").await), -32_700);
    assert_eq!(code(&client.ask(&format!("[{}]", ["1"; 9].join(","))).await), -32_010);
    client.send(&format!("[{told}]")).await;
    assert_eq!(client.ask(&two).await["result"], "xx", "what is only told has no answer");
    let names = client.ask(&call(1, "rpc_methods", json!([]))).await;
    assert!(names["result"]["methods"].as_array().unwrap().contains(&json!("rpc_methods")));
}

#[tokio::test(flavor = "multi_thread")]
async fn subscriptions_have_places_and_end() {
    let given = given();
    let mut client = Client::connect(given.address).await;
    let subscribe = call(1, "subscribe", json!([1, 1]));
    let first = client.ask(&subscribe).await["result"].clone();
    assert!(first.is_string());
    assert_eq!(
        client.read().await.unwrap()["params"],
        json!({ "subscription": first, "result": "x" })
    );
    client.ask(&call(2, "subscribe", json!([0, 0]))).await;
    assert_eq!(code(&client.ask(&subscribe).await), -32_006);
    assert_eq!(client.ask(&call(3, "unsubscribe", json!([first]))).await["result"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_over_http_are_answered_one_after_the_other() {
    let given = given();
    let mut client = HttpClient::connect(given.address).await;
    for id in 0..3 {
        client.send(&call(id, "long", json!([id]))).await;
    }
    for id in 0..3 {
        assert_eq!(client.read().await["result"], "x".repeat(id));
    }
    client.send(&call(4, "subscribe", json!([1, 1]))).await;
    assert_eq!(code(&client.read().await), -32_603, "only a WebSocket has subscriptions");
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_without_requests_have_places_and_end() {
    const PLACES: usize = 64;
    let mut limits = limits(4 << 20, 16 << 20);
    limits.idle = Duration::from_secs(1);
    let given = Given::serve(limits);
    let mut socket = Client::connect(given.address).await;
    let mut idle = Vec::new();
    for _ in 1..PLACES {
        idle.push(HttpClient::connect(given.address).await);
    }
    HttpClient::connect(given.address).await.closed().await;
    for client in &mut idle {
        client.closed().await;
    }
    assert_eq!(socket.ask(&call(1, "long", json!([1]))).await["result"], "x");
}
