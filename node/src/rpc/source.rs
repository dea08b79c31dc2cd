// SPDX-License-Identifier: Apache-2.0
//! The sources of what a stream tells: the chain, this node's own streams and payloads, and other
//! nodes.

use super::{deps::AssayDeps, output};
use crate::exchange::Page;
use assay_primitives::{api::JobView, worker::Transcript, JobId, ModelId};
use assay_runtime::{AccountId, Hash};
use assay_worker::StreamState;
use codec::Decode;
use jsonrpsee::core::RpcResult;
use sp_core::H256;
use std::future::Future;
use tokio::sync::watch;

/// The sources of what a stream tells.
pub trait Source: Send + Sync {
    /// Returns the hash of the best block.
    fn best_hash(&self) -> Hash;
    /// Returns a job as that block has it; `None` if it does not have the job.
    fn job_at(
        &self,
        block: Hash,
        job: JobId,
    ) -> impl Future<Output = RpcResult<Option<JobView<AccountId>>>> + Send;
    /// Returns the page at `index` of an output. It is the claim of a node, and so is its finish reason.
    fn page(
        &self,
        job: JobId,
        view: &JobView<AccountId>,
        index: u32,
    ) -> impl Future<Output = Option<Page>> + Send;
    /// Returns the transcript that hashes to the commitment.
    fn transcript(&self, job: JobId, hash: H256)
        -> impl Future<Output = Option<Transcript>> + Send;
    /// Returns the bytes of the text of a job's tokens. They are empty if no node has the model.
    fn text(
        &self,
        job: JobId,
        model: ModelId,
        tokens: &[u32],
    ) -> impl Future<Output = Vec<u8>> + Send;
    /// Returns a receiver that waits for tokens of a job that this node runs.
    fn listen(&self, job: &JobId) -> Option<watch::Receiver<StreamState>>;
}

impl Source for AssayDeps {
    fn best_hash(&self) -> Hash {
        self.best_hash()
    }

    async fn job_at(&self, block: Hash, job: JobId) -> RpcResult<Option<JobView<AccountId>>> {
        self.job_at(block, job).await
    }

    async fn page(&self, job: JobId, view: &JobView<AccountId>, index: u32) -> Option<Page> {
        output::page(self, &job, view, index).await
    }

    async fn transcript(&self, job: JobId, hash: H256) -> Option<Transcript> {
        let _turn = self.transcripts.acquire().await;
        let payload = output::transcript(self, job, hash).await.ok().flatten()?;
        Transcript::decode(&mut payload.as_slice()).ok()
    }

    async fn text(&self, job: JobId, model: ModelId, tokens: &[u32]) -> Vec<u8> {
        if tokens.is_empty() {
            return Vec::new();
        }
        let _turn = self.texts.acquire().await;
        output::bytes(self, job, model, tokens).await
    }

    fn listen(&self, job: &JobId) -> Option<watch::Receiver<StreamState>> {
        self.worker.stream(job).map(|stream| stream.listen())
    }
}
