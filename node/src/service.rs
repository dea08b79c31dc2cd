// SPDX-License-Identifier: Apache-2.0
//! Puts the node together.

use crate::{
    blocks_first::BlocksFirst,
    exchange::{self, Exchange, NetworkSource},
    host::HostFunctions,
    models::EngineConfig,
    reconcile, rpc, worker_keys,
};
use assay_engine::Gate;
use assay_host::MailboxExt;
use assay_primitives::worker::KEY_TYPE;
use assay_runtime::{opaque::Block, Hash, RuntimeApi};
use assay_worker::{Worker, WorkerConfig, WorkerMailbox};
use futures::FutureExt;
use sc_client_api::{Backend, HeaderBackend};
use sc_consensus_babe::{BabeBlockImport, BabeLink, BabeWorkerHandle, SlotProportion};
use sc_consensus_grandpa::{FinalityProofProvider, SharedVoterState};
use sc_service::{error::Error as ServiceError, Configuration, TaskManager, WarpSyncConfig};
use sc_telemetry::{Telemetry, TelemetryWorker};
use sc_transaction_pool::TransactionPoolHandle;
use sc_transaction_pool_api::OffchainTransactionPoolFactory;
use sp_consensus_babe::inherents::BabeCreateInherentDataProviders;
use sp_keystore::Keystore;
use std::{sync::Arc, time::Duration};

/// The client.
pub type FullClient =
    sc_service::TFullClient<Block, RuntimeApi, sc_executor::WasmExecutor<HostFunctions>>;
/// The database.
pub type FullBackend = sc_service::TFullBackend<Block>;
/// The longest chain is the best one.
pub type FullSelectChain = sc_consensus::LongestChain<FullBackend, Block>;

type GrandpaImport =
    sc_consensus_grandpa::GrandpaBlockImport<FullBackend, Block, FullClient, FullSelectChain>;
type Import = BlocksFirst<
    BabeBlockImport<
        Block,
        FullClient,
        GrandpaImport,
        BabeCreateInherentDataProviders<Block>,
        FullSelectChain,
    >,
>;

/// What consensus needs beside the components that every chain has.
pub struct Consensus {
    import: Import,
    gate: Arc<Gate>,
    grandpa: sc_consensus_grandpa::LinkHalf<Block, FullClient, FullSelectChain>,
    babe: BabeLink<Block>,
    babe_worker: BabeWorkerHandle<Block>,
    telemetry: Option<Telemetry>,
}

/// The parts of a node before it has a network.
pub type Partial = sc_service::PartialComponents<
    FullClient,
    FullBackend,
    FullSelectChain,
    sc_consensus::DefaultImportQueue<Block>,
    TransactionPoolHandle<Block, FullClient>,
    Consensus,
>;

/// What to do where an engine has nobody to work for.
const NO_WORKER_KEY: &str =
    "the node is to run jobs and its keystore has no worker key; insert one with `assay-node key \
     insert --scheme sr25519 --key-type assy --suri SECRET` and the same --base-path and --chain, or \
     start the node without --engine and --model";

/// Blocks between two justifications that are kept and made at the least.
const JUSTIFICATION_PERIOD: u32 = 512;

/// Makes those parts.
pub fn new_partial(config: &Configuration) -> Result<Partial, ServiceError> {
    let telemetry = config
        .telemetry_endpoints
        .clone()
        .filter(|endpoints| !endpoints.is_empty())
        .map(|endpoints| -> Result<_, sc_telemetry::Error> {
            let worker = TelemetryWorker::new(16)?;
            let telemetry = worker.handle().new_telemetry(endpoints);
            Ok((worker, telemetry))
        })
        .transpose()?;
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
    let transaction_pool = Arc::from(
        sc_transaction_pool::Builder::new(
            task_manager.spawn_essential_handle(),
            client.clone(),
            config.role.is_authority().into(),
        )
        .with_options(config.transaction_pool.clone())
        .with_prometheus(config.prometheus_registry())
        .build(),
    );
    let (grandpa_import, grandpa) = sc_consensus_grandpa::block_import(
        client.clone(),
        JUSTIFICATION_PERIOD,
        &client,
        select_chain.clone(),
        telemetry.as_ref().map(|telemetry| telemetry.handle()),
    )?;
    let justification_import = grandpa_import.clone();
    let babe_config = sc_consensus_babe::configuration(&*client)?;
    let slot_duration = babe_config.slot_duration();
    let (import, babe) = sc_consensus_babe::block_import(
        babe_config,
        grandpa_import,
        client.clone(),
        Arc::new(move |_, _| async move { Ok(inherents(slot_duration)) })
            as BabeCreateInherentDataProviders<Block>,
        select_chain.clone(),
        OffchainTransactionPoolFactory::new(Arc::clone(&transaction_pool)),
    )?;
    let gate = Arc::<Gate>::default();
    let import = BlocksFirst::new(import, gate.clone());
    let (import_queue, babe_worker) =
        sc_consensus_babe::import_queue(sc_consensus_babe::ImportQueueParams {
            link: babe.clone(),
            block_import: import.clone(),
            justification_import: Some(Box::new(justification_import)),
            client: client.clone(),
            slot_duration,
            spawner: &task_manager.spawn_essential_handle(),
            registry: config.prometheus_registry(),
            telemetry: telemetry.as_ref().map(|telemetry| telemetry.handle()),
        })?;
    Ok(sc_service::PartialComponents {
        client,
        backend,
        task_manager,
        import_queue,
        keystore_container,
        select_chain,
        transaction_pool,
        other: Consensus { import, gate, grandpa, babe, babe_worker, telemetry },
    })
}

