// SPDX-License-Identifier: Apache-2.0
//! Extrinsics: signing, sending, and finding them in the chain.

use super::{
    connection::{Chain, Head},
    faults::is_lost,
    outcome,
    state::{bytes_of, hex_of, Account, EventRecord},
};
use crate::key::Key;
use anyhow::{bail, Context, Result};
use assay_runtime::{
    submit::extension, AccountId, Balance, Hash, Nonce, Runtime, RuntimeCall, RuntimeEvent,
    SignedPayload, UncheckedExtrinsic,
};
use codec::{Compact, Decode, Encode};
use frame_system::Phase;
use jsonrpsee::{core::client::Subscription, rpc_params};
use serde_json::Value;
use sp_core::crypto::Ss58Codec;
use sp_runtime::generic::Era;

/// The number of blocks in which an extrinsic can be included.
const LIFETIME: u32 = 128;

/// The most blocks that the anchor of an extrinsic lies behind the best block. An older finalised
/// block is not used; the distance keeps the extrinsic valid on a fork.
const ANCHOR: u32 = 32;

/// An extrinsic that is signed.
pub struct Signed {
    /// Its encoding.
    pub bytes: Vec<u8>,
    /// The account that signed it.
    pub signer: AccountId,
    /// The signer's nonce, of which a chain has one extrinsic.
    pub nonce: Nonce,
    /// Number of the block at which its lifetime begins.
    anchor: u32,
}

impl Signed {
    /// Returns the number of the last block that can hold it.
    fn last(&self) -> u32 {
        self.anchor.saturating_add(LIFETIME)
    }
}

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
    /// Returns the nonce after those of the account's extrinsics that the node knows of.
    pub async fn next_nonce(&self, account: &AccountId) -> Result<Nonce> {
        self.request("system_accountNextIndex", rpc_params![account.to_ss58check()])
            .await
            .context("cannot read the account's nonce")
    }

    /// Signs a call.
    pub async fn sign(&self, signer: &Key, nonce: Nonce, call: RuntimeCall) -> Result<Signed> {
        let account = signer.account();
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
        let extension = extension(nonce, 0, Era::mortal(LIFETIME.into(), number.into()));
        let payload = SignedPayload::from_raw(call, extension, implicit);
        let signature = payload.using_encoded(|bytes| signer.sign(bytes));
        let (call, extension, _) = payload.deconstruct();
        let signer = account.clone();
        let bytes =
            UncheckedExtrinsic::new_signed(call, account.into(), signature, extension).encode();
        Ok(Signed { bytes, signer, nonce, anchor: number })
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

    /// Sends an extrinsic, and returns the updates about it. A refusal says that the node has not kept
    /// the extrinsic, and has passed it on to nobody.
    pub async fn watch(&self, signed: &Signed) -> Result<Subscription<Value>> {
        self.subscribe(
            "author_submitAndWatchExtrinsic",
            rpc_params![hex_of(&signed.bytes)],
            "author_unwatchExtrinsic",
        )
        .await
        .map_err(|error| match is_lost(&error) {
            true => error,
            false => error.context(format!("the node refused the extrinsic of {}", signed.signer)),
        })
    }

    /// Returns how an extrinsic that is in that block ended. Fails if the call failed.
    pub async fn included(&self, signed: &Signed, block: Hash) -> Result<Included> {
        let head: Head = self.request("chain_getHeader", rpc_params![block]).await?;
        let index = self.position(signed, block).await?;
        let index = index.with_context(|| format!("the extrinsic is not in block {block:?}"))?;
        let events = self.events_of(index, block).await?;
        succeeded(&events)?;
        Ok(Included { block, number: head.number, events })
    }

    /// Looks for an extrinsic in the blocks of the best chain that can hold it.
    pub async fn find(&self, signed: &Signed) -> Result<Option<Hash>> {
        let best: Head = self.request("chain_getHeader", rpc_params![]).await?;
        for number in signed.anchor..=best.number.min(signed.last()) {
            let hash: Option<Hash> =
                self.request("chain_getBlockHash", rpc_params![number]).await?;
            // The chain can become shorter while it is searched.
            let Some(hash) = hash else { break };
            if self.position(signed, hash).await?.is_some() {
                return Ok(Some(hash));
            }
        }
        Ok(None)
    }

    /// Returns whether another extrinsic has used up the nonce of this one for good, so that this one
    /// can be in no block any more. It is certain once a finalised block has the nonce and the chain
    /// does not have the extrinsic.
    pub async fn is_void(&self, signed: &Signed) -> Result<bool> {
        let finalised: Hash = self.request("chain_getFinalizedHead", rpc_params![]).await?;
        let key = frame_system::Account::<Runtime>::hashed_key_for(&signed.signer);
        let account: Option<Account> = self.read(key, Some(finalised)).await?;
        let used = account.is_some_and(|account| account.nonce > signed.nonce);
        // The search comes after, so it covers the finalised block.
        Ok(used && self.find(signed).await?.is_none())
    }

    /// Returns the index of an extrinsic in a block, if the block has it.
    async fn position(&self, signed: &Signed, block: Hash) -> Result<Option<usize>> {
        let whole: Value = self.request("chain_getBlock", rpc_params![block]).await?;
        let ours = hex_of(&signed.bytes);
        let all = whole.pointer("/block/extrinsics").and_then(Value::as_array);
        Ok(all.and_then(|all| all.iter().position(|one| one.as_str() == Some(&ours))))
    }

    async fn events_of(&self, index: usize, block: Hash) -> Result<Vec<RuntimeEvent>> {
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
