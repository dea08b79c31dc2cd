// SPDX-License-Identifier: Apache-2.0
//! Tells the worker which of its requests were ordered, so that it keeps them until their jobs are over.

use crate::client::FullClient;
use assay_primitives::api::AssayApi;
use assay_runtime::Hash;
use assay_worker::Worker;
use futures::StreamExt;
use sc_client_api::BlockchainEvents;
use sp_api::ProvideRuntimeApi;
use sp_blockchain::HeaderBackend;
use std::{collections::VecDeque, sync::Arc};

/// The blocks that are looked at at most when others were missed, as after a restart. Nodes keep the
/// states of as many, and requests are kept for longer without an order.
const DEPTH: usize = 256;

/// Looks at every block that becomes the best or leads to it, as long as the node runs.
pub async fn run(client: Arc<FullClient>, worker: Arc<Worker>) {
    let mut imported = client.import_notification_stream();
    let mut seen = Seen::default();
    let mut best = Some(client.info().best_hash);
    loop {
        if let Some(best) = best {
            let parent =
                |block| client.header(block).ok().flatten().map(|header| header.parent_hash);
            for block in seen.unseen(best, parent) {
                look(&client, &worker, block);
            }
        }
        let Some(notification) = imported.next().await else { return };
        best = notification.is_new_best.then_some(notification.hash);
    }
}

fn look(client: &FullClient, worker: &Worker, block: Hash) {
    let created = match client.runtime_api().created_jobs(block) {
        Ok(created) => created,
        Err(error) => {
            log::debug!("the orders of block {block:?} cannot be read: {error}");
            return;
        }
    };
    for (job, request) in created {
        if let Err(error) = worker.keep_for(&job, &request) {
            log::error!("the request of job {job:?} may not be kept for it: {error}");
        }
    }
}

/// The blocks that were looked at last.
#[derive(Default)]
struct Seen(VecDeque<Hash>);

impl Seen {
    /// Returns the blocks from the oldest that was not looked at to `best`, at most [`DEPTH`], and notes
    /// them as seen.
    fn unseen(&mut self, best: Hash, parent: impl Fn(Hash) -> Option<Hash>) -> Vec<Hash> {
        let mut blocks = Vec::new();
        let mut next = Some(best);
        while let Some(block) = next.filter(|block| !self.0.contains(block)) {
            blocks.push(block);
            if blocks.len() == DEPTH {
                break;
            }
            next = parent(block);
        }
        blocks.reverse();
        self.0.extend(&blocks);
        let surplus = self.0.len().saturating_sub(2 * DEPTH);
        self.0.drain(..surplus);
        blocks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(n: u64) -> Hash {
        Hash::from_low_u64_be(n)
    }

    /// Returns the parent of a block of a chain that begins with 0 and has a fork at 1,003.
    fn parent(of: Hash) -> Option<Hash> {
        match of.to_low_u64_be() {
            0 => None,
            2_000 => Some(block(1_002)),
            n => Some(block(n - 1)),
        }
    }

    #[test]
    fn each_block_is_looked_at_once_and_forks_as_well() {
        let mut seen = Seen::default();
        assert_eq!(seen.unseen(block(2), parent), [0, 1, 2].map(block));
        assert_eq!(seen.unseen(block(2), parent), []);
        assert_eq!(seen.unseen(block(4), parent), [3, 4].map(block));
        let gap = seen.unseen(block(1_003), parent);
        assert_eq!((gap.len(), gap[0], gap[DEPTH - 1]), (DEPTH, block(748), block(1_003)));
        assert_eq!(seen.unseen(block(2_000), parent), [block(2_000)]);
        assert!(seen.0.len() <= 2 * DEPTH);
    }
}