/// The slot and the time of a block that is made or checked now.
fn inherents(
    slot_duration: sp_consensus_babe::SlotDuration,
) -> (sp_consensus_babe::inherents::InherentDataProvider, sp_timestamp::InherentDataProvider) {
    let timestamp = sp_timestamp::InherentDataProvider::from_system_time();
    let slot = sp_consensus_babe::inherents::InherentDataProvider::from_timestamp_and_slot_duration(
        *timestamp,
        slot_duration,
    );
    (slot, timestamp)
}

/// Starts a whole node.
pub fn new_full<N: sc_network::NetworkBackend<Block, Hash>>(
    mut config: Configuration,
    engine: EngineConfig,
) -> Result<TaskManager, ServiceError> {
    let sc_service::PartialComponents {
        client,
        backend,
        mut task_manager,
        import_queue,
        keystore_container,
        select_chain,
        transaction_pool,
        other: Consensus { import, gate, grandpa, babe, babe_worker, mut telemetry },
    } = new_partial(&config)?;
    let keystore = keystore_container.keystore();
    let has_engine = !engine.models.is_empty();
    // Off-chain workers are what an engine works for.
    config.offchain_worker.enabled |= has_engine;
    if has_engine {
        worker_keys::insert(&config, &keystore).map_err(other_error)?;
    }
    if has_engine && keystore.sr25519_public_keys(KEY_TYPE).is_empty() {
        return Err(ServiceError::Other(NO_WORKER_KEY.into()));
    }
    if has_engine {
        import.beside(engine.threads);
    }
    let chain_folder = config.base_path.config_dir(config.chain_spec.id());
    let worker = Arc::new(
        Worker::start(
            WorkerConfig {
                dir: chain_folder.join("worker"),
                models: engine.models,
                threads: engine.threads,
                gate,
                memory_bytes: engine.memory_bytes,
                block_time: Duration::from_millis(assay_runtime::SLOT_DURATION),
                fault: engine.fault,
            },
            config.prometheus_registry(),
        )
        .map_err(other_error)?,
    );

    let genesis = client.info().genesis_hash;
    // A development chain that begins anew gives the names of its jobs again.
    if client.info().best_number == 0
        && config.chain_spec.chain_type() == sc_service::ChainType::Development
    {
        worker.forget_jobs().map_err(other_error)?;
    }
    let mut net_config = sc_network::config::FullNetworkConfiguration::<Block, Hash, N>::new(
        &config.network,
        config.prometheus_registry().cloned(),
    );
    let metrics = N::register_notification_metrics(config.prometheus_registry());
    let grandpa_protocol =
        sc_consensus_grandpa::protocol_standard_name(&genesis, &config.chain_spec);
    let (grandpa_config, grandpa_notifications) =
        sc_consensus_grandpa::grandpa_peers_set_config::<Block, N>(
            grandpa_protocol.clone(),
            metrics.clone(),
            net_config.peer_store_handle(),
        );
    net_config.add_notification_protocol(grandpa_config);
    let (exchange_config, exchange_requests) = exchange::config::<N>(&genesis);
    net_config.add_request_response_protocol(exchange_config);
    let warp_sync = Arc::new(sc_consensus_grandpa::warp_proof::NetworkProvider::new(
        backend.clone(),
        grandpa.shared_authority_set().clone(),
        Vec::new(),
    ));
    let (network, system_rpc_tx, tx_handler_controller, sync_service, _bitswap) =
        sc_service::build_network(sc_service::BuildNetworkParams {
            config: &config,
            net_config,
            client: client.clone(),
            transaction_pool: transaction_pool.clone(),
            spawn_handle: task_manager.spawn_handle(),
            spawn_essential_handle: task_manager.spawn_essential_handle(),
            import_queue,
            block_announce_validator_builder: None,
            warp_sync_config: Some(WarpSyncConfig::WithProvider(warp_sync)),
            block_relay: None,
            metrics,
            gap_sync_body_policy: None,
        })?;

    let exchange = Exchange::new(network.clone(), sync_service.clone(), &genesis);
    worker.set_source(Arc::new(NetworkSource {
        exchange: exchange.clone(),
        runtime: config.tokio_handle.clone(),
    }));
    task_manager.spawn_handle().spawn(
        "assay-exchange",
        Some("networking"),
        exchange::serve(exchange_requests, worker.clone()),
    );
    task_manager.spawn_handle().spawn_blocking(
        "assay-reconcile",
        None,
        reconcile::run(client.clone(), worker.clone()),
    );

    if config.offchain_worker.enabled {
        let mailbox = WorkerMailbox(worker.clone());
        let offchain_workers =
            sc_offchain::OffchainWorkers::new(sc_offchain::OffchainWorkerOptions {
                runtime_api_provider: client.clone(),
                is_validator: config.role.is_authority(),
                keystore: Some(keystore.clone()),
                offchain_db: backend.offchain_storage(),
                transaction_pool: Some(OffchainTransactionPoolFactory::new(
                    transaction_pool.clone(),
                )),
                network_provider: Arc::new(network.clone()),
                enable_http_requests: false,
                custom_extensions: move |_| {
                    vec![Box::new(MailboxExt(Box::new(mailbox.clone()))) as Box<_>]
                },
            })?;
        task_manager.spawn_handle().spawn(
            "offchain-workers-runner",
            "offchain-worker",
            offchain_workers.run(client.clone(), task_manager.spawn_handle()).boxed(),
        );
    }

    let role = config.role;
    let force_authoring = config.force_authoring;
    let name = config.network.node_name.clone();
    let enable_grandpa = !config.disable_grandpa;
    let prometheus_registry = config.prometheus_registry().cloned();
    let voters = SharedVoterState::empty();
    let deps = rpc::Deps {
        client: client.clone(),
        pool: transaction_pool.clone(),
        select_chain: select_chain.clone(),
        keystore: keystore.clone(),
        babe: babe_worker,
        authorities: grandpa.shared_authority_set().clone(),
        voters: voters.clone(),
        justifications: grandpa.justification_stream(),
        proofs: FinalityProofProvider::new_for_service(
            backend.clone(),
            Some(grandpa.shared_authority_set().clone()),
        ),
        assay: rpc::AssayDeps {
            client: client.clone(),
            worker,
            exchange,
            keystore: keystore.clone(),
            version: config.impl_version.clone(),
        },
    };
    let _rpc_handlers = sc_service::spawn_tasks(sc_service::SpawnTasksParams {
        network: network.clone(),
        client: client.clone(),
        keystore: keystore.clone(),
        task_manager: &mut task_manager,
        transaction_pool: transaction_pool.clone(),
        rpc_builder: Box::new(move |executor| {
            rpc::create(deps.clone(), executor).map_err(Into::into)
        }),
        backend,
        system_rpc_tx,
        tx_handler_controller,
        sync_service: sync_service.clone(),
        config,
        telemetry: telemetry.as_mut(),
        tracing_execute_block: None,
    })?;

    if role.is_authority() {
        let proposer = sc_basic_authorship::ProposerFactory::new(
            task_manager.spawn_handle(),
            client.clone(),
            transaction_pool.clone(),
            prometheus_registry.as_ref(),
            telemetry.as_ref().map(|telemetry| telemetry.handle()),
        );
        let slot_duration = babe.config().slot_duration();
        let babe = sc_consensus_babe::start_babe(sc_consensus_babe::BabeParams {
            keystore: keystore.clone(),
            client: client.clone(),
            select_chain,
            env: proposer,
            block_import: import,
            sync_oracle: sync_service.clone(),
            justification_sync_link: sync_service.clone(),
            create_inherent_data_providers: move |_, ()| async move { Ok(inherents(slot_duration)) },
            force_authoring,
            backoff_authoring_blocks: Some(
                sc_consensus_slots::BackoffAuthoringOnFinalizedHeadLagging::default(),
            ),
            babe_link: babe,
            block_proposal_slot_portion: SlotProportion::new(0.5),
            max_block_proposal_slot_portion: None,
            telemetry: telemetry.as_ref().map(|telemetry| telemetry.handle()),
        })?;
        task_manager.spawn_essential_handle().spawn_blocking(
            "babe-proposer",
            Some("block-authoring"),
            babe,
        );
    }

    if enable_grandpa {
        let voter = sc_consensus_grandpa::run_grandpa_voter(sc_consensus_grandpa::GrandpaParams {
            config: sc_consensus_grandpa::Config {
                gossip_duration: Duration::from_millis(333),
                justification_generation_period: JUSTIFICATION_PERIOD,
                name: Some(name),
                observer_enabled: false,
                // Who does not vote needs no keys for it.
                keystore: role.is_authority().then(|| keystore.clone()),
                local_role: role,
                telemetry: telemetry.as_ref().map(|telemetry| telemetry.handle()),
                protocol_name: grandpa_protocol,
            },
            link: grandpa,
            network,
            sync: sync_service,
            notification_service: grandpa_notifications,
            voting_rule: sc_consensus_grandpa::VotingRulesBuilder::default().build(),
            prometheus_registry,
            shared_voter_state: voters,
            telemetry: telemetry.as_ref().map(|telemetry| telemetry.handle()),
            offchain_tx_pool_factory: OffchainTransactionPoolFactory::new(transaction_pool),
        })?;
        task_manager.spawn_essential_handle().spawn_blocking("grandpa-voter", None, voter);
    }

    Ok(task_manager)
}

fn other_error(error: impl std::fmt::Display) -> ServiceError {
    ServiceError::Other(error.to_string())
}
