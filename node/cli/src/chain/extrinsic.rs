// SPDX-License-Identifier: Apache-2.0
//! Extrinsics: signing, sending, and finding out how they ended.

use super::{
    connection::{Chain, Head},
    outcome,
    state::{bytes_of, hex_of, EventRecord},
};
use crate::{fault::Fault, key::Key};
use anyhow::{bail, Context, Result};
use assay_runtime::{
    submit::extension, AccountId, Balance, Hash, Nonce, RuntimeCall, RuntimeEvent, SignedPayload,
    UncheckedExtrinsic,
};
use codec::{Compact, Decode, Encode};
use frame_system::Phase;
use jsonrpsee::{core::client::Subscription, rpc_params};
use serde_json::Value;
use sp_core::crypto::Ss58Codec;
use sp_runtime::generic::Era;
use std::time::Duration;

/// The number of blocks in which an extrinsic can be included.
const LIFETIME: u64 = 128;

/// The most blocks that the anchor of an extrinsic lies behind the best block. An older finalised
/// block is not used; the distance keeps the extrinsic valid on a fork.
const ANCHOR: u32 = 32;

/// The longest that an extrinsic may wait for a block.
const INCLUSION: Duration = Duration::from_secs(180);

/// An extrinsic that was included and succeeded.
pub struct Included {
    /// Hash of the block.
    pub block: Hash,
    /// Number of the block.
    pub number: u32,
    /// Events that the extrinsic emitted.
    pub events: Vec<RuntimeEvent>,
}

/// The result of `TransactionPaymentApi_query_info`.
#[derive(Decode)]
struct DispatchInfo {
    _weight: (Compact<u64>, Compact<u64>),
    _class: u8,
    partial_fee: Balance,
}

impl Chain {
    /// Signs a call and returns the encoded extrinsic.
    pub async fn sign(&self, signer: &Key, call: RuntimeCall) -> Result<Vec<u8>> {
        let account = signer.account();
        let nonce: Nonce = self
            .request("system_accountNextIndex", rpc_params![account.to_ss58check()])
            .await
            .context("cannot read the account's nonce")?;
        let (number, anchor) = self.anchor().await?;
        let implicit = (
            (),
            self.version.spec_version,
            self.version.transaction_version,
            self.genesis,
            anchor,
            (),
            (),
            (),
            None,
            (),
        );
        let extension = extension(nonce, 0, Era::mortal(LIFETIME, number.into()));
        let payload = SignedPayload::from_raw(call, extension, implicit);
        let signature = payload.using_encoded(|bytes| signer.sign(bytes));
        let (call, extension, _) = payload.deconstruct();
        Ok(UncheckedExtrinsic::new_signed(call, account.into(), signature, extension).encode())
    }

    /// Returns the block at which a lifetime begins: the finalised one, unless it is far behind.
    async fn anchor(&self) -> Result<(u32, Hash)> {
        let finalised: Hash = self.request("chain_getFinalizedHead", rpc_params![]).await?;
        let finalised: Head = self.request("chain_getHeader", rpc_params![finalised]).await?;
        let best: Head = self.request("chain_getHeader", rpc_params![]).await?;
        let number = finalised.number.max(best.number.saturating_sub(ANCHOR));
        let hash: Option<Hash> = self.request("chain_getBlockHash", rpc_params![number]).await?;
        Ok((number, hash.with_context(|| format!("the node has no block {number}"))?))
    }

    /// Returns the fee of an extrinsic, without a tip.
    pub async fn fee(&self, extrinsic: &[u8]) -> Result<Balance> {
        let length = u32::try_from(extrinsic.len())?;
        let mut args = extrinsic.to_vec();
        length.encode_to(&mut args);
        let info: String = self
            .request("state_call", rpc_params!["TransactionPaymentApi_query_info", hex_of(&args)])
            .await
            .context("cannot read the fee")?;
        Ok(DispatchInfo::decode(&mut bytes_of(&info)?.as_slice())?.partial_fee)
    }

    /// Signs a call, sends it, and waits until it is in a block. Fails if the call does.
    pub async fn submit(&self, signer: &Key, call: RuntimeCall) -> Result<Included> {
        let extrinsic = self.sign(signer, call).await?;
        self.submit_signed(&extrinsic, &signer.account()).await
    }

    /// Sends an extrinsic and waits until it is in a block. Fails if the call does.
    pub async fn submit_signed(&self, extrinsic: &[u8], signer: &AccountId) -> Result<Included> {
        let mut updates = self
            .subscribe::<Value>(
                "author_submitAndWatchExtrinsic",
                rpc_params![hex_of(extrinsic)],
                "author_unwatchExtrinsic",
            )
            .await
            .with_context(|| format!("the node refused the extrinsic of {signer}"))?;
        let block = tokio::time::timeout(INCLUSION, self.inclusion(&mut updates)).await.map_err(
            |_| {
                Fault::error(
                    "not_included",
                    format!(
                        "the extrinsic was not included within {} s; it may still be, so check \
                         that the node has new blocks before you try again",
                        INCLUSION.as_secs()
                    ),
                )
            },
        )??;
        let head: Head = self.request("chain_getHeader", rpc_params![block]).await?;
        let events = self.events_of(extrinsic, block).await?;
        succeeded(&events)?;
        Ok(Included { block, number: head.number, events })
    }

    async fn inclusion(&self, updates: &mut Subscription<Value>) -> Result<Hash> {
        while let Some(update) = updates.next().await {
            let update = update.context("the node sent a malformed status of the extrinsic")?;
            let included = update.get("inBlock").or_else(|| update.get("finalized"));
            if let Some(hash) = included.and_then(Value::as_str) {
                return hash.parse().context("the node sent a malformed hash");
            }
            let refused = match update.as_str() {
                Some("invalid") => "it became invalid",
                Some("dropped") => "the pool is full",
                None if update.get("usurped").is_some() => {
                    "another extrinsic of the account took its place"
                }
                _ => continue,
            };
            return Err(Fault::error(
                "not_included",
                format!("the node dropped the extrinsic: {refused}; try again"),
            ));
        }
        Err(self.gone())
    }

    async fn events_of(&self, extrinsic: &[u8], block: Hash) -> Result<Vec<RuntimeEvent>> {
        let whole: Value = self.request("chain_getBlock", rpc_params![block]).await?;
        let ours = hex_of(extrinsic);
        let index = whole
            .pointer("/block/extrinsics")
            .and_then(Value::as_array)
            .and_then(|all| all.iter().position(|one| one.as_str() == Some(&ours)))
            .with_context(|| format!("the extrinsic is not in block {block:?}"))?;
        let of_ours = |record: &EventRecord| matches!(record.phase, Phase::ApplyExtrinsic(n) if usize::try_from(n) == Ok(index));
        let events = self.events(block).await.context("cannot read the events of the block")?;
        Ok(events.into_iter().filter(of_ours).map(|record| record.event).collect())
    }
}

fn succeeded(events: &[RuntimeEvent]) -> Result<()> {
    for event in events {
        match event {
            RuntimeEvent::System(frame_system::Event::ExtrinsicSuccess { .. }) => return Ok(()),
            RuntimeEvent::System(frame_system::Event::ExtrinsicFailed {
                dispatch_error, ..
            }) => return Err(outcome::fault(dispatch_error).into()),
            _ => {}
        }
    }
    bail!("the block has no event that says how the extrinsic ended")
}
