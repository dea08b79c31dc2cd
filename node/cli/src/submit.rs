// SPDX-License-Identifier: Apache-2.0
//! Sends a call so that it takes effect once, though other commands sign with the same key and the
//! connection may break off.
//!
//! A call is signed again, with another nonce, only if the extrinsic before can be in no block: the node
//! has refused it, so that it has passed it on to nobody, or a finalised block has its nonce and the
//! chain does not have it. In every other case the same bytes are sent again, which a chain takes once.

mod fate;

use crate::{
    chain::{extrinsic::Signed, inclusion::Included, is_lost, Chain},
    fault::Fault,
    funds::{self, Need},
    key::Key,
    reconnect,
    turn::Turn,
};
use anyhow::Result;
use assay_runtime::{Hash, RuntimeCall};
use std::time::Duration;
use tokio::time::sleep;

/// The number of nonces that are tried.
const ATTEMPTS: u32 = 10;

/// The pause after a nonce that was taken, times the number of attempts so far.
const PAUSE: Duration = Duration::from_millis(100);

/// Signs and sends a call, and waits until it is in a block. Makes sure before that the signer can pay
/// for what it needs. `announce` is told each extrinsic before it is sent. Fails if the call does.
pub async fn submit(
    chain: &Chain,
    signer: &Key,
    call: RuntimeCall,
    need: Option<&Need>,
    mut announce: impl AsyncFnMut(&Signed) -> Result<()>,
) -> Result<Included> {
    let account = signer.account();
    for attempt in 1..=ATTEMPTS {
        let turn = Turn::take(&chain.genesis, &account).await;
        let nonce = chain.next_nonce(&account).await?;
        let signed = chain.sign(signer, nonce, call.clone()).await?;
        if let Some(need) = need {
            funds::ensure(chain, &account, &signed.bytes, need).await?;
        }
        announce(&signed).await?;
        let updates = match chain.watch(&signed).await {
            Ok(updates) => Some(updates),
            // The node may have it.
            Err(error) if is_lost(&error) => None,
            Err(error) if is_taken(&error) => {
                drop(turn);
                sleep(PAUSE * attempt).await;
                continue;
            }
            Err(error) => return Err(error),
        };
        drop(turn);
        if let Some(block) = fate::of(chain, &signed, updates).await? {
            return included(chain, &signed, block).await;
        }
    }
    Err(Fault::error(
        "nonce_taken",
        format!(
            "other extrinsics of {account} were faster {ATTEMPTS} times, and nothing was sent; try again \
             when no other program signs with the key"
        ),
    ))
}

/// Sends an extrinsic that is signed already, and waits until it is in a block; `None` if another has its
/// nonce.
pub async fn send(chain: &Chain, signed: &Signed) -> Result<Option<Included>> {
    let updates = chain.watch(signed).await?;
    match fate::of(chain, signed, Some(updates)).await? {
        Some(block) => included(chain, signed, block).await.map(Some),
        None => Ok(None),
    }
}

/// Returns whether an error leaves open that the call takes effect.
pub fn is_open(error: &anyhow::Error) -> bool {
    is_lost(error)
        || error.downcast_ref::<Fault>().is_some_and(|fault| fault.code == fate::NOT_INCLUDED)
}

/// Reads how an extrinsic ended, also over a connection that breaks off.
async fn included(chain: &Chain, signed: &Signed, block: Hash) -> Result<Included> {
    loop {
        match chain.included(signed, block).await {
            Err(error) if is_lost(&error) => reconnect::aloud(chain, error).await?,
            other => return other,
        }
    }
}

/// Returns whether a node has refused an extrinsic because another has its nonce: in a block ("outdated"),
/// or in the pool with at least the same priority.
fn is_taken(error: &anyhow::Error) -> bool {
    error.downcast_ref::<Fault>().is_some_and(|fault| match fault.code.as_str() {
        "rpc.1014" => true,
        "rpc.1010" => fault.message.contains("outdated"),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use sp_runtime::transaction_validity::InvalidTransaction;

    #[test]
    fn only_a_nonce_that_is_taken_is_answered_with_another() {
        let refusal = |code: &str, error: InvalidTransaction| {
            let words: &str = error.into();
            Fault::error(code, format!("Invalid Transaction: {words}"))
        };
        assert!(is_taken(&refusal("rpc.1010", InvalidTransaction::Stale)));
        assert!(is_taken(&Fault::error("rpc.1014", "Priority is too low: (1 vs 1)")));
        for error in [
            InvalidTransaction::Payment,
            InvalidTransaction::BadProof,
            InvalidTransaction::Future,
            InvalidTransaction::ExhaustsResources,
        ] {
            assert!(!is_taken(&refusal("rpc.1010", error)), "{error:?}");
        }
        // The node may have these, or has them for certain.
        for code in ["rpc.1011", "rpc.1012", "rpc.1013", "rpc.1016", "node_gone", "node_timeout"] {
            assert!(!is_taken(&Fault::error(code, "it is outdated")), "{code}");
        }
    }

    #[test]
    fn refusal_is_not_open_and_a_lost_connection_is() {
        assert!(is_open(&Fault::error(fate::NOT_INCLUDED, "not in time")));
        assert!(is_open(&Fault::error("node_gone", "lost").context("cannot send")));
        assert!(!is_open(&Fault::error("jobs.DeadlineOutOfRange", "no")));
        assert!(!is_open(&Fault::error("rpc.1010", "Invalid Transaction")));
    }
}
