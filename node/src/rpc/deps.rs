// SPDX-License-Identifier: Apache-2.0
//! The parts of the node that Assay's methods use.

use super::{
    budget::{Budgets, LOOKUPS, SUBMISSIONS},
    feeds::Feeds,
    places::Places,
    turns::Turns,
};
use crate::{
    client::{FullClient, Parts},
    exchange::Exchange,
};
use assay_primitives::{
    api::{AssayApi, JobView},
    JobId,
};
use assay_rpc::{ERROR_CODE, LIMIT_CODE, UNKNOWN_JOB_CODE};
use assay_runtime::{AccountId, Hash};
use assay_worker::Worker;
use jsonrpsee::{core::RpcResult, types::ErrorObjectOwned, Extensions};
use sp_api::ProvideRuntimeApi;
use sp_blockchain::HeaderBackend;
use sp_keystore::KeystorePtr;
use std::{fmt::Display, sync::Arc};
use tokio::sync::OwnedSemaphorePermit;

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
    /// The outputs that subscribers follow.
    pub feeds: Feeds,
    /// The places for these subscribers.
    pub places: Places,
    /// The limits of `assay_submitPayload`.
    pub submissions: Limits,
    /// The limits of `assay_output`.
    pub lookups: Limits,
}

/// The limits of a method.
#[derive(Clone)]
pub struct Limits {
    budgets: Budgets,
    turns: Turns,
}

impl Limits {
    /// Spends a call with so many bytes on behalf of the connection that the extensions name, and waits
    /// for its turn, which lasts until the result is dropped.
    pub async fn enter(
        &self,
        extensions: &Extensions,
        bytes: usize,
    ) -> RpcResult<OwnedSemaphorePermit> {
        self.budgets.spend(extensions, bytes).map_err(limit)?;
        self.turns.take().await.map_err(limit)
    }
}

impl AssayDeps {
    /// Collects the parts that Assay's methods use.
    pub fn new(parts: &Parts, worker: Arc<Worker>, exchange: Exchange, version: String) -> Self {
        let (client, keystore) = (parts.client.clone(), parts.keystore.clone());
        let (feeds, places) = (Feeds::default(), Places::default());
        // Each submission waits for the disk and takes a thread, and may bring 1 MiB.
        let submissions = Limits { budgets: Budgets::new(SUBMISSIONS), turns: Turns::new(2, 64) };
        // A look-up can ask other nodes.
        let lookups = Limits { budgets: Budgets::new(LOOKUPS), turns: Turns::new(16, 256) };
        Self { client, worker, exchange, keystore, version, feeds, places, submissions, lookups }
    }

    /// Runs a closure that reads the disk or calls the runtime on a thread where it blocks nothing.
    pub async fn blocking<T: Send + 'static>(
        &self,
        run: impl FnOnce(&Self) -> RpcResult<T> + Send + 'static,
    ) -> RpcResult<T> {
        let deps = self.clone();
        tokio::task::spawn_blocking(move || run(&deps)).await.map_err(error)?
    }

    /// Returns the hash of the best block.
    pub fn best_hash(&self) -> Hash {
        self.client.info().best_hash
    }

    /// Returns a job as that block has it; `None` if it does not have the job.
    pub async fn job_at(&self, block: Hash, job: JobId) -> RpcResult<Option<JobView<AccountId>>> {
        self.blocking(move |deps| deps.client.runtime_api().job(block, job).map_err(error)).await
    }

    /// Returns a job as the best block has it.
    ///
    /// # Errors
    ///
    /// The best block does not have the job, or the runtime API fails.
    pub async fn known_job(&self, job: JobId) -> RpcResult<JobView<AccountId>> {
        self.job_at(self.best_hash(), job).await?.ok_or_else(|| unknown(&job))
    }

    /// Returns the stash of the operator that a worker key can report for in the best block.
    pub fn stash_of_worker(&self, worker: AccountId) -> RpcResult<Option<AccountId>> {
        self.client.runtime_api().stash_of_worker(self.best_hash(), worker).map_err(error)
    }
}

/// Returns an error that asking again does not mend.
pub fn error(message: impl Display) -> ErrorObjectOwned {
    ErrorObjectOwned::owned(ERROR_CODE, message.to_string(), None::<()>)
}

/// Returns the error for a limit of this node that is reached.
pub fn limit(message: impl Display) -> ErrorObjectOwned {
    ErrorObjectOwned::owned(LIMIT_CODE, message.to_string(), None::<()>)
}

/// Returns the error for a job that the chain does not have.
fn unknown(job: &JobId) -> ErrorObjectOwned {
    let message = format!(
        "the best block of this node has no job {job:?}; check the id, wait until the node has the \
         block of the order, or note that records are pruned after the retention period"
    );
    ErrorObjectOwned::owned(UNKNOWN_JOB_CODE, message, None::<()>)
}
