// SPDX-License-Identifier: Apache-2.0
//! The protocols of the network: Substrate's, GRANDPA's and Assay's exchange.

use crate::{
    client::{FullClient, FullPool, Parts},
    exchange,
};
use assay_runtime::{opaque::Block, Hash};
use sc_consensus::DefaultImportQueue;
use sc_consensus_grandpa::SharedAuthoritySet;
use sc_network::{
    config::{FullNetworkConfiguration, IncomingRequest},
    service::traits::NotificationService,
    types::ProtocolName,
    NetworkBackend,
};
use sc_service::{BuildNetworkParams, Configuration, TaskManager, WarpSyncConfig};
use std::sync::Arc;

/// The ends of the protocols that this node adds to Substrate's.
pub struct Protocols {
    /// The name of GRANDPA's protocol.
    pub grandpa: ProtocolName,
    /// The notifications of GRANDPA's protocol.
    pub grandpa_notifications: Box<dyn NotificationService>,
    /// The requests of other nodes for payloads and tokens.
    pub exchange_requests: async_channel::Receiver<IncomingRequest>,
}

/// The parameters of this node's network with the backend `N`.
type Params<'a, N> =
    BuildNetworkParams<'a, Block, N, FullPool, DefaultImportQueue<Block>, FullClient>;

/// Configures the network and its protocols.
pub fn configure<'a, N: NetworkBackend<Block, Hash>>(
    config: &'a Configuration,
    parts: &Parts,
    task_manager: &TaskManager,
    import_queue: DefaultImportQueue<Block>,
    authorities: SharedAuthoritySet<Hash, assay_runtime::BlockNumber>,
) -> (Params<'a, N>, Protocols) {
    let genesis = parts.genesis();
    let mut net_config = FullNetworkConfiguration::<Block, Hash, N>::new(
        &config.network,
        config.prometheus_registry().cloned(),
    );
    let metrics = N::register_notification_metrics(config.prometheus_registry());
    let grandpa = sc_consensus_grandpa::protocol_standard_name(&genesis, &config.chain_spec);
    let (grandpa_config, grandpa_notifications) =
        sc_consensus_grandpa::grandpa_peers_set_config::<Block, N>(
            grandpa.clone(),
            metrics.clone(),
            net_config.peer_store_handle(),
        );
    net_config.add_notification_protocol(grandpa_config);
    let (exchange_config, exchange_requests) = exchange::config::<N>(&genesis);
    net_config.add_request_response_protocol(exchange_config);
    let warp_sync = Arc::new(sc_consensus_grandpa::warp_proof::NetworkProvider::new(
        parts.backend.clone(),
        authorities,
        Vec::new(),
    ));
    let params = BuildNetworkParams {
        config,
        net_config,
        client: parts.client.clone(),
        transaction_pool: parts.pool.clone(),
        spawn_handle: task_manager.spawn_handle(),
        spawn_essential_handle: task_manager.spawn_essential_handle(),
        import_queue,
        block_announce_validator_builder: None,
        warp_sync_config: Some(WarpSyncConfig::WithProvider(warp_sync)),
        block_relay: None,
        metrics,
        gap_sync_body_policy: None,
    };
    (params, Protocols { grandpa, grandpa_notifications, exchange_requests })
}
