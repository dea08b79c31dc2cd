// SPDX-License-Identifier: Apache-2.0
//! The names and the parameters of the methods are fixed, on the server and on the client.

use assay_primitives::{JobId, ModelId};
use assay_rpc::{AssayRpcClient, AssayRpcServer, NodeStatus, Output, SubmittedPayload, ERROR_CODE};
use jsonrpsee::{
    core::{
        async_trait,
        client::{BatchResponse, ClientT, Error, Subscription, SubscriptionClientT},
        params::BatchRequestBuilder,
        traits::ToRpcParams,
        RpcResult,
    },
    types::ErrorObjectOwned,
    Extensions, PendingSubscriptionSink, SubscriptionMessage,
};
use serde::de::DeserializeOwned;
use serde_json::{json, Value};
use sp_core::{Bytes, H256};
use std::{fmt::Debug, sync::Mutex};

/// A server that answers with its own arguments.
struct Echo;

fn error(message: String) -> ErrorObjectOwned {
    ErrorObjectOwned::owned(ERROR_CODE, message, None::<()>)
}

#[async_trait]
impl AssayRpcServer for Echo {
    async fn submit_payload(
        &self,
        _: &Extensions,
        payload: Bytes,
        model: Option<ModelId>,
    ) -> RpcResult<SubmittedPayload> {
        let hash = model.unwrap_or_default();
        Ok(SubmittedPayload { hash, bytes: payload.len() as u64, tokens: None })
    }

    async fn output(&self, _: &Extensions, job: JobId) -> RpcResult<Option<Output>> {
        Err(error(format!("{job:?}")))
    }

    async fn request_of(&self, _: &Extensions, job: JobId) -> RpcResult<Option<Bytes>> {
        Ok(Some(job.as_bytes().to_vec().into()))
    }

    async fn subscribe_output(&self, pending: PendingSubscriptionSink, job: JobId, from: u32) {
        let Ok(sink) = pending.accept().await else { return };
        let message = SubscriptionMessage::from_json(&json!([job, from])).unwrap();
        let _ = sink.send(message).await;
    }

    fn node_status(&self) -> RpcResult<NodeStatus> {
        Err(error("no status".into()))
    }
}

/// Calls a method and returns the result or the error of the response.
async fn call(method: &str, params: Value) -> Value {
    let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    let module = Echo.into_rpc();
    let (response, _) = module.raw_json_request(&request.to_string(), 1).await.unwrap();
    let response: Value = serde_json::from_str(&response).unwrap();
    response.get("result").or(response.get("error")).unwrap().clone()
}

#[test]
fn methods_keep_their_names() {
    let mut names: Vec<_> = Echo.into_rpc().method_names().collect();
    names.sort_unstable();
    let expected = [
        "assay_nodeStatus",
        "assay_output",
        "assay_request",
        "assay_submitPayload",
        "assay_subscribeOutput",
        "assay_unsubscribeOutput",
    ];
    assert_eq!(names, expected);
}

#[tokio::test]
async fn server_takes_parameters_by_position_and_by_name() {
    let model = format!("0x{}", "ab".repeat(32));
    let taken = json!({ "hash": model, "bytes": 2, "tokens": null });
    assert_eq!(call("assay_submitPayload", json!(["0x4869", model])).await, taken);
    let named = json!({ "payload": "0x4869", "model": model });
    assert_eq!(call("assay_submitPayload", named).await, taken);
    let without = call("assay_submitPayload", json!(["0x4869"])).await;
    let job = H256::repeat_byte(7);
    assert_eq!(call("assay_request", json!([job])).await, json!(job));
    assert_eq!(without["hash"], format!("0x{}", "00".repeat(32)));
}

#[tokio::test]
async fn errors_have_the_code_of_the_crate() {
    let job = H256::repeat_byte(7);
    let failed = call("assay_output", json!([job])).await;
    assert_eq!(failed, json!({ "code": 7_000, "message": format!("{job:?}") }));
    assert_eq!(call("assay_nodeStatus", json!([])).await["code"], 7_000);
    assert_eq!(call("assay_output", json!(["0x"])).await["code"], -32602);
}

#[tokio::test]
async fn notifications_are_named_output_item() {
    let request = json!({
        "jsonrpc": "2.0", "id": 1, "method": "assay_subscribeOutput", "params": [H256::zero(), 5],
    });
    let module = Echo.into_rpc();
    let (_, mut items) = module.raw_json_request(&request.to_string(), 1).await.unwrap();
    let item: Value = serde_json::from_str(&items.recv().await.unwrap()).unwrap();
    assert_eq!(item["method"], "assay_outputItem");
    assert_eq!(item["params"]["result"], json!([H256::zero(), 5]));
}

/// A client that notes each request and has no server.
#[derive(Default)]
struct Recorder(Mutex<Vec<(String, Value)>>);

impl Recorder {
    fn note(&self, method: &str, params: impl ToRpcParams) {
        let params = params.to_rpc_params().unwrap();
        let params = params.map_or(Value::Null, |raw| serde_json::from_str(raw.get()).unwrap());
        self.0.lock().unwrap().push((method.into(), params));
    }
}

#[async_trait]
impl ClientT for Recorder {
    async fn notification<Params: ToRpcParams + Send>(
        &self,
        method: &str,
        params: Params,
    ) -> Result<(), Error> {
        self.note(method, params);
        Ok(())
    }

    async fn request<R: DeserializeOwned, Params: ToRpcParams + Send>(
        &self,
        method: &str,
        params: Params,
    ) -> Result<R, Error> {
        self.note(method, params);
        Err(Error::RequestTimeout)
    }

    async fn batch_request<'a, R: DeserializeOwned + Debug + 'a>(
        &self,
        _: BatchRequestBuilder<'a>,
    ) -> Result<BatchResponse<'a, R>, Error> {
        Err(Error::RequestTimeout)
    }
}

#[async_trait]
impl SubscriptionClientT for Recorder {
    async fn subscribe<'a, Notif: DeserializeOwned, Params: ToRpcParams + Send>(
        &self,
        method: &'a str,
        params: Params,
        unsubscribe: &'a str,
    ) -> Result<Subscription<Notif>, Error> {
        self.note(method, params);
        self.note(unsubscribe, jsonrpsee::rpc_params![]);
        Err(Error::RequestTimeout)
    }

    async fn subscribe_to_method<'a, Notif: DeserializeOwned>(
        &self,
        _: &'a str,
    ) -> Result<Subscription<Notif>, Error> {
        Err(Error::RequestTimeout)
    }
}

#[tokio::test]
async fn client_calls_the_methods_by_their_names() {
    let (client, id) = (Recorder::default(), H256::repeat_byte(7));
    assert!(client.node_status().await.is_err());
    assert!(client.submit_payload(b"Hi".to_vec().into(), Some(id)).await.is_err());
    assert!(client.output(id).await.is_err());
    assert!(client.request_of(id).await.is_err());
    assert!(client.subscribe_output(id, 5).await.is_err());
    let requests = client.0.into_inner().unwrap();
    let expected = [
        ("assay_nodeStatus", Value::Null),
        ("assay_submitPayload", json!(["0x4869", id])),
        ("assay_output", json!([id])),
        ("assay_request", json!([id])),
        ("assay_subscribeOutput", json!([id, 5])),
        ("assay_unsubscribeOutput", Value::Null),
    ];
    let expected = expected.map(|(method, params)| (method.to_string(), params));
    assert_eq!(requests, expected);
}
