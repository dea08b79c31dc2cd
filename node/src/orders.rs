// SPDX-License-Identifier: Apache-2.0
//! Tells the worker which requests were ordered, so that it keeps its own until their jobs are over.

use crate::client::FullClient;
use assay_primitives::api::AssayApi;
use assay_runtime::Hash;
use assay_worker::{Order, Worker};
use futures::StreamExt;
use sc_client_api::BlockchainEvents;
use sp_api::{ApiError, ProvideRuntimeApi};
use sp_blockchain::HeaderBackend;
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

/// The blocks that are looked at at most when others were missed, as after a restart. Nodes keep the
/// states of as many. They take 768 s, and a request without an order is kept for 600 s, so the order of a
/// request that is kept is in one of them.
const DEPTH: usize = 256;

/// The times that a block is looked at which cannot be read.
const ATTEMPTS: u32 = 8;

/// Looks at every block that becomes the best or leads to it, as long as the node runs.
pub async fn run(client: Arc<FullClient>, worker: Arc<Worker>) {
    let mut imported = client.import_notification_stream();
    let mut followed = Followed::default();
    let mut best = Some(client.info().best_hash);
    loop {
        if let Some(best) = best {
            let parent =
                |block| client.header(block).ok().flatten().map(|header| header.parent_hash);
            for block in followed.next(best, parent) {
                match look(&client, &worker, block) {
                    Ok(()) => followed.done(&block),
                    Err(error) => {
                        log::debug!("the orders of block {block:?} cannot be read: {error}");
                        followed.failed(block);
                    }
                }
            }
        }
        let Some(notification) = imported.next().await else { return };
        best = notification.is_new_best.then_some(notification.hash);
    }
}

/// Tells the worker which orders a block has.
fn look(client: &FullClient, worker: &Worker, block: Hash) -> Result<(), ApiError> {
    let api = client.runtime_api();
    let mut orders = Vec::new();
    for (job, request) in api.created_jobs(block)? {
        // A job of which nothing is known opens at once.
        let opens = api.job(block, job)?.map_or(0, |view| view.created.max(view.spec.not_before));
        orders.push(Order { job, request, opens });
    }
    if orders.is_empty() {
        return Ok(());
    }
    if let Err(error) = worker.keep_for(&orders) {
        log::error!("the requests of {} jobs may not be kept for them: {error}", orders.len());
    }
    Ok(())
}

/// The last blocks of the best chain, and those of them that could not be read.
#[derive(Default)]
struct Followed {
    /// The blocks, the oldest first. Each is the parent of the next.
    chain: VecDeque<Hash>,
    /// The number of failed attempts at each block that could not be read.
    failed: BTreeMap<Hash, u32>,
}

impl Followed {
    /// Goes on to the block `best`, and returns the blocks to look at, the oldest first: those that could
    /// not be read before, and those that lead from the last best block's chain to `best`, at most
    /// [`DEPTH`]. A block that a reorganisation brings back is among them, because the worker may have
    /// forgotten its orders in the meantime.
    fn next(&mut self, best: Hash, parent: impl Fn(Hash) -> Option<Hash>) -> Vec<Hash> {
        let mut enacted = Vec::new();
        let (mut next, mut common) = (Some(best), 0);
        while let Some(block) = next {
            if let Some(at) = self.chain.iter().rposition(|known| *known == block) {
                common = at + 1;
                break;
            }
            enacted.push(block);
            next = if enacted.len() < DEPTH { parent(block) } else { None };
        }
        enacted.reverse();
        self.chain.truncate(common);
        let chain = &self.chain;
        self.failed.retain(|block, attempts| *attempts < ATTEMPTS && chain.contains(block));
        let again: Vec<Hash> =
            chain.iter().filter(|block| self.failed.contains_key(block)).copied().collect();
        self.chain.extend(&enacted);
        let surplus = self.chain.len().saturating_sub(DEPTH);
        self.chain.drain(..surplus);
        again.into_iter().chain(enacted).collect()
    }

    /// Notes that a block could not be read.
    fn failed(&mut self, block: Hash) {
        *self.failed.entry(block).or_default() += 1;
    }

    /// Notes that a block was read.
    fn done(&mut self, block: &Hash) {
        self.failed.remove(block);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(n: u64) -> Hash {
        Hash::from_low_u64_be(n)
    }

    /// Returns the parent of a block of a chain that begins with 0 and has forks at 1,003 and at 4.
    fn parent(of: Hash) -> Option<Hash> {
        match of.to_low_u64_be() {
            0 => None,
            2_000 => Some(block(1_002)),
            3_000 => Some(block(3)),
            n => Some(block(n - 1)),
        }
    }

    #[test]
    fn each_block_is_looked_at_once_and_forks_as_well() {
        let mut followed = Followed::default();
        assert_eq!(followed.next(block(2), parent), [0, 1, 2].map(block));
        assert_eq!(followed.next(block(2), parent), []);
        assert_eq!(followed.next(block(4), parent), [3, 4].map(block));
        let gap = followed.next(block(1_003), parent);
        assert_eq!((gap.len(), gap[0], gap[DEPTH - 1]), (DEPTH, block(748), block(1_003)));
        assert_eq!(followed.next(block(2_000), parent), [block(2_000)]);
        assert_eq!(followed.chain.len(), DEPTH);
    }

    #[test]
    fn blocks_that_a_reorganisation_brings_back_are_looked_at_again() {
        let mut followed = Followed::default();
        followed.next(block(5), parent);
        assert_eq!(followed.next(block(3_000), parent), [block(3_000)]);
        assert_eq!(followed.next(block(6), parent), [4, 5, 6].map(block));
    }

    #[test]
    fn block_that_cannot_be_read_is_looked_at_again_some_times() {
        let mut followed = Followed::default();
        followed.next(block(2), parent);
        followed.failed(block(1));
        assert_eq!(followed.next(block(3), parent), [1, 3].map(block));
        followed.done(&block(1));
        assert_eq!(followed.next(block(4), parent), [block(4)]);
        for n in 5..5 + u64::from(ATTEMPTS) {
            followed.failed(block(2));
            let expected = if n < 4 + u64::from(ATTEMPTS) { vec![2, n] } else { vec![n] };
            assert_eq!(
                followed.next(block(n), parent),
                expected.into_iter().map(block).collect::<Vec<_>>()
            );
        }
    }

    #[test]
    fn block_of_a_fork_that_was_left_is_not_looked_at_again() {
        let mut followed = Followed::default();
        followed.next(block(4), parent);
        followed.failed(block(4));
        assert_eq!(followed.next(block(3_000), parent), [block(3_000)]);
    }
}
