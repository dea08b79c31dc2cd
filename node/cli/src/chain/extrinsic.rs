// SPDX-License-Identifier: Apache-2.0
//! Extrinsics: signing and sending.

use super::{
    connection::{Chain, Head},
    faults::is_lost,
    state::{bytes_of, hex_of},
};
use crate::key::Key;
use anyhow::{Context, Result};
use assay_runtime::{
    submit::extension, AccountId, Balance, Hash, Nonce, RuntimeCall, SignedPayload,
    UncheckedExtrinsic,
};
use codec::{Compact, Decode, Encode};
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
    pub anchor: u32,
}

impl Signed {
    /// Returns the number of the last block that can hold it.
    pub fn last(&self) -> u32 {
        self.anchor.saturating_add(LIFETIME)
    }

    /// Returns the hash by which block explorers know it.
    pub fn hash(&self) -> Hash {
        Hash::from(sp_crypto_hashing::blake2_256(&self.bytes))
    }
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

    /// Sends an extrinsic, and returns the updates about it.
    pub async fn watch(&self, signed: &Signed) -> Result<Subscription<Value>> {
        self.subscribe(
            "author_submitAndWatchExtrinsic",
            rpc_params![hex_of(&signed.bytes)],
            "author_unwatchExtrinsic",
        )
        .await
        .map_err(|error| match is_lost(&error) {
            true => error,
            false => {
                error.context(format!("the node did not take the extrinsic of {}", signed.signer))
            }
        })
    }
}
