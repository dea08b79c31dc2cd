// SPDX-License-Identifier: Apache-2.0
//! The contacts of operators, as the chain has them.

use crate::client::FullClient;
use assay_primitives::{
    api::{AssayApi, JobView},
    contact::Contact,
    JobId, JobState,
};
use assay_runtime::{AccountId, Hash};
use parking_lot::Mutex;
use sc_network::{Multiaddr, PeerId};
use sp_api::ProvideRuntimeApi;
use sp_blockchain::HeaderBackend;
use sp_core::H256;
use sp_crypto_hashing::blake2_256;
use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

/// The time for which an answer is taken again.
const FRESH: Duration = Duration::from_secs(1);
/// The most answers that are remembered.
const MAX_REMEMBERED: usize = 1024;

/// The operator of a job, as other nodes reach it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operator {
    /// The job has no operator.
    Nobody,
    /// The operator has no contact on the chain.
    Unlisted,
    /// The operator's node has that peer id and those addresses.
    At(PeerId, Vec<Multiaddr>),
}

/// The contacts of operators.
pub struct Directory {
    client: Arc<FullClient>,
    recent: Mutex<HashMap<JobId, (Instant, Operator)>>,
}

impl Directory {
    /// Makes the directory of the chain that the client follows.
    pub fn new(client: Arc<FullClient>) -> Self {
        Self { client, recent: Mutex::default() }
    }

    /// Returns the operator that the best block names for a job.
    pub async fn operator(self: &Arc<Self>, job: JobId) -> Operator {
        let now = Instant::now();
        let fresh = |at: Instant| now.saturating_duration_since(at) < FRESH;
        if let Some((_, operator)) = self.recent.lock().get(&job).filter(|(at, _)| fresh(*at)) {
            return operator.clone();
        }
        let directory = self.clone();
        let looking = tokio::task::spawn_blocking(move || directory.look(job));
        let operator = looking.await.unwrap_or(Operator::Nobody);
        let mut recent = self.recent.lock();
        if recent.len() >= MAX_REMEMBERED {
            recent.retain(|_, (at, _)| fresh(*at));
        }
        if recent.len() < MAX_REMEMBERED {
            recent.insert(job, (now, operator.clone()));
        }
        operator
    }

    /// Returns a payload that the operator of a job has published on the chain, as of the best block.
    pub async fn published(self: &Arc<Self>, job: JobId, hash: H256) -> Option<Vec<u8>> {
        let directory = self.clone();
        let reading = tokio::task::spawn_blocking(move || {
            let best = directory.best();
            directory.client.runtime_api().published(best, job, hash).ok().flatten()
        });
        let bytes = reading.await.ok().flatten()?;
        (blake2_256(&bytes) == hash.0).then_some(bytes)
    }

    fn look(&self, job: JobId) -> Operator {
        let best = self.best();
        let Some(view) = self.job(best, job) else { return Operator::Nobody };
        let Some(stash) = operator_of(&view.state) else { return Operator::Nobody };
        self.contact(best, stash)
    }

    /// Returns the best block, as the one at which jobs and contacts are looked up together.
    pub fn best(&self) -> Hash {
        self.client.info().best_hash
    }

    /// Returns a job as a block has it. This calls the runtime.
    pub fn job(&self, at: Hash, job: JobId) -> Option<JobView<AccountId>> {
        self.client.runtime_api().job(at, job).ok().flatten()
    }

    /// Returns the contact that the operator with that stash has at a block. This calls the runtime.
    pub fn contact(&self, at: Hash, stash: &AccountId) -> Operator {
        let view = self.client.runtime_api().operator(at, stash.clone()).ok().flatten();
        let contact = view.and_then(|view| view.contact);
        contact.as_ref().and_then(reached).unwrap_or(Operator::Unlisted)
    }
}

/// Returns the operator that a job is assigned to, or that ran it.
fn operator_of(state: &JobState<AccountId>) -> Option<&AccountId> {
    match state {
        JobState::Open { .. } => None,
        JobState::Assigned { operator, .. }
        | JobState::Running { operator, .. }
        | JobState::Delivered { operator, .. } => Some(operator),
        JobState::Settled(settlement) => settlement.operator.as_ref(),
    }
}

/// Reads a contact; `None` if its peer id is malformed. Addresses that are malformed are left out.
fn reached(contact: &Contact) -> Option<Operator> {
    let peer = PeerId::from_bytes(&contact.peer_id).ok()?;
    let addresses = contact.addresses.iter();
    let addresses = addresses.filter_map(|bytes| Multiaddr::try_from(bytes.to_vec()).ok());
    let addresses = addresses.collect();
    Some(Operator::At(peer, addresses))
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_primitives::contact::{Address, Addresses};

    #[test]
    fn contact_is_read_without_what_is_malformed() {
        let address: Multiaddr = "/ip4/127.0.0.1/tcp/30333".parse().unwrap();
        let bytes = [address.to_vec(), vec![255; 4]].map(Address::truncate_from);
        let addresses = Addresses::truncate_from(bytes.into());
        let mut contact = Contact::new(&[7; 32], addresses);
        let Some(Operator::At(peer, addresses)) = reached(&contact) else { panic!() };
        assert_eq!((peer.to_bytes().as_slice(), addresses), (&**contact.peer_id, vec![address]));
        contact.peer_id = Default::default();
        assert_eq!(reached(&contact), None);
    }
}
