// SPDX-License-Identifier: Apache-2.0
//! The methods that every node of Substrate has. `sc-service` has the same list, but no others can reach it.

use crate::client::Parts;
use assay_runtime::opaque::Block;
use jsonrpsee::RpcModule;
use sc_client_api::Backend;
use sc_network_sync::SyncingService;
use sc_rpc::{
    author::AuthorApiServer,
    chain::ChainApiServer,
    offchain::OffchainApiServer,
    state::{ChildStateApiServer, StateApiServer},
    system::SystemApiServer,
    SubscriptionTaskExecutor,
};
use sc_rpc_spec_v2::{
    archive::{Archive, ArchiveApiServer},
    bitswap::{Bitswap, BitswapApiServer},
    chain_head::{ChainHead, ChainHeadApiServer, ChainHeadConfig},
    chain_spec::{ChainSpec, ChainSpecApiServer},
    transaction::{
        Transaction, TransactionApiServer, TransactionBroadcast, TransactionBroadcastApiServer,
        TransactionMetrics,
    },
};
use sc_service::Configuration;
use sc_utils::mpsc::TracingUnboundedSender;
use std::{error::Error, sync::Arc};

/// The transactions that a connection can have broadcast at a time.
const BROADCASTS: usize = 16;

/// The ends of the network and of metrics that the methods use.
pub struct Links {
    /// The state of synchronisation.
    pub sync: Arc<SyncingService<Block>>,
    /// The requests to the network.
    pub system: TracingUnboundedSender<sc_rpc::system::Request<Block>>,
    /// The metrics of transactions.
    pub metrics: Option<TransactionMetrics>,
}

/// Returns the methods of Substrate.
pub fn methods(
    config: &Configuration,
    parts: &Parts,
    links: Links,
    executor: &SubscriptionTaskExecutor,
) -> Result<RpcModule<()>, Box<dyn Error + Send + Sync>> {
    let mut module = RpcModule::new(());
    let (client, pool, backend) = (&parts.client, &parts.pool, &parts.backend);
    let spec = &config.chain_spec;
    let archive = config.state_pruning.as_ref().is_some_and(|pruning| pruning.is_archive());
    if archive && config.blocks_pruning.is_archive() {
        let (client, backend) = (client.clone(), backend.clone());
        let genesis = parts.genesis();
        module.merge(Archive::new(client, backend, genesis, executor.clone()).into_rpc())?;
    }
    if let Some(storage) = backend.offchain_storage() {
        module.merge(sc_rpc::offchain::Offchain::new(storage).into_rpc())?;
    }
    let (broadcast, transaction) = (client.clone(), client.clone());
    let transaction = Transaction::new(transaction, pool.clone(), executor.clone(), links.metrics);
    module.merge(transaction.into_rpc())?;
    let broadcast =
        TransactionBroadcast::new(broadcast, pool.clone(), executor.clone(), BROADCASTS);
    module.merge(broadcast.into_rpc())?;
    let head = ChainHead::new(
        client.clone(),
        backend.clone(),
        executor.clone(),
        ChainHeadConfig::default(),
    );
    module.merge(head.into_rpc())?;
    let name = spec.name().to_string();
    module.merge(ChainSpec::new(name, parts.genesis(), spec.properties()).into_rpc())?;
    module.merge(Bitswap::new(client.clone(), links.sync).into_rpc())?;
    module.merge(sc_rpc::chain::new_full(client.clone(), executor.clone()).into_rpc())?;
    let (keystore, executor_of_author) = (parts.keystore.clone(), executor.clone());
    let author =
        sc_rpc::author::Author::new(client.clone(), pool.clone(), keystore, executor_of_author);
    module.merge(author.into_rpc())?;
    let info = sc_rpc::system::SystemInfo {
        chain_name: spec.name().into(),
        impl_name: config.impl_name.clone(),
        impl_version: config.impl_version.clone(),
        properties: spec.properties(),
        chain_type: spec.chain_type(),
    };
    module.merge(sc_rpc::system::System::new(info, links.system).into_rpc())?;
    let (state, child_state) = sc_rpc::state::new_full(client.clone(), executor.clone(), None);
    module.merge(state.into_rpc())?;
    module.merge(child_state.into_rpc())?;
    Ok(module)
}
