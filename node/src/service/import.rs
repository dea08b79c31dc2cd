// SPDX-License-Identifier: Apache-2.0
//! The import of blocks: BABE's checks around GRANDPA's, with the engine at rest meanwhile.

use crate::{
    blocks_first::BlocksFirst,
    client::{FullBackend, FullClient, FullPool, FullSelectChain},
};
use assay_engine::Gate;
use assay_runtime::opaque::Block;
use sc_consensus_babe::{BabeBlockImport, BabeLink, BabeWorkerHandle};
use sc_consensus_grandpa::{GrandpaBlockImport, LinkHalf};
use sc_service::{error::Error as ServiceError, Configuration, TaskManager};
use sc_telemetry::Telemetry;
use sc_transaction_pool_api::OffchainTransactionPoolFactory;
use sp_consensus_babe::inherents::BabeCreateInherentDataProviders;
use std::sync::Arc;

/// The import of blocks.
pub type Import = BlocksFirst<
    BabeBlockImport<
        Block,
        FullClient,
        GrandpaBlockImport<FullBackend, Block, FullClient, FullSelectChain>,
        BabeCreateInherentDataProviders<Block>,
        FullSelectChain,
    >,
>;

/// The parts of a node that only consensus needs.
pub struct Consensus {
    /// The import of blocks.
    pub import: Import,
    /// The gate that the import closes, and that the engine passes.
    pub gate: Arc<Gate>,
    /// The link from the import to GRANDPA's voter.
    pub grandpa: LinkHalf<Block, FullClient, FullSelectChain>,
    /// The link from the import to BABE's author.
    pub babe: BabeLink<Block>,
    /// BABE's worker, which the RPC asks.
    pub babe_worker: BabeWorkerHandle<Block>,
    /// The telemetry, if there is any.
    pub telemetry: Option<Telemetry>,
}

/// The number of blocks after which a justification is made and kept at the latest.
pub const JUSTIFICATION_PERIOD: u32 = 512;

/// Starts the import queue.
pub fn start(
    config: &Configuration,
    client: Arc<FullClient>,
    select_chain: FullSelectChain,
    pool: Arc<FullPool>,
    task_manager: &TaskManager,
    telemetry: Option<Telemetry>,
) -> Result<(sc_consensus::DefaultImportQueue<Block>, Consensus), ServiceError> {
    let telemetry_handle = || telemetry.as_ref().map(Telemetry::handle);
    let (grandpa_import, grandpa) = sc_consensus_grandpa::block_import(
        client.clone(),
        JUSTIFICATION_PERIOD,
        &client,
        select_chain.clone(),
        telemetry_handle(),
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
        select_chain,
        OffchainTransactionPoolFactory::new(pool),
    )?;
    let gate = Arc::<Gate>::default();
    let import = BlocksFirst::new(import, gate.clone());
    let (import_queue, babe_worker) =
        sc_consensus_babe::import_queue(sc_consensus_babe::ImportQueueParams {
            link: babe.clone(),
            block_import: import.clone(),
            justification_import: Some(Box::new(justification_import)),
            client,
            slot_duration,
            spawner: &task_manager.spawn_essential_handle(),
            registry: config.prometheus_registry(),
            telemetry: telemetry_handle(),
        })?;
    Ok((import_queue, Consensus { import, gate, grandpa, babe, babe_worker, telemetry }))
}

/// Returns the providers of slot and time for a block that is authored or checked now.
pub fn inherents(
    slot_duration: sp_consensus_babe::SlotDuration,
) -> (sp_consensus_babe::inherents::InherentDataProvider, sp_timestamp::InherentDataProvider) {
    let timestamp = sp_timestamp::InherentDataProvider::from_system_time();
    let slot = sp_consensus_babe::inherents::InherentDataProvider::from_timestamp_and_slot_duration(
        *timestamp,
        slot_duration,
    );
    (slot, timestamp)
}
