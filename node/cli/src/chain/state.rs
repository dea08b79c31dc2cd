// SPDX-License-Identifier: Apache-2.0
//! Typed reads of the state, at the best block.

use super::connection::Chain;
use crate::fault::Fault;
use anyhow::{anyhow, Context, Result};
use assay_primitives::{
    api::{Allocation, DelegationView, JobView, OperatorView, Quote, QuoteError, MAX_PAGE},
    AssayAddress, Balance, JobId, JobSpec, ModelId,
};
use assay_runtime::{AccountId, Hash, Runtime, RuntimeEvent, EXISTENTIAL_DEPOSIT};
use codec::{Decode, DecodeAll, Encode};
use jsonrpsee::rpc_params;
use sp_core::storage::StorageKey;
use sp_crypto_hashing::twox_128;

/// The entry of an account in the state.
pub type Account =
    frame_system::AccountInfo<assay_runtime::Nonce, <Runtime as frame_system::Config>::AccountData>;

/// An event of a block.
pub type EventRecord = frame_system::EventRecord<RuntimeEvent, Hash>;

/// Returns the amount that an account can spend, or have put on hold, and stay alive.
pub fn usable(account: &Account) -> Balance {
    account.data.free.saturating_sub(kept(account))
}

/// Returns the amount that an account lacks to spend so much and stay alive.
pub fn lacking(account: &Account, spent: Balance) -> Balance {
    spent.saturating_add(kept(account)).saturating_sub(account.data.free)
}

/// Returns the free amount that an account cannot spend and stay alive.
fn kept(account: &Account) -> Balance {
    let data = &account.data;
    data.frozen.saturating_sub(data.reserved).max(EXISTENTIAL_DEPOSIT)
}

impl Chain {
    /// Calls a function of a runtime API.
    pub async fn call<R: Decode>(&self, function: &str, args: impl Encode) -> Result<R> {
        let args = hex_of(&args.encode());
        let result: String = self.request("state_call", rpc_params![function, args]).await?;
        decode(&result).with_context(|| format!("the result of {function} is malformed"))
    }

    /// Reads a value at a block, or at the best one; `None` if the key has no value.
    pub async fn read<R: Decode>(&self, key: Vec<u8>, at: Option<Hash>) -> Result<Option<R>> {
        let value: Option<String> =
            self.request("state_getStorage", rpc_params![StorageKey(key), at]).await?;
        value.map(|value| decode(&value).context("a value of the state is malformed")).transpose()
    }

    /// Returns the price of a job, or why the chain would refuse it.
    pub async fn quote(
        &self,
        model: ModelId,
        input_tokens: u32,
        max_tokens: u32,
    ) -> Result<Result<Quote, QuoteError>> {
        self.call("AssayApi_quote", (model, input_tokens, max_tokens)).await
    }

    /// Returns the id that the client's next job would have.
    pub async fn next_job_id(
        &self,
        client: &AccountId,
        spec: &JobSpec<AccountId>,
    ) -> Result<JobId> {
        self.call("AssayApi_next_job_id", (client, spec)).await
    }

    /// Returns a job, if the chain has it.
    pub async fn job(&self, id: &JobId) -> Result<Option<JobView<AccountId>>> {
        self.call("AssayApi_job", id).await
    }

    /// Returns the ids of a client's jobs.
    pub async fn jobs_of(&self, client: &AccountId) -> Result<Vec<JobId>> {
        let page = async |after: Option<&JobId>| {
            self.call::<Vec<JobId>>("AssayApi_jobs_of", (client, after, MAX_PAGE)).await
        };
        all_pages(page, |job| *job).await
    }

    /// Returns an operator, if the account is one.
    pub async fn operator(&self, stash: &AccountId) -> Result<Option<OperatorView<AccountId>>> {
        self.call("AssayApi_operator", stash).await
    }

    /// Returns the operator with that stash, or an error if the account is not one.
    pub async fn registered_operator(&self, stash: &AccountId) -> Result<OperatorView<AccountId>> {
        self.operator(stash).await?.ok_or_else(|| {
            Fault::error(
                "operators.NotOperator",
                format!("{stash} is not an operator; `assay operator list` shows all operators"),
            )
        })
    }

    /// Returns all operators, in ascending order of their stashes.
    pub async fn operators(&self) -> Result<Vec<OperatorView<AccountId>>> {
        let page = async |after: Option<&AccountId>| {
            self.call::<Vec<OperatorView<_>>>("AssayApi_operators", (after, MAX_PAGE)).await
        };
        let mut all =
            all_pages(page, |operator: &OperatorView<AccountId>| operator.stash.clone()).await?;
        all.sort_by(|one, other| one.stash.cmp(&other.stash));
        Ok(all)
    }

    /// Returns the models that operators offer, in ascending order of their ids.
    pub async fn models(&self) -> Result<Vec<ModelId>> {
        let page = async |after: Option<&ModelId>| {
            self.call::<Vec<ModelId>>("RoutingApi_models", (after, MAX_PAGE)).await
        };
        let mut all = all_pages(page, |model| *model).await?;
        all.sort();
        Ok(all)
    }

    /// Returns an operator's part of a model's jobs and its reasons; `None` if the operator does not
    /// serve the model.
    pub async fn allocation(
        &self,
        model: &ModelId,
        operator: &AccountId,
    ) -> Result<Option<Allocation<AccountId>>> {
        self.call("RoutingApi_allocation", (model, operator)).await
    }

