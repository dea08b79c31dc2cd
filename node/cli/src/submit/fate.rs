// SPDX-License-Identifier: Apache-2.0
//! The fate of an extrinsic that was sent: in a block, or certainly in none.

use crate::{
    chain::{extrinsic::Signed, is_lost, Chain},
    reconnect,
};
use anyhow::{bail, Context, Result};
use assay_runtime::Hash;
use jsonrpsee::core::client::Subscription;
use serde_json::Value;
use std::time::Duration;
use tokio::time::{timeout_at, Instant};

/// The longest that an extrinsic may wait for a block, without the time in which there was no
/// connection.
const INCLUSION: Duration = Duration::from_secs(180);

/// The update about an extrinsic that ends the updates.
enum Update {
    /// It is in that block.
    In(Hash),
    /// The node has dropped it: it is invalid there, another took its place, or the pool is full.
    Dropped,
}

/// Follows an extrinsic into a block, and returns the block; `None` once it is certain that another has
/// its nonce.
pub async fn await_inclusion(
    chain: &Chain,
    signed: &Signed,
    mut updates: Option<Subscription<Value>>,
) -> Result<Option<Hash>> {
    let mut deadline = Instant::now() + INCLUSION;
    loop {
        match timeout_at(deadline, step(chain, signed, &mut updates)).await {
            Ok(Ok(Step::In(block))) => return Ok(Some(block)),
            Ok(Ok(Step::Void)) => return Ok(None),
            Ok(Ok(Step::Open)) => {}
            Ok(Err(error)) => {
                updates = None;
                let lost = Instant::now();
                reconnect::aloud(chain, error).await?;
                deadline += lost.elapsed();
            }
            Err(_) => bail!(
                "it was not included within {} s; check that the node has new blocks",
                INCLUSION.as_secs()
            ),
        }
    }
}

/// The result of one step.
enum Step {
    In(Hash),
    Void,
    Open,
}

async fn step(
    chain: &Chain,
    signed: &Signed,
    updates: &mut Option<Subscription<Value>>,
) -> Result<Step> {
    if let Some(stream) = updates {
        match end(chain, stream).await? {
            Update::In(block) => return Ok(Step::In(block)),
            Update::Dropped => *updates = None,
        }
    }
    // This node may have dropped it, or forgotten it, and another node still has it.
    if let Some(block) = chain.find(signed).await? {
        return Ok(Step::In(block));
    }
    if chain.nonce_is_used_by_another(signed).await? {
        return Ok(Step::Void);
    }
    match chain.watch(signed).await {
        Ok(stream) => *updates = Some(stream),
        Err(error) if is_lost(&error) => return Err(error),
        // The node has it already, or refuses it for now: the next block tells more.
        Err(_) => next_block(chain).await?,
    }
    Ok(Step::Open)
}

/// Waits for the update that ends the updates.
async fn end(chain: &Chain, updates: &mut Subscription<Value>) -> Result<Update> {
    while let Some(update) = updates.next().await {
        let update = update.context("the node sent a malformed status of the extrinsic")?;
        if let Some(end) = read(&update)? {
            return Ok(end);
        }
    }
    Err(chain.gone())
}

fn read(update: &Value) -> Result<Option<Update>> {
    let included = update.get("inBlock").or_else(|| update.get("finalized"));
    if let Some(hash) = included.and_then(Value::as_str) {
        return Ok(Some(Update::In(hash.parse().context("the node sent a malformed hash")?)));
    }
    let dropped =
        matches!(update.as_str(), Some("invalid" | "dropped")) || update.get("usurped").is_some();
    Ok(dropped.then_some(Update::Dropped))
}

/// Waits for a block that is new.
async fn next_block(chain: &Chain) -> Result<()> {
    let mut heads = chain.heads().await?;
    // The first one is there already.
    for _ in 0..2 {
        heads.next().await.ok_or_else(|| chain.gone())?.context("a header is malformed")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn updates_that_end_the_wait_are_told_from_the_others() {
        let block = Hash::repeat_byte(3);
        for update in [json!({ "inBlock": block }), json!({ "finalized": block })] {
            assert!(matches!(read(&update).unwrap(), Some(Update::In(hash)) if hash == block));
        }
        for update in [json!("invalid"), json!("dropped"), json!({ "usurped": block })] {
            assert!(matches!(read(&update).unwrap(), Some(Update::Dropped)), "{update}");
        }
        for update in [json!("ready"), json!("future"), json!({ "broadcast": ["peer"] })] {
            assert!(read(&update).unwrap().is_none(), "{update}");
        }
    }
}
