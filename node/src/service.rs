// SPDX-License-Identifier: Apache-2.0
//! Assembles the node from its services.

mod consensus;
mod disk;
mod engine;
mod import;
mod network;
mod offchain;
mod partial;
mod tasks;

pub use partial::new_partial;

use crate::{client::Parts, exchange::Exchange, models::EngineConfig, operator_metrics, rpc};
use assay_runtime::{opaque::Block, Hash};
use consensus::{Author, Settings, Voter};
use import::Consensus;
use sc_consensus_grandpa::SharedVoterState;
use sc_network::NetworkBackend;
use sc_service::{
    error::Error as ServiceError, ChainType, Configuration, PartialComponents, TaskManager,
};
use sc_telemetry::Telemetry;

/// Starts a full node and returns the manager of its tasks. The node ends once the disk of its chain has
/// less than `disk_reserve` bytes free.
pub fn new_full<N: NetworkBackend<Block, Hash>>(
    mut config: Configuration,
    engine: EngineConfig,
    disk_reserve: u64,
) -> Result<TaskManager, ServiceError> {
    let PartialComponents {
        client,
        backend,
        mut task_manager,
        import_queue,
        keystore_container,
        select_chain,
        transaction_pool: pool,
        other: Consensus { import, gate, grandpa, babe, babe_worker, mut telemetry },
    } = new_partial(&config)?;
    disk::watch(&config, disk_reserve, &task_manager)?;
    let keystore = keystore_container.keystore();
    let parts = Parts { client, backend, select_chain, pool, keystore };

    let worker = engine::start(&mut config, engine, &parts, &import, gate)?;
    // The manager is dropped when the node is told to end, before the process ends.
    task_manager.keep_alive(engine::EndOfWorker(worker.clone()));

    let authorities = grandpa.shared_authority_set().clone();
    let (params, protocols) =
        network::configure::<N>(&config, &parts, &task_manager, import_queue, authorities);
    let (network, system_rpc_tx, tx_handler_controller, sync, _bitswap) =
        sc_service::build_network(params)?;

    let chain_type = config.chain_spec.chain_type();
    let development = matches!(chain_type, ChainType::Development | ChainType::Local);
    let exchange = Exchange::new(network.clone(), sync.clone(), &parts, development);
    let requests = protocols.exchange_requests;
    let (handle, tokio) = (task_manager.spawn_handle(), config.tokio_handle.clone());
    offchain::spawn_exchange((handle, tokio), &parts, &exchange, requests, &worker);
    operator_metrics::spawn(&config, &task_manager, &parts)?;
    offchain::spawn_reconciliation(&task_manager, &parts, worker.clone());
    offchain::spawn_workers(&config, &task_manager, &parts, network.clone(), worker.clone())?;

    let settings = Settings::new(&config, telemetry.as_ref().map(Telemetry::handle));
    let votes = SharedVoterState::empty();
    let version = config.impl_version.clone();
    let assay = rpc::AssayDeps::new(&parts, worker, exchange, version);
    let rpc = rpc::Deps::new(&parts, babe_worker, &grandpa, votes.clone(), assay);
    tasks::spawn(
        config,
        &parts,
        &mut task_manager,
        tasks::Links {
            network: network.clone(),
            sync: sync.clone(),
            system: system_rpc_tx,
            transactions: tx_handler_controller,
        },
        telemetry.as_mut(),
        rpc,
    )?;

    let author = Author { link: babe, import, sync: sync.clone() };
    consensus::spawn_author(&settings, &parts, &task_manager, author)?;
    let voter = Voter {
        link: grandpa,
        network,
        sync,
        protocol: protocols.grandpa,
        notifications: protocols.grandpa_notifications,
        state: votes,
    };
    consensus::spawn_voter(settings, &parts, &task_manager, voter)?;
    Ok(task_manager)
}
