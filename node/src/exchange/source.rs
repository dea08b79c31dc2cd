// SPDX-License-Identifier: Apache-2.0
//! The exchange as the worker's threads use it.

use super::client::Exchange;
use assay_worker::PayloadSource;
use sp_core::H256;
use std::time::Duration;

/// The longest that a payload is looked for at a time.
const LOOK: Duration = Duration::from_secs(30);

/// The other nodes as a source of payloads.
pub struct NetworkSource {
    /// The exchange, which asks them.
    pub exchange: Exchange,
    /// The runtime on which it asks.
    pub runtime: tokio::runtime::Handle,
}

impl PayloadSource for NetworkSource {
    fn fetch(&self, hash: H256, peer: &[u8]) -> Option<Vec<u8>> {
        let look = async { tokio::time::timeout(LOOK, self.exchange.payload(hash, peer)).await };
        self.runtime.block_on(look).ok().flatten()
    }
}
