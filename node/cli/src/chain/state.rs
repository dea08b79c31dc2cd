// SPDX-License-Identifier: Apache-2.0
//! Typed reads of the state, at the best block.

use super::Chain;
use crate::exit::Fault;
use anyhow::{anyhow, Context, Result};
use assay_primitives::{
    api::{Allocation, DelegationView, JobView, OperatorView, Quote, QuoteError},
    AssayAddress, Balance, JobId, JobSpec, ModelId,
};
use assay_runtime::{AccountId, Hash, Runtime, RuntimeEvent, EXISTENTIAL_DEPOSIT};
use codec::{Decode, DecodeAll, Encode};
use jsonrpsee::rpc_params;
use sp_core::storage::StorageKey;
use sp_crypto_hashing::twox_128;

/// What an account has.
pub type Account =
    frame_system::AccountInfo<assay_runtime::Nonce, <Runtime as frame_system::Config>::AccountData>;

/// An event of a block.
pub type EventRecord = frame_system::EventRecord<RuntimeEvent, Hash>;

/// What an account can spend or have put on hold while it stays alive.
pub fn usable(account: &Account) -> Balance {
    let data = &account.data;
    let frozen = data.frozen.saturating_sub(data.reserved);
    data.free.saturating_sub(frozen.max(EXISTENTIAL_DEPOSIT))
}

impl Chain {
    /// Calls a function of a runtime API.
    pub async fn call<R: Decode>(&self, function: &str, args: impl Encode) -> Result<R> {
        let args = hex_of(&args.encode());
        let result: String = self.request("state_call", rpc_params![function, args]).await?;
        decode(&result).with_context(|| format!("the result of {function} is malformed"))
    }

    /// Reads a value, at a block or at the best one; `None` where there is none.
    pub async fn read<R: Decode>(&self, key: Vec<u8>, at: Option<Hash>) -> Result<Option<R>> {
        let value: Option<String> =
            self.request("state_getStorage", rpc_params![StorageKey(key), at]).await?;
        value.map(|value| decode(&value).context("a value of the state is malformed")).transpose()
    }

    /// What a job would cost.
    pub async fn quote(
        &self,
        model: ModelId,
        input_tokens: u32,
        max_tokens: u32,
    ) -> Result<Result<Quote, QuoteError>> {
        self.call("AssayApi_quote", (model, input_tokens, max_tokens)).await
    }

    /// The id that the client's next job would have.
    pub async fn next_job_id(
        &self,
        client: &AccountId,
        spec: &JobSpec<AccountId>,
    ) -> Result<JobId> {
        self.call("AssayApi_next_job_id", (client, spec)).await
    }

    /// A job.
    pub async fn job(&self, id: &JobId) -> Result<Option<JobView<AccountId>>> {
        self.call("AssayApi_job", id).await
    }

    /// The jobs of a client.
    pub async fn jobs_of(&self, client: &AccountId) -> Result<Vec<JobId>> {
        self.call("AssayApi_jobs_of", client).await
    }

    /// An operator.
    pub async fn operator(&self, stash: &AccountId) -> Result<Option<OperatorView<AccountId>>> {
        self.call("AssayApi_operator", stash).await
    }

    /// The operator with that stash; an error if it is none's.
    pub async fn registered_operator(&self, stash: &AccountId) -> Result<OperatorView<AccountId>> {
        self.operator(stash).await?.ok_or_else(|| {
            Fault::error(
                "operators.NotOperator",
                format!("{stash} is no operator; `assay operator list` shows those there are"),
            )
        })
    }

    /// All operators.
    pub async fn operators(&self) -> Result<Vec<OperatorView<AccountId>>> {
        self.call("AssayApi_operators", ()).await
    }

    /// What an operator gets of a model's jobs, and why; `None` where it does not serve the model.
    pub async fn allocation(
        &self,
        model: &ModelId,
        operator: &AccountId,
    ) -> Result<Option<Allocation<AccountId>>> {
        self.call("RoutingApi_allocation", (model, operator)).await
    }

    /// The same of all operators of the model.
    pub async fn allocations(&self, model: &ModelId) -> Result<Vec<Allocation<AccountId>>> {
        self.call("RoutingApi_allocations", model).await
    }

    /// What an account has delegated.
    pub async fn delegations(&self, who: &AccountId) -> Result<Vec<DelegationView<AccountId>>> {
        self.call("AssayApi_delegations", who).await
    }

    /// What an account can claim.
    pub async fn claimable(&self, account: &AccountId) -> Result<Balance> {
        self.call("AssayApi_claimable", account).await
    }

    /// The account that has registered an address.
    pub async fn account_of(&self, address: &AssayAddress) -> Result<Option<AccountId>> {
        self.call("AssayApi_account_of", address.0).await
    }

    /// The address that an account has registered.
    pub async fn address_of(&self, account: &AccountId) -> Result<Option<AssayAddress>> {
        let hash: Option<[u8; 20]> = self.call("AssayApi_address_of", account).await?;
        Ok(hash.map(AssayAddress))
    }

    /// What an account has; nothing where the chain does not know it.
    pub async fn account(&self, account: &AccountId) -> Result<Account> {
        let key = frame_system::Account::<Runtime>::hashed_key_for(account);
        Ok(self.read(key, None).await?.unwrap_or_default())
    }

    /// All the money there is.
    pub async fn total_issuance(&self) -> Result<Balance> {
        Ok(self.read(plain_key("Balances", "TotalIssuance"), None).await?.unwrap_or_default())
    }

    /// The events of a block.
    pub async fn events(&self, at: Hash) -> Result<Vec<EventRecord>> {
        let events = self.read(plain_key("System", "Events"), Some(at)).await?;
        Ok(events.unwrap_or_default())
    }
}

/// The key of a storage item that is one value.
fn plain_key(pallet: &str, item: &str) -> Vec<u8> {
    [twox_128(pallet.as_bytes()), twox_128(item.as_bytes())].concat()
}

/// Bytes as the RPC writes them.
pub fn hex_of(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}

/// Bytes that the RPC wrote.
pub fn bytes_of(text: &str) -> Result<Vec<u8>> {
    let digits =
        text.strip_prefix("0x").ok_or_else(|| anyhow!("the node sent bytes without 0x"))?;
    hex::decode(digits).context("the node sent bytes that are no hex")
}

fn decode<R: Decode>(text: &str) -> Result<R> {
    Ok(R::decode_all(&mut bytes_of(text)?.as_slice())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usable_keeps_the_existential_deposit_and_what_is_frozen() {
        let mut account = Account::default();
        assert_eq!(usable(&account), 0);
        account.data.free = 10 * EXISTENTIAL_DEPOSIT;
        assert_eq!(usable(&account), 9 * EXISTENTIAL_DEPOSIT);
        account.data.frozen = 4 * EXISTENTIAL_DEPOSIT;
        assert_eq!(usable(&account), 6 * EXISTENTIAL_DEPOSIT);
        // What is on hold counts towards what is frozen.
        account.data.reserved = 3 * EXISTENTIAL_DEPOSIT;
        assert_eq!(usable(&account), 9 * EXISTENTIAL_DEPOSIT);
    }

    #[test]
    fn hex_is_read_as_it_is_written() {
        assert_eq!(bytes_of(&hex_of(&[0, 255])).unwrap(), [0, 255]);
        assert!(bytes_of("00ff").is_err());
        assert!(bytes_of("0xzz").is_err());
    }
}
