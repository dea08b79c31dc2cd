// SPDX-License-Identifier: Apache-2.0
//! The tasks that every node runs, and its RPC: what `sc_service::spawn_tasks` does, but for the server of
//! RPC, because that one's memory grows with what clients leave unread.

use crate::{
    client::Parts,
    rpc,
    serving::{Metrics, Server},
};
use assay_runtime::{opaque::Block, Hash};
use futures::FutureExt;
use sc_network::service::traits::NetworkService;
use sc_network_sync::SyncingService;
use sc_network_transactions::TransactionsHandlerController;
use sc_rpc_server::RpcSpawnHandle;
use sc_rpc_spec_v2::transaction::TransactionMetrics;
use sc_service::{
    config::PrometheusConfig, error::Error as ServiceError, Configuration, MetricsService,
    TaskManager,
};
use sc_telemetry::{Telemetry, TelemetryHandle};
use sc_utils::mpsc::TracingUnboundedSender;
use sp_blockchain::HeaderBackend;
use std::sync::Arc;

/// The requests of RPC to the network.
type SystemRequests = TracingUnboundedSender<sc_rpc::system::Request<Block>>;

/// The ends of the network that the tasks use.
pub struct Links {
    /// The network.
    pub network: Arc<dyn NetworkService>,
    /// The state of synchronisation.
    pub sync: Arc<SyncingService<Block>>,
    /// The requests of RPC to the network.
    pub system: SystemRequests,
    /// The transactions that go to other nodes.
    pub transactions: TransactionsHandlerController<Hash>,
}

/// Spawns the tasks and serves RPC until the manager is dropped.
pub fn spawn(
    mut config: Configuration,
    parts: &Parts,
    manager: &mut TaskManager,
    links: Links,
    telemetry: Option<&mut Telemetry>,
    rpc: rpc::Deps,
) -> Result<(), ServiceError> {
    let best = parts.client.info();
    let seeds = config.dev_key_seed.iter().cloned().collect();
    let (client, keystore) = (parts.client.clone(), parts.keystore.clone());
    sp_session::generate_initial_session_keys(client, best.best_hash, seeds, keystore)
        .map_err(|error| ServiceError::Application(Box::new(error)))?;
    let telemetry = start_telemetry(&config, parts, &links.network, telemetry)?;
    log::info!("📦 Highest known block at #{}", best.best_number);

    let tasks = manager.spawn_handle();
    let (client, pool) = (parts.client.clone(), parts.pool.clone());
    let all_blocks = config.transaction_pool.use_all_block_notifications();
    let notify = sc_transaction_pool::notification_future(client, pool.clone(), all_blocks);
    tasks.spawn("txpool-notifications", Some("transaction-pool"), notify);
    let propagate = sc_service::propagate_transaction_notifications(
        pool.clone(),
        links.transactions,
        telemetry.clone(),
    );
    tasks.spawn("on-transaction-imported", Some("transaction-pool"), propagate);
    let metrics = match config.prometheus_config.clone() {
        Some(PrometheusConfig { port, registry }) => {
            let (role, name) = (config.role, &config.network.node_name);
            let version = &config.impl_version;
            let metrics =
                MetricsService::with_prometheus(telemetry, &registry, role, name, version)?;
            let serve = substrate_prometheus_endpoint::init_prometheus(port, registry);
            tasks.spawn("prometheus-endpoint", None, serve.map(drop));
            metrics
        }
        None => MetricsService::new(telemetry),
    };
    let (network, sync) = (links.network.clone(), links.sync.clone());
    let client = parts.client.clone();
    let send = metrics.run(client.clone(), pool, network.clone(), sync.clone());
    tasks.spawn("telemetry-periodic-send", None, send);

    let server = serve_rpc(&mut config, parts, (links.sync, links.system), rpc)?;
    let inform = sc_informant::build(client, network.clone(), sync.clone());
    tasks.spawn("informant", None, inform);
    manager.keep_alive((config.base_path, server));
    Ok(())
}

fn start_telemetry(
    config: &Configuration,
    parts: &Parts,
    network: &Arc<dyn NetworkService>,
    telemetry: Option<&mut Telemetry>,
) -> Result<Option<TelemetryHandle>, ServiceError> {
    let sysinfo = sc_sysinfo::gather_sysinfo();
    sc_sysinfo::print_sysinfo(&sysinfo);
    let Some(telemetry) = telemetry else { return Ok(None) };
    let started = sc_service::init_telemetry(
        config.network.node_name.clone(),
        config.impl_name.clone(),
        config.impl_version.clone(),
        config.chain_spec.name().to_string(),
        config.role.is_authority(),
        network.clone(),
        parts.client.clone(),
        telemetry,
        Some(sysinfo),
    )?;
    Ok(Some(started))
}

/// Serves RPC on a runtime of its own, so that calls that block do not hold up the node.
fn serve_rpc(
    config: &mut Configuration,
    parts: &Parts,
    (sync, system): (Arc<SyncingService<Block>>, SystemRequests),
    rpc: rpc::Deps,
) -> Result<Server, ServiceError> {
    let failed = |error| ServiceError::Application(Box::new(error));
    let ids = config.rpc.id_provider.take();
    let registry = config.prometheus_registry();
    let metrics = registry.map(TransactionMetrics::new).transpose()?;
    let runtime = sc_service::create_rpc_runtime(config.rpc.max_connections).map_err(failed)?;
    // The server owns the runtime, so it drops the runtime even if it does not start.
    let server = Server::new(runtime);
    let executor: sc_rpc::SubscriptionTaskExecutor =
        Arc::new(RpcSpawnHandle::new(server.runtime().clone()));
    let links = rpc::Links { sync, system, metrics };
    let mut methods = rpc::substrate(config, parts, links, &executor)?;
    methods
        .merge(rpc::create(rpc, executor)?)
        .map_err(|error| ServiceError::Application(Box::new(error)))?;
    let serving = crate::serving::Config {
        endpoints: config.rpc.addr.clone().unwrap_or_default(),
        methods,
        patient: rpc::PATIENT,
        ids: ids.map(|ids| -> Box<dyn jsonrpsee::core::traits::IdProvider> { ids }),
        log_length: config.rpc.request_logger_limit,
        metrics: Metrics::register(registry)?,
    };
    server.start(serving).map_err(failed)?;
    Ok(server)
}
