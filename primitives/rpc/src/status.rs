// SPDX-License-Identifier: Apache-2.0
//! The state of a node: the result of `assay_nodeStatus`.

use assay_primitives::ModelId;
use serde::{Deserialize, Serialize};

/// The state of a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeStatus {
    /// The version of the node's binary, with the commit it was built from.
    pub version: String,
    /// The peer id of the node, in base 58.
    pub peer_id: String,
    /// Whether the node runs and verifies jobs.
    pub engine: bool,
    /// The state of the worker; `None` on a node without an engine.
    pub worker: Option<WorkerStatus>,
    /// The state of the store of requests, outputs and results.
    pub store: StoreStatus,
    /// The worker keys in the node's keystore.
    pub workers: Vec<WorkerKey>,
}

/// The state of a node's worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkerStatus {
    /// The models that are loaded.
    pub models: Vec<ModelStatus>,
    /// The number of pieces of work that wait for a thread or for a payload.
    pub waiting: u64,
    /// The number of pieces of work that are not done yet, including those that run.
    pub open: u64,
    /// The number of results of jobs that are not yet over.
    pub results: u64,
    /// The number of threads that all jobs share.
    pub threads: u64,
    /// The fault that a node on a development chain was told to commit (`--dev-fault`).
    pub fault: Option<String>,
}

/// The state of a node's store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoreStatus {
    /// Whether the store can be written and its disk has space for new work. A node whose store is
    /// not healthy declines new jobs and takes no requests.
    pub healthy: bool,
    /// The reason why the store is not healthy, and the remedy.
    pub error: Option<String>,
    /// The free bytes on the disk of the store; `None` if the system does not tell.
    pub free_bytes: Option<u64>,
    /// The number of results, outputs and notes of orders that are in memory and not yet on disk.
    pub pending: u64,
}

/// A model that a node has loaded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ModelStatus {
    /// The id of the model: the BLAKE3 hash of its file.
    pub id: ModelId,
    /// The name, from the GGUF key `general.name`.
    pub name: String,
    /// The architecture, from the GGUF key `general.architecture`.
    pub architecture: String,
    /// The quantisation of the weights.
    pub quantisation: String,
    /// The number of weights.
    pub parameters: u64,
    /// The longest context, in tokens.
    pub context: u32,
    /// The number of tokens in the vocabulary.
    pub vocabulary: u32,
    /// The size of the file in bytes.
    pub file_bytes: u64,
}

/// A worker key of a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerKey {
    /// The SS58 address of the key's account.
    pub key: String,
    /// The SS58 address of the operator that the key reports for; `None` if no operator has
    /// registered the key.
    pub stash: Option<String>,
}
