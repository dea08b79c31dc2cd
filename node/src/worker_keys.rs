// SPDX-License-Identifier: Apache-2.0
//! Worker keys of development networks.

use assay_primitives::worker::KEY_TYPE;
use assay_runtime::presets::{DEVELOPMENT_OPERATORS, WORKER_PATH};
use sc_service::{ChainType, Configuration};
use sp_keystore::{Keystore, KeystorePtr};

/// Puts the worker keys of the development operators that this node is into its keystore: all of
/// them on a development chain, which is one node, and its own on a local one.
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
