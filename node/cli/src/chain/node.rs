// SPDX-License-Identifier: Apache-2.0
//! The node's own RPC: its status, the payloads and the outputs that it holds.

use super::Chain;
use anyhow::{Context, Result};
use assay_primitives::{JobId, ModelId, Request};
use assay_rpc::{AssayRpcClient, NodeStatus, Output, OutputItem, SubmittedPayload};
use codec::Encode;
use jsonrpsee::core::client::Subscription;

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

    /// Subscribes to the output of a job, from the token with index `from` on.
    pub async fn follow_output(&self, job: &JobId, from: u32) -> Result<Subscription<OutputItem>> {
        let items = self.client().subscribe_output(*job, from).await;
        self.answer("assay_subscribeOutput", items).context("cannot follow the output")
    }
}
