// SPDX-License-Identifier: Apache-2.0
//! The source of payloads that this node does not have.

use sp_core::H256;

/// Other nodes, as the worker's threads ask them for payloads.
pub trait PayloadSource: Send + Sync + 'static {
    /// Asks other nodes for the payload with that hash, starting with the node whose peer id is
    /// `peer`. Blocks for at most half a minute. The result need not be checked: the caller compares
    /// the hash.
    fn fetch(&self, hash: H256, peer: &[u8]) -> Option<Vec<u8>>;
}
