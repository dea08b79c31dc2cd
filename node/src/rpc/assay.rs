// SPDX-License-Identifier: Apache-2.0
//! Assay's own methods.

use crate::{
    exchange::{local_page, Exchange, Page},
    service::FullClient,
};
use assay_primitives::{
    api::AssayApi,
    job::{JobId, JobState, ModelId},
    settlement::Settlement,
    worker::{Transcript, KEY_TYPE},
};
use assay_runtime::AccountId;
use assay_worker::{StoreError, Worker, WorkerStatus};
use codec::Decode;
use jsonrpsee::{
    core::{async_trait, RpcResult},
    proc_macros::rpc,
    types::ErrorObjectOwned,
    PendingSubscriptionSink, SubscriptionMessage, SubscriptionSink,
};
use sc_rpc::SubscriptionTaskExecutor;
use serde::{Deserialize, Serialize};
use sp_api::ProvideRuntimeApi;
use sp_blockchain::HeaderBackend;
use sp_core::{crypto::Ss58Codec, Bytes, H256};
use sp_keystore::{Keystore, KeystorePtr};
use std::{sync::Arc, time::Duration};

/// How often another node is asked for the tokens of a job that runs there.
const REMOTE_INTERVAL: Duration = Duration::from_millis(250);
/// How long a subscription waits for a job that no node has tokens of.
const REMOTE_PATIENCE: Duration = Duration::from_secs(600);
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

impl Output {
    /// What a transcript says.
    fn proven(payload: Vec<u8>) -> Option<Self> {
        let transcript = Transcript::decode(&mut payload.as_slice()).ok()?;
        Some(Self {
            text: String::from_utf8_lossy(&transcript.text).into_owned(),
            tokens: transcript.output,
            bytes: transcript.text.into(),
            finish: Some(transcript.finish.label().into()),
            transcript: Some(payload.into()),
        })
    }
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
    #[method(name = "nodeStatus")]
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

fn error(message: impl Into<String>) -> ErrorObjectOwned {
    ErrorObjectOwned::owned(CODE, message, None::<()>)
}

#[async_trait]
impl AssayRpcServer for AssayRpc {
    async fn submit_payload(
        &self,
        payload: Bytes,
        model: Option<ModelId>,
    ) -> RpcResult<SubmittedPayload> {
        let worker = self.deps.worker.clone();
        let submitted = tokio::task::spawn_blocking(move || {
            let hash = worker.put_prompt(&payload)?;
            let tokens = model.and_then(|model| worker.count_tokens(&model, &payload));
            Ok(SubmittedPayload { hash, bytes: payload.len(), tokens })
        });
        submitted
            .await
            .map_err(|failure| error(failure.to_string()))?
            .map_err(|failure: StoreError| error(failure.to_string()))
    }

    async fn output(&self, job: JobId) -> RpcResult<Option<Output>> {
        let deps = &self.deps;
        if let Some(payload) = deps.transcript(job).await? {
            return Ok(Output::proven(payload));
        }
        let Some(page) = deps.whole(&job).await else { return Ok(None) };
        let bytes = deps.bytes(&job, &page.tokens).await;
        Ok(Some(Output {
            text: String::from_utf8_lossy(&bytes).into_owned(),
            bytes: bytes.into(),
            tokens: page.tokens,
            finish: page.finish.map(|finish| finish.label().to_string()),
            transcript: None,
        }))
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

    /// The transcript that was committed for a job, from here or from the nodes around; kept.
    async fn transcript(&self, job: JobId) -> RpcResult<Option<Vec<u8>>> {
        let view = self
            .client
            .runtime_api()
            .job(self.client.info().best_hash, job)
            .map_err(|failure| error(failure.to_string()))?;
        let hash = match view.map(|view| view.state) {
            Some(JobState::Delivered { commitment, .. }) => commitment.output_hash,
            Some(JobState::Settled(Settlement { output_hash: Some(hash), .. })) => hash,
            _ => return Ok(None),
        };
        let stored = |failure: StoreError| error(failure.to_string());
        if let Some(payload) = self.worker.payload(&hash).map_err(stored)? {
            return Ok(Some(payload));
        }
        let Some(payload) = self.exchange.payload(hash, &[]).await else { return Ok(None) };
        self.worker.keep_output(&job, &payload).map_err(stored)?;
        Ok(Some(payload))
    }

    /// A page from here, or from the nodes around.
    async fn page(&self, job: &JobId, index: u32) -> Option<Page> {
        match local_page(&self.worker, job, index) {
            Some(page) => Some(page),
            None => self.exchange.page(*job, index).await.filter(|page| page.index == index),
        }
    }

    /// All pages so far as one.
    async fn whole(&self, job: &JobId) -> Option<Page> {
        let mut whole = self.page(job, 0).await?;
        while whole.finish.is_none() {
            let next = self.page(job, whole.tokens.len() as u32).await?;
            let end = next.tokens.is_empty();
            whole.tokens.extend(next.tokens);
            whole.finish = next.finish;
            if end {
                break;
            }
        }
        Some(whole)
    }

    /// What the tokens stand for: by this node where it has the model, otherwise by one around.
    async fn bytes(&self, job: &JobId, tokens: &[u32]) -> Vec<u8> {
        let view = self.client.runtime_api().job(self.client.info().best_hash, *job);
        let Some(model) = view.ok().flatten().map(|view| view.spec.model) else {
            return Vec::new();
        };
        match self.worker.detokenize(&model, tokens) {
            Some(bytes) => bytes,
            None => self.exchange.text(model, tokens).await.unwrap_or_default(),
        }
    }

    /// Sends tokens as they come. A slow listener is waited for and costs nothing: the tokens are
    /// kept anyway.
    async fn stream(&self, sink: SubscriptionSink, job: JobId, from: u32) {
        let mut index = from;
        let mut waited = Duration::ZERO;
        loop {
            let mut listener = self.worker.stream(&job).map(|stream| stream.listen());
            let page = self.page(&job, index).await;
            if let Some(page) = page.filter(|page| !page.tokens.is_empty() || page.finish.is_some())
            {
                waited = Duration::ZERO;
                let next = page.index.saturating_add(page.tokens.len() as u32);
                let item = OutputItem {
                    index: page.index,
                    bytes: self.bytes(&job, &page.tokens).await.into(),
                    tokens: page.tokens,
                    finish: page.finish.map(|finish| finish.label().to_string()),
                };
                let Ok(message) = SubscriptionMessage::from_json(&item) else { return };
                if sink.send(message).await.is_err() || item.finish.is_some() {
                    return;
                }
                index = next;
                continue;
            }
            if waited >= REMOTE_PATIENCE {
                return;
            }
            waited += REMOTE_INTERVAL;
            let change = async {
                match &mut listener {
                    Some(listener) => drop(listener.changed().await),
                    None => futures::future::pending().await,
                }
            };
            tokio::select! {
                _ = change => {},
                _ = tokio::time::sleep(REMOTE_INTERVAL) => {},
                _ = sink.closed() => return,
            }
        }
    }
}
