// SPDX-License-Identifier: Apache-2.0
//! The money, counted on the chain itself.

use crate::node::Node;
use assay_cli::chain::{
    state::{bytes_of, Account},
    Chain,
};
use assay_runtime::{AccountId, Balance, Hash, RuntimeEvent};
use codec::Decode;
use jsonrpsee::rpc_params;
use sp_core::storage::StorageKey;
use sp_crypto_hashing::twox_128;
use std::collections::BTreeMap;

/// The number of keys that are read at a time.
const PAGE: u32 = 500;

/// The balances of all accounts at one block.
#[derive(Debug, Clone)]
pub struct Books {
    /// The accounts.
    pub accounts: BTreeMap<AccountId, Account>,
    /// The total issuance, as the balances pallet has it.
    pub issuance: Balance,
    /// The number of the block.
    pub number: u32,
}

impl Books {
    /// Reads them at the best block, and asserts that they sum to the total issuance.
    pub async fn read(node: &Node) -> Self {
        let chain = node.chain().await;
        let at: Hash = chain.request("chain_getBlockHash", rpc_params![]).await.unwrap();
        let head: assay_cli::chain::Head =
            chain.request("chain_getHeader", rpc_params![at]).await.unwrap();
        let prefix = [twox_128(b"System"), twox_128(b"Account")].concat();
        let mut accounts = BTreeMap::new();
        for key in keys(&chain, &prefix, at).await {
            // The key ends with the account itself, after 16 bytes of its hash.
            let id = AccountId::decode(&mut &key[prefix.len() + 16..]).unwrap();
            accounts.insert(id, chain.read(key, Some(at)).await.unwrap().expect("it has a value"));
        }
        let key = [twox_128(b"Balances"), twox_128(b"TotalIssuance")].concat();
        let issuance = chain.read(key, Some(at)).await.unwrap().expect("there is money");
        let books = Self { accounts, issuance, number: head.number };
        let sum: Balance = books.accounts.values().map(total).sum();
        assert_eq!(sum, issuance, "the accounts do not sum to the issuance");
        books
    }

    /// Returns the balance of the account, free and on hold.
    pub fn total(&self, account: &AccountId) -> Balance {
        self.accounts.get(account).map(total).unwrap_or_default()
    }

    /// Returns the part of its balance that is on hold.
    pub fn reserved(&self, account: &AccountId) -> Balance {
        self.accounts.get(account).map(|account| account.data.reserved).unwrap_or_default()
    }

    /// Returns the part of its balance that is free.
    pub fn free(&self, account: &AccountId) -> Balance {
        self.accounts.get(account).map(|account| account.data.free).unwrap_or_default()
    }
}

fn total(account: &Account) -> Balance {
    account.data.free + account.data.reserved
}

async fn keys(chain: &Chain, prefix: &[u8], at: Hash) -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = Vec::new();
    loop {
        let last = all.last().cloned().map(StorageKey);
        let prefix = StorageKey(prefix.to_vec());
        let page: Vec<String> =
            chain.request("state_getKeysPaged", rpc_params![prefix, PAGE, last, at]).await.unwrap();
        if page.is_empty() {
            return all;
        }
        all.extend(page.iter().map(|key| bytes_of(key).unwrap()));
    }
}

/// Returns the fees that each account has paid in the blocks after `after`, up to `to`.
pub async fn fees(node: &Node, after: u32, to: u32) -> BTreeMap<AccountId, Balance> {
    let chain = node.chain().await;
    let mut fees = BTreeMap::new();
    for number in after + 1..=to {
        let hash: Hash = chain.request("chain_getBlockHash", rpc_params![number]).await.unwrap();
        for record in chain.events(hash).await.unwrap() {
            if let RuntimeEvent::TransactionPayment(
                pallet_transaction_payment::Event::TransactionFeePaid { who, actual_fee, .. },
            ) = record.event
            {
                *fees.entry(who).or_default() += actual_fee;
            }
        }
    }
    fees
}
