// SPDX-License-Identifier: Apache-2.0
//! The settings in effect: those of the arguments, otherwise those of the configuration.

use crate::{
    amount::Amount,
    args::Global,
    config::{Config, ConfigFile},
    fault::Fault,
    node_url,
};
use anyhow::Result;
use assay_runtime::Hash;
use std::path::PathBuf;

/// The node that is asked if neither an argument nor the configuration names one.
const DEFAULT_URL: &str = "ws://127.0.0.1:9944";

/// The settings in effect.
pub struct Settings {
    /// Name of the network.
    pub network: String,
    /// WebSocket address of the node.
    pub url: String,
    /// File with the key that signs, as the configuration names it.
    pub key_file: Option<PathBuf>,
    /// The most that a job may put on hold.
    pub max_cost: Option<Amount>,
    /// Hash of the genesis block that the network must have.
    pub genesis: Option<Hash>,
}

impl Settings {
    /// Reads the configuration of this user, and lets the arguments override it.
    pub fn of(global: &Global) -> Result<Self> {
        let settings = Self::from(global, &ConfigFile::read_of_user()?);
        node_url::check(&settings.url).map_err(|problem| {
            let name = &settings.network;
            Fault::error(
                "config_malformed",
                format!(
                    "the url of the network '{name}' in `assay config` is malformed: {problem}; change it \
                     with `assay config set url URL --network {name}`"
                ),
            )
        })?;
        Ok(settings)
    }

    fn from(global: &Global, config: &Config) -> Self {
        let name = config.name(global.network.as_deref());
        let network = config.of(&name);
        let url = global.url.clone().or(network.url).unwrap_or_else(|| DEFAULT_URL.into());
        Self {
            network: name,
            url,
            key_file: network.key_file,
            max_cost: network.max_cost,
            genesis: network.genesis,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{args::Cli, config::Network};
    use clap::Parser;
    use std::collections::BTreeMap;

    fn settings(args: &[&str], config: &Config) -> Settings {
        let cli = Cli::try_parse_from([&["assay", "claim"], args].concat()).unwrap();
        Settings::from(&cli.global, config)
    }

    #[test]
    fn arguments_override_the_configuration() {
        let network = |url: &str| Network { url: Some(url.into()), ..Network::default() };
        let networks = BTreeMap::from([
            ("main".to_string(), network("ws://main")),
            ("test".to_string(), network("ws://test")),
        ]);
        let config = Config { network: Some("main".into()), networks };
        let chosen = |args: &[&str]| {
            let settings = settings(args, &config);
            (settings.network, settings.url)
        };
        assert_eq!(chosen(&[]), ("main".into(), "ws://main".into()));
        assert_eq!(chosen(&["--network", "test"]), ("test".into(), "ws://test".into()));
        assert_eq!(chosen(&["--network", "new"]), ("new".into(), DEFAULT_URL.into()));
        // Another node of the same network: what is pinned for the network holds for it too.
        assert_eq!(chosen(&["--url", "ws://mine"]), ("main".into(), "ws://mine".into()));
        assert_eq!(settings(&[], &Config::default()).network, "default");
    }
}
