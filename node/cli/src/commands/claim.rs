// SPDX-License-Identifier: Apache-2.0
//! `assay claim`.

use crate::{amount::Amount, exit::Exit, out, session::Session, view};
use anyhow::Result;
use assay_runtime::RuntimeCall;
use serde_json::json;

/// Withdraws the amount that the signer can claim. An empty claim is not an error.
pub async fn claim(session: &Session) -> Result<Exit> {
    let account = session.account()?;
    let amount = session.chain.claimable(&account).await?;
    let block = if amount > 0 {
        let call = RuntimeCall::Escrow(pallet_escrow::Call::claim {});
        Some(session.submit(call).await?.number)
    } else {
        None
    };
    if session.json {
        out::object(&json!({
            "account": account.to_string(),
            "claimed": view::planck(amount),
            "claimedAsy": Amount(amount).decimal(),
            "block": block,
        }))?;
    } else if amount > 0 {
        out::line(&format!("{account} withdrew {}.", Amount(amount)))?;
    } else {
        out::line(&format!("{account} has nothing to claim."))?;
    }
    Ok(Exit::Done)
}
