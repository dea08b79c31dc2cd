// SPDX-License-Identifier: Apache-2.0
//! Provides through the DHT the payloads of the jobs that this node's operators have accepted: clients
//! may go offline, and verifiers need them.

use super::client::Exchange;
use crate::client::FullClient;
use assay_primitives::JobId;
use assay_worker::Worker;
use futures::StreamExt;
use sc_client_api::BlockchainEvents;
use sp_core::H256;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// The jobs whose payloads are provided, which is a bound of the records of this node in the DHT.
const MAX_JOBS: usize = 1024;

/// Provides payloads as long as the node runs.
pub async fn provide_accepted(client: Arc<FullClient>, exchange: Exchange, worker: Arc<Worker>) {
    let mut provided = Provided::default();
    let mut blocks = client.import_notification_stream();
    while let Some(block) = blocks.next().await {
        if !block.is_new_best {
            continue;
        }
        let (worker, directory) = (worker.clone(), exchange.directory.clone());
        let looking = tokio::task::spawn_blocking(move || {
            let best = directory.best();
            let request = |job: &JobId| Some(directory.job(best, *job)?.spec.request_hash);
            provided.update(worker.accepted(), request);
            provided
        });
        // After a panic everything is provided again.
        provided = looking.await.unwrap_or_default();
        for hash in provided.begun.drain(..) {
            exchange.provide(&hash);
        }
        for hash in provided.ended.drain(..) {
            exchange.stop_providing(&hash);
        }
    }
}

/// The payloads that are provided.
#[derive(Default)]
struct Provided {
    /// The hashes of the request and of the outputs of each job.
    by_job: BTreeMap<JobId, BTreeSet<H256>>,
    /// The payloads that are to be provided from now on.
    begun: Vec<H256>,
    /// The payloads that are to be provided no longer.
    ended: Vec<H256>,
}

impl Provided {
    /// Compares what is provided with the jobs that were accepted and the outputs of each. `request`
    /// returns the hash of a job's request.
    fn update(
        &mut self,
        accepted: BTreeMap<JobId, BTreeSet<H256>>,
        request: impl Fn(&JobId) -> Option<H256>,
    ) {
        let before = self.all();
        self.by_job.retain(|job, _| accepted.contains_key(job));
        for (job, outputs) in accepted {
            if !self.by_job.contains_key(&job) {
                if self.by_job.len() >= MAX_JOBS {
                    continue;
                }
                let Some(request) = request(&job) else { continue };
                self.by_job.insert(job, BTreeSet::from([request]));
            }
            self.by_job.entry(job).or_default().extend(outputs);
        }
        let now = self.all();
        self.begun.extend(now.difference(&before));
        self.ended.extend(before.difference(&now));
    }

    fn all(&self) -> BTreeSet<H256> {
        self.by_job.values().flatten().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(n: u8) -> H256 {
        H256::repeat_byte(n)
    }

    /// Updates with these jobs and their outputs, and returns what begins and what ends. The request of a
    /// job has its number, and those of odd numbers share one.
    fn update(provided: &mut Provided, jobs: &[(u8, &[u8])]) -> (Vec<H256>, Vec<H256>) {
        let outputs = |outputs: &[u8]| outputs.iter().copied().map(hash).collect();
        let accepted = jobs.iter().map(|(job, of)| (hash(*job), outputs(of))).collect();
        let request = |job: &JobId| Some(if job.0[0] % 2 == 1 { hash(1) } else { *job });
        provided.update(accepted, request);
        (std::mem::take(&mut provided.begun), std::mem::take(&mut provided.ended))
    }

    #[test]
    fn request_is_provided_from_acceptance_and_output_from_commitment_on() {
        let mut provided = Provided::default();
        assert_eq!(update(&mut provided, &[(2, &[])]), (vec![hash(2)], vec![]));
        assert_eq!(update(&mut provided, &[(2, &[])]), (vec![], vec![]));
        assert_eq!(update(&mut provided, &[(2, &[200])]), (vec![hash(200)], vec![]));
        assert_eq!(update(&mut provided, &[]), (vec![], vec![hash(2), hash(200)]));
    }

    #[test]
    fn request_of_two_jobs_is_provided_until_both_are_over() {
        let mut provided = Provided::default();
        assert_eq!(update(&mut provided, &[(1, &[]), (3, &[])]), (vec![hash(1)], vec![]));
        assert_eq!(update(&mut provided, &[(3, &[])]), (vec![], vec![]));
        assert_eq!(update(&mut provided, &[]), (vec![], vec![hash(1)]));
    }

    #[test]
    fn provided_jobs_are_bounded() {
        let mut provided = Provided::default();
        let id = |n: usize| H256::from_low_u64_be(n as u64);
        let accepted = (0..2 * MAX_JOBS).map(|n| (id(n), BTreeSet::new())).collect();
        let looked = std::cell::Cell::new(0);
        let request = |job: &JobId| {
            looked.set(looked.get() + 1);
            Some(*job)
        };
        provided.update(accepted, request);
        assert_eq!((provided.begun.len(), looked.get()), (MAX_JOBS, MAX_JOBS));
    }
}
