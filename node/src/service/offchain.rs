// SPDX-License-Identifier: Apache-2.0
//! The services around the worker: the exchange with other nodes, the reconciliation with the chain
//! and the runtime's off-chain workers.

use crate::{
    client::Parts,
    exchange::{self, Exchange, NetworkSource},
    orders, reconcile,
};
use assay_host::MailboxExt;
use assay_worker::{Worker, WorkerMailbox};
use futures::FutureExt;
use sc_client_api::Backend;
use sc_network::{config::IncomingRequest, service::traits::NetworkService};
use sc_offchain::{OffchainWorkerOptions, OffchainWorkers};
use sc_service::{error::Error as ServiceError, Configuration, SpawnTaskHandle, TaskManager};
use sc_transaction_pool_api::OffchainTransactionPoolFactory;
use std::sync::Arc;

/// Lets the worker ask other nodes, serves their requests, pushes the requests of clients and provides the
/// payloads of accepted jobs.
pub fn spawn_exchange(
    (tasks, runtime): (SpawnTaskHandle, tokio::runtime::Handle),
    parts: &Parts,
    exchange: &Exchange,
    requests: async_channel::Receiver<IncomingRequest>,
    worker: &Arc<Worker>,
) {
    worker.set_source(Arc::new(NetworkSource { exchange: exchange.clone(), runtime }));
    let (client, group) = (&parts.client, Some("networking"));
    let push = exchange::push_requests(client.clone(), exchange.clone(), worker.clone());
    tasks.spawn("assay-push", group, push);
    let provide = exchange::provide_accepted(client.clone(), exchange.clone(), worker.clone());
    tasks.spawn("assay-provide", group, provide);
    tasks.spawn("assay-exchange", group, exchange.serve(requests, worker.clone()));
}

/// Tells the worker which requests were ordered, and which jobs are over.
pub fn spawn_reconciliation(task_manager: &TaskManager, parts: &Parts, worker: Arc<Worker>) {
    task_manager.spawn_handle().spawn_blocking(
        "assay-orders",
        None,
        orders::run(parts.client.clone(), worker.clone()),
    );
    task_manager.spawn_handle().spawn_blocking(
        "assay-reconcile",
        None,
        reconcile::run(parts.client.clone(), worker),
    );
}

/// Runs the runtime's off-chain workers with the worker's mailbox, unless they are disabled.
pub fn spawn_workers(
    config: &Configuration,
    task_manager: &TaskManager,
    parts: &Parts,
    network: Arc<dyn NetworkService>,
    worker: Arc<Worker>,
) -> Result<(), ServiceError> {
    if !config.offchain_worker.enabled {
        return Ok(());
    }
    let mailbox = WorkerMailbox(worker);
    let workers = OffchainWorkers::new(OffchainWorkerOptions {
        runtime_api_provider: parts.client.clone(),
        is_validator: config.role.is_authority(),
        keystore: Some(parts.keystore.clone()),
        offchain_db: parts.backend.offchain_storage(),
        transaction_pool: Some(OffchainTransactionPoolFactory::new(parts.pool.clone())),
        network_provider: Arc::new(network),
        enable_http_requests: false,
        custom_extensions: move |_| vec![Box::new(MailboxExt(Box::new(mailbox.clone()))) as Box<_>],
    })?;
    task_manager.spawn_handle().spawn(
        "offchain-workers-runner",
        "offchain-worker",
        workers.run(parts.client.clone(), task_manager.spawn_handle()).boxed(),
    );
    Ok(())
}