    /// Returns the allocations of all operators that serve a model, in ascending order of their
    /// stashes.
    pub async fn allocations(&self, model: &ModelId) -> Result<Vec<Allocation<AccountId>>> {
        let page = async |after: Option<&AccountId>| {
            let args = (model, after, MAX_PAGE);
            self.call::<Vec<Allocation<_>>>("RoutingApi_allocations", args).await
        };
        let mut all =
            all_pages(page, |allocation: &Allocation<AccountId>| allocation.operator.clone())
                .await?;
        all.sort_by(|one, other| one.operator.cmp(&other.operator));
        Ok(all)
    }

    /// Returns the delegations of an account.
    pub async fn delegations(&self, who: &AccountId) -> Result<Vec<DelegationView<AccountId>>> {
        self.call("AssayApi_delegations", who).await
    }

    /// Returns the amount that an account can claim.
    pub async fn claimable(&self, account: &AccountId) -> Result<Balance> {
        self.call("AssayApi_claimable", account).await
    }

    /// Returns the account that registered an address.
    pub async fn account_of(&self, address: &AssayAddress) -> Result<Option<AccountId>> {
        self.call("AssayApi_account_of", address.0).await
    }

    /// Returns the address that an account registered.
    pub async fn address_of(&self, account: &AccountId) -> Result<Option<AssayAddress>> {
        let hash: Option<[u8; 20]> = self.call("AssayApi_address_of", account).await?;
        Ok(hash.map(AssayAddress))
    }

    /// Returns an account's entry, which is empty if the chain does not know the account.
    pub async fn account(&self, account: &AccountId) -> Result<Account> {
        let key = frame_system::Account::<Runtime>::hashed_key_for(account);
        Ok(self.read(key, None).await?.unwrap_or_default())
    }

    /// Returns the total issuance.
    pub async fn total_issuance(&self) -> Result<Balance> {
        Ok(self.read(plain_key("Balances", "TotalIssuance"), None).await?.unwrap_or_default())
    }

    /// Returns the events of a block.
    pub async fn events(&self, at: Hash) -> Result<Vec<EventRecord>> {
        let events = self.read(plain_key("System", "Events"), Some(at)).await?;
        Ok(events.unwrap_or_default())
    }
}

/// Returns the entries of all pages. `page` returns the one that begins after a key, and `key` the key
/// of an entry.
async fn all_pages<T, K: PartialEq>(
    page: impl AsyncFn(Option<&K>) -> Result<Vec<T>>,
    key: impl Fn(&T) -> K,
) -> Result<Vec<T>> {
    let mut all: Vec<T> = Vec::new();
    loop {
        let after = all.last().map(&key);
        let next = page(after.as_ref()).await?;
        // A node that answered each page with the same would be asked forever.
        let is_last = next.len() < MAX_PAGE as usize || next.last().map(&key) == after;
        all.extend(next);
        if is_last {
            return Ok(all);
        }
    }
}

/// Returns the key of a storage item that is a single value.
pub fn plain_key(pallet: &str, item: &str) -> Vec<u8> {
    [twox_128(pallet.as_bytes()), twox_128(item.as_bytes())].concat()
}

/// Encodes bytes as the RPC writes them.
pub fn hex_of(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}

/// Decodes bytes that the RPC wrote.
pub fn bytes_of(text: &str) -> Result<Vec<u8>> {
    let digits = text
        .strip_prefix("0x")
        .ok_or_else(|| anyhow!("the node sent bytes without the prefix 0x"))?;
    hex::decode(digits).context("the node sent bytes that are not valid hex")
}

fn decode<R: Decode>(text: &str) -> Result<R> {
    Ok(R::decode_all(&mut bytes_of(text)?.as_slice())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn all_pages_are_read_to_the_last() {
        let total = 2 * MAX_PAGE + 3;
        let page = async |after: Option<&u32>| {
            let start = after.map_or(0, |after| after + 1);
            Ok((start..total).take(MAX_PAGE as usize).collect::<Vec<_>>())
        };
        let all = all_pages(page, |n| *n).await.unwrap();
        assert_eq!(all, (0..total).collect::<Vec<_>>());
        let same = async |_: Option<&u32>| Ok((0..MAX_PAGE).collect::<Vec<_>>());
        assert!(all_pages(same, |n| *n).await.is_ok(), "it ends");
    }

    #[test]
    fn usable_keeps_the_existential_deposit_and_frozen_funds() {
        let mut account = Account::default();
        assert_eq!(usable(&account), 0);
        account.data.free = 10 * EXISTENTIAL_DEPOSIT;
        assert_eq!(usable(&account), 9 * EXISTENTIAL_DEPOSIT);
        account.data.frozen = 4 * EXISTENTIAL_DEPOSIT;
        assert_eq!(usable(&account), 6 * EXISTENTIAL_DEPOSIT);
        // Funds on hold count towards the frozen ones.
        account.data.reserved = 3 * EXISTENTIAL_DEPOSIT;
        assert_eq!(usable(&account), 9 * EXISTENTIAL_DEPOSIT);
    }

    #[test]
    fn lacking_amount_leaves_nothing_to_be_sent_again() {
        let mut account = Account::default();
        for free in [0, EXISTENTIAL_DEPOSIT / 2, EXISTENTIAL_DEPOSIT, 3 * EXISTENTIAL_DEPOSIT] {
            account.data.free = free;
            let lacking = lacking(&account, 2 * EXISTENTIAL_DEPOSIT);
            account.data.free += lacking;
            assert_eq!(usable(&account), 2 * EXISTENTIAL_DEPOSIT);
        }
    }

    #[test]
    fn hex_is_read_as_it_is_written() {
        assert_eq!(bytes_of(&hex_of(&[0, 255])).unwrap(), [0, 255]);
        assert!(bytes_of("00ff").is_err());
        assert!(bytes_of("0xzz").is_err());
    }
}
