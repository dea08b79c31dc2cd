// SPDX-License-Identifier: Apache-2.0
//! The node's own RPC: its status, the payloads and the outputs that it holds.

use super::Chain;
use crate::chain::state::{bytes_of, hex_of};
use anyhow::{Context, Result};
use assay_primitives::{JobId, ModelId};
use jsonrpsee::{core::client::Subscription, rpc_params};
use serde::{Deserialize, Serialize};
use sp_core::H256;

/// The node's state.
#[derive(Deserialize, Serialize, Clone, Debug)]
#[serde(rename_all = "camelCase")]
pub struct NodeStatus {
    /// Its release.
    pub version: String,
    /// Its name in the network, in base 58.
    pub peer_id: String,
    /// Whether it runs jobs.
    pub engine: bool,
    /// Its engine, where it has one.
    pub worker: Option<EngineStatus>,
    /// The worker keys in its keystore.
    pub workers: Vec<WorkerKey>,
}

/// The state of an engine.
#[derive(Deserialize, Serialize, Clone, Debug)]
#[serde(rename_all = "camelCase")]
pub struct EngineStatus {
    /// The models that are loaded.
    pub models: Vec<Model>,
    /// Pieces of work that wait.
    pub waiting: u64,
    /// Pieces of work that are open, those being done among them.
    pub open: u64,
    /// Results of jobs that are not yet over.
    pub results: u64,
    /// Threads that all jobs share.
    pub threads: u64,
    /// How this node cheats, on a chain for development.
    pub fault: Option<String>,
}

/// A model that a node has loaded.
#[derive(Deserialize, Serialize, Clone, Debug)]
#[serde(rename_all = "camelCase")]
pub struct Model {
    /// Its id.
    pub id: ModelId,
    /// Its name.
    pub name: String,
    /// Its architecture.
    pub architecture: String,
    /// How its weights are quantised.
    pub quantisation: String,
    /// How many weights it has.
    pub parameters: u64,
    /// Its longest context.
    pub context: u32,
    /// How many tokens it knows.
    pub vocabulary: u32,
    /// Bytes of its file.
    pub file_bytes: u64,
}

/// A worker key.
#[derive(Deserialize, Serialize, Clone, Debug)]
pub struct WorkerKey {
    /// Its account.
    pub key: String,
    /// The operator that it reports for.
    pub stash: Option<String>,
}

/// A payload that the node holds.
#[derive(Deserialize, Clone, Debug)]
pub struct Payload {
    /// Its blake2_256 hash.
    pub hash: H256,
    /// Its length.
    pub bytes: u64,
    /// Its length in tokens, where the node has the model.
    pub tokens: Option<u32>,
}

/// An output, as far as the node has it.
#[derive(Deserialize, Clone, Debug)]
pub struct Output {
    /// The tokens.
    pub tokens: Vec<u32>,
    /// The text.
    pub text: String,
    /// The text's bytes, in hex.
    pub bytes: String,
    /// Why it ends; `None` while it does not.
    pub finish: Option<String>,
    /// The transcript's SCALE encoding in hex, which hashes to the operator's commitment.
    pub transcript: Option<String>,
}

/// A piece of an output.
#[derive(Deserialize, Clone, Debug)]
pub struct OutputItem {
    /// Index of its first token.
    pub index: u32,
    /// The tokens.
    pub tokens: Vec<u32>,
    /// Their bytes, in hex.
    pub bytes: String,
    /// Why the output ends with it; `None` where it does not.
    pub finish: Option<String>,
}

impl Chain {
    /// Returns the node's state.
    pub async fn node_status(&self) -> Result<NodeStatus> {
        self.request("assay_nodeStatus", rpc_params![])
            .await
            .context("cannot read the node's state")
    }

    /// Hands the node a prompt to hold, and returns its hash and its length in tokens of the model.
    pub async fn submit_payload(&self, payload: &[u8], model: &ModelId) -> Result<Payload> {
        self.request("assay_submitPayload", rpc_params![hex_of(payload), model])
            .await
            .context("the node refused the prompt")
    }

    /// Returns the output of a job, as far as the node has it.
    pub async fn output(&self, job: &JobId) -> Result<Option<Output>> {
        self.request("assay_output", rpc_params![job]).await.context("cannot fetch the output")
    }

    /// Subscribes to the output of a job from a token on.
    pub async fn follow_output(&self, job: &JobId, from: u32) -> Result<Subscription<OutputItem>> {
        self.subscribe("assay_subscribeOutput", rpc_params![job, from], "assay_unsubscribeOutput")
            .await
            .context("cannot follow the output")
    }
}

/// Decodes the bytes of a piece.
pub fn bytes(text: &str) -> Result<Vec<u8>> {
    bytes_of(text)
}
