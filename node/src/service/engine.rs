// SPDX-License-Identifier: Apache-2.0
//! Starts the worker with the engine that the node is configured to run.

use super::import::Import;
use crate::{client::Parts, models::EngineConfig, worker_keys};
use assay_engine::Gate;
use assay_primitives::worker::KEY_TYPE;
use assay_worker::{SpaceLimits, Worker, WorkerConfig};
use sc_service::{error::Error as ServiceError, ChainType, Configuration};
use sp_blockchain::HeaderBackend;
use sp_keystore::Keystore;
use std::{fmt::Display, sync::Arc, time::Duration};

/// The error of a node whose engine has no operator to work for.
const NO_WORKER_KEY: &str =
    "the node is configured to run jobs, but its keystore has no worker key; insert one with \
     `assay-node key insert --scheme sr25519 --key-type assy --suri FILE` and the same \
     --base-path and --chain, or start the node without --engine and --model";

/// Starts the worker.
///
/// A node with an engine runs off-chain workers, which the engine works for, needs a worker key, and
/// imports blocks on cores of its own. A node without an engine has a worker that serves payloads.
pub fn start(
    config: &mut Configuration,
    engine: EngineConfig,
    parts: &Parts,
    import: &Import,
    gate: Arc<Gate>,
) -> Result<Arc<Worker>, ServiceError> {
    if !engine.models.is_empty() {
        config.offchain_worker.enabled = true;
        worker_keys::insert(config, &parts.keystore).map_err(other)?;
        if parts.keystore.sr25519_public_keys(KEY_TYPE).is_empty() {
            return Err(ServiceError::Other(NO_WORKER_KEY.into()));
        }
        import.avoid_cores_of(engine.threads);
    }
    let worker_config = WorkerConfig {
        dir: config.base_path.config_dir(config.chain_spec.id()).join("worker"),
        secret: engine.secret,
        space: SpaceLimits::default(),
        models: engine.models,
        threads: engine.threads,
        gate,
        memory_bytes: engine.memory_bytes,
        block_time: Duration::from_millis(assay_runtime::SLOT_DURATION),
        fault: engine.fault,
    };
    let worker = Worker::start(worker_config, config.prometheus_registry()).map_err(other)?;
    // A development chain that begins anew gives the same ids to other jobs.
    let is_new = parts.client.info().best_number == 0;
    if is_new && config.chain_spec.chain_type() == ChainType::Development {
        worker.forget_jobs().map_err(other)?;
    }
    Ok(Arc::new(worker))
}

/// Ends the worker when it is dropped. Tasks that still hold the worker then may be leaked at the end
/// of the process, and with them the worker.
pub struct EndOfWorker(pub Arc<Worker>);

impl Drop for EndOfWorker {
    fn drop(&mut self) {
        self.0.end();
    }
}

fn other(error: impl Display) -> ServiceError {
    ServiceError::Other(error.to_string())
}
