// SPDX-License-Identifier: Apache-2.0
//! The worker keys of development networks.

use assay_primitives::worker::KEY_TYPE;
use assay_runtime::presets::{DEVELOPMENT_OPERATORS, WORKER_PATH};
use sc_service::{ChainType, Configuration};
use sp_keystore::{Keystore, KeystorePtr};

/// Inserts the worker keys of the development operators that this node runs into its keystore: all
/// operators on a development chain, which is one node, and the one that its flag names (`--alice`)
/// on a local chain.
pub fn insert(config: &Configuration, keystore: &KeystorePtr) -> Result<(), sp_keystore::Error> {
    let Some(seed) = &config.dev_key_seed else { return Ok(()) };
    let seeds = match config.chain_spec.chain_type() {
        ChainType::Development => DEVELOPMENT_OPERATORS.iter().map(|who| who.to_seed()).collect(),
        _ => vec![seed.clone()],
    };
    for seed in seeds {
        keystore.sr25519_generate_new(KEY_TYPE, Some(&format!("{seed}{WORKER_PATH}")))?;
    }
    Ok(())
}
