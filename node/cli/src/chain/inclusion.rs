// SPDX-License-Identifier: Apache-2.0
//! The search for an extrinsic in the chain, and how it ended there.
//!
//! A node that prunes blocks has the hash of an old block and not its extrinsics. Such a block is never
//! taken for one without the extrinsic: the search fails.

use super::{
    connection::{Chain, Head},
    extrinsic::Signed,
    outcome,
    state::{hex_of, Account, EventRecord},
};
use crate::fault::Fault;
use anyhow::{bail, Context, Result};
use assay_runtime::{Hash, Runtime, RuntimeEvent};
use frame_system::Phase;
use jsonrpsee::rpc_params;
use serde_json::Value;
use std::fmt::Display;

/// The code of the error for a block that the node does not have any more.
const MISSING: &str = "block_missing";

/// An extrinsic that was included and succeeded.
pub struct Included {
    /// Hash of the block.
    pub block: Hash,
    /// Number of the block.
    pub number: u32,
    /// Events that the extrinsic emitted.
    pub events: Vec<RuntimeEvent>,
}

impl Included {
    /// Returns the error for a result that cannot be read after the call has taken effect.
    pub fn not_shown(&self, error: anyhow::Error) -> anyhow::Error {
        error.context(Fault {
            code: "effect_not_shown".into(),
            message: format!(
                "the call has taken effect in block {}, so do not repeat it, but its result cannot be shown",
                self.number
            ),
        })
    }
}

impl Chain {
    /// Returns how an extrinsic that is in that block ended: with the call's effect, or with the error of
    /// the call. Fails if the end cannot be read.
    pub async fn included(&self, signed: &Signed, block: Hash) -> Result<Result<Included, Fault>> {
        let head: Option<Head> = self.request("chain_getHeader", rpc_params![block]).await?;
        let head = head.ok_or_else(|| missing(format!("{block:?}")))?;
        let index = self.position(signed, block).await?;
        let index = index.with_context(|| format!("the extrinsic is not in block {block:?}"))?;
        let events = self.events_of(index, block).await?;
        let end = succeeded(&events)?;
        Ok(end.map(|()| Included { block, number: head.number, events }))
    }

    /// Looks for an extrinsic in the blocks of the best chain that can hold it. Fails if none of those that
    /// the node has holds it, and the node does not have all of them.
    pub async fn find(&self, signed: &Signed) -> Result<Option<Hash>> {
        let (finalised, _) = self.finalised().await?;
        let best: Head = self.request("chain_getHeader", rpc_params![]).await?;
        let mut pruned = None;
        for number in signed.anchor..=best.number.min(signed.last()) {
            let Some(hash) = self.hash(number).await? else {
                // The chain can become shorter while it is searched, but not its finalised part.
                if number > finalised {
                    break;
                }
                pruned = Some(missing(number));
                continue;
            };
            match self.position(signed, hash).await {
                Ok(None) => {}
                Err(error) if is_missing(&error) => pruned = Some(error),
                found => return found.map(|_| Some(hash)),
            }
        }
        pruned.map_or(Ok(None), Err)
    }

