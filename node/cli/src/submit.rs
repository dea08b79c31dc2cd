// SPDX-License-Identifier: Apache-2.0
//! Sends a call so that it takes effect once, though other commands sign with the same key and the
//! connection may break off.
//!
//! A call is signed again, with another nonce, only if the extrinsic before can be in no block: the node
//! has refused it, so that it has passed it on to nobody, or a finalised block has its nonce and the
//! chain does not have it. In every other case the same bytes are sent again, which a chain takes once.
//!
//! Two failures are certain: the node has refused the extrinsic, or the call has failed in a block. Any
//! other error after the extrinsic was sent is an `outcome_unknown`.

mod fate;
mod refusal;

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
use refusal::{is_refused, is_taken};
use std::time::Duration;
use tokio::time::sleep;

/// The number of nonces that are tried.
const ATTEMPTS: u32 = 10;

/// The pause after a nonce that was taken, times the number of attempts so far.
const PAUSE: Duration = Duration::from_millis(100);

/// The code of the error after which nobody knows whether a call takes effect.
const OUTCOME_UNKNOWN: &str = "outcome_unknown";

/// The news of an extrinsic, for the caller of [`submit`].
pub enum News<'a> {
    /// The extrinsic is about to be sent.
    Sending(&'a Signed),
    /// The extrinsic of which the last news told takes no effect: the node has refused it, another has its
    /// nonce, or the call has failed.
    NoEffect,
}

/// The end of one extrinsic.
enum End {
    /// The call has taken effect.
    Included(Included),
    /// The call takes no effect, for this reason.
    Failed(anyhow::Error),
    /// The extrinsic can be in no block, because another has its nonce.
    Replaced,
}

/// Signs and sends a call, and waits until it is in a block. Makes sure before that the signer can pay
/// for what it needs. `announce` is told each extrinsic before it is sent, and if it takes no effect. Fails
/// if the call does.
pub async fn submit(
    chain: &Chain,
    signer: &Key,
    call: RuntimeCall,
    need: Option<&Need>,
    mut announce: impl AsyncFnMut(News<'_>) -> Result<()>,
) -> Result<Included> {
    let account = signer.account();
    for attempt in 1..=ATTEMPTS {
        let turn = Turn::take(&chain.genesis, &account).await;
        let nonce = chain.next_nonce(&account).await?;
        let signed = chain.sign(signer, nonce, call.clone()).await?;
        if let Some(need) = need {
            funds::ensure(chain, &account, &signed.bytes, need).await?;
        }
        announce(News::Sending(&signed)).await?;
        let end = send_in_turn(chain, &signed, Some(turn)).await?;
        if let End::Included(included) = end {
            return Ok(included);
        }
        announce(News::NoEffect).await?;
        if let End::Failed(error) = end {
            return Err(error);
        }
        sleep(PAUSE * attempt).await;
    }
    Err(Fault::error(
        "nonce_taken",
        format!(
            "other extrinsics of {account} were faster {ATTEMPTS} times, and the call has taken no effect; \
             try again when no other program signs with the key"
        ),
    ))
}

/// Sends an extrinsic that is signed already, and waits until it is in a block; `None` if another has its
/// nonce.
pub async fn send(chain: &Chain, signed: &Signed) -> Result<Option<Included>> {
    match send_in_turn(chain, signed, None).await? {
        End::Included(included) => Ok(Some(included)),
        End::Failed(error) => Err(error),
        End::Replaced => Ok(None),
    }
}

/// Returns whether an error leaves open that the call takes effect.
pub fn may_take_effect(error: &anyhow::Error) -> bool {
    error.downcast_ref::<Fault>().is_some_and(|fault| fault.code == OUTCOME_UNKNOWN)
}

/// Sends an extrinsic and waits for its end. The turn is over once it is sent. After every error the
/// outcome is unknown.
async fn send_in_turn(chain: &Chain, signed: &Signed, turn: Option<Turn>) -> Result<End> {
    let updates = match chain.watch(signed).await {
        Ok(updates) => Some(updates),
        Err(error) if is_taken(&error) => return Ok(End::Replaced),
        Err(error) if is_refused(&error) => return Ok(End::Failed(error)),
        // The node may have it.
        Err(_) => None,
    };
    drop(turn);
    let end = async {
        let Some(block) = fate::await_inclusion(chain, signed, updates).await? else {
            return Ok(End::Replaced);
        };
        Ok(match included(chain, signed, block).await? {
            Ok(included) => End::Included(included),
            Err(fault) => End::Failed(fault.into()),
        })
    };
    end.await.map_err(|error| unknown(signed, error))
}

/// Returns the error for an extrinsic that was sent and whose outcome is unknown.
fn unknown(signed: &Signed, error: anyhow::Error) -> anyhow::Error {
    error.context(Fault {
        code: OUTCOME_UNKNOWN.into(),
        message: format!(
            "the call was sent, and nobody knows yet whether it takes effect; before you try again, look \
             for the extrinsic {:?} of {} in the blocks {} to {}, after which it can be in none",
            signed.hash(),
            signed.signer,
            signed.anchor,
            signed.last()
        ),
    })
}

/// Reads how an extrinsic ended, also over a connection that breaks off.
async fn included(chain: &Chain, signed: &Signed, block: Hash) -> Result<Result<Included, Fault>> {
    loop {
        match chain.included(signed, block).await {
            Err(error) if is_lost(&error) => reconnect::aloud(chain, error).await?,
            other => return other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sp_keyring::Sr25519Keyring;

    fn signed() -> Signed {
        let signer = Sr25519Keyring::Alice.to_account_id();
        Signed { bytes: vec![1, 2], signer, nonce: 3, anchor: 40 }
    }

    #[test]
    fn error_after_sending_leaves_the_outcome_unknown_and_says_how_to_find_out() {
        for code in ["block_missing", "node_gone", "other_chain", "rpc.4003", "rpc"] {
            let error = unknown(&signed(), Fault::error(code, "the cause"));
            assert!(may_take_effect(&error), "{code}");
            assert!(may_take_effect(&error.context("cannot order")), "{code}");
        }
        let message = format!("{:#}", unknown(&signed(), anyhow::anyhow!("the cause")));
        let hash = format!("{:?}", signed().hash());
        for part in [&hash, "blocks 40 to 168", "before you try again", ": the cause"] {
            assert!(message.contains(part), "'{part}' is not in: {message}");
        }
    }

    #[test]
    fn refusal_is_certain() {
        for code in ["jobs.DeadlineOutOfRange", "rpc.1010", "balance_too_small", "nonce_taken"] {
            assert!(!may_take_effect(&Fault::error(code, "no")), "{code}");
        }
    }
}
