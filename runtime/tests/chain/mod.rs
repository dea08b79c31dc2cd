// SPDX-License-Identifier: Apache-2.0
//! Chains of the presets, for the tests.

use assay_runtime::RuntimeGenesisConfig;
use sp_runtime::{BuildStorage, Storage};

/// Returns the storage of a preset's genesis.
pub fn genesis(preset: serde_json::Value) -> Storage {
    let genesis: RuntimeGenesisConfig = serde_json::from_value(merged(preset)).unwrap();
    genesis.build_storage().unwrap()
}

/// Merges the preset into the defaults, as a chain specification does.
fn merged(patch: serde_json::Value) -> serde_json::Value {
    fn merge(base: &mut serde_json::Value, patch: serde_json::Value) {
        match (base, patch) {
            (serde_json::Value::Object(base), serde_json::Value::Object(patch)) => {
                for (key, value) in patch {
                    merge(base.entry(key).or_insert(serde_json::Value::Null), value);
                }
            }
            (base, patch) => *base = patch,
        }
    }
    let mut config = serde_json::to_value(RuntimeGenesisConfig::default()).unwrap();
    merge(&mut config, patch);
    config
}