    /// Returns whether another extrinsic has used up the nonce of this one for good, so that this one
    /// can be in no block any more. It is certain once the state of a finalised block has the nonce, and
    /// each block up to there that can hold the extrinsic was read and does not have it.
    pub async fn nonce_is_used_by_another(&self, signed: &Signed) -> Result<bool> {
        let (number, finalised) = self.finalised().await?;
        let key = frame_system::Account::<Runtime>::hashed_key_for(&signed.signer);
        let account: Option<Account> = self.read(key, Some(finalised)).await?;
        if account.is_none_or(|account| account.nonce <= signed.nonce) {
            return Ok(false);
        }
        for number in signed.anchor..=number.min(signed.last()) {
            let hash = self.hash(number).await?.ok_or_else(|| missing(number))?;
            if self.position(signed, hash).await?.is_some() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Returns number and hash of the last finalised block.
    async fn finalised(&self) -> Result<(u32, Hash)> {
        let hash: Hash = self.request("chain_getFinalizedHead", rpc_params![]).await?;
        let head: Head = self.request("chain_getHeader", rpc_params![hash]).await?;
        Ok((head.number, hash))
    }

    /// Returns the hash of a block of the best chain.
    async fn hash(&self, number: u32) -> Result<Option<Hash>> {
        self.request("chain_getBlockHash", rpc_params![number]).await
    }

    /// Returns the index of an extrinsic in a block; `None` if the block does not have it.
    async fn position(&self, signed: &Signed, block: Hash) -> Result<Option<usize>> {
        let answer = self.request("chain_getBlock", rpc_params![block]).await?;
        index_of(&signed.bytes, &answer, block)
    }

    async fn events_of(&self, index: usize, block: Hash) -> Result<Vec<RuntimeEvent>> {
        let of_ours = |record: &EventRecord| matches!(record.phase, Phase::ApplyExtrinsic(n) if usize::try_from(n) == Ok(index));
        let events = self.events(block).await.context("cannot read the events of the block")?;
        Ok(events.into_iter().filter(of_ours).map(|record| record.event).collect())
    }
}

/// Returns the index of an extrinsic in the node's answer about a block; `None` if the block does not have
/// it. Fails if the node does not have the block.
fn index_of(extrinsic: &[u8], answer: &Value, block: Hash) -> Result<Option<usize>> {
    let all = answer.pointer("/block/extrinsics").and_then(Value::as_array);
    let all = all.ok_or_else(|| missing(format!("{block:?}")))?;
    let ours = hex_of(extrinsic);
    Ok(all.iter().position(|one| one.as_str() == Some(&ours)))
}

fn is_missing(error: &anyhow::Error) -> bool {
    error.downcast_ref::<Fault>().is_some_and(|fault| fault.code == MISSING)
}

/// Returns the error for a block that the node has had and does not have any more.
fn missing(block: impl Display) -> anyhow::Error {
    Fault::error(
        MISSING,
        format!("the node does not have block {block} any more; ask one that keeps all blocks"),
    )
}

/// Returns whether the call of an extrinsic with these events succeeded, or its error.
fn succeeded(events: &[RuntimeEvent]) -> Result<Result<(), Fault>> {
    for event in events {
        match event {
            RuntimeEvent::System(frame_system::Event::ExtrinsicSuccess { .. }) => {
                return Ok(Ok(()))
            }
            RuntimeEvent::System(frame_system::Event::ExtrinsicFailed {
                dispatch_error, ..
            }) => return Ok(Err(outcome::fault(dispatch_error))),
            _ => {}
        }
    }
    bail!("the block has no event that says how the extrinsic ended")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const BLOCK: Hash = Hash::repeat_byte(7);

    #[test]
    fn extrinsic_is_found_in_its_block_alone() {
        let answer = json!({ "block": { "extrinsics": ["0x00", "0x0102"] } });
        assert_eq!(index_of(&[1, 2], &answer, BLOCK).unwrap(), Some(1));
        assert_eq!(index_of(&[1], &answer, BLOCK).unwrap(), None);
    }

    #[test]
    fn block_that_is_missing_is_not_one_without_the_extrinsic() {
        for answer in [Value::Null, json!({ "block": null })] {
            let error = index_of(&[1, 2], &answer, BLOCK).unwrap_err();
            let fault = error.downcast_ref::<Fault>().expect("it is a fault");
            assert_eq!(fault.code, "block_missing");
            assert!(fault.message.contains(&format!("{BLOCK:?}")), "{}", fault.message);
        }
    }
    #[test]
    fn error_after_the_effect_says_that_there_was_one() {
        let included = Included { block: BLOCK, number: 9, events: Vec::new() };
        let error = included.not_shown(Fault::error("node_gone", "the cause"));
        assert_eq!(error.downcast_ref::<Fault>().unwrap().code, "effect_not_shown");
        let message = format!("{error:#}");
        assert!(message.contains("block 9") && message.contains(": the cause"), "{message}");
    }

    #[test]
    fn events_say_whether_the_call_succeeded() {
        let dispatch_info = Default::default();
        let dispatch_error = pallet_jobs::Error::<Runtime>::JobNotOpen.into();
        let ended = |event: frame_system::Event<Runtime>| succeeded(&[event.into()]).unwrap();
        let success = frame_system::Event::ExtrinsicSuccess { dispatch_info };
        assert_eq!(ended(success), Ok(()));
        let failure = frame_system::Event::ExtrinsicFailed { dispatch_error, dispatch_info };
        assert_eq!(ended(failure).unwrap_err().code, "jobs.JobNotOpen");
        // Without either nobody knows.
        assert!(succeeded(&[]).is_err());
    }
}
