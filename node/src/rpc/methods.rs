// SPDX-License-Identifier: Apache-2.0
//! The methods that Assay adds, which the crate `assay-rpc` documents.

use super::{
    deps::{error, limit, AssayDeps},
    feeds::Following,
    output,
    places::Place,
    poller,
    source::Source,
    subscription,
};
use crate::serving::Slot;
use assay_primitives::{request::MAX_REQUEST_BYTES, worker::KEY_TYPE, JobId, ModelId};
use assay_rpc::{AssayRpcServer, NodeStatus, Output, SubmittedPayload, WorkerKey};
use assay_runtime::AccountId;
use assay_worker::{StoreError, SupportedRequest};
use futures::future::BoxFuture;
use jsonrpsee::{
    core::{async_trait, RpcResult},
    types::ErrorObjectOwned,
    ConnectionId, Extensions, PendingSubscriptionSink,
};
use sc_rpc::SubscriptionTaskExecutor;
use sp_core::{crypto::Ss58Codec, sr25519, Bytes};
use sp_keystore::Keystore;

/// The methods that Assay adds.
pub struct AssayMethods {
    deps: AssayDeps,
    executor: SubscriptionTaskExecutor,
}

impl AssayMethods {
    /// Makes the methods. Subscriptions run on `executor`.
    pub fn new(deps: AssayDeps, executor: SubscriptionTaskExecutor) -> Self {
        Self { deps, executor }
    }

    /// Takes a place for a subscription of that connection, and joins the feed of the job, which is
    /// followed from now on.
    async fn join(
        &self,
        connection: ConnectionId,
        job: JobId,
        from: u32,
    ) -> RpcResult<(Place, Following, ModelId)> {
        let place = self.deps.places.take(connection).map_err(limit)?;
        self.deps.lookups.spend(connection.0, 0)?;
        let spec = self.deps.known_job(job).await?.spec;
        if from > spec.max_tokens {
            let most = spec.max_tokens;
            return Err(error(format!(
                "the job has at most {most} tokens, and the subscription is to begin with the token \
                 at index {from}; name an index from 0 to {most}"
            )));
        }
        let (following, opened) = self.deps.feeds.join(connection.0, job).map_err(limit)?;
        if let Some(opened) = opened {
            let follow = poller::follow(self.deps.clone(), opened);
            self.executor.spawn("assay-feed", Some("rpc"), Box::pin(follow));
        }
        Ok((place, following, spec.model))
    }
}

#[async_trait]
impl AssayRpcServer for AssayMethods {
    async fn submit_payload(
        &self,
        extensions: &Extensions,
        payload: Bytes,
        model: Option<ModelId>,
    ) -> RpcResult<SubmittedPayload> {
        // A payload that is too long costs no more than the longest request, and is refused.
        let bytes = payload.len().min(MAX_REQUEST_BYTES);
        let turn = self.deps.submissions.enter(number(extensions), bytes).await?;
        let submit = move |deps: &AssayDeps| {
            // The thread goes on when the client leaves, and its turn lasts until it ends.
            let _turn = turn;
            let request = SupportedRequest::read(&payload).map_err(error)?;
            request.ensure_prompt().map_err(error)?;
            let tokens = match model {
                Some(model) => deps.worker.count_tokens(&model, &request).map_err(error)?,
                None => None,
            };
            let hash = deps.worker.put_request(&request).map_err(of_store)?;
            Ok(SubmittedPayload { hash, bytes: payload.len() as u64, tokens })
        };
        self.deps.blocking(submit).await
    }

    async fn output(&self, extensions: &Extensions, job: JobId) -> RpcResult<Option<Output>> {
        let _turn = self.deps.lookups.enter(number(extensions), 0).await?;
        let output = output::output(&self.deps, job).await?;
        // It keeps its turn until there is room for it, so that few outputs wait in memory.
        if let Some(slot) = extensions.get::<Slot>() {
            slot.reserve().await.map_err(|_| limit("the client has left"))?;
        }
        Ok(output)
    }

    async fn request_of(&self, extensions: &Extensions, job: JobId) -> RpcResult<Option<Bytes>> {
        let _turn = self.deps.lookups.enter(number(extensions), 0).await?;
        let hash = self.deps.known_job(job).await?.spec.request_hash;
        // A job can name the hash of any payload as that of its request.
        let is_request = |bytes: &Vec<u8>| SupportedRequest::read(bytes).is_ok();
        let read = move |deps: &AssayDeps| {
            Ok(deps.worker.payload(&hash).map_err(error)?.filter(is_request))
        };
        let request = self.deps.blocking(read).await?;
        // The request waits for room within its turn, as an output does.
        if let Some(slot) = extensions.get::<Slot>() {
            slot.reserve().await.map_err(|_| limit("the client has left"))?;
        }
        Ok(request.map(Bytes::from))
    }

    async fn subscribe_output(&self, pending: PendingSubscriptionSink, job: JobId, from: u32) {
        let (place, following, model) = match self.join(pending.connection_id(), job, from).await {
            Ok(joined) => joined,
            Err(error) => return pending.reject(error).await,
        };
        let Ok(sink) = pending.accept().await else { return };
        let deps = self.deps.clone();
        let run = async move {
            let text = |tokens: Vec<u32>| -> BoxFuture<'static, Vec<u8>> {
                let deps = deps.clone();
                Box::pin(async move { deps.text(job, model, &tokens).await })
            };
            subscription::run(sink, following, from, subscription::SLOW, text).await;
            drop(place);
        };
        self.executor.spawn("assay-output", Some("rpc"), Box::pin(run));
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
            store: deps.worker.store_status(),
            workers: worker_keys(deps)?,
        })
    }
}

/// Returns the number of the connection that the extensions of a call name.
fn number(extensions: &Extensions) -> usize {
    extensions.get::<ConnectionId>().map_or(0, |id| id.0)
}

/// Returns the error of the store: a full one is a limit that passes.
fn of_store(failed: StoreError) -> ErrorObjectOwned {
    match failed {
        StoreError::Full { .. } => limit(failed),
        failed => error(failed),
    }
}

/// Returns the worker keys of this node with the operators that they report for.
fn worker_keys(deps: &AssayDeps) -> RpcResult<Vec<WorkerKey>> {
    let keys = deps.keystore.sr25519_public_keys(KEY_TYPE);
    let worker_key = |key: sr25519::Public| -> RpcResult<WorkerKey> {
        let account = AccountId::from(key);
        let stash = deps.stash_of_worker(account.clone())?;
        let stash = stash.map(|stash| stash.to_ss58check());
        Ok(WorkerKey { key: account.to_ss58check(), stash })
    };
    keys.into_iter().map(worker_key).collect()
}
