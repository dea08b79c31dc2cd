// SPDX-License-Identifier: Apache-2.0
//! The parts that a node has before it has a network, which the subcommands also use.

use super::import::{self, Consensus};
use crate::client::{FullBackend, FullClient, FullPool, FullSelectChain, HostFunctions};
use assay_runtime::{opaque::Block, RuntimeApi};
use sc_service::{error::Error as ServiceError, Configuration, PartialComponents};
use sc_telemetry::{Telemetry, TelemetryWorker};
use std::sync::Arc;

/// The parts of a node before it has a network.
pub type Partial = PartialComponents<
    FullClient,
    FullBackend,
    FullSelectChain,
    sc_consensus::DefaultImportQueue<Block>,
    FullPool,
    Consensus,
>;

/// Opens the database and makes the parts of a node that need no network.
pub fn new_partial(config: &Configuration) -> Result<Partial, ServiceError> {
    let telemetry = telemetry(config)?;
    let executor = sc_service::new_wasm_executor::<HostFunctions>(&config.executor);
    let (client, backend, keystore_container, task_manager) =
        sc_service::new_full_parts::<Block, RuntimeApi, _>(
            config,
            telemetry.as_ref().map(|(_, telemetry)| telemetry.handle()),
            executor,
            Vec::new(),
        )?;
    let client = Arc::new(client);
    let telemetry = telemetry.map(|(worker, telemetry)| {
        task_manager.spawn_handle().spawn("telemetry", None, worker.run());
        telemetry
    });
    let select_chain = sc_consensus::LongestChain::new(backend.clone());
    let transaction_pool: Arc<FullPool> = Arc::from(
        sc_transaction_pool::Builder::new(
            task_manager.spawn_essential_handle(),
            client.clone(),
            config.role.is_authority().into(),
        )
        .with_options(config.transaction_pool.clone())
        .with_prometheus(config.prometheus_registry())
        .build(),
    );
    let (import_queue, consensus) = import::start(
        config,
        client.clone(),
        select_chain.clone(),
        transaction_pool.clone(),
        &task_manager,
        telemetry,
    )?;
    Ok(PartialComponents {
        client,
        backend,
        task_manager,
        import_queue,
        keystore_container,
        select_chain,
        transaction_pool,
        other: consensus,
    })
}

/// Connects to the telemetry servers that the configuration names.
fn telemetry(
    config: &Configuration,
) -> Result<Option<(TelemetryWorker, Telemetry)>, sc_telemetry::Error> {
    let endpoints = config.telemetry_endpoints.clone().filter(|endpoints| !endpoints.is_empty());
    endpoints
        .map(|endpoints| {
            let worker = TelemetryWorker::new(16)?;
            let telemetry = worker.handle().new_telemetry(endpoints);
            Ok((worker, telemetry))
        })
        .transpose()
}
