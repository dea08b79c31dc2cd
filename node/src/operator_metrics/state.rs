// SPDX-License-Identifier: Apache-2.0
//! The chain's records of operators, read from the state of a block.

use crate::client::{FullBackend, FullClient};
use anyhow::Context;
use assay_primitives::worker::sr25519::WorkerId;
use assay_runtime::{opaque::Block, AccountId, Balance, Hash, Runtime, RuntimeEvent};
use codec::Decode;
use frame_system::{AccountInfo, Config, EventRecord};
use pallet_operators::Workers;
use pallet_routing::{MemberOf, Members};
use sc_client_api::{StorageKey, StorageProvider};
use sp_core::crypto::Ss58Codec;
use sp_crypto_hashing::twox_128;
use std::sync::Arc;

/// An operator, named by the worker key in this node's keystore.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LocalOperator {
    /// The worker key.
    pub key: WorkerId,
    /// The account of the worker key.
    pub worker: AccountId,
    /// The stash of the operator that has registered the key, if one has.
    pub stash: Option<AccountId>,
}

impl LocalOperator {
    /// Returns the label of the worker.
    pub fn worker_label(&self) -> String {
        self.worker.to_ss58check()
    }
}

/// An account as the runtime records it.
type Account = AccountInfo<<Runtime as Config>::Nonce, <Runtime as Config>::AccountData>;

/// The state of a block.
pub struct State {
    client: Arc<FullClient>,
    at: Hash,
}

impl State {
    /// Makes the state of the block with that hash.
    pub fn new(client: &Arc<FullClient>, at: Hash) -> Self {
        Self { client: client.clone(), at }
    }

    /// Returns the stash of the operator that has registered the worker.
    pub fn stash_of(&self, worker: &AccountId) -> anyhow::Result<Option<AccountId>> {
        self.read(Workers::<Runtime>::hashed_key_for(worker))
    }

    /// Returns the balance that an account can pay fees with.
    pub fn balance(&self, account: &AccountId) -> anyhow::Result<Balance> {
        let key = frame_system::Account::<Runtime>::hashed_key_for(account);
        let found: Option<Account> = self.read(key)?;
        Ok(found.map_or(0, |account| account.data.free.saturating_sub(account.data.frozen)))
    }

    /// Returns the record that routing has of an operator.
    pub fn member(&self, stash: &AccountId) -> anyhow::Result<Option<MemberOf<Runtime>>> {
        self.read(Members::<Runtime>::hashed_key_for(stash))
    }

    /// Returns the events of the block.
    pub fn events(&self) -> anyhow::Result<Vec<RuntimeEvent>> {
        let key = [twox_128(b"System"), twox_128(b"Events")].concat();
        let records: Option<Vec<EventRecord<RuntimeEvent, Hash>>> = self.read(key)?;
        Ok(records.unwrap_or_default().into_iter().map(|record| record.event).collect())
    }

    /// Reads and decodes a value.
    fn read<T: Decode>(&self, key: Vec<u8>) -> anyhow::Result<Option<T>> {
        let read = StorageProvider::<Block, FullBackend>::storage;
        let Some(bytes) = read(&self.client, self.at, &StorageKey(key))? else { return Ok(None) };
        let decoded = T::decode(&mut bytes.0.as_slice());
        decoded.map(Some).context("the state has a value that this version of the node cannot read")
    }
}
