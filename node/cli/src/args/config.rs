// SPDX-License-Identifier: Apache-2.0
//! The arguments of `assay config`.

use clap::{Subcommand, ValueEnum};

const EXAMPLES: &str = "\
Examples:
  assay config set url wss://rpc.example.org          name the node of the network 'default'
  assay config set key-file me.json                   name the key that signs there
  assay config set max-cost 2.5 --network test        limit what a job may cost on another network
  assay config set network test                       use that network from now on";

/// `assay config`, which needs no node.
#[derive(Subcommand, Debug)]
#[command(after_help = EXAMPLES)]
pub enum ConfigCommand {
    /// Show all settings.
    List,
    /// Show a setting of the network.
    Get {
        /// The setting.
        key: ConfigKey,
    },
    /// Change a setting of the network.
    Set {
        /// The setting.
        key: ConfigKey,
        /// Its value.
        value: String,
    },
    /// Remove a setting of the network.
    Unset {
        /// The setting.
        key: ConfigKey,
    },
    /// Show the path of the configuration file.
    Path,
}

/// A setting.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum ConfigKey {
    /// WebSocket address of the node.
    Url,
    /// File with the key that signs.
    KeyFile,
    /// The most that a job may put on hold, like 2.5 or 10mASY.
    MaxCost,
    /// Hash of the genesis block, which the first connection pins.
    Genesis,
    /// Name of the network that commands use.
    Network,
}

impl ConfigKey {
    /// All settings of a network.
    pub const OF_NETWORK: [Self; 4] = [Self::Url, Self::KeyFile, Self::MaxCost, Self::Genesis];

    /// Returns the name of the setting in the file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Url => "url",
            Self::KeyFile => "key-file",
            Self::MaxCost => "max-cost",
            Self::Genesis => "genesis",
            Self::Network => "network",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn setting_is_typed_by_its_name_in_the_file() {
        for key in ConfigKey::value_variants() {
            assert_eq!(ConfigKey::from_str(key.name(), false), Ok(*key));
        }
    }
}
