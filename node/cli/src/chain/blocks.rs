// SPDX-License-Identifier: Apache-2.0
//! Blocks and their states, by number.

use super::{
    connection::Chain,
    faults,
    state::{bytes_of, hex_of},
};
use crate::fault::Fault;
use anyhow::{Context, Result};
use assay_primitives::BlockNumber;
use assay_runtime::{Hash, Header};
use codec::Decode;
use jsonrpsee::rpc_params;
use sp_core::storage::StorageChangeSet;

/// The most keys of a page, and the most values that are asked for at once.
const PAGE: u32 = 256;

/// An entry of the state: its key and its value.
pub type Entry = (Vec<u8>, Vec<u8>);

impl Chain {
    /// Returns the number of the best block.
    pub async fn best(&self) -> Result<BlockNumber> {
        let header: Header = self.request("chain_getHeader", rpc_params![]).await?;
        Ok(header.number)
    }

    /// Returns the hash of a block of the best chain.
    pub async fn hash_of(&self, number: BlockNumber) -> Result<Hash> {
        let hash: Option<Hash> = self.request("chain_getBlockHash", rpc_params![number]).await?;
        hash.ok_or_else(|| block_missing(number))
    }

    /// Returns the header of a block, whose hash the command computes itself.
    pub async fn header(&self, number: BlockNumber) -> Result<Header> {
        let hash = self.hash_of(number).await?;
        let header: Option<Header> = self.request("chain_getHeader", rpc_params![hash]).await?;
        let header = header.ok_or_else(|| block_missing(number))?;
        if header.hash() != hash || header.number != number {
            return Err(Fault::error(
                "block_forged",
                format!("the node sent a header for block {number} that does not have its hash {hash:?}; ask another node"),
            ));
        }
        Ok(header)
    }

    /// Reads a value at the end of a block; `None` if the key has no value.
    pub async fn read_at<R: Decode>(&self, key: Vec<u8>, number: BlockNumber) -> Result<Option<R>> {
        let hash = self.hash_of(number).await?;
        self.read(key, Some(hash)).await.map_err(|error| of_state(error, number))
    }

    /// Returns the entries of the state at the end of a block that have one of the keys.
    pub async fn entries(&self, keys: Vec<Vec<u8>>, number: BlockNumber) -> Result<Vec<Entry>> {
        let hash = self.hash_of(number).await?;
        let mut entries = Vec::new();
        for keys in keys.chunks(PAGE as usize) {
            let keys: Vec<String> = keys.iter().map(|key| hex_of(key)).collect();
            let sets = self.request("state_queryStorageAt", rpc_params![keys, hash]).await;
            let sets: Vec<StorageChangeSet<Hash>> =
                sets.map_err(|error| of_state(error, number))?;
            let changes = sets.into_iter().flat_map(|set| set.changes);
            entries.extend(changes.filter_map(|(key, value)| Some((key.0, value?.0))));
        }
        Ok(entries)
    }

    /// Returns the entries of the state at the end of a block whose keys begin with `prefix`.
    pub async fn entries_under(&self, prefix: &[u8], number: BlockNumber) -> Result<Vec<Entry>> {
        let hash = self.hash_of(number).await?;
        let mut keys: Vec<Vec<u8>> = Vec::new();
        loop {
            let after = keys.last().map(|key| hex_of(key));
            let params = rpc_params![hex_of(prefix), PAGE, after, hash];
            let page = self.request("state_getKeysPaged", params).await;
            let page: Vec<String> = page.map_err(|error| of_state(error, number))?;
            let is_last = page.len() < PAGE as usize;
            for key in page {
                keys.push(bytes_of(&key).context("cannot read the keys of the state")?);
            }
            if is_last {
                return self.entries(keys, number).await;
            }
        }
    }
}

fn block_missing(number: BlockNumber) -> anyhow::Error {
    Fault::error(
        "block_missing",
        format!("the node does not have block {number}; ask one that runs with `--blocks-pruning archive`"),
    )
}

/// Returns an error about the state of a block, in words if the node has pruned it.
fn of_state(error: anyhow::Error, number: BlockNumber) -> anyhow::Error {
    if !faults::is_discarded(&error) {
        return error;
    }
    Fault::error(
        "state_pruned",
        format!(
            "the node has pruned the state of block {number}, which the audit needs; ask an archive node \
             with --url: one that runs with `--state-pruning archive`"
        ),
    )
}

/// Returns whether an error is that the node has pruned the state of a block.
pub fn is_pruned(error: &anyhow::Error) -> bool {
    error.downcast_ref::<Fault>().is_some_and(|fault| fault.code == "state_pruned")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pruned_state_is_named_with_what_to_do() {
        let words = "Client error: UnknownBlock: State already discarded for 0x01";
        let error = of_state(Fault::error("rpc.4003", words), 42);
        assert!(is_pruned(&error));
        let message = error.to_string();
        assert!(message.contains("block 42") && message.contains("--state-pruning archive"));
        assert!(!is_pruned(&of_state(Fault::error("rpc.4003", "Client error: other"), 42)));
    }
}
