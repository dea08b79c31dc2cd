// SPDX-License-Identifier: Apache-2.0
//! The evidence of a job's draws, from the headers, the states and the events of blocks.

use super::{
    evidence::{Evidence, SpanBlock},
    output::{self, Epoch},
    reads::{self, State},
    recompute,
    snapshot::Snapshot,
    timeline::{self, Wait},
};
use crate::{
    chain::{
        blocks::{is_pruned, Entry},
        state::{plain_key, EventRecord},
        Chain,
    },
    fault::Fault,
};
use anyhow::{Context, Result};
use assay_primitives::{BlockNumber, JobId, JobState};
use assay_runtime::{AccountId, Runtime};
use frame_support::traits::Get;
use pallet_jobs::Job;
use pallet_verification::{Audit, Audits, Span};
use sp_core::H256;

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
    let mut waits = timeline::waits(delivered, last, audit).await?;
    // An output that was not drawn can be challenged later, and then waits for a jury.
    let since = waits.last().and_then(|wait: &Wait| wait.ended);
    if let Some(since) = since.filter(|since| *since < last) {
        let is_challenged = async |block| {
            let state = job(chain, id, block).await?.map(|job| job.state);
            Ok(match state {
                Some(JobState::Delivered { challenger, .. }) => challenger.is_some(),
                _ => true,
            })
        };
        let begun = timeline::first(since, since.saturating_add(1), last, is_challenged).await?;
        if let Some(begun) = begun {
            let mut challenged = timeline::waits(begun, last, audit).await?;
            let state = job(chain, id, begun).await?.map(|job| job.state);
            if let (Some(JobState::Delivered { until, .. }), Some(wait)) =
                (state, challenged.first_mut())
            {
                wait.after = until;
            }
            waits.extend(challenged);
        }
    }
    Ok(waits)
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
    let waited = blocks(chain, &wait.span, block).await?;
    let outputs: Vec<_> =
        waited.iter().map(|of| output::of(&of.header, &of.epoch).ok().flatten()).collect();
    let span = recompute::read(wait.span, block, &outputs);
    let blocks = if span == wait.span { waited } else { blocks(chain, &span, block).await? };
    let snapshot = match &audit {
        Some(audit) => reads::snapshot(&At { chain, block: before }, id, audit, &blocks).await?,
        None => Snapshot::default(),
    };
    let mut parameters = Snapshot::default();
    parameters.add(chain.entries_under(&reads::parameters(), wait.since).await?);
    let draw_blocks = parameters.run(<Runtime as pallet_verification::Config>::DrawBlocks::get);
    let waits_again = after.is_some_and(|after| after.span == Span::after(block, after.span.count));
    let wait = *wait;
    Ok(Some(Evidence {
        job: *id,
        wait,
        block,
        draw_blocks,
        span,
        blocks,
        before: snapshot,
        events,
        waits_again,
    }))
}

/// Returns the blocks of a span, with what the chain had recorded of them in block `drawn`.
async fn blocks(chain: &Chain, span: &Span, drawn: BlockNumber) -> Result<Vec<SpanBlock>> {
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

/// The state at the end of a block.
struct At<'a> {
    chain: &'a Chain,
    block: BlockNumber,
}

impl State for At<'_> {
    async fn entries(&self, keys: Vec<Vec<u8>>) -> Result<Vec<Entry>> {
        self.chain.entries(keys, self.block).await
    }

    async fn entries_under(&self, prefix: &[u8]) -> Result<Vec<Entry>> {
        self.chain.entries_under(prefix, self.block).await
    }
}
