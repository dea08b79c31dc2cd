// SPDX-License-Identifier: Apache-2.0
//! The settings in the configuration.

use crate::amount::Amount;
use assay_runtime::Hash;
use serde::{Deserialize, Deserializer};
use std::{collections::BTreeMap, path::PathBuf};

/// The network that commands use unless one is named.
pub const DEFAULT_NETWORK: &str = "default";

/// The settings in the configuration.
#[derive(Deserialize, Default, Clone, PartialEq, Eq, Debug)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Name of the network that commands use.
    pub network: Option<String>,
    /// The networks by their names.
    #[serde(default)]
    pub networks: BTreeMap<String, Network>,
}

/// The settings of a network.
#[derive(Deserialize, Default, Clone, PartialEq, Eq, Debug)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Network {
    /// WebSocket address of the node.
    pub url: Option<String>,
    /// File with the key that signs.
    pub key_file: Option<PathBuf>,
    /// The most that a job may put on hold.
    #[serde(default, deserialize_with = "amount")]
    pub max_cost: Option<Amount>,
    /// Hash of the network's genesis block.
    pub genesis: Option<Hash>,
}

impl Config {
    /// Returns the name of the network that is meant: the one named, that of the configuration, or
    /// [`DEFAULT_NETWORK`].
    pub fn name(&self, named: Option<&str>) -> String {
        named.or(self.network.as_deref()).unwrap_or(DEFAULT_NETWORK).to_string()
    }

    /// Returns the settings of a network, which are empty if the configuration has none.
    pub fn of(&self, name: &str) -> Network {
        self.networks.get(name).cloned().unwrap_or_default()
    }
}

fn amount<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Amount>, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map(Some).map_err(serde::de::Error::custom)
}
