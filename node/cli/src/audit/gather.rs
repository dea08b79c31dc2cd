// SPDX-License-Identifier: Apache-2.0
//! The evidence of a job's draws, from the headers, the states and the events of blocks.

use super::{
    evidence::{Evidence, SpanBlock},
    output::Epoch,
    snapshot::Snapshot,
    timeline::{self, Wait},
};
use crate::{
    chain::{
        blocks::is_pruned,
        state::{plain_key, EventRecord},
        Chain,
    },
    fault::Fault,
};
use anyhow::{Context, Result};
use assay_primitives::{
    draw::{self, Purpose},
    BlockNumber, JobId, JobState, ModelId,
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
use pallet_verification::{types::MAX_SEATS, Audit, Audits, Span};
use sp_core::H256;
use sp_crypto_hashing::twox_128;

/// The bytes of a tree node's key behind model and tree: a hash of eight bytes, the level, the index.
const PLACE: usize = 8 + 1 + 4;

/// A job at a block, as the state has it.
pub async fn job(chain: &Chain, id: &JobId, at: BlockNumber) -> Result<Option<Job<AccountId>>> {
    chain.read_at(pallet_jobs::Jobs::<Runtime>::hashed_key_for(id), at).await
}

/// Returns the waits for draws of a job that was delivered in that block, up to the block `last`.
pub async fn waits(
    chain: &Chain,
    id: &JobId,
    delivered: BlockNumber,
    last: BlockNumber,
) -> Result<Vec<Wait>> {
    let audit = async |block| {
        chain.read_at::<Audit<AccountId>>(Audits::<Runtime>::hashed_key_for(id), block).await
    };
    timeline::waits(delivered, last, audit).await
}

/// Returns the block in which a job was delivered that has a delivery at `last`.
pub async fn delivered(
    chain: &Chain,
    id: &JobId,
    created: BlockNumber,
    last: BlockNumber,
) -> Result<BlockNumber> {
    let is_over = |job: &Job<AccountId>| {
        matches!(job.state, JobState::Delivered { .. } | JobState::Settled(_))
    };
    let over = async |block| match job(chain, id, block).await {
        Ok(job) => Ok(job.as_ref().is_some_and(is_over)),
        // States are pruned from the oldest on.
        Err(error) if is_pruned(&error) => Ok(false),
        Err(error) => Err(error),
    };
    let before = created.saturating_sub(1);
    let delivered = timeline::first(before, created, last, over)
        .await?
        .with_context(|| format!("job {id:?} has no delivery at block {last}"))?;
    // If the state before is pruned, the delivery may be earlier, and the error says which it is.
    if let Some(before) = delivered.checked_sub(1) {
        job(chain, id, before).await?;
    }
    Ok(delivered)
}

/// Returns all about the draw in which a wait ended; `None` if it still lasts.
pub async fn evidence(chain: &Chain, id: &JobId, wait: &Wait) -> Result<Option<Evidence>> {
    let Some(block) = wait.ended else { return Ok(None) };
    let before = block.saturating_sub(1);
    let key = Audits::<Runtime>::hashed_key_for(id);
    let audit: Option<Audit<AccountId>> = chain.read_at(key.clone(), before).await?;
    let after: Option<Audit<AccountId>> = chain.read_at(key, block).await?;
    let hash = chain.hash_of(block).await?;
    let events: Vec<EventRecord> = chain.events(hash).await?;
    let blocks = span(chain, &wait.span, block).await?;
    let snapshot = match &audit {
        Some(audit) => snapshot(chain, id, audit, &blocks, before).await?,
        None => Snapshot::default(),
    };
    let mut parameters = Snapshot::default();
    parameters.add(chain.entries_under(&twox_128(b"Parameters"), wait.since).await?);
    let draw_blocks = parameters.run(<Runtime as pallet_verification::Config>::DrawBlocks::get);
    let waits_again = after.is_some_and(|after| after.span == Span::after(block, after.span.count));
    let wait = *wait;
    Ok(Some(Evidence {
        job: *id,
        wait,
        block,
        draw_blocks,
        blocks,
        before: snapshot,
        events,
        waits_again,
    }))
}

/// Returns the blocks of a span, with what the chain had recorded of them in block `drawn`.
async fn span(chain: &Chain, span: &Span, drawn: BlockNumber) -> Result<Vec<SpanBlock>> {
    let mut blocks: Vec<SpanBlock> = Vec::new();
    for number in span.blocks() {
        let header = chain.header(number).await?;
        if let Some(parent) = blocks.last() {
            if header.parent_hash != parent.header.hash() {
                return Err(Fault::error(
                    "chain_changed",
                    format!("block {number} does not follow block {}; try again", number - 1),
                ));
            }
        }
        let epoch = epoch(chain, number).await?;
        let key = pallet_beacon::Outputs::<Runtime>::hashed_key_for(number);
        let recorded = chain.read_at::<H256>(key, drawn).await?;
        blocks.push(SpanBlock { header, epoch, recorded });
    }
    Ok(blocks)
}

/// Returns the epoch of a block.
async fn epoch(chain: &Chain, number: BlockNumber) -> Result<Epoch> {
    let index = chain.read_at(plain_key("Babe", "EpochIndex"), number).await?;
    let randomness = chain.read_at(plain_key("Babe", "Randomness"), number).await?;
    let authorities = chain.read_at(plain_key("Babe", "Authorities"), number).await?;
    Ok(Epoch {
        index: index.unwrap_or_default(),
        randomness: randomness.unwrap_or_default(),
        authorities: authorities.unwrap_or_default(),
    })
}

fn decode<R: codec::Decode>(mut bytes: &[u8]) -> Result<R> {
    R::decode_all(&mut bytes).context("a value of the state is malformed")
}

/// Returns what a draw reads of the state of the block before it.
async fn snapshot(
    chain: &Chain,
    id: &JobId,
    audit: &Audit<AccountId>,
    blocks: &[SpanBlock],
    at: BlockNumber,
) -> Result<Snapshot> {
    let mut snapshot = Snapshot::default();
    snapshot.add(chain.entries_under(&twox_128(b"Parameters"), at).await?);
    let own = vec![
        Audits::<Runtime>::hashed_key_for(id),
        pallet_jobs::Jobs::<Runtime>::hashed_key_for(id),
    ];
    snapshot.add(chain.entries(own, at).await?);
    let Some(job) = job(chain, id, at).await? else { return Ok(snapshot) };
    let JobState::Delivered { operator, .. } = &job.state else { return Ok(snapshot) };
    let record = pallet_verification::Records::<Runtime>::hashed_key_for(operator);
    snapshot.add(chain.entries(vec![record], at).await?);

    let nodes = chain.entries_under(&tree(&job.spec.model), at).await?;
    let slots: Vec<Vec<u8>> = drawn(id, audit, blocks, &nodes)?
        .into_iter()
        .map(pallet_routing::Slots::<Runtime>::hashed_key_for)
        .collect();
    let slots = chain.entries(slots, at).await?;
    let mut operators = Vec::new();
    for (_, slot) in &slots {
        if let Slot::Taken(account) = decode::<Slot<AccountId>>(slot)? {
            operators.push(pallet_operators::Operators::<Runtime>::hashed_key_for(&account));
            let delegation =
                pallet_operators::Delegations::<Runtime>::hashed_key_for(&account, operator);
            operators.push(delegation);
        }
    }
    snapshot.add(nodes);
    snapshot.add(slots);
    snapshot.add(chain.entries(operators, at).await?);
    Ok(snapshot)
}

/// Returns the prefix of the keys of a model's tree of stakes.
fn tree(model: &ModelId) -> Vec<u8> {
    let mut key =
        pallet_routing::TreeNodes::<Runtime>::hashed_key_for((model, Kind::Stakes, (0u8, 0u32)));
    key.truncate(key.len() - PLACE);
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
        let place = key.len().checked_sub(size_of::<u8>() + size_of::<u32>());
        let place = place.and_then(|from| key.get(from..)).unwrap_or_default();
        let (level, index): (u8, u32) = decode(place)?;
        tree.put(level, index, decode::<Node>(node)?);
    }
    let outputs: Vec<Option<H256>> = blocks
        .iter()
        .map(|block| super::output::of(&block.header, &block.epoch).ok().flatten())
        .collect();
    let Some(randomness) = draw::of_span(audit.span.first, &outputs) else {
        return Ok(Vec::new());
    };
    let seed = draw::seed(&randomness, id, Purpose::Committee(audit.draws));
    let tries: u32 = <Runtime as pallet_routing::Config>::MaxTries::get();
    let most = MAX_SEATS + tries;
    let mut urn = Urn::new(&tree, seed);
    let drawn = core::iter::from_fn(|| urn.draw()).take(most as usize);
    Ok(drawn.map(|(slot, _)| slot).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::scene;

    #[test]
    fn keys_of_a_tree_begin_with_its_prefix_and_end_with_a_place() {
        let evidence = scene::draw();
        let model = assay_runtime::presets::TINY_MODEL;
        let prefix = tree(&model);
        let nodes: Vec<_> =
            evidence.before.0.into_iter().filter(|(key, _)| key.starts_with(&prefix)).collect();
        // Twelve operators are in the first node of each level.
        assert_eq!(nodes.len(), 3);
        let audit = scene::audit(Span { first: 1, count: 2 });
        let slots = drawn(&evidence.job, &audit, &evidence.blocks, &nodes).unwrap();
        assert_eq!(slots.len(), 12, "all operators are within the tries: {slots:?}");
    }
}
