// SPDX-License-Identifier: Apache-2.0
//! Assay's own methods.

use crate::{exchange::Exchange, service::FullClient};
use assay_primitives::{
    api::AssayApi,
    job::{JobId, ModelId},
    worker::KEY_TYPE,
};
use assay_runtime::AccountId;
use assay_worker::{StoreError, Worker, WorkerStatus};
use jsonrpsee::{
    core::{async_trait, RpcResult},
    proc_macros::rpc,
    types::ErrorObjectOwned,
    PendingSubscriptionSink,
};
use sc_rpc::SubscriptionTaskExecutor;
use serde::{Deserialize, Serialize};
use sp_api::ProvideRuntimeApi;
use sp_blockchain::HeaderBackend;
use sp_core::{crypto::Ss58Codec, Bytes, H256};
use sp_keystore::{Keystore, KeystorePtr};
use std::sync::Arc;

/// Codes of this module's errors.
const CODE: i32 = 7_000;

/// What `assay_submitPayload` answers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SubmittedPayload {
    /// blake2_256 of the bytes.
    pub hash: H256,
    /// How many bytes.
    pub bytes: usize,
    /// How many tokens for the model that was named; `None` where this node has not got it.
    pub tokens: Option<usize>,
}

/// What `assay_output` answers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Output {
    /// The tokens.
    pub tokens: Vec<u32>,
    /// Their text, what is not UTF-8 replaced.
    pub text: String,
    /// Their bytes.
    pub bytes: Bytes,
    /// `stop` or `length`; `None` while tokens may come.
    pub finish: Option<String>,
    /// SCALE encoding of the transcript, whose blake2_256 is the `output_hash` that the operator
    /// committed to; everything above is then read from it. `None` before the commitment, and where
    /// no node around gives it: what is above is then what this node or a peer says.
    pub transcript: Option<Bytes>,
}

/// What a subscription sends.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OutputItem {
    /// Index of the first token.
    pub index: u32,
    /// The tokens.
    pub tokens: Vec<u32>,
    /// Their bytes; a character may be cut between two items.
    pub bytes: Bytes,
    /// `stop` or `length` in the last item.
    pub finish: Option<String>,
}

/// A worker key of this node.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WorkerKey {
    /// Its address.
    pub key: String,
    /// The operator that it works for, if it is registered.
    pub stash: Option<String>,
}

/// What `assay_nodeStatus` answers.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeStatus {
    /// Version of the node.
    pub version: String,
    /// Its name in the network.
    pub peer_id: String,
    /// Whether it runs jobs.
    pub engine: bool,
    /// The engine's state; `None` where there is none.
    pub worker: Option<WorkerStatus>,
    /// Its worker keys.
    pub workers: Vec<WorkerKey>,
}

/// What only this node knows.
#[rpc(server, namespace = "assay")]
pub trait AssayRpc {
    /// Keeps a prompt, at most 1 MiB, for the nodes that ask for it.
    #[method(name = "submitPayload")]
    async fn submit_payload(
        &self,
        payload: Bytes,
        model: Option<ModelId>,
    ) -> RpcResult<SubmittedPayload>;

    /// The output of a job, as far as it is known here or to the nodes around.
    #[method(name = "output")]
    async fn output(&self, job: JobId) -> RpcResult<Option<Output>>;

    /// The tokens of a job as they come, from an index on.
    #[subscription(
        name = "subscribeOutput" => "outputItem",
        unsubscribe = "unsubscribeOutput",
        item = OutputItem
    )]
    async fn subscribe_output(&self, job: JobId, from: u32);

    /// The state of this node.
    #[method(name = "nodeStatus", blocking)]
    fn node_status(&self) -> RpcResult<NodeStatus>;
}

/// What the methods are made of.
#[derive(Clone)]
pub struct Deps {
    /// The client.
    pub client: Arc<FullClient>,
    /// The worker.
    pub worker: Arc<Worker>,
    /// The nodes around.
    pub exchange: Exchange,
    /// The keystore.
    pub keystore: KeystorePtr,
    /// The version of the node.
    pub version: String,
}

/// The methods.
pub struct AssayRpc {
    deps: Deps,
    executor: SubscriptionTaskExecutor,
}

impl AssayRpc {
    /// The methods over these.
    pub fn new(deps: Deps, executor: SubscriptionTaskExecutor) -> Self {
        Self { deps, executor }
    }
}

pub(super) fn error(message: impl Into<String>) -> ErrorObjectOwned {
    ErrorObjectOwned::owned(CODE, message, None::<()>)
}

#[async_trait]
impl AssayRpcServer for AssayRpc {
    async fn submit_payload(
        &self,
        payload: Bytes,
        model: Option<ModelId>,
    ) -> RpcResult<SubmittedPayload> {
        let submit = move |deps: &Deps| {
            let stored = |failure: StoreError| error(failure.to_string());
            let hash = deps.worker.put_prompt(&payload).map_err(stored)?;
            let tokens = model.and_then(|model| deps.worker.count_tokens(&model, &payload));
            Ok(SubmittedPayload { hash, bytes: payload.len(), tokens })
        };
        self.deps.blocking(submit).await
    }

    async fn output(&self, job: JobId) -> RpcResult<Option<Output>> {
        self.deps.output_of(job).await
    }

    async fn subscribe_output(&self, pending: PendingSubscriptionSink, job: JobId, from: u32) {
        let Ok(sink) = pending.accept().await else { return };
        let deps = self.deps.clone();
        let stream = async move { deps.stream(sink, job, from).await };
        self.executor.spawn("assay-output", Some("rpc"), Box::pin(stream));
    }

    fn node_status(&self) -> RpcResult<NodeStatus> {
        let deps = &self.deps;
        let status = deps.worker.status();
        let engine = !status.models.is_empty();
        Ok(NodeStatus {
            version: deps.version.clone(),
            peer_id: deps.exchange.peer_id().to_string(),
            engine,
            worker: engine.then_some(status),
            workers: deps.worker_keys()?,
        })
    }
}

impl Deps {
    fn worker_keys(&self) -> RpcResult<Vec<WorkerKey>> {
        let operators = self
            .client
            .runtime_api()
            .operators(self.client.info().best_hash)
            .map_err(|failure| error(failure.to_string()))?;
        let keys = self.keystore.sr25519_public_keys(KEY_TYPE);
        Ok(keys
            .into_iter()
            .map(|key| {
                let account = AccountId::from(key);
                let stash = operators.iter().find(|operator| operator.worker == account);
                WorkerKey {
                    key: account.to_ss58check(),
                    stash: stash.map(|operator| operator.stash.to_ss58check()),
                }
            })
            .collect())
    }
}
