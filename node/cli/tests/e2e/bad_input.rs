// SPDX-License-Identifier: Apache-2.0
//! Bad input gets a clear error and changes nothing.

use crate::{
    books::Books,
    cli::{alone, assay, command},
    network::dev,
    node::Node,
    port::Port,
    spec::NodeSpec,
};
use assay_primitives::{
    request::{Prompt, RequestV1, MAX_REQUEST_BYTES},
    Request,
};
use codec::Encode;
use jsonrpsee::rpc_params;
use std::fs;

#[tokio::test]
async fn bad_orders_are_refused_and_cost_nothing() {
    let node = dev(&[]).await;
    let before = Books::read(&node).await;

    let long = "In the beginning ".repeat(200);
    assay(&node, &["run", "--json", &long])
        .await
        .fails("jobs.ContextExceeded", &["exceed", "context of 2048", "--max-tokens"]);
    assay(&node, &["run", "--json", "--max-tokens", "0", "hello"])
        .await
        .fails("jobs.MaxTokensZero", &["--max-tokens is 0", "at least one"]);
    assay(&node, &["run", "--json", ""])
        .await
        .fails("jobs.InputEmpty", &["prompt is empty", "standard input"]);
    assay(&node, &["run", "--json", "--model", "no-such-model", "hello"])
        .await
        .fails("jobs.ModelNotServed", &["'no-such-model'", "there are: assay-tiny"]);
    let id = format!("0x{}", "ab".repeat(32));
    assay(&node, &["run", "--json", "--model", &id, "hello"])
        .await
        .fails("jobs.ModelNotServed", &[&id]);
    assay(&node, &["run", "--json", "--deadline", "1", "hello"])
        .await
        .fails("jobs.DeadlineOutOfRange", &["--deadline 1", "from 5 to 28800"]);
    assay(&node, &["run", "--json", "--not-before", "99999999", "hello"])
        .await
        .fails("jobs.NotBeforeTooFar", &["--not-before 99999999", "at most"]);
    assay(&node, &["job", "status", "--json", &id]).await.fails("jobs.JobNotFound", &[&id]);

    // The job would hold 0.64 ASY for its output, 0.001 ASY for each token of the prompt, the bounty
    // and the deposit.
    assay(&node, &["run", "--json", "--max-cost", "0.5", "-n", "64", "hello"])
        .await
        .fails("max_cost_exceeded", &["0.751 ASY", "0.5 ASY"]);
    assay(&node, &["job", "create", "--json", "--max-cost", "0.5", "-n", "64", "hello"])
        .await
        .fails("max_cost_exceeded", &["0.751 ASY", "0.5 ASY"]);

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("poor.key");
    let file = file.to_str().unwrap();
    let key = assay(&node, &["key", "new", "--json", "--unencrypted", "--out", file]).await.ok();
    assay(&node, &["run", "--json", "--key-file", file, "hello"])
        .await
        .fails("balance_too_small", &[key["address"].as_str().unwrap(), "can spend 0 ASY"]);

    // No order had to reach the chain to be refused.
    let after = Books::read(&node).await;
    let fees = crate::books::fees(&node, before.number, after.number).await;
    assert!(fees.is_empty(), "{fees:?}");
    for (account, had) in &before.accounts {
        assert_eq!(after.free(account), had.data.free, "{account}");
        assert_eq!(after.reserved(account), had.data.reserved, "{account}");
    }
    assert_eq!(assay(&node, &["job", "list", "--json"]).await.ok()["jobs"], serde_json::json!([]));
}

#[tokio::test]
async fn payload_that_no_engine_runs_is_refused_by_the_name_of_its_field() {
    let node = dev(&[]).await;
    let chain = node.chain().await;
    let error = async |payload: &[u8]| {
        let params = rpc_params![format!("0x{}", hex::encode(payload))];
        let answer: Result<serde_json::Value, _> =
            chain.request("assay_submitPayload", params).await;
        format!("{:#}", answer.unwrap_err())
    };
    let text = error(b"In the beginning").await;
    assert!(text.contains("version 73") && text.contains("SCALE"), "{text}");
    let request = RequestV1 { salt: Some([1; 32]), ..RequestV1::new(Prompt::Text(vec![])) };
    let field = error(&Request::V1(request).encode()).await;
    assert!(field.contains("'salt'"), "{field}");
    let empty = error(&Request::text(vec![]).encode()).await;
    assert!(empty.contains("prompt is empty"), "{empty}");
}

