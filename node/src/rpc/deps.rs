// SPDX-License-Identifier: Apache-2.0
//! The parts of the node that Assay's methods use.

use crate::{
    client::{FullClient, Parts},
    exchange::Exchange,
};
use assay_primitives::{
    api::{AssayApi, JobView, OperatorView},
    JobId,
};
use assay_rpc::ERROR_CODE;
use assay_runtime::AccountId;
use assay_worker::Worker;
use jsonrpsee::{core::RpcResult, types::ErrorObjectOwned};
use sp_api::ProvideRuntimeApi;
use sp_blockchain::HeaderBackend;
use sp_keystore::KeystorePtr;
use std::{fmt::Display, sync::Arc};

/// The parts of the node that Assay's methods use.
#[derive(Clone)]
pub struct AssayDeps {
    client: Arc<FullClient>,
    /// The worker.
    pub worker: Arc<Worker>,
    /// The exchange with other nodes.
    pub exchange: Exchange,
    /// The keystore.
    pub keystore: KeystorePtr,
    /// The version of the node.
    pub version: String,
}

impl AssayDeps {
    /// Collects the parts that Assay's methods use.
    pub fn new(parts: &Parts, worker: Arc<Worker>, exchange: Exchange, version: String) -> Self {
        let (client, keystore) = (parts.client.clone(), parts.keystore.clone());
        Self { client, worker, exchange, keystore, version }
    }

    /// Runs a closure that reads the disk or calls the runtime on a thread where it blocks nothing.
    pub async fn blocking<T: Send + 'static>(
        &self,
        run: impl FnOnce(&Self) -> RpcResult<T> + Send + 'static,
    ) -> RpcResult<T> {
        let deps = self.clone();
        tokio::task::spawn_blocking(move || run(&deps)).await.map_err(error)?
    }

    /// Returns a job as the best block has it; `None` if the chain does not have it.
    pub async fn job(&self, job: JobId) -> RpcResult<Option<JobView<AccountId>>> {
        self.blocking(move |deps| {
            let best = deps.client.info().best_hash;
            deps.client.runtime_api().job(best, job).map_err(error)
        })
        .await
    }

    /// Returns the operators as the best block has them.
    pub fn operators(&self) -> RpcResult<Vec<OperatorView<AccountId>>> {
        let best = self.client.info().best_hash;
        self.client.runtime_api().operators(best).map_err(error)
    }
}

/// Returns an error of Assay's methods.
pub fn error(message: impl Display) -> ErrorObjectOwned {
    ErrorObjectOwned::owned(ERROR_CODE, message.to_string(), None::<()>)
}
