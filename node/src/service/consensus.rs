// SPDX-License-Identifier: Apache-2.0
//! The author of blocks and the voter on finality.

use super::import::{inherents, Import, JUSTIFICATION_PERIOD};
use crate::client::{FullClient, FullSelectChain, Parts};
use assay_runtime::opaque::Block;
use sc_consensus_babe::{BabeLink, SlotProportion};
use sc_consensus_grandpa::{LinkHalf, SharedVoterState};
use sc_network::{
    service::traits::{NetworkService, NotificationService},
    types::ProtocolName,
};
use sc_network_sync::SyncingService;
use sc_service::{error::Error as ServiceError, Configuration, Role, TaskManager};
use sc_telemetry::TelemetryHandle;
use sc_transaction_pool_api::OffchainTransactionPoolFactory;
use std::{sync::Arc, time::Duration};
use substrate_prometheus_endpoint::Registry;

/// The part of the configuration that consensus needs.
pub struct Settings {
    role: Role,
    name: String,
    force_authoring: bool,
    grandpa: bool,
    registry: Option<Registry>,
    telemetry: Option<TelemetryHandle>,
}

impl Settings {
    /// Copies the part from the configuration.
    pub fn new(config: &Configuration, telemetry: Option<TelemetryHandle>) -> Self {
        Self {
            role: config.role,
            name: config.network.node_name.clone(),
            force_authoring: config.force_authoring,
            grandpa: !config.disable_grandpa,
            registry: config.prometheus_registry().cloned(),
            telemetry,
        }
    }
}

/// The parts of BABE's author.
pub struct Author {
    /// The link from the import.
    pub link: BabeLink<Block>,
    /// The import of blocks.
    pub import: Import,
    /// The state of synchronisation.
    pub sync: Arc<SyncingService<Block>>,
}

/// Authors blocks, if the node is a validator.
pub fn spawn_author(
    settings: &Settings,
    parts: &Parts,
    task_manager: &TaskManager,
    author: Author,
) -> Result<(), ServiceError> {
    if !settings.role.is_authority() {
        return Ok(());
    }
    let proposer = sc_basic_authorship::ProposerFactory::new(
        task_manager.spawn_handle(),
        parts.client.clone(),
        parts.pool.clone(),
        settings.registry.as_ref(),
        settings.telemetry.clone(),
    );
    let slot_duration = author.link.config().slot_duration();
    let babe = sc_consensus_babe::start_babe(sc_consensus_babe::BabeParams {
        keystore: parts.keystore.clone(),
        client: parts.client.clone(),
        select_chain: parts.select_chain.clone(),
        env: proposer,
        block_import: author.import,
        sync_oracle: author.sync.clone(),
        justification_sync_link: author.sync,
        create_inherent_data_providers: move |_, ()| async move { Ok(inherents(slot_duration)) },
        force_authoring: settings.force_authoring,
        backoff_authoring_blocks: Some(
            sc_consensus_slots::BackoffAuthoringOnFinalizedHeadLagging::default(),
        ),
        babe_link: author.link,
        block_proposal_slot_portion: SlotProportion::new(0.5),
        max_block_proposal_slot_portion: None,
        telemetry: settings.telemetry.clone(),
    })?;
    task_manager.spawn_essential_handle().spawn_blocking(
        "babe-proposer",
        Some("block-authoring"),
        babe,
    );
    Ok(())
}

/// The parts of GRANDPA's voter.
pub struct Voter {
    /// The link from the import.
    pub link: LinkHalf<Block, FullClient, FullSelectChain>,
    /// The network.
    pub network: Arc<dyn NetworkService>,
    /// The state of synchronisation.
    pub sync: Arc<SyncingService<Block>>,
    /// The name of the protocol.
    pub protocol: ProtocolName,
    /// The notifications of the protocol.
    pub notifications: Box<dyn NotificationService>,
    /// The state of the votes, which the RPC shows.
    pub state: SharedVoterState,
}

/// Follows the votes on finality, and votes if the node is a validator.
pub fn spawn_voter(
    settings: Settings,
    parts: &Parts,
    task_manager: &TaskManager,
    voter: Voter,
) -> Result<(), ServiceError> {
    if !settings.grandpa {
        return Ok(());
    }
    let voter = sc_consensus_grandpa::run_grandpa_voter(sc_consensus_grandpa::GrandpaParams {
        config: sc_consensus_grandpa::Config {
            gossip_duration: Duration::from_millis(333),
            justification_generation_period: JUSTIFICATION_PERIOD,
            name: Some(settings.name),
            observer_enabled: false,
            // A node that does not vote needs no keys for it.
            keystore: settings.role.is_authority().then(|| parts.keystore.clone()),
            local_role: settings.role,
            telemetry: settings.telemetry.clone(),
            protocol_name: voter.protocol,
        },
        link: voter.link,
        network: voter.network,
        sync: voter.sync,
        notification_service: voter.notifications,
        voting_rule: sc_consensus_grandpa::VotingRulesBuilder::default().build(),
        prometheus_registry: settings.registry,
        shared_voter_state: voter.state,
        telemetry: settings.telemetry,
        offchain_tx_pool_factory: OffchainTransactionPoolFactory::new(parts.pool.clone()),
    })?;
    task_manager.spawn_essential_handle().spawn_blocking("grandpa-voter", None, voter);
    Ok(())
}