#[tokio::test]
async fn payload_over_the_limit_is_refused() {
    let node = dev(&[]).await;
    let chain = node.chain().await;
    let model = chain.node_status().await.unwrap().worker.unwrap().models[0].id;
    let request = |bytes: usize| Request::text(vec![b'a'; bytes]);
    let frame = request(1 << 19).encode().len() - (1 << 19);
    let longest = MAX_REQUEST_BYTES - frame;
    let taken = chain.submit_request(&request(longest), &model).await.unwrap();
    assert_eq!(taken.bytes, MAX_REQUEST_BYTES as u64);
    let error = chain.submit_request(&request(longest + 1), &model).await.err().unwrap();
    let error = format!("{error:#}");
    assert!(error.contains("1048577"), "{error}");
    // The node goes on.
    let status: serde_json::Value = chain.request("system_health", rpc_params![]).await.unwrap();
    assert_eq!(status["shouldHavePeers"], false, "{status}");
}

#[tokio::test]
async fn no_node_is_an_error_with_advice() {
    let port = Port::claim();
    let url = format!("ws://127.0.0.1:{}", port.number());
    let said = alone(&["run", "--json", "--url", &url, "hello"]).await;
    said.fails("node_unreachable", &[&url, "--url"]);
}

#[tokio::test]
async fn wrong_usage_exits_with_two() {
    for args in [
        &["job", "status", "--json", "0xab"][..],
        &["run", "--json", "--temperature", "-1", "hello"],
        &["run", "--json", "--tip", "1 DOT", "hello"],
        &["dance", "--json"],
    ] {
        let said = alone(args).await;
        assert_eq!(said.code, 2, "{said:?}");
        assert_eq!(said.json()["error"]["code"], "usage", "{said:?}");
    }
}

/// Reads the built-in model's file in the repository.
fn tiny() -> Vec<u8> {
    fs::read("../engine/models/tiny.gguf").expect("the repository has the model")
}

/// Asserts that a node does not start with that file, and names it with these words.
async fn refuses_model(name: &str, bytes: &[u8], words: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    let path = path.to_str().unwrap();
    let log = Node::refused(NodeSpec::dev().with(&["--model", path])).await;
    for word in words.iter().chain([&path]) {
        assert!(log.contains(word), "'{word}' is not in: {log}");
    }
}

#[tokio::test]
async fn truncated_model_is_refused_by_name() {
    let tiny = tiny();
    refuses_model("half.gguf", &tiny[..tiny.len() / 2], &["fetch it again"]).await;
    refuses_model("empty.gguf", &[], &["not a GGUF file"]).await;
}

#[tokio::test]
async fn model_of_unknown_architecture_is_refused_by_name() {
    let mut bytes = tiny();
    // The value of `general.architecture`: a string of the same length is another architecture.
    let at = bytes.windows(5).position(|window| window == b"llama").expect("it is a llama");
    bytes[at..at + 5].copy_from_slice(b"mamba");
    refuses_model("other.gguf", &bytes, &["mamba"]).await;
}

#[tokio::test]
async fn missing_model_is_refused_by_name() {
    let log = Node::refused(NodeSpec::dev().with(&["--model", "/no/such.gguf"])).await;
    assert!(log.contains("/no/such.gguf"), "{log}");
}

#[tokio::test]
async fn engine_without_a_worker_key_is_refused() {
    let log = Node::refused(NodeSpec::operators(&[])).await;
    assert!(log.contains("assy") && log.contains("key insert"), "{log}");
}

#[tokio::test]
async fn taken_port_ends_the_second_node() {
    let first = dev(&[]).await;
    let log = Node::refused(NodeSpec::dev().at_rpc_port(first.rpc_port())).await;
    assert!(log.contains(&first.rpc_port().to_string()), "{log}");
    assert!(log.contains("--rpc-port"), "{log}");
    // The first node goes on.
    let status = command(&first, &["node", "status"]).output().await.unwrap();
    assert!(status.status.success());
}

#[tokio::test]
async fn base_path_in_use_ends_the_second_node_with_its_name() {
    let first = dev(&[]).await;
    let log = Node::refused(NodeSpec::dev().at_base_path(first.base())).await;
    for part in [&*first.base().display().to_string(), "another node", "--base-path"] {
        assert!(log.contains(part), "{log}");
    }
    assert!(!log.contains("Backend("), "{log}");
}

#[tokio::test]
async fn node_does_not_start_on_a_disk_that_is_nearly_full() {
    // No disk has this much.
    let spec = NodeSpec::dev().with(&["--db-storage-threshold", "4294967295"]);
    let log = Node::refused(spec).await;
    assert!(log.contains("disk of the chain's database") && log.contains("free space"), "{log}");
}
