// SPDX-License-Identifier: Apache-2.0
//! The blocks in which a job waited for draws, and in which they were made.

use anyhow::Result;
use assay_primitives::BlockNumber;
use assay_runtime::AccountId;
use pallet_verification::{Audit, Phase, Span};

/// A wait of an audit for the outputs of a span of blocks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Wait {
    /// The block in which the wait began.
    pub since: BlockNumber,
    /// The block after which the span begins: that one, or the end of the window of a challenge.
    pub after: BlockNumber,
    /// The span.
    pub span: Span,
    /// The block in which it ended; `None` if it still lasts.
    pub ended: Option<BlockNumber>,
}

/// Returns the first block after `before`, at most `last`, in which `holds`; `None` if there is none.
/// Once it holds it goes on to hold. The search looks at `near` first, where it is likely to begin.
pub async fn first(
    before: BlockNumber,
    near: BlockNumber,
    last: BlockNumber,
    holds: impl AsyncFn(BlockNumber) -> Result<bool>,
) -> Result<Option<BlockNumber>> {
    let mut low = before;
    let mut step = 1u32;
    let mut high = near.clamp(before.saturating_add(1).min(last), last);
    while low < last && !holds(high).await? {
        low = high;
        high = high.saturating_add(step).min(last);
        step = step.saturating_mul(2);
    }
    if low >= last {
        return Ok(None);
    }
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if holds(middle).await? {
            high = middle;
        } else {
            low = middle;
        }
    }
    Ok(Some(high))
}

/// Returns the waits of an audit from the block of the delivery to the block `last`. `audit` returns the
/// audit at the end of a block. Each wait lasts longer than a block, so none is overlooked.
pub async fn waits(
    delivered: BlockNumber,
    last: BlockNumber,
    audit: impl AsyncFn(BlockNumber) -> Result<Option<Audit<AccountId>>>,
) -> Result<Vec<Wait>> {
    let mut waits = Vec::new();
    let mut since = delivered;
    while let Some(Audit { phase, span, .. }) = audit(since).await? {
        let is_over = async |block| {
            let now = audit(block).await?;
            Ok(now.is_none_or(|now| (now.phase, now.span) != (phase, span)))
        };
        let ended = first(since, phase.due(), last, is_over).await?;
        if matches!(phase, Phase::Drawing { .. }) {
            waits.push(Wait { since, after: since, span, ended });
        }
        match ended {
            Some(block) => since = block,
            None => break,
        }
    }
    Ok(waits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use frame_support::BoundedVec;
    use pallet_verification::Stage;
    use std::cell::Cell;

    #[tokio::test]
    async fn first_block_is_found_wherever_it_is() {
        for begins in 11..=60 {
            for near in [0, 12, 30, 90] {
                let found = first(10, near, 50, async |block| Ok(block >= begins)).await.unwrap();
                assert_eq!(found, (begins <= 50).then_some(begins), "{begins} near {near}");
            }
        }
        assert_eq!(first(10, 10, 10, async |_| Ok(true)).await.unwrap(), None);
    }

    #[tokio::test]
    async fn first_block_near_its_due_one_costs_few_reads() {
        let reads = Cell::new(0);
        let holds = async |block| {
            reads.set(reads.get() + 1);
            Ok(block >= 127)
        };
        assert_eq!(first(110, 127, 1_000_000, holds).await.unwrap(), Some(127));
        assert!(reads.get() <= 6, "{}", reads.get());
    }

    fn audit(phase: Phase, first: BlockNumber) -> Audit<AccountId> {
        Audit {
            stage: Stage::Committee,
            draws: 0,
            round: 0,
            size: 0,
            phase,
            span: Span { first, count: 16 },
            seats: BoundedVec::new(),
            heard: BoundedVec::new(),
            forfeited: 0,
            left: BoundedVec::new(),
        }
    }

    /// An audit that is drawn in block 117, opens its reveals early, and is looked at again.
    async fn example(block: BlockNumber) -> Result<Option<Audit<AccountId>>> {
        Ok(match block {
            100..=116 => Some(audit(Phase::Drawing { at: 117 }, 101)),
            117..=119 => Some(audit(Phase::Committing { until: 200 }, 101)),
            120..=129 => Some(audit(Phase::Revealing { until: 210 }, 101)),
            130..=146 => Some(audit(Phase::Drawing { at: 147 }, 131)),
            _ => None,
        })
    }

    #[tokio::test]
    async fn waits_are_those_of_all_draws() {
        let span = |first| Span { first, count: 16 };
        let first = Wait { since: 100, after: 100, span: span(101), ended: Some(117) };
        let second = Wait { since: 130, after: 130, span: span(131), ended: Some(147) };
        assert_eq!(waits(100, 5_000, example).await.unwrap(), [first, second]);
        let second = Wait { ended: None, ..second };
        assert_eq!(waits(100, 140, example).await.unwrap(), [first, second]);
        assert_eq!(waits(100, 120, example).await.unwrap(), [first]);
    }
}
