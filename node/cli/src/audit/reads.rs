// SPDX-License-Identifier: Apache-2.0
//! The entries of the state that a draw of verifiers reads: a few, even if there are thousands of
//! operators.

use super::{evidence::SpanBlock, output, snapshot::Snapshot};
use crate::chain::blocks::Entry;
use anyhow::{Context, Result};
use assay_primitives::{
    draw::{self, Purpose},
    JobId, JobState, ModelId,
};
use assay_runtime::{AccountId, Runtime};
use codec::DecodeAll;
use frame_support::traits::Get;
use pallet_jobs::Job;
use pallet_routing::{
    tree::{InMemory, Node, Nodes, Urn},
    types::Kind,
    Slot,
};
use pallet_verification::{types::MAX_SEATS, Audit, Audits};
use sp_core::H256;
use sp_crypto_hashing::twox_128;
use std::iter;

/// The bytes of a place in a tree at the end of a key: the level and the index.
const PLACE: usize = size_of::<u8>() + size_of::<u32>();

/// The bytes of the hash before it.
const HASH: usize = 8;

/// The state at the end of a block.
pub(crate) trait State {
    /// Returns the entries with one of the keys.
    async fn entries(&self, keys: Vec<Vec<u8>>) -> Result<Vec<Entry>>;
    /// Returns the entries whose keys begin with `prefix`.
    async fn entries_under(&self, prefix: &[u8]) -> Result<Vec<Entry>>;
}

/// Returns the prefix of the keys of the runtime's parameters.
pub fn parameters() -> [u8; 16] {
    twox_128(b"Parameters")
}

/// Returns what a draw reads of the state of the block before it.
pub(crate) async fn snapshot(
    state: &impl State,
    id: &JobId,
    audit: &Audit<AccountId>,
    blocks: &[SpanBlock],
) -> Result<Snapshot> {
    let mut snapshot = Snapshot::default();
    snapshot.add(state.entries_under(&parameters()).await?);
    snapshot.add(state.entries(vec![Audits::<Runtime>::hashed_key_for(id)]).await?);
    let job = state.entries(vec![pallet_jobs::Jobs::<Runtime>::hashed_key_for(id)]).await?;
    let Some((_, value)) = job.first() else { return Ok(snapshot) };
    let Job { client, spec, state: phase, .. }: Job<AccountId> = decode(value)?;
    snapshot.add(job);
    let JobState::Delivered { operator, challenger, .. } = &phase else { return Ok(snapshot) };
    // Nobody is drawn that has delegated to one of these.
    let challenged = challenger.iter().flat_map(|challenger| [challenger, &client]);
    let parties: Vec<&AccountId> = iter::once(operator).chain(challenged).collect();
    let record = pallet_verification::Records::<Runtime>::hashed_key_for(operator);
    snapshot.add(state.entries(vec![record]).await?);
    let nodes = state.entries_under(&tree(&spec.model)).await?;
    let slots: Vec<Vec<u8>> = drawn(id, audit, blocks, &nodes)?
        .into_iter()
        .map(pallet_routing::Slots::<Runtime>::hashed_key_for)
        .collect();
    let slots = state.entries(slots).await?;
    let mut operators = Vec::new();
    for (_, slot) in &slots {
        if let Slot::Taken(account) = decode::<Slot<AccountId>>(slot)? {
            operators.push(pallet_operators::Operators::<Runtime>::hashed_key_for(&account));
            operators.extend(parties.iter().map(|party| {
                pallet_operators::Delegations::<Runtime>::hashed_key_for(&account, party)
            }));
        }
    }
    snapshot.add(nodes);
    snapshot.add(slots);
    snapshot.add(state.entries(operators).await?);
    Ok(snapshot)
}

/// Returns the prefix of the keys of a model's tree of stakes.
fn tree(model: &ModelId) -> Vec<u8> {
    let mut key =
        pallet_routing::TreeNodes::<Runtime>::hashed_key_for((model, Kind::Stakes, (0u8, 0u32)));
    key.truncate(key.len() - HASH - PLACE);
    key
}

/// Returns the places that a draw can look at: so many are taken out of the urn at most.
fn drawn(
    id: &JobId,
    audit: &Audit<AccountId>,
    blocks: &[SpanBlock],
    nodes: &[(Vec<u8>, Vec<u8>)],
) -> Result<Vec<u32>> {
    let mut tree = InMemory::default();
    for (key, node) in nodes {
        let place = key.len().checked_sub(PLACE);
        let place = place.and_then(|from| key.get(from..)).unwrap_or_default();
        let (level, index): (u8, u32) = decode(place)?;
        tree.put(level, index, decode::<Node>(node)?);
    }
    let outputs: Vec<Option<H256>> =
        blocks.iter().map(|block| output::of(&block.header, &block.epoch).ok().flatten()).collect();
    let first = blocks.first().map(|block| block.header.number).unwrap_or_default();
    let Some(randomness) = draw::of_span(first, &outputs) else {
        return Ok(Vec::new());
    };
    let seed = draw::seed(&randomness, id, Purpose::Committee(audit.draws));
    let tries: u32 = <Runtime as pallet_routing::Config>::MaxTries::get();
    let most = MAX_SEATS + tries;
    let mut urn = Urn::new(&tree, seed);
    let drawn = iter::from_fn(|| urn.draw()).take(most as usize);
    Ok(drawn.map(|(slot, _)| slot).collect())
}

fn decode<R: codec::Decode>(mut bytes: &[u8]) -> Result<R> {
    R::decode_all(&mut bytes).context("a value of the state is malformed")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{evidence::Evidence, recompute::recompute, scene};

    impl State for Snapshot {
        async fn entries(&self, keys: Vec<Vec<u8>>) -> Result<Vec<Entry>> {
            let found = keys.into_iter().filter_map(|key| self.0.get_key_value(&key));
            Ok(found.map(|(key, value)| (key.clone(), value.clone())).collect())
        }

        async fn entries_under(&self, prefix: &[u8]) -> Result<Vec<Entry>> {
            let all = self.0.iter().filter(|(key, _)| key.starts_with(prefix));
            Ok(all.map(|(key, value)| (key.clone(), value.clone())).collect())
        }
    }

    #[tokio::test]
    async fn entries_that_are_read_are_all_that_a_draw_needs() {
        for evidence in [
            scene::draw(),
            scene::rare(true),
            scene::rare(false),
            scene::second_look(true),
            scene::second_look(false),
            scene::on_request(),
            scene::challenged(),
        ] {
            let Evidence { job, before, blocks, .. } = &evidence;
            let audit = before.run(|| Audits::<Runtime>::get(job)).unwrap();
            let read = snapshot(before, job, &audit, blocks).await.unwrap();
            assert!(read.0.len() < before.0.len());
            let partial = Evidence { before: read, ..evidence.clone() };
            assert_eq!(recompute(&partial), recompute(&evidence));
        }
    }

    #[test]
    fn keys_of_a_tree_begin_with_its_prefix_and_end_with_a_place() {
        let evidence = scene::draw();
        let model = assay_runtime::presets::TINY_MODEL;
        let prefix = tree(&model);
        let nodes: Vec<_> =
            evidence.before.0.into_iter().filter(|(key, _)| key.starts_with(&prefix)).collect();
        // Twelve operators are in the first node of each level.
        assert_eq!(nodes.len(), 3);
        let audit = Audit::new(evidence.wait.span);
        let slots = drawn(&evidence.job, &audit, &evidence.blocks, &nodes).unwrap();
        assert_eq!(slots.len(), 12, "all operators are within the tries: {slots:?}");
    }
}
