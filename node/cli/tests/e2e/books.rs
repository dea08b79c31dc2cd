// SPDX-License-Identifier: Apache-2.0
//! The money, counted on the chain itself.

use crate::node::Node;
use assay_cli::chain::{
    state::{bytes_of, Account},
    Chain,
};
use assay_runtime::{AccountId, Balance, Hash, Runtime, RuntimeEvent};
use codec::Decode;
use jsonrpsee::rpc_params;
use sp_core::storage::StorageKey;
use sp_crypto_hashing::twox_128;
use sp_keyring::Sr25519Keyring;
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

/// The changes of balances between two books, with the fees that were paid in between. Accounts without a
/// change are not among them.
#[derive(Debug)]
pub struct Changes(BTreeMap<AccountId, i128>);

impl Changes {
    /// Returns those since earlier books.
    pub async fn since(node: &Node, before: &Books) -> Self {
        let after = Books::read(node).await;
        let fees = fees(node, before.number, after.number).await;
        let change = |account: &AccountId| {
            let fee = fees.get(account).copied().unwrap_or_default();
            signed(after.total(account) + fee) - signed(before.total(account))
        };
        let changes = after.accounts.keys().map(|account| (account.clone(), change(account)));
        Self(changes.filter(|(_, change)| *change != 0).collect())
    }

    /// Takes the change of one account out of them.
    pub fn take(&mut self, account: &AccountId) -> i128 {
        self.0.remove(account).unwrap_or_default()
    }

    /// Takes the changes of an operator out of them.
    pub fn of(&mut self, operator: Sr25519Keyring) -> i128 {
        self.take(&operator.to_account_id())
    }

    /// Takes the change of the fund of juries out of them.
    pub fn of_fund(&mut self) -> i128 {
        self.take(&pallet_escrow::Pallet::<Runtime>::fund())
    }

    /// Returns what each of the other accounts has gained. Asserts that there are `count` of them, that all
    /// have gained the same, and that nobody else has lost anything.
    pub fn gain_of_each(&self, count: usize) -> i128 {
        let first = self.0.values().next().copied().unwrap_or_default();
        let equal = self.0.values().all(|change| *change == first && first > 0);
        assert!(equal && self.0.len() == count, "not {count} equal gains: {self:?}");
        first
    }

    /// Asserts that nobody else has gained or lost anything.
    pub fn are_all(&self) {
        assert!(self.0.is_empty(), "{self:?}");
    }
}

/// Returns an amount that can be compared with a loss.
pub fn signed(amount: Balance) -> i128 {
    amount.try_into().expect("there is less money")
}
