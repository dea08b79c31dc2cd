// SPDX-License-Identifier: Apache-2.0
//! The RPC methods of the node: Substrate's, BABE's, GRANDPA's, and Assay's own for what only the
//! node knows.

mod assay;
mod output;

pub use assay::{AssayRpc, AssayRpcServer};

use crate::service::{FullBackend, FullClient, FullSelectChain};
use assay_runtime::{opaque::Block, BlockNumber, Hash};
use jsonrpsee::RpcModule;
use sc_consensus_babe::BabeWorkerHandle;
use sc_consensus_grandpa::{
    FinalityProofProvider, GrandpaJustificationStream, SharedAuthoritySet, SharedVoterState,
};
use sc_rpc::SubscriptionTaskExecutor;
use sc_transaction_pool::TransactionPoolHandle;
use sp_keystore::KeystorePtr;
use std::sync::Arc;

/// What the methods are made of.
#[derive(Clone)]
pub struct Deps {
    /// The client.
    pub client: Arc<FullClient>,
    /// The transaction pool.
    pub pool: Arc<TransactionPoolHandle<Block, FullClient>>,
    /// The chain selection.
    pub select_chain: FullSelectChain,
    /// The keystore.
    pub keystore: KeystorePtr,
    /// BABE's worker.
    pub babe: BabeWorkerHandle<Block>,
    /// GRANDPA's authorities.
    pub authorities: SharedAuthoritySet<Hash, BlockNumber>,
    /// GRANDPA's votes.
    pub voters: SharedVoterState,
    /// GRANDPA's justifications.
    pub justifications: GrandpaJustificationStream<Block>,
    /// Proofs of finality.
    pub proofs: Arc<FinalityProofProvider<FullBackend, Block>>,
    /// What Assay's own methods need.
    pub assay: assay::Deps,
}

pub use assay::Deps as AssayDeps;

/// All methods.
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
            deps.voters,
            deps.justifications,
            deps.proofs,
        )
        .into_rpc(),
    )?;
    module.merge(AssayRpc::new(deps.assay, executor).into_rpc())?;
    Ok(module)
}
