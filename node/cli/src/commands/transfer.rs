// SPDX-License-Identifier: Apache-2.0
//! `assay transfer`.

use crate::{
    account::AccountArg, amount::Amount, exit::Exit, funds::Need, out, session::Session, view,
};
use anyhow::Result;
use assay_runtime::RuntimeCall;
use serde_json::json;

/// Sends money to an account, once the chain knows the account.
pub async fn transfer(session: &Session, to: &AccountArg, amount: Amount) -> Result<Exit> {
    let from = session.account()?;
    let account = to.resolve(&session.chain).await?;
    // The chain resolves an address again, so nobody else can be paid in the meantime.
    let call = pallet_balances::Call::transfer_keep_alive { dest: to.lookup(), value: amount.0 };
    let need = Need {
        amount: amount.0,
        what: "the transfer",
        goes: "to send",
        advice: "send it more, or transfer less",
    };
    let included = session.submit_covered(RuntimeCall::Balances(call), &need).await?;
    if session.json {
        out::object(&json!({
            "from": from.to_string(),
            "to": account.to_string(),
            "named": to.to_string(),
            "amount": view::planck(amount.0),
            "amountAsy": amount.decimal(),
            "block": included.number,
        }))?;
    } else {
        out::pairs(&[
            ("Sent", amount.to_string()),
            ("From", from.to_string()),
            ("To", to.to_string()),
            ("Block", included.number.to_string()),
        ])?;
    }
    Ok(Exit::Done)
}
