// SPDX-License-Identifier: Apache-2.0
//! Pushes the requests of clients to the operators that their jobs are assigned to.
//!
//! The node tells the operator's node that it has the request, and the operator pulls it over the
//! connection that this has opened. So a client's node need not be reachable by others.

use super::{
    client::Exchange,
    directory::{Directory, Operator},
};
use crate::client::FullClient;
use assay_primitives::{JobId, JobState};
use assay_runtime::{opaque::Block, AccountId, Hash, Runtime, RuntimeEvent};
use assay_worker::Worker;
use codec::Decode;
use frame_system::EventRecord;
use futures::StreamExt;
use sc_client_api::{BlockImportNotification, BlockchainEvents, StorageProvider};
use sp_core::{storage::StorageKey, H256};
use sp_crypto_hashing::twox_128;
use std::{sync::Arc, time::Duration};

/// The number of times that an operator is told.
const MAX_ATTEMPTS: usize = 4;
/// The time between two of them: about that in which the operator imports the block of its assignment.
const AGAIN: Duration = Duration::from_secs(2);

/// A request that an operator is to be told of.
struct Push {
    job: JobId,
    hash: H256,
    operator: Operator,
}

/// Pushes requests as long as the node runs.
pub async fn push_requests(client: Arc<FullClient>, exchange: Exchange, worker: Arc<Worker>) {
    let mut blocks = client.import_notification_stream();
    while let Some(block) = blocks.next().await {
        if !block.is_new_best {
            continue;
        }
        let (client, node, here) = (client.clone(), worker.clone(), exchange.peer_id());
        let directory = exchange.directory.clone();
        let looking = tokio::task::spawn_blocking(move || {
            let (best, here, mut pushes) = (directory.best(), here.to_bytes(), Vec::new());
            for (job, operator) in new_blocks(&block).flat_map(|block| assigned(&client, block)) {
                pushes.extend(to_push(&directory, best, &node, &here, job, &operator));
            }
            pushes
        });
        for push in looking.await.unwrap_or_default() {
            tokio::spawn(tell(exchange.clone(), worker.clone(), push));
        }
    }
}

/// Returns the blocks that a new best block adds to the best chain.
fn new_blocks(block: &BlockImportNotification<Block>) -> impl Iterator<Item = Hash> + '_ {
    let enacted = block.tree_route.iter().flat_map(|route| route.enacted());
    let before = enacted.map(|block| block.hash).filter(|hash| *hash != block.hash);
    before.chain([block.hash])
}

/// Returns the jobs that a block has assigned, with their operators. There are none if the runtime's
/// events have changed.
fn assigned(client: &FullClient, block: Hash) -> Vec<(JobId, AccountId)> {
    let key = StorageKey([twox_128(b"System"), twox_128(b"Events")].concat());
    let Some(events) = client.storage(block, &key).ok().flatten() else { return Vec::new() };
    let events = Vec::<EventRecord<RuntimeEvent, Hash>>::decode(&mut events.0.as_slice());
    let assigned = |record: EventRecord<RuntimeEvent, Hash>| match record.event {
        RuntimeEvent::Jobs(pallet_jobs::Event::<Runtime>::JobAssigned {
            job, operator, ..
        }) => Some((job, operator)),
        _ => None,
    };
    events.unwrap_or_default().into_iter().filter_map(assigned).collect()
}

/// Returns the request to push: of a job that waits for its operator, if the job names this node, or names
/// none and this node has the request.
fn to_push(
    directory: &Directory,
    best: Hash,
    worker: &Worker,
    here: &[u8],
    job: JobId,
    operator: &AccountId,
) -> Option<Push> {
    let view = directory.job(best, job)?;
    let hash = view.spec.request_hash;
    // A node that catches up sees assignments of jobs that are long over.
    let waits = matches!(view.state, JobState::Assigned { .. } | JobState::Running { .. });
    let ours = match view.spec.peer.is_empty() {
        true => has(worker, &hash),
        false => *view.spec.peer == here,
    };
    (waits && ours).then(|| Push { job, hash, operator: directory.contact(best, operator) })
}

/// Returns whether this node has a payload.
fn has(worker: &Worker, hash: &H256) -> bool {
    worker.payload_range(hash, 0, 0).is_ok_and(|found| found.is_some())
}

/// Tells an operator of a request, as soon as it is here. One without a contact finds it by itself.
async fn tell(exchange: Exchange, worker: Arc<Worker>, Push { job, hash, operator }: Push) {
    let Operator::At(peer, addresses) = operator else { return };
    if peer == exchange.peer_id() {
        return;
    }
    let mut here = false;
    for attempt in 0..MAX_ATTEMPTS {
        if attempt > 0 {
            tokio::time::sleep(AGAIN).await;
        }
        // The client may order the job first, and the store may fail for a while.
        let worker = worker.clone();
        let looking = tokio::task::spawn_blocking(move || has(&worker, &hash));
        here = looking.await.unwrap_or(false);
        if here && exchange.send_notice(peer, addresses.clone(), hash).await {
            log::debug!("the operator's node {peer} is told of the request of job {job:?}");
            return;
        }
    }
    let problem = match here {
        true => "cannot be told of its request",
        false => "was not told of its request, which this node does not have",
    };
    log::warn!(
        "the operator's node {peer} of job {job:?} {problem}; the job may be given to another operator",
    );
}
