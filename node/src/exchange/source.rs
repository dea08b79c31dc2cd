// SPDX-License-Identifier: Apache-2.0
//! The exchange as the worker's threads use it.

use super::client::Exchange;
use assay_worker::{PayloadSource, Wanted};

/// The other nodes as a source of payloads.
pub struct NetworkSource {
    /// The exchange, which asks them.
    pub exchange: Exchange,
    /// The runtime on which it asks.
    pub runtime: tokio::runtime::Handle,
}

impl PayloadSource for NetworkSource {
    fn fetch(&self, wanted: &Wanted) -> Option<Vec<u8>> {
        let Wanted { job, hash, peer, until } = *wanted;
        self.runtime.block_on(self.exchange.payload(job, hash, peer, until))
    }
}
