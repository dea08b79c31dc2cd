// SPDX-License-Identifier: Apache-2.0
//! The client and the other parts of a node that most of its services are built on.

use assay_runtime::{opaque::Block, Hash, RuntimeApi};
use sc_transaction_pool::TransactionPoolHandle;
use sp_blockchain::HeaderBackend;
use sp_keystore::KeystorePtr;
use std::sync::Arc;

/// The functions that the executor offers to the runtime: Substrate's and Assay's.
pub type HostFunctions = (sp_io::SubstrateHostFunctions, assay_host::HostFunctions);
/// The client.
pub type FullClient =
    sc_service::TFullClient<Block, RuntimeApi, sc_executor::WasmExecutor<HostFunctions>>;
/// The database.
pub type FullBackend = sc_service::TFullBackend<Block>;
/// The rule that the longest chain is the best one.
pub type FullSelectChain = sc_consensus::LongestChain<FullBackend, Block>;
/// The transaction pool.
pub type FullPool = TransactionPoolHandle<Block, FullClient>;

/// The parts of a node that most services share.
#[derive(Clone)]
pub struct Parts {
    /// The client.
    pub client: Arc<FullClient>,
    /// The database.
    pub backend: Arc<FullBackend>,
    /// The chain selection.
    pub select_chain: FullSelectChain,
    /// The transaction pool.
    pub pool: Arc<FullPool>,
    /// The keystore.
    pub keystore: KeystorePtr,
}

impl Parts {
    /// Returns the hash of the genesis block.
    pub fn genesis(&self) -> Hash {
        self.client.info().genesis_hash
    }
}
