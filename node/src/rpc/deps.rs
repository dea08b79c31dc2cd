// SPDX-License-Identifier: Apache-2.0
//! The parts of the node that Assay's methods use.

use super::{
    budget::{Budgets, LOOKUPS, SUBMISSIONS},
    feeds::Feeds,
    places::Places,
    turns::{Most, Turn, Turns},
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
use jsonrpsee::{core::RpcResult, types::ErrorObjectOwned};
use sp_api::ProvideRuntimeApi;
use sp_blockchain::HeaderBackend;
use sp_keystore::KeystorePtr;
use std::{fmt::Display, sync::Arc, time::Duration};
use tokio::sync::Semaphore;

/// The turns of `assay_submitPayload`. Each call waits for the disk and takes a thread, and may bring
/// 1 MiB.
const SUBMITTING: Most = Most {
    running: 2,
    own_running: 1,
    calls: 66,
    own_calls: 16,
    patience: Duration::from_secs(10),
};
/// The turns of `assay_output`, which can ask other nodes.
const LOOKING_UP: Most = Most {
    running: 16,
    own_running: 4,
    calls: 272,
    own_calls: 32,
    patience: Duration::from_secs(10),
};
/// The transcripts that are fetched for streams at a time.
const TRANSCRIPTS: usize = 16;
/// The texts that are fetched for streams at a time.
const TEXTS: usize = 64;

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
    /// The limits of `assay_output`; `assay_subscribeOutput` shares its budgets.
    pub lookups: Limits,
    /// The turns of transcripts that streams fetch, of which there are as many as feeds at most.
    pub transcripts: Arc<Semaphore>,
    /// The turns of texts that streams fetch, of which there are as many as subscriptions at most.
    pub texts: Arc<Semaphore>,
}

/// The limits of a method.
#[derive(Clone)]
pub struct Limits {
    budgets: Budgets,
    turns: Turns,
}

impl Limits {
    /// Takes a place for a call with so many bytes of a connection, spends it, and waits for its turn,
    /// which lasts until the result is dropped. A call that is refused spends nothing.
    pub async fn enter(&self, connection: usize, bytes: usize) -> RpcResult<Turn> {
        let place = self.turns.place(connection).map_err(limit)?;
        self.spend(connection, bytes)?;
        place.turn().await.map_err(|refused| {
            self.budgets.give_back(connection, bytes);
            limit(refused)
        })
    }

    /// Spends a call with so many bytes of a connection, which takes no turn.
    pub fn spend(&self, connection: usize, bytes: usize) -> RpcResult<()> {
        self.budgets.spend(connection, bytes).map_err(limit)
    }
}

impl AssayDeps {
    /// Collects the parts that Assay's methods use.
    pub fn new(parts: &Parts, worker: Arc<Worker>, exchange: Exchange, version: String) -> Self {
        let (client, keystore) = (parts.client.clone(), parts.keystore.clone());
        let (feeds, places) = (Feeds::default(), Places::default());
        let limits = |rates, most| Limits { budgets: Budgets::new(rates), turns: Turns::new(most) };
        let submissions = limits(SUBMISSIONS, SUBMITTING);
        let lookups = limits(LOOKUPS, LOOKING_UP);
        let turns = |count| Arc::new(Semaphore::new(count));
        let (transcripts, texts) = (turns(TRANSCRIPTS), turns(TEXTS));
        Self {
            client,
            worker,
            exchange,
            keystore,
            version,
            feeds,
            places,
            submissions,
            lookups,
            transcripts,
            texts,
        }
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

#[cfg(test)]
mod tests {
    use super::{
        super::budget::{Rate, Rates},
        *,
    };

    #[tokio::test]
    async fn call_that_is_refused_spends_nothing() {
        let rate = Rate { most: 2, per_second: 0 };
        let rates = Rates { calls: rate, bytes: rate };
        let patience = Duration::ZERO;
        let most = Most { running: 1, own_running: 1, calls: 2, own_calls: 2, patience };
        let limits = Limits { budgets: Budgets::new([rates; 2]), turns: Turns::new(most) };
        let refused = async || limits.enter(1, 1).await.map(|_| ()).unwrap_err();
        let turn = limits.enter(1, 1).await.unwrap();
        let place = limits.turns.place(1).unwrap();
        assert!(refused().await.message().starts_with("2 calls"), "there is no place for it");
        drop(place);
        for _ in 0..5 {
            let told = refused().await;
            assert_eq!(told.code(), LIMIT_CODE);
            assert!(told.message().contains("waited"), "{told}");
        }
        drop(turn);
        assert!(limits.enter(1, 1).await.is_ok());
        assert!(refused().await.message().contains("budget"), "both calls are spent");
    }
}
