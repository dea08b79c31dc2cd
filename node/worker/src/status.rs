// SPDX-License-Identifier: Apache-2.0
//! The worker as its operator sees it.

use assay_primitives::ModelId;
use serde::{Deserialize, Serialize};

/// A model that is loaded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ModelStatus {
    /// Its identifier: the BLAKE3 hash of its file.
    pub id: ModelId,
    /// Its name, from the file.
    pub name: String,
    /// Its architecture, from the file.
    pub architecture: String,
    /// How its weights are quantised.
    pub quantisation: String,
    /// How many weights it has.
    pub parameters: u64,
    /// Its longest context in tokens.
    pub context: u32,
    /// How many tokens it knows.
    pub vocabulary: u32,
    /// Bytes of its file.
    pub file_bytes: u64,
}

/// The state of the worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkerStatus {
    /// The models.
    pub models: Vec<ModelStatus>,
    /// Pieces of work that wait.
    pub waiting: usize,
    /// Pieces of work that are open, those being done among them.
    pub open: usize,
    /// Results of jobs that are not yet over.
    pub results: usize,
    /// Threads that all jobs share.
    pub threads: usize,
    /// How this node cheats, on a development chain where it was told to.
    pub fault: Option<String>,
}
