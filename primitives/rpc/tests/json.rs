// SPDX-License-Identifier: Apache-2.0
//! The JSON of each type is fixed: clients in other languages read it.

use assay_primitives::ModelId;
use assay_rpc::{
    ModelStatus, NodeStatus, Output, OutputItem, StoreStatus, StreamEnd, SubmittedPayload,
    TokenLogprobs, WorkerKey, WorkerStatus,
};
use serde::{de::DeserializeOwned, Serialize};
use serde_json::{json, Value};
use sp_core::H256;
use std::fmt::Debug;

/// Asserts that the value is written as that JSON and read from it.
#[track_caller]
fn is_json<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: T, expected: Value) {
    assert_eq!(serde_json::to_value(&value).unwrap(), expected);
    assert_eq!(serde_json::from_value::<T>(expected).unwrap(), value);
}

#[test]
fn submitted_payload_has_hash_bytes_and_tokens() {
    let payload = SubmittedPayload { hash: H256::repeat_byte(1), bytes: 3, tokens: Some(4) };
    let hash = format!("0x{}", "01".repeat(32));
    is_json(payload.clone(), json!({ "hash": hash, "bytes": 3, "tokens": 4 }));
    let unknown = SubmittedPayload { tokens: None, ..payload };
    is_json(unknown, json!({ "hash": hash, "bytes": 3, "tokens": null }));
}

#[test]
fn output_has_bytes_in_hexadecimal() {
    let output = Output {
        tokens: vec![72, 105],
        text: "Hi".into(),
        bytes: b"Hi".to_vec().into(),
        finish: Some("stop".into()),
        transcript: Some(vec![255].into()),
        text_matches: Some(true),
        logprobs: Some(vec![TokenLogprobs { logprob: -7, top: vec![(72, -7), (74, -9)] }]),
    };
    let expected = json!({
        "tokens": [72, 105],
        "text": "Hi",
        "bytes": "0x4869",
        "finish": "stop",
        "transcript": "0xff",
        "textMatches": true,
        "logprobs": [{ "logprob": -7, "top": [[72, -7], [74, -9]] }],
    });
    is_json(output, expected);
}

#[test]
fn output_that_runs_has_neither_finish_nor_transcript() {
    let output = Output {
        tokens: vec![],
        text: String::new(),
        bytes: vec![].into(),
        finish: None,
        transcript: None,
        text_matches: None,
        logprobs: None,
    };
    let expected = json!({
        "tokens": [],
        "text": "",
        "bytes": "0x",
        "finish": null,
        "transcript": null,
        "textMatches": null,
        "logprobs": null,
    });
    is_json(output, expected);
}

#[test]
fn output_item_has_the_index_of_its_first_token() {
    let item = OutputItem::new(7, vec![72], b"H".to_vec(), None);
    let expected =
        json!({ "index": 7, "tokens": [72], "bytes": "0x48", "finish": null, "end": null });
    is_json(item, expected);
}

#[test]
fn last_item_of_a_complete_output_has_finish_and_end() {
    for (end, label) in [(StreamEnd::Stop, "stop"), (StreamEnd::Length, "length")] {
        let item = OutputItem::new(7, vec![72], b"H".to_vec(), Some(end));
        let expected =
            json!({ "index": 7, "tokens": [72], "bytes": "0x48", "finish": label, "end": label });
        is_json(item, expected);
    }
}

#[test]
fn last_item_of_an_incomplete_output_has_an_end_alone() {
    let labels = ["no_output", "unavailable", "replaced", "job_gone", "too_slow", "timed_out"];
    let ends = StreamEnd::ALL.into_iter().filter(|end| !end.is_complete());
    assert_eq!(ends.clone().map(StreamEnd::label).collect::<Vec<_>>(), labels);
    for end in ends {
        let expected = json!({
            "index": 7, "tokens": [], "bytes": "0x", "finish": null, "end": end.label(),
        });
        is_json(OutputItem::new(7, vec![], vec![], Some(end)), expected);
    }
}

#[test]
fn node_status_is_in_camel_case() {
    let model = ModelStatus {
        id: ModelId::repeat_byte(2),
        name: "tiny".into(),
        architecture: "llama".into(),
        quantisation: "Q8_0".into(),
        parameters: 1_000,
        context: 2_048,
        vocabulary: 260,
        file_bytes: 2_000,
    };
    let worker = WorkerStatus {
        models: vec![model],
        waiting: 1,
        open: 2,
        results: 3,
        threads: 4,
        fault: Some("silent".into()),
    };
    let status = NodeStatus {
        version: "0.1.0-abc".into(),
        peer_id: "12D3".into(),
        engine: true,
        worker: Some(worker),
        store: StoreStatus {
            healthy: false,
            error: Some("full".into()),
            free_bytes: Some(0),
            pending: 5,
        },
        workers: vec![
            WorkerKey { key: "5key".into(), stash: Some("5stash".into()) },
            WorkerKey { key: "5other".into(), stash: None },
        ],
    };
    let expected = json!({
        "version": "0.1.0-abc",
        "peerId": "12D3",
        "engine": true,
        "worker": {
            "models": [{
                "id": format!("0x{}", "02".repeat(32)),
                "name": "tiny",
                "architecture": "llama",
                "quantisation": "Q8_0",
                "parameters": 1_000,
                "context": 2_048,
                "vocabulary": 260,
                "fileBytes": 2_000,
            }],
            "waiting": 1,
            "open": 2,
            "results": 3,
            "threads": 4,
            "fault": "silent",
        },
        "store": { "healthy": false, "error": "full", "freeBytes": 0, "pending": 5 },
        "workers": [{ "key": "5key", "stash": "5stash" }, { "key": "5other", "stash": null }],
    });
    is_json(status, expected);
}

#[test]
fn node_without_an_engine_has_no_worker() {
    let status = NodeStatus {
        version: "0.1.0".into(),
        peer_id: "12D3".into(),
        engine: false,
        worker: None,
        store: StoreStatus { healthy: true, error: None, free_bytes: None, pending: 0 },
        workers: vec![],
    };
    let expected = json!({
        "version": "0.1.0",
        "peerId": "12D3",
        "engine": false,
        "worker": null,
        "store": { "healthy": true, "error": null, "freeBytes": null, "pending": 0 },
        "workers": [],
    });
    is_json(status, expected);
}
