// SPDX-License-Identifier: Apache-2.0
//! The configuration: for each network its node, the key that signs, the most that a job may cost, and
//! the genesis block that tells the network from all others.

mod file;
mod network;

pub use file::ConfigFile;
pub use network::{Config, Network, DEFAULT_NETWORK};
