// SPDX-License-Identifier: Apache-2.0
//! The settings of a worker, and the reasons why it does not start.

use crate::{
    fault::Fault,
    store::{error::StoreError, secret::SecretError, space::SpaceLimits},
};
use assay_engine::{EngineError, Gate, Model};
use std::{path::PathBuf, sync::Arc, time::Duration};
use substrate_prometheus_endpoint::PrometheusError;

/// The settings of a worker.
pub struct WorkerConfig {
    /// The folder for the store and the secret.
    pub dir: PathBuf,
    /// The file of the secret, if it is not in the folder.
    pub secret: Option<PathBuf>,
    /// The bytes that the worker wants free on the disk of its folder.
    pub space: SpaceLimits,
    /// The models to run.
    pub models: Vec<Model>,
    /// The number of threads that all jobs share.
    pub threads: usize,
    /// The gate that stops the engine for a while, for more urgent work.
    pub gate: Arc<Gate>,
    /// The size of each model's key-value cache in bytes. All generations share one half of it, and
    /// all verifications the other.
    pub memory_bytes: u64,
    /// The time between two blocks.
    pub block_time: Duration,
    /// The way in which the operator cheats or crashes; set on development chains only.
    pub fault: Option<Fault>,
}

/// A reason why a worker does not start.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// The folder cannot be created or read.
    #[error("the worker's folder {path} cannot be used: {error}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The cause.
        error: std::io::Error,
    },
    /// The secret cannot be used.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The disk of the folder has too little space for an engine.
    #[error(
        "the disk of the worker's folder {path} has {free} bytes left and a node with an engine needs \
         {needed}; free some space on it, move the folder to another disk, or start the node without an \
         engine"
    )]
    Space {
        /// The folder.
        path: PathBuf,
        /// The bytes that are free.
        free: u64,
        /// The bytes that are needed.
        needed: u64,
    },
    /// The store cannot be opened.
    #[error("the worker's store {path} cannot be opened: {error}")]
    Store {
        /// The file.
        path: PathBuf,
        /// The cause.
        error: StoreError,
    },
    /// The engine cannot be started, for example because the system refuses a thread.
    #[error("the engine does not start: {0}")]
    Engine(#[from] EngineError),
    /// The registry already has metrics of these names.
    #[error("the worker's metrics cannot be registered: {0}")]
    Metrics(#[from] PrometheusError),
}
