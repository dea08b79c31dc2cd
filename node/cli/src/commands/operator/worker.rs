// SPDX-License-Identifier: Apache-2.0
//! The worker key of an operator, by default the node's.

use crate::{account::AccountArg, chain::node::WorkerKey, fault::Fault, session::Session};
use anyhow::{anyhow, Result};
use assay_runtime::AccountId;
use sp_core::crypto::Ss58Codec;

/// Returns the worker that is named, or the account of the node's only worker key.
pub async fn named_or_own(session: &Session, named: Option<AccountArg>) -> Result<AccountId> {
    if let Some(worker) = named {
        return worker.resolve(&session.chain).await;
    }
    only_worker(&session.chain.node_status().await?.workers)
}

/// Returns the account of the only worker key.
fn only_worker(keys: &[WorkerKey]) -> Result<AccountId> {
    match keys {
        [one] => AccountId::from_ss58check(&one.key)
            .map_err(|error| anyhow!("the node's worker key '{}' is malformed: {error}", one.key)),
        [] => Err(Fault::error(
            "no_worker_key",
            "the node has no worker key; name the account of one, and insert the key into the \
             node's keystore with `assay-node key insert`",
        )),
        _ => Err(Fault::error(
            "worker_ambiguous",
            format!(
                "the node has several worker keys; name one of {}",
                keys.iter().map(|key| key.key.as_str()).collect::<Vec<_>>().join(", ")
            ),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sp_keyring::Sr25519Keyring;

    fn keys(of: &[Sr25519Keyring]) -> Vec<WorkerKey> {
        of.iter()
            .map(|key| WorkerKey { key: key.to_account_id().to_ss58check(), stash: None })
            .collect()
    }

    #[test]
    fn only_worker_is_taken_and_several_are_listed() {
        use Sr25519Keyring::{Alice, Bob};
        assert_eq!(only_worker(&keys(&[Alice])).unwrap(), Alice.to_account_id());
        let code = |of: &[Sr25519Keyring]| {
            let fault: Fault = only_worker(&keys(of)).unwrap_err().downcast().unwrap();
            (fault.code, fault.message)
        };
        assert_eq!(code(&[]).0, "no_worker_key");
        let (several, message) = code(&[Alice, Bob]);
        assert_eq!(several, "worker_ambiguous");
        assert!(message.contains(&Bob.to_account_id().to_ss58check()), "{message}");
    }
}
