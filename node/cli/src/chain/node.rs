// SPDX-License-Identifier: Apache-2.0
//! The node's own RPC: its status, the payloads and the outputs that it holds.

use super::Chain;
use anyhow::{Context, Result};
use assay_primitives::{JobId, JobSpec, ModelId, Request};
use assay_rpc::{AssayRpcClient, NodeStatus, Output, OutputItem, SubmittedPayload};
use assay_runtime::AccountId;
use codec::Encode;
use jsonrpsee::core::client::Subscription;
use sp_core::{Bytes, H256};
use sp_crypto_hashing::blake2_256;

impl Chain {
    /// Returns the node's state.
    pub async fn node_status(&self) -> Result<NodeStatus> {
        let status = self.client().node_status().await;
        self.answer("assay_nodeStatus", status).context("cannot read the node's state")
    }

    /// Submits a request to the node, which keeps it and counts the tokens of its prompt if it has the
    /// model.
    pub async fn submit_request(
        &self,
        request: &Request,
        model: &ModelId,
    ) -> Result<SubmittedPayload> {
        let payload = self.client().submit_payload(request.encode().into(), Some(*model)).await;
        self.answer("assay_submitPayload", payload).context("the node refused the request")
    }

    /// Returns the output of a job, as far as the node has it.
    pub async fn output(&self, job: &JobId) -> Result<Option<Output>> {
        let output = self.client().output(*job).await;
        self.answer("assay_output", output).context("cannot fetch the output")
    }

    /// Returns the request of a job, if the node has it. Its hash is compared with the job's, so it is not
    /// the node's word.
    pub async fn request_of(
        &self,
        job: &JobId,
        spec: &JobSpec<AccountId>,
    ) -> Result<Option<Request>> {
        let bytes = self.client().request_of(*job).await;
        let bytes = self.answer("assay_request", bytes).context("cannot fetch the request")?;
        let is = |bytes: &Bytes| H256(blake2_256(bytes)) == spec.request_hash;
        let request = bytes.filter(is).map(|bytes| Request::decode_canonical(&bytes));
        Ok(request.and_then(Result::ok))
    }

    /// Subscribes to the output of a job, from the token with index `from` on.
    pub async fn follow_output(&self, job: &JobId, from: u32) -> Result<Subscription<OutputItem>> {
        let items = self.client().subscribe_output(*job, from).await;
        self.answer("assay_subscribeOutput", items).context("cannot follow the output")
    }
}
