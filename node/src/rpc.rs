// SPDX-License-Identifier: Apache-2.0
//! The RPC methods of the node: Substrate's, BABE's, GRANDPA's, and those that Assay adds.

mod budget;
mod confirm;
mod deps;
mod feed;
mod feeds;
mod methods;
mod output;
mod places;
mod poller;
mod source;
mod subscription;
mod substrate;
mod turns;

pub use deps::AssayDeps;
pub use substrate::{methods as substrate, Links};

use crate::client::{FullBackend, FullClient, FullPool, FullSelectChain, Parts};
use assay_rpc::AssayRpcServer;
use assay_runtime::{opaque::Block, BlockNumber, Hash};
use jsonrpsee::RpcModule;
use methods::AssayMethods;
use sc_consensus_babe::BabeWorkerHandle;
use sc_consensus_grandpa::{
    FinalityProofProvider, GrandpaJustificationStream, LinkHalf, SharedAuthoritySet,
    SharedVoterState,
};
use sc_rpc::SubscriptionTaskExecutor;
use sp_keystore::KeystorePtr;
use std::sync::Arc;

/// The methods that can wait for long, for their turn and for other nodes. `assay_output` and `assay_request`
/// take room for their answers themselves, and that of `assay_submitPayload` is short.
pub const PATIENT: &[&str] = &["assay_submitPayload", "assay_output", "assay_request"];

/// The parts of the node that the methods use.
#[derive(Clone)]
pub struct Deps {
    client: Arc<FullClient>,
    pool: Arc<FullPool>,
    select_chain: FullSelectChain,
    keystore: KeystorePtr,
    babe: BabeWorkerHandle<Block>,
    authorities: SharedAuthoritySet<Hash, BlockNumber>,
    votes: SharedVoterState,
    justifications: GrandpaJustificationStream<Block>,
    proofs: Arc<FinalityProofProvider<FullBackend, Block>>,
    assay: AssayDeps,
}

impl Deps {
    /// Collects the parts that the methods use.
    pub fn new(
        parts: &Parts,
        babe: BabeWorkerHandle<Block>,
        grandpa: &LinkHalf<Block, FullClient, FullSelectChain>,
        votes: SharedVoterState,
        assay: AssayDeps,
    ) -> Self {
        let authorities = grandpa.shared_authority_set().clone();
        Self {
            client: parts.client.clone(),
            pool: parts.pool.clone(),
            select_chain: parts.select_chain.clone(),
            keystore: parts.keystore.clone(),
            babe,
            votes,
            justifications: grandpa.justification_stream(),
            proofs: FinalityProofProvider::new_for_service(
                parts.backend.clone(),
                Some(authorities.clone()),
            ),
            authorities,
            assay,
        }
    }
}

/// Returns the methods of consensus, of FRAME's pallets and of Assay.
pub fn create(
    deps: Deps,
    executor: SubscriptionTaskExecutor,
) -> Result<RpcModule<()>, Box<dyn std::error::Error + Send + Sync>> {
    use pallet_transaction_payment_rpc::{TransactionPayment, TransactionPaymentApiServer};
    use sc_consensus_babe_rpc::{Babe, BabeApiServer};
    use sc_consensus_grandpa_rpc::{Grandpa, GrandpaApiServer};
    use substrate_frame_rpc_system::{System, SystemApiServer};

    let mut module = RpcModule::new(());
    let Deps { client, pool, select_chain, keystore, .. } = deps;
    module.merge(System::new(client.clone(), pool).into_rpc())?;
    module.merge(TransactionPayment::new(client.clone()).into_rpc())?;
    module.merge(Babe::new(client, deps.babe, keystore, select_chain).into_rpc())?;
    module.merge(
        Grandpa::new(
            executor.clone(),
            deps.authorities,
            deps.votes,
            deps.justifications,
            deps.proofs,
        )
        .into_rpc(),
    )?;
    module.merge(AssayMethods::new(deps.assay, executor).into_rpc())?;
    Ok(module)
}
