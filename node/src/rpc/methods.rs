// SPDX-License-Identifier: Apache-2.0
//! The methods that Assay adds, which the crate `assay-rpc` documents.

use super::{
    deps::{error, AssayDeps},
    output, subscription,
};
use assay_primitives::{worker::KEY_TYPE, JobId, ModelId};
use assay_rpc::{AssayRpcServer, NodeStatus, Output, SubmittedPayload, WorkerKey};
use assay_runtime::AccountId;
use jsonrpsee::{
    core::{async_trait, RpcResult},
    PendingSubscriptionSink,
};
use sc_rpc::SubscriptionTaskExecutor;
use sp_core::{crypto::Ss58Codec, Bytes};
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
}

#[async_trait]
impl AssayRpcServer for AssayMethods {
    async fn submit_payload(
        &self,
        payload: Bytes,
        model: Option<ModelId>,
    ) -> RpcResult<SubmittedPayload> {
        let submit = move |deps: &AssayDeps| {
            let tokens = match model {
                Some(model) => deps.worker.count_tokens(&model, &payload).map_err(error)?,
                None => None,
            };
            let hash = deps.worker.put_prompt(&payload).map_err(error)?;
            Ok(SubmittedPayload { hash, bytes: payload.len() as u64, tokens })
        };
        self.deps.blocking(submit).await
    }

    async fn output(&self, job: JobId) -> RpcResult<Option<Output>> {
        output::output(&self.deps, job).await
    }

    async fn subscribe_output(&self, pending: PendingSubscriptionSink, job: JobId, from: u32) {
        let Ok(sink) = pending.accept().await else { return };
        let deps = self.deps.clone();
        let run = async move { subscription::run(&deps, sink, job, from).await };
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
            workers: worker_keys(deps)?,
        })
    }
}

/// Returns the worker keys of this node with the operators that they report for.
fn worker_keys(deps: &AssayDeps) -> RpcResult<Vec<WorkerKey>> {
    let operators = deps.operators()?;
    let keys = deps.keystore.sr25519_public_keys(KEY_TYPE);
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
